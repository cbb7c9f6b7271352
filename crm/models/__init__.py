"""The tables. One module per group of nouns; docs/data-model.md draws them."""

from crm.models.base import Base
from crm.models.conversations import Conversation, Handoff, Message
from crm.models.customers import Consent, Customer, Disclosure, Identity, VerificationAttempt
from crm.models.enums import (
    Author,
    Channel,
    ConsentKind,
    ConversationStatus,
    Delivery,
    FinancialStatus,
    FulfillmentStatus,
    HandoffReason,
    OrderState,
    ProductStatus,
    ReturnStatus,
    TicketKind,
    TicketStatus,
)
from crm.models.orders import Order, OrderLine, ReturnRequest, Shipment
from crm.models.products import Product, Variant
from crm.models.service import Feedback, KnowledgeArticle, Revision, ShownRecommendation, Ticket

__all__ = [
    "Author",
    "Base",
    "Channel",
    "Consent",
    "ConsentKind",
    "Conversation",
    "ConversationStatus",
    "Customer",
    "Delivery",
    "Disclosure",
    "Feedback",
    "FinancialStatus",
    "FulfillmentStatus",
    "Handoff",
    "HandoffReason",
    "Identity",
    "KnowledgeArticle",
    "Message",
    "Order",
    "OrderLine",
    "OrderState",
    "Product",
    "ProductStatus",
    "ReturnRequest",
    "ReturnStatus",
    "Revision",
    "Shipment",
    "ShownRecommendation",
    "Ticket",
    "TicketKind",
    "TicketStatus",
    "Variant",
    "VerificationAttempt",
]
