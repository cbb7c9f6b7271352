"""What the bot takes from a stretch in which the owner spoke: it goes on from there, and not from before.

A form that was open is over, failures are forgiven, and a request for a person has been met; otherwise the bot would
hand the customer over again at once, or ask for what the owner has long been told.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rasa.shared.core.events import ActiveLoop, BotUttered, Event, SlotSet

# What was named counts on: the order, the product, and the address that proves whose order it is.
TAKEN = {"order_number": "last_order", "product_id": "product_id", "phone": "contact", "email": "contact"}
OF_THE_PAST = ("requested_slot", "failures", "offer", "waiting", "job", "subject")


def events_of(lines: Sequence[dict[str, Any]], entities: Sequence[dict[str, Any]]) -> list[Event]:
    """Events for the tracker: the owner's words, a clean slate, and the last order and product that were named."""
    said = [str(line.get("text", "")) for line in lines if isinstance(line, dict) and line.get("author") == "owner"]
    events: list[Event] = [BotUttered(text, metadata={"author": "owner"}) for text in said]
    events += [ActiveLoop(None), *(SlotSet(name, None) for name in OF_THE_PAST)]
    if said:
        events.append(SlotSet("owner_said", said[-1]))
    for entity, slot in TAKEN.items():
        named = [found.get("value") for found in entities if found.get("entity") == entity]
        if named:
            events.append(SlotSet(slot, str(named[-1])))
    return events
