"""The tables. One module per group of nouns; docs/data-model.md draws them."""

from crm.models.alerts import Alert, AlertKind
from crm.models.base import Base
from crm.models.conversations import Conversation, Handoff, Message
from crm.models.customers import Consent, Customer, Disclosure, Identity, VerificationAttempt
from crm.models.digests import (
    Digest,
    DigestChannel,
    DigestDelivery,
    DigestDeliveryState,
    DigestPicture,
    OwnerLink,
    OwnerLinkKind,
)
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
    ReturnedBy,
    ReturnStatus,
    TicketKind,
    TicketStatus,
)
from crm.models.follow_ups import FollowUp, FollowUpKind, FollowUpRule, FollowUpStatus, StockWait
from crm.models.imports import ImportProgress
from crm.models.orders import Order, OrderLine, ReturnRequest, Shipment
from crm.models.owners import OwnerAccount, PairingCode
from crm.models.products import Product, Variant
from crm.models.quotes import Quote
from crm.models.service import Feedback, KnowledgeArticle, Revision, ShownRecommendation, Ticket
from crm.models.staff import (
    OwnerNotice,
    OwnerNoticeKind,
    Preference,
    SignInFailure,
    StaffMember,
    StaffRole,
    StaffSession,
)

__all__ = [
    "Alert",
    "AlertKind",
    "Author",
    "Base",
    "Channel",
    "Consent",
    "ConsentKind",
    "Conversation",
    "ConversationStatus",
    "Customer",
    "Delivery",
    "Digest",
    "DigestChannel",
    "DigestDelivery",
    "DigestDeliveryState",
    "DigestPicture",
    "Disclosure",
    "Feedback",
    "FinancialStatus",
    "FollowUp",
    "FollowUpKind",
    "FollowUpRule",
    "FollowUpStatus",
    "FulfillmentStatus",
    "Handoff",
    "HandoffReason",
    "Identity",
    "ImportProgress",
    "KnowledgeArticle",
    "Message",
    "Order",
    "OrderLine",
    "OrderState",
    "OwnerAccount",
    "OwnerLink",
    "OwnerLinkKind",
    "OwnerNotice",
    "OwnerNoticeKind",
    "PairingCode",
    "Preference",
    "Product",
    "ProductStatus",
    "Quote",
    "ReturnRequest",
    "ReturnStatus",
    "ReturnedBy",
    "Revision",
    "Shipment",
    "ShownRecommendation",
    "SignInFailure",
    "StaffMember",
    "StaffRole",
    "StaffSession",
    "StockWait",
    "Ticket",
    "TicketKind",
    "TicketStatus",
    "Variant",
    "VerificationAttempt",
]
