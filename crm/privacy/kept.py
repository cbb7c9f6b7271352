"""What stays of an erased person, so that sums, counts and averages of the shop stay right.

Of the tables named here the rows stay and every column that is not named is emptied. In all other tables with a path
to the person the rows are deleted, those of tables that are added later as well.
"""

from collections.abc import Mapping
from typing import Final

KEPT: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(columns.split())
    for name, columns in {
        "customers": "id source created_at merged_into_id",
        "identities": "id channel customer_id language created_at last_seen_at",
        # What was bought, when and for how much: the shop's books.
        "orders": "id source external_id number customer_id currency subtotal_minor discount_minor shipping_minor"
        " tax_minor total_minor refunded_minor discount_code financial_status fulfillment_status country placed_at"
        " paid_at fulfilled_at cancelled_at updated_at",
        "order_lines": "id order_id position product_id sku title quantity unit_price_minor discount_minor fulfilled",
        "shipments": "id order_id carrier shipped_at delivered_at",
        "return_requests": "id order_id conversation_id status requested_at decided_at refunded_at",
        # That there was a conversation, and how it went, without a word of it.
        "conversations": "id identity_id channel language status last_seq opened_at last_message_at closed_at"
        " satisfaction_asked_at lease_owner lease_until unheard_from",
        "messages": "id conversation_id seq author channel turn created_at intent confidence language model_id"
        " answer_ms delivery delivery_attempts delivered_at sentiment mood",
        "message_sentiments": "message_id label score model scored_at made_at",
        "handoffs": "id conversation_id reason opened_at taken_at returned_at returned_by",
        "feedback": "id conversation_id message_seq score given_at",
        "tickets": "id kind status conversation_id customer_id order_id product_id quantity opened_at done_at",
        "shown_recommendations": "id conversation_id customer_id product_id rank shown_at personal clicked_at",
        # That a permission was given or withdrawn, and that an order was spoken of.
        "consents": "id identity_id customer_id kind granted source recorded_at",
        "disclosures": "id conversation_id customer_id order_id what told_at",
        "verification_attempts": "id conversation_id succeeded attempted_at",
        "customer_merges": "id kept_id merged_id proof conversation_id moved merged_at undone_at",
        "erasures": "id pseudonym marks asked_by erased_at receipt open_conversation_id",
    }.items()
}
UNIQUE_TEXTS: Final = frozenset(("external_id", "public_id", "request_key"))
"""Columns that cannot be emptied because every row needs one of its own; they get one without a meaning."""
