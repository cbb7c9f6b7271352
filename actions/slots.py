"""The names of the domain's slots. Misspelling one would silently read nothing, so they are written only here."""

from typing import Any

from rasa_sdk.events import SlotSet

LANGUAGE = "language"
ORDER_NUMBER = "order_number"
CONTACT = "contact"
LAST_ORDER = "last_order"
PRODUCT_ID = "product_id"
QUANTITY = "quantity"
BUDGET = "budget"
RATING = "rating"
PRODUCT = "product"
REPLY_TO = "reply_to"
CHANGE_DETAILS = "change_details"
RETURN_REASON = "return_reason"
COMPLAINT_DETAILS = "complaint_details"
JOB = "job"
OFFER = "offer"
FAILURES = "failures"
SUBJECT = "subject"
WAITING = "waiting"
OWNER_SAID = "owner_said"
REQUESTED_SLOT = "requested_slot"

# What belongs to one job only; cleared when the job ends, so that nothing leaks into the next subject.
OF_A_JOB = (
    ORDER_NUMBER,
    CONTACT,
    QUANTITY,
    BUDGET,
    RATING,
    PRODUCT,
    REPLY_TO,
    CHANGE_DETAILS,
    RETURN_REASON,
    COMPLAINT_DETAILS,
    JOB,
)


def reset(*names: str) -> list[dict[str, Any]]:
    """Events that empty the named slots."""
    return [SlotSet(name, None) for name in names]
