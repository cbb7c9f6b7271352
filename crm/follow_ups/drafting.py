"""Drafting: whom the rules find, in which words, and who is left out for comparison."""

import tomllib
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from babel.dates import format_date
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from crm import effects, quotes
from crm.follow_ups.hours import allowed_from
from crm.follow_ups.rule_settings import Setting, settings
from crm.follow_ups.rules import RULES, Candidate
from crm.models import Channel, Conversation, Customer, FollowUp, FollowUpStatus, Identity, Product
from crm.shop import Shop

ONE_PER = timedelta(days=14)
OPEN = (FollowUpStatus.DRAFTED, FollowUpStatus.APPROVED)
_TEXTS = Path(__file__).with_name("texts.toml")
_LOCALES = {"en": "en", "zh": "zh_Hans_CN"}


def draft_due(session: Session, shop: Shop, *, base_url: str, secret: str, now: datetime) -> list[FollowUp]:
    """Drafts what the switched-on rules call for and is not drafted yet; the control group's are withheld.

    ``secret`` signs the links to quotes.
    """
    made: list[FollowUp] = []
    for setting in settings(session):
        if not setting.enabled:
            continue
        for candidate in RULES[setting.kind].find(session, now):
            draft = _draft(session, shop, setting, candidate, base_url=base_url, secret=secret, now=now)
            if draft is not None:
                made.append(draft)
    return made


def _draft(
    session: Session,
    shop: Shop,
    setting: Setting,
    candidate: Candidate,
    *,
    base_url: str,
    secret: str,
    now: datetime,
) -> FollowUp | None:
    kind = setting.kind
    known = select(FollowUp.id).where(FollowUp.kind == kind, FollowUp.subject_key == candidate.subject_key)
    if session.scalar(known) is not None:
        return None
    customer = session.get(Customer, candidate.customer_id) if candidate.customer_id is not None else None
    if customer is not None and (customer.erased_at is not None or not _agreed(setting, customer)):
        return None
    conversation = _conversation_for(session, setting, candidate, customer)
    if conversation is None and customer is None:
        return None
    if setting.marketing and customer is not None and _written_to_lately(session, customer.id, now):
        return None
    language = _language(shop, customer, conversation)
    member = f"customer:{customer.id}" if customer else f"conversation:{conversation.id if conversation else 0}"
    withheld = setting.marketing and effects.in_control_group(kind, member, setting.control_share)
    draft = FollowUp(
        kind=kind,
        subject_key=candidate.subject_key,
        customer_id=customer.id if customer else None,
        conversation_id=conversation.id if conversation else None,
        status=FollowUpStatus.WITHHELD if withheld else FollowUpStatus.DRAFTED,
        language=language,
        text=_text(session, shop, setting, candidate, customer, language, _quote_link(candidate, base_url, secret)),
        data=dict(candidate.data),
        drafted_at=now,
        due_at=allowed_from(now, shop),
        expires_at=now + RULES[kind].keeps,
    )
    session.add(draft)
    session.flush()
    return draft


def _agreed(setting: Setting, customer: Customer) -> bool:
    return customer.accepts_marketing or not setting.marketing


def _conversation_for(
    session: Session, setting: Setting, candidate: Candidate, customer: Customer | None
) -> Conversation | None:
    """Where they can be written to: the conversation it is about, else the newest of theirs, Telegram first."""
    found = select(Conversation).join(Identity)
    if candidate.conversation_id is not None:
        found = found.where(Conversation.id == candidate.conversation_id)
    elif customer is not None:
        found = found.where(Identity.customer_id == customer.id)
    else:
        return None
    if setting.marketing:
        found = found.where(Identity.wants_marketing)
    telegram_first = (Conversation.channel != Channel.TELEGRAM, Conversation.last_message_at.desc())
    return session.scalar(found.order_by(*telegram_first).limit(1))


def _written_to_lately(session: Session, customer_id: int, now: datetime) -> bool:
    latest = select(func.count()).where(
        FollowUp.customer_id == customer_id,
        or_(FollowUp.sent_at > now - ONE_PER, FollowUp.status.in_(OPEN)),
    )
    return bool(session.scalar(latest))


def _language(shop: Shop, customer: Customer | None, conversation: Conversation | None) -> str:
    spoken = conversation.language if conversation else customer.language if customer else None
    return spoken if spoken in shop.languages else shop.default_language


@cache
def _texts() -> dict[str, dict[str, str]]:
    return tomllib.loads(_TEXTS.read_text(encoding="utf-8"))


def _text(
    session: Session,
    shop: Shop,
    setting: Setting,
    candidate: Candidate,
    customer: Customer | None,
    language: str,
    link: str,
) -> str:
    name = customer.name if customer else None
    greeting = _texts()["greeting" if name else "greeting_without_name"][language].format(name=name)
    product = session.get(Product, candidate.product_id) if candidate.product_id is not None else None
    until = candidate.until.astimezone(shop.zone) if candidate.until else None
    body = _texts()[setting.kind][language].format(
        greeting=greeting,
        shop=shop.name.in_language(language),
        order=f"#{candidate.order_number}",
        product=product_title(product, language) if product else "",
        days=candidate.days,
        until=format_date(until, "long", locale=_LOCALES[language]) if until else "",
        link=link,
    )
    return f"{body}\n{_texts()['stop_hint'][language]}" if setting.marketing else body


def _quote_link(candidate: Candidate, base_url: str, secret: str) -> str:
    return f"{base_url}/quotes/{quotes.token_of(candidate.quote_id, secret=secret)}" if candidate.quote_id else ""


def product_title(product: Product, language: str) -> str:
    return (product.title_zh if language == "zh" else product.title_en) or product.title
