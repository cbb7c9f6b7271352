"""Carrying a digest to the owner: once per channel, with another try when a channel fails."""

import logging
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

import crm
from analytics.digest import mail, telegram_message
from crm.errors import ConfigError
from crm.models import Digest, DigestChannel, DigestDelivery, DigestDeliveryState
from crm.settings import Settings
from crm.shop import Shop

log = logging.getLogger(__name__)
MOST_ATTEMPTS = 20
# A delivery that was being sent when the process died is tried again after this long.
GIVEN_UP_AFTER = timedelta(minutes=10)


@dataclass(frozen=True)
class Outcome:
    channel: DigestChannel
    state: DigestDeliveryState
    error: str | None = None


def channels(settings: Settings, session: Session) -> list[DigestChannel]:
    """Where the owner can be reached: an address and a mail server, a paired Telegram account."""
    found = []
    if settings.owner_email and settings.smtp_url:
        found.append(DigestChannel.EMAIL)
    if settings.telegram_token and telegram_message.owner_chats(session):
        found.append(DigestChannel.TELEGRAM)
    return found


def deliver(digest_id: int, settings: Settings, shop: Shop, *, clock: Callable[[], datetime]) -> list[Outcome]:
    """Sends the digest on every channel where it was not sent yet.

    Raises ConfigError when there is no channel at all. A channel that fails is noted and tried again by the next call.
    """
    with crm.reading() as session:
        wanted = channels(settings, session)
    if not wanted:
        raise ConfigError(
            "The digest has nowhere to go: set DESK_OWNER_EMAIL and DESK_SMTP_URL, or pair your Telegram account."
        )
    return [_deliver_on(channel, digest_id, settings, shop, clock) for channel in wanted]


def _deliver_on(
    channel: DigestChannel, digest_id: int, settings: Settings, shop: Shop, clock: Callable[[], datetime]
) -> Outcome:
    ours, state = _claim(digest_id, channel, clock())
    if not ours:
        return Outcome(channel, state)
    try:
        with crm.reading() as session:
            digest = session.get_one(Digest, digest_id)
            _send(channel, session, digest, settings, shop)
    except (OSError, smtplib.SMTPException, telegram_message.NotSent) as error:
        # The type says what happened; the text of an SMTP error may hold addresses.
        log.warning("digest not sent digest=%d channel=%s error=%s", digest_id, channel, type(error).__name__)
        return _settle(digest_id, channel, DigestDeliveryState.FAILED, clock(), str(error)[:200])
    return _settle(digest_id, channel, DigestDeliveryState.SENT, clock(), None)


def _send(channel: DigestChannel, session: Session, digest: Digest, settings: Settings, shop: Shop) -> None:
    if channel is DigestChannel.EMAIL and settings.smtp_url and settings.owner_email:
        sender = shop.contact_email or settings.owner_email
        message = mail.message_for(
            digest, to=settings.owner_email, sender=sender, shop=shop.name.in_language(digest.language)
        )
        mail.send(message, mail.Server.parse(settings.smtp_url.get_secret_value()))
    elif channel is DigestChannel.TELEGRAM and settings.telegram_token:
        telegram_message.send(
            digest,
            telegram_message.owner_chats(session),
            token=settings.telegram_token.get_secret_value(),
            api=settings.telegram_api,
        )


def _claim(digest_id: int, channel: DigestChannel, now: datetime) -> tuple[bool, DigestDeliveryState]:
    """Whether the caller is to send it, and how far it is: SENDING without being ours is another process's work."""
    try:
        with crm.session() as session:
            delivery = session.scalar(
                select(DigestDelivery)
                .where(DigestDelivery.digest_id == digest_id, DigestDelivery.channel == channel)
                .with_for_update()
            )
            if delivery is None:
                delivery = DigestDelivery(digest_id=digest_id, channel=channel, attempts=0)
                session.add(delivery)
            elif not _may_try(delivery, now):
                return False, delivery.state
            delivery.state = DigestDeliveryState.SENDING
            delivery.attempts, delivery.attempted_at = delivery.attempts + 1, now
            return True, DigestDeliveryState.SENDING
    except IntegrityError:
        # Another process made the row at the same moment and is sending.
        return False, DigestDeliveryState.SENDING


def _may_try(delivery: DigestDelivery, now: datetime) -> bool:
    if delivery.attempts >= MOST_ATTEMPTS:
        return False
    if delivery.state is DigestDeliveryState.SENDING:
        return delivery.attempted_at is None or now - delivery.attempted_at >= GIVEN_UP_AFTER
    return delivery.state is not DigestDeliveryState.SENT


def _settle(
    digest_id: int, channel: DigestChannel, state: DigestDeliveryState, now: datetime, error: str | None
) -> Outcome:
    with crm.session() as session:
        delivery = session.scalars(
            select(DigestDelivery).where(DigestDelivery.digest_id == digest_id, DigestDelivery.channel == channel)
        ).one()
        delivery.state, delivery.error = state, error
        delivery.sent_at = now if state is DigestDeliveryState.SENT else None
    return Outcome(channel, state, error)
