from __future__ import annotations

import asyncio
import base64
from pathlib import Path

import pytest
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, BotUttered, Event, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker

from bot.sealing import BadTrackerKey, Sealing
from bot.tracker_store import FOLD_ABOVE_TURNS, CompactTrackerStore, event_from


@pytest.fixture
def domain(sources: Path) -> Domain:
    return Domain.load(sources / "domain.yml")


@pytest.fixture
def store(domain: Domain, tmp_path: Path) -> CompactTrackerStore:
    return CompactTrackerStore(domain, host=f"sqlite:///{tmp_path / 'deep' / 'rasa.db'}")


def a_turn(text: str) -> list[Event]:
    return [
        UserUttered(text, {"name": "greet", "confidence": 1.0}, parse_data={"text": text, "intent_ranking": []}),
        ActionExecuted("utter_greet"),
        BotUttered("Hello"),
        ActionExecuted("action_listen"),
    ]


def saved_and_read(store: CompactTrackerStore, tracker: DialogueStateTracker) -> DialogueStateTracker:
    asyncio.run(store.save(tracker))
    read = asyncio.run(store.retrieve(tracker.sender_id))
    assert read is not None
    return read


def test_an_unknown_conversation_is_none(store: CompactTrackerStore) -> None:
    assert asyncio.run(store.retrieve("nobody")) is None
    assert not asyncio.run(store.exists("nobody"))


def test_a_short_conversation_comes_back_as_it_was(store: CompactTrackerStore) -> None:
    tracker = store.init_tracker("lin")
    tracker.update_with_events(
        [ActionExecuted("action_listen"), *a_turn("hi"), SlotSet("order_number", "2003")], store.domain
    )
    read = saved_and_read(store, tracker)
    assert list(read.events) == list(tracker.events)
    assert read.get_slot("order_number") == "2003"


def test_what_was_filled_in_survives_a_hundred_turns(store: CompactTrackerStore) -> None:
    tracker = store.init_tracker("lin")
    tracker.update_with_events(
        [ActionExecuted("action_listen"), *a_turn("hi"), SlotSet("order_number", "A1024"), ActiveLoop("order_form")],
        store.domain,
    )
    sizes = []
    for turn in range(100):
        tracker = saved_and_read(store, tracker)
        tracker.update_with_events(a_turn(f"line {turn}"), store.domain)
        sizes.append(len(tracker.events))
    assert tracker.get_slot("order_number") == "A1024"
    assert tracker.active_loop_name == "order_form"
    assert tracker.latest_message is not None
    assert tracker.latest_message.text == "line 99"
    assert max(sizes[50:]) == max(sizes[20:50])
    assert sum(isinstance(event, UserUttered) for event in tracker.events) <= FOLD_ABOVE_TURNS + 1


def test_a_slot_emptied_before_the_fold_stays_empty(store: CompactTrackerStore) -> None:
    tracker = store.init_tracker("lin")
    tracker.update_with_events(
        [ActionExecuted("action_listen"), SlotSet("email", "a@b.c"), SlotSet("email", None)], store.domain
    )
    for turn in range(40):
        tracker.update_with_events(a_turn(f"line {turn}"), store.domain)
    assert saved_and_read(store, tracker).get_slot("email") is None


def test_the_policies_see_the_same_last_states(store: CompactTrackerStore, domain: Domain) -> None:
    tracker = store.init_tracker("lin")
    tracker.update_with_events([ActionExecuted("action_listen"), SlotSet("order_number", "1")], domain)
    for turn in range(40):
        tracker.update_with_events(a_turn(f"line {turn}"), domain)
    read = saved_and_read(store, tracker)
    assert read.past_states(domain)[-8:] == tracker.past_states(domain)[-8:]


def test_conversations_are_kept_apart_and_can_be_forgotten(store: CompactTrackerStore) -> None:
    for sender in ("lin", "chen"):
        tracker = store.init_tracker(sender)
        tracker.update_with_events(a_turn(f"I am {sender}"), store.domain)
        asyncio.run(store.save(tracker))
    asyncio.run(store.delete("lin"))
    assert asyncio.run(store.retrieve("lin")) is None
    assert list(asyncio.run(store.keys())) == ["chen"]
    asyncio.run(store.delete("lin"))


def test_nothing_of_a_forgotten_conversation_is_left_in_the_files(tmp_path: Path, domain: Domain) -> None:
    store = CompactTrackerStore(domain, host=f"sqlite:///{tmp_path / 'rasa.db'}")
    tracker = store.init_tracker("lin")
    tracker.update_with_events(a_turn("my secret words"), domain)
    asyncio.run(store.save(tracker))
    asyncio.run(store.delete("lin"))
    assert all(b"my secret words" not in file.read_bytes() for file in tmp_path.iterdir())


def test_every_event_is_read_as_rasa_would_read_it() -> None:
    event = SlotSet("order_number", "2003", timestamp=1.0)
    assert event_from(event.as_dict()) == Event.from_parameters(event.as_dict()) == event


def test_what_was_said_cannot_be_read_in_the_file(
    domain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DESK_TRACKER_KEY", base64.urlsafe_b64encode(bytes(32)).decode())
    store = CompactTrackerStore(domain, host=f"sqlite:///{tmp_path / 'rasa.db'}")
    tracker = store.init_tracker("lin")
    tracker.update_with_events([ActionExecuted("action_listen"), *a_turn("my name is Anna Fischer")], domain)
    assert saved_and_read(store, tracker).latest_message.text == "my name is Anna Fischer"
    for file in tmp_path.iterdir():
        assert b"Fischer" not in file.read_bytes()

    monkeypatch.setenv("DESK_TRACKER_KEY", base64.urlsafe_b64encode(bytes([1]) * 32).decode())
    with_another_key = CompactTrackerStore(domain, host=f"sqlite:///{tmp_path / 'rasa.db'}")
    assert asyncio.run(with_another_key.retrieve("lin")) is None
    with pytest.raises(BadTrackerKey, match="32 bytes"):
        Sealing("too short")


def test_what_lay_there_before_is_still_read(domain: Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'rasa.db'}"
    plain = CompactTrackerStore(domain, host=url)
    tracker = plain.init_tracker("lin")
    tracker.update_with_events([ActionExecuted("action_listen"), *a_turn("hi")], domain)
    asyncio.run(plain.save(tracker))
    monkeypatch.setenv("DESK_TRACKER_KEY", base64.urlsafe_b64encode(bytes(32)).decode())
    read = asyncio.run(CompactTrackerStore(domain, host=url).retrieve("lin"))
    assert read is not None
    assert read.latest_message.text == "hi"
