"""The public facts about the shop that a chat window shows."""

from typing import Any

from crm.shop import Shop, Text


def text_shown(text: Text) -> str | dict[str, str]:
    """Both languages where there are both, else the text as it is."""
    if text.en and text.zh:
        return {"en": text.en, "zh": text.zh}
    return str(text)


def facts_shown(shop: Shop) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "name": text_shown(shop.name),
        "languages": list(shop.languages),
        "default_language": shop.default_language,
        "currency": shop.currency,
    }
    if shop.opening_hours is not None:
        facts["opening_hours"] = text_shown(shop.opening_hours)
    if shop.contact_email is not None:
        facts["contact_email"] = shop.contact_email
    return facts
