"""Who may sign in at /owner: passwords, signed-in browsers, and the count of wrong tries."""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from crm.errors import CrmError
from crm.models import SignInFailure, StaffMember, StaffRole, StaffSession

OWNER = "owner"
SHORTEST_PASSWORD = 10
SESSION_LASTS = timedelta(days=14)
IDLE_FOR = timedelta(days=3)
NOTED_EVERY = timedelta(minutes=5)
FAILURES_COUNT_FOR = timedelta(minutes=15)
MAX_FAILURES_PER_ADDRESS = 5
MAX_FAILURES_IN_ALL = 60


class SignInLocked(CrmError):
    """Too many wrong passwords; ``retry_after`` seconds from now another may be tried."""

    def __init__(self, retry_after: float) -> None:
        self.retry_after = retry_after
        super().__init__(f"too many wrong passwords, wait {retry_after:.0f} s")


class NameTaken(CrmError):
    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"somebody is called {name} already")


@cache
def _hasher() -> PasswordHasher:
    # OWASP's second choice of argon2id parameters: 19 MB for a moment, where a small machine has little to spare.
    return PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


@cache
def _decoy() -> str:
    """A hash that no password has: an unknown name takes as long to refuse as a known one."""
    return _hasher().hash(secrets.token_urlsafe(24))


def hash_password(password: str) -> str:
    """Takes some 30 ms of a core, on purpose: never within a transaction."""
    return _hasher().hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Whether the password has that hash; None is refused in the same time."""
    try:
        return _hasher().verify(password_hash or _decoy(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


def seed_of(password: str, secret: str) -> str:
    """Recognises the password of DESK_OWNER_PASSWORD again, so that a new one there takes effect."""
    return hmac.new(secret.encode(), b"owner password\0" + password.encode(), hashlib.sha256).hexdigest()


def owner(session: Session) -> StaffMember | None:
    return by_name(session, OWNER)


def by_name(session: Session, name: str) -> StaffMember | None:
    return session.scalar(
        select(StaffMember).where(StaffMember.name == name.strip().lower(), StaffMember.disabled_at.is_(None))
    )


def set_owner(session: Session, *, password_hash: str, seed: str, now: datetime) -> StaffMember:
    """Makes the owner's account, or gives it a new password and ends its open sessions."""
    member = session.scalar(select(StaffMember).where(StaffMember.name == OWNER))
    if member is None:
        member = StaffMember(name=OWNER, role=StaffRole.OWNER, password_hash=password_hash, seed=seed, created_at=now)
        session.add(member)
    else:
        member.password_hash, member.seed = password_hash, seed
        session.execute(delete(StaffSession).where(StaffSession.staff_id == member.id))
    session.flush()
    return member


def add_helper(session: Session, name: str, *, password_hash: str, now: datetime) -> StaffMember:
    """Raises NameTaken."""
    name = name.strip().lower()
    known = session.scalar(select(StaffMember).where(StaffMember.name == name))
    if known is not None and (known.disabled_at is None or known.role is StaffRole.OWNER):
        raise NameTaken(name)
    if known is None:
        known = StaffMember(name=name, role=StaffRole.HELPER, password_hash=password_hash, created_at=now)
        session.add(known)
    known.password_hash, known.disabled_at = password_hash, None
    session.flush()
    return known


def remove_helper(session: Session, staff_id: int, *, now: datetime) -> None:
    """Ends the account and its sessions; the owner's stays."""
    member = session.get(StaffMember, staff_id)
    if member is not None and member.role is StaffRole.HELPER:
        member.disabled_at = now
        session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


def helpers(session: Session) -> Sequence[StaffMember]:
    return session.scalars(
        select(StaffMember)
        .where(StaffMember.role == StaffRole.HELPER, StaffMember.disabled_at.is_(None))
        .order_by(StaffMember.name)
    ).all()


def check_not_locked(session: Session, address: str, *, now: datetime) -> None:
    """Raises SignInLocked."""
    since = now - FAILURES_COUNT_FOR
    own, first = session.execute(
        select(func.count(), func.min(SignInFailure.failed_at)).where(
            SignInFailure.address == address, SignInFailure.failed_at > since
        )
    ).one()
    if own >= MAX_FAILURES_PER_ADDRESS:
        raise SignInLocked((first - since).total_seconds())
    in_all = session.scalar(select(func.count()).where(SignInFailure.failed_at > since)) or 0
    if in_all >= MAX_FAILURES_IN_ALL:
        # Many addresses at once are one attacker; everybody waits a minute between tries then.
        last = session.scalar(select(func.max(SignInFailure.failed_at)))
        if last is not None and last > now - timedelta(minutes=1):
            raise SignInLocked((last - now + timedelta(minutes=1)).total_seconds())


def note_try(session: Session, address: str, *, now: datetime) -> int:
    """Counts a try as failed until ``open_session`` proves otherwise; its number. Raises SignInLocked."""
    check_not_locked(session, address, now=now)
    session.execute(delete(SignInFailure).where(SignInFailure.failed_at < now - timedelta(days=1)))
    tried = SignInFailure(address=address, failed_at=now)
    session.add(tried)
    session.flush()
    return tried.id


def check_try(session: Session, address: str, number: int, *, now: datetime) -> None:
    """Looks again after the try was committed: of many at once, none gets past the limit. Raises SignInLocked."""
    since = now - FAILURES_COUNT_FOR
    before = session.scalar(
        select(func.count()).where(
            SignInFailure.address == address, SignInFailure.failed_at > since, SignInFailure.id < number
        )
    )
    if (before or 0) >= MAX_FAILURES_PER_ADDRESS:
        raise SignInLocked(FAILURES_COUNT_FOR.total_seconds())


def open_session(session: Session, member: StaffMember, *, address: str, now: datetime) -> str:
    """A token for the cookie; only its hash is kept. Wrong tries from the address are forgotten."""
    session.execute(delete(StaffSession).where(StaffSession.expires_at < now))
    session.execute(delete(SignInFailure).where(SignInFailure.address == address))
    token = secrets.token_urlsafe(32)
    session.add(
        StaffSession(
            token_hash=_hash(token),
            staff_id=member.id,
            opened_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_LASTS,
        )
    )
    session.flush()
    return token


def session_of(session: Session, token: str, *, now: datetime) -> StaffSession | None:
    """The signed-in browser that holds the token, unless it has expired, idled or been signed out."""
    found = session.scalar(select(StaffSession).where(StaffSession.token_hash == _hash(token)))
    if found is None or found.expires_at < now or found.last_seen_at < now - IDLE_FOR:
        return None
    return None if found.member.disabled_at is not None else found


def note_seen(session: Session, session_id: int, *, now: datetime) -> None:
    found = session.get(StaffSession, session_id)
    if found is not None:
        found.last_seen_at = now


def sign_out(session: Session, token: str) -> None:
    session.execute(delete(StaffSession).where(StaffSession.token_hash == _hash(token)))


def sign_out_everywhere(session: Session, staff_id: int) -> None:
    session.execute(delete(StaffSession).where(StaffSession.staff_id == staff_id))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
