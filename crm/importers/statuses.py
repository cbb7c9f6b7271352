"""The words that shops use for how far an order is."""

from dataclasses import dataclass

from crm.importers.report import BadValue
from crm.models import FinancialStatus, FulfillmentStatus


@dataclass(frozen=True)
class PlainStatus:
    """Without a word an order counts as paid and shipped: a list of past sales is the normal case."""

    financial: FinancialStatus = FinancialStatus.PAID
    fulfillment: FulfillmentStatus = FulfillmentStatus.FULFILLED
    cancelled: bool = False

    @property
    def is_fulfilled(self) -> bool:
        return self.fulfillment in (FulfillmentStatus.FULFILLED, FulfillmentStatus.DELIVERED)


_UNPAID = PlainStatus(FinancialStatus.PENDING, FulfillmentStatus.UNFULFILLED)
_PREPARING = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.UNFULFILLED)
_PARTLY = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.PARTIAL)
_SHIPPED = PlainStatus()
_DELIVERED = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.DELIVERED)
_CANCELLED = PlainStatus(FinancialStatus.VOIDED, FulfillmentStatus.UNFULFILLED, cancelled=True)
_REFUNDED = PlainStatus(FinancialStatus.REFUNDED)
_WORDS = {
    _UNPAID: "pending unpaid awaiting_payment 待付款 未付款",
    _PREPARING: "paid processing preparing unfulfilled open 已付款 待发货 处理中",
    _PARTLY: "partly_shipped partially_shipped partial 部分发货",
    _SHIPPED: "shipped fulfilled sent 已发货 待收货",
    _DELIVERED: "delivered completed complete done 已签收 已完成 交易成功",
    _CANCELLED: "cancelled canceled voided 已取消 交易关闭",
    _REFUNDED: "refunded returned 已退款 退款成功",
}
_STATUSES = {word: status for status, words in _WORDS.items() for word in words.split()}


def plain_status(text: str) -> PlainStatus | None:
    """None for an empty cell. Raises BadValue for a word that is not known."""
    if not text:
        return None
    found = _STATUSES.get(text.strip().lower().replace(" ", "_").replace("-", "_"))
    if found is None:
        raise BadValue("status", text, "expected pending, paid, shipped, delivered, cancelled or refunded")
    return found
