"""The owner's own accounts: paired once by a code, known from then on."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from crm.changing import Changing
from crm.models import Channel, OwnerAccount, PairingCode

CODE_KEEPS = timedelta(minutes=15)
_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # none that looks like another
_LENGTH = 10


def new_code(session: Session, *, now: datetime) -> str:
    """A code for one pairing within a quarter of an hour; earlier ones stop working."""
    session.execute(delete(PairingCode).where(PairingCode.used_at.is_(None)))
    code = "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))
    session.add(PairingCode(code_hash=_hash(code), made_at=now, expires_at=now + CODE_KEEPS))
    session.flush()
    return code


def pair(session: Session, code: str, *, channel: Channel, external_id: str, now: datetime) -> bool:
    """Makes the account the owner's if the code is good; a code is good once."""
    used = Changing(
        update(PairingCode)
        .where(
            PairingCode.code_hash == _hash(code.strip().upper()),
            PairingCode.used_at.is_(None),
            PairingCode.expires_at > now,
        )
        .values(used_at=now),
        PairingCode.id,
    ).first(session)
    if used is None:
        return False
    if not is_owner(session, channel, external_id):
        session.add(OwnerAccount(channel=channel, external_id=external_id, paired_at=now))
        session.flush()
    return True


def unpair(session: Session, *, channel: Channel, external_id: str) -> None:
    session.execute(
        delete(OwnerAccount).where(OwnerAccount.channel == channel, OwnerAccount.external_id == external_id)
    )


def is_owner(session: Session, channel: Channel, external_id: str) -> bool:
    found = select(OwnerAccount.id).where(OwnerAccount.channel == channel, OwnerAccount.external_id == external_id)
    return session.scalar(found) is not None


def telegram_chats(session: Session) -> Sequence[str]:
    """Ids of the owner's chats, in the order in which they were paired."""
    return session.scalars(
        select(OwnerAccount.external_id).where(OwnerAccount.channel == Channel.TELEGRAM).order_by(OwnerAccount.id)
    ).all()


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()
