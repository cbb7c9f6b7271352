"""States and kinds, in the words of docs/data-model.md."""

from enum import StrEnum


class Channel(StrEnum):
    WEB = "web"
    TELEGRAM = "telegram"


class Author(StrEnum):
    CUSTOMER = "customer"
    BOT = "bot"
    OWNER = "owner"


class ConversationStatus(StrEnum):
    OPEN = "open"
    HANDED_OFF = "handed_off"
    CLOSED = "closed"


class Delivery(StrEnum):
    """How far a message of the bot or the owner got on a channel that has to be called (Telegram)."""

    NOT_NEEDED = "not_needed"
    PENDING = "pending"
    SENT = "sent"
    FAILED = "failed"


class HandoffReason(StrEnum):
    ASKED = "asked"
    ANGRY = "angry"
    NOT_UNDERSTOOD = "not_understood"
    VERIFICATION_LIMIT = "verification_limit"
    DESK_DOWN = "desk_down"
    REQUEST = "request"
    UNDELIVERED = "undelivered"  # the channel refuses a message for good
    OWNER = "owner"  # nobody asked: the owner stepped in


class ReturnedBy(StrEnum):
    """Who let the bot speak again: the owner by a button, or the desk after the owner's silence."""

    OWNER = "owner"
    SILENCE = "silence"


class OrderState(StrEnum):
    """What a customer is told about an order; derived from payment, fulfilment and cancellation."""

    AWAITING_PAYMENT = "awaiting_payment"
    PREPARING = "preparing"
    PARTLY_SHIPPED = "partly_shipped"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


class FinancialStatus(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    PARTIALLY_REFUNDED = "partially_refunded"
    REFUNDED = "refunded"
    VOIDED = "voided"


class FulfillmentStatus(StrEnum):
    UNFULFILLED = "unfulfilled"
    PARTIAL = "partial"
    FULFILLED = "fulfilled"
    DELIVERED = "delivered"


class ProductStatus(StrEnum):
    ACTIVE = "active"
    DRAFT = "draft"
    ARCHIVED = "archived"


class TicketKind(StrEnum):
    """What the owner has to see to."""

    COMPLAINT = "complaint"
    CANCELLATION = "cancellation"
    ORDER_CHANGE = "order_change"
    INVOICE = "invoice"
    QUOTE = "quote"
    DATA_EXPORT = "data_export"
    DATA_DELETION = "data_deletion"


class TicketStatus(StrEnum):
    OPEN = "open"
    DONE = "done"


class ReturnStatus(StrEnum):
    REQUESTED = "requested"
    APPROVED = "approved"
    RECEIVED = "received"
    REFUNDED = "refunded"
    DECLINED = "declined"


class ConsentKind(StrEnum):
    MARKETING = "marketing"
    DATA_STORAGE = "data_storage"
    ACCOUNT_LINK = "account_link"
