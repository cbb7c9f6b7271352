"""How long somebody stays signed in, what many addresses together may guess, and what browsers may keep."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Engine, update

import crm
from crm import staff
from crm.models import SignInFailure, StaffMember, StaffSession
from crm.types import now
from tests.gateway.conftest import Gateway, Visitor
from tests.gateway.test_console import Console

SOON = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("changed", "good"),
    [
        ({"expires_at": -SOON}, False),
        ({"expires_at": SOON}, True),
        ({"last_seen_at": -staff.IDLE_FOR - SOON}, False),
        ({"last_seen_at": -staff.IDLE_FOR + SOON}, True),
    ],
    ids=["over", "nearly over", "idle", "nearly idle"],
)
async def test_a_session_is_good_for_its_time_only(owner: Console, changed: dict[str, timedelta], good: bool) -> None:
    with crm.session() as session:
        session.execute(update(StaffSession).values({name: now() + shift for name, shift in changed.items()}))
    answer = await owner.http.get("/owner/customers")
    assert answer.status_code == (200 if good else 303)
    sent = await owner.sends("/settings/doctor")
    assert (sent.status_code == 401) is not good


@pytest.mark.parametrize(("seconds", "status"), [(10, 429), (70, 303)])
async def test_many_addresses_together_guess_once_a_minute(browser: Console, seconds: int, status: int) -> None:
    with crm.session() as session:
        for number in range(staff.MAX_FAILURES_IN_ALL):
            session.add(SignInFailure(address=f"10.0.{number}.1", failed_at=now() - timedelta(seconds=seconds)))
    answer = await browser.sign_in()
    assert answer.status_code == status
    if status == 429:
        assert 1 <= int(answer.headers["Retry-After"]) <= 61
        assert "Set-Cookie" not in answer.headers


def test_each_of_the_two_looks_at_an_addresss_tries_stops_guessing(store: Engine) -> None:
    """One before a try is counted; one after, for tries that were counted at the same moment."""
    with crm.session() as session:
        for _ in range(staff.MAX_FAILURES_PER_ADDRESS):
            last = staff.note_try(session, "home", now=now())
            staff.check_try(session, "home", last, now=now())
        with pytest.raises(staff.SignInLocked):
            staff.note_try(session, "home", now=now())
        at_once = SignInFailure(address="home", failed_at=now())
        session.add(at_once)
        session.flush()
        with pytest.raises(staff.SignInLocked):
            staff.check_try(session, "home", at_once.id, now=now())
        staff.check_try(session, "office", staff.note_try(session, "office", now=now()), now=now())


async def test_whoever_was_shut_out_is_so_even_with_a_session_left(owner: Console) -> None:
    with crm.session() as session:
        session.execute(update(StaffMember).values(disabled_at=now()))
    assert (await owner.http.get("/owner/customers")).status_code == 303


async def test_no_browser_keeps_or_frames_what_is_private(gateway: Gateway, owner: Console, park: Visitor) -> None:
    await park.says("a secret")
    answers: list[httpx.Response] = [await owner.http.get(f"/owner{path}") for path in ("", "/customers", "/settings")]
    for answer in answers:
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    answers.append(await gateway.http.get("/api/chat/messages", headers=park.headers))
    answers.append(await gateway.http.post("/api/chat/sessions"))
    answers.append(await gateway.http.get("/my-data/x"))
    answers.append(await gateway.http.get("/owner/do/x"))
    for answer in answers:
        assert "no-store" in answer.headers["Cache-Control"], answer.url
