"""Who asked for what was sold out; the follow-up rule "back in stock" writes to them once."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Conversation, Product, StockWait


def note(session: Session, conversation: Conversation, product: Product, *, now: datetime) -> None:
    """Remembers the question; asked again in the same conversation it is one question, of the later day."""
    asked = select(StockWait).where(StockWait.conversation_id == conversation.id, StockWait.product_id == product.id)
    known = session.scalar(asked)
    if known is None:
        session.add(StockWait(conversation_id=conversation.id, product_id=product.id, asked_at=now))
    else:
        known.asked_at = now
    session.flush()
