"""What the bot would say, for the owner to send, change or ignore."""

from sqlalchemy.orm import Session

from crm import briefing
from crm.models import Conversation

MOST = 3


def suggest(session: Session, conversation: Conversation) -> list[str]:
    """Up to three answers in the customer's language to the last line that asked something, the likeliest first."""
    about = briefing.brief(session, conversation)
    if about.question is None:
        return []
    # Imported here: the index stands on numpy, which a desk where nobody is handed over need not hold in memory.
    from crm import knowledge

    found = [passage.text for passage in knowledge.look_up(session, about.question, conversation.language, limit=2)]
    if about.about is not None:
        found += briefing.last_words_of_owner(session, intent=about.about, language=conversation.language)
    return list(dict.fromkeys(text.strip() for text in found if text.strip()))[:MOST]
