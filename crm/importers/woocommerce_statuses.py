"""How far a WooCommerce order is, in the words of its exports: keys ("wc-processing") or labels."""

from crm.importers.report import BadValue
from crm.importers.statuses import PlainStatus
from crm.models import FinancialStatus, FulfillmentStatus

_UNPAID = PlainStatus(FinancialStatus.PENDING, FulfillmentStatus.UNFULFILLED)
_PREPARING = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.UNFULFILLED)
_PARTLY = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.PARTIAL)
_SENT = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.FULFILLED)
_DELIVERED = PlainStatus(FinancialStatus.PAID, FulfillmentStatus.DELIVERED)
_CANCELLED = PlainStatus(FinancialStatus.VOIDED, FulfillmentStatus.UNFULFILLED, cancelled=True)
_REFUNDED = PlainStatus(FinancialStatus.REFUNDED, FulfillmentStatus.UNFULFILLED)
_WORDS: dict[PlainStatus, tuple[str, ...]] = {
    _UNPAID: ("pending", "pending payment", "on hold", "待付款", "等待付款", "等待支付", "保留", "保留中", "暂停",
              "zahlung ausstehend", "in wartestellung", "attente paiement", "en attente de paiement", "en attente",
              "pendiente de pago", "en espera"),
    _PREPARING: ("processing", "处理中", "正在处理", "處理中", "in bearbeitung", "en cours", "procesando"),
    _PARTLY: ("partially shipped", "partial shipped", "partly shipped", "部分发货"),
    _SENT: ("completed", "shipped", "sent", "已完成", "已发货", "完成", "abgeschlossen", "fertiggestellt", "versendet",
            "terminée", "terminé", "expédiée", "completado", "completada", "enviado"),
    _DELIVERED: ("delivered", "已签收", "已送达", "zugestellt", "livrée", "entregado"),
    _CANCELLED: ("cancelled", "canceled", "failed", "已取消", "失败", "已失败", "storniert", "fehlgeschlagen",
                 "annulée", "annulé", "échouée", "échoué", "cancelado", "cancelada", "fallido"),
    _REFUNDED: ("refunded", "已退款", "rückerstattet", "erstattet", "remboursée", "remboursé", "reembolsado"),
}  # fmt: skip
_STATUSES = {word: status for status, words in _WORDS.items() for word in words}
_NO_ORDERS = frozenset(("checkout draft", "draft", "auto draft", "trash", "草稿", "entwurf", "brouillon", "borrador"))


def woocommerce_status(text: str) -> PlainStatus | None:
    """None for a basket that never became an order. Raises BadValue for a word that is not known."""
    word = " ".join(text.lower().removeprefix("wc-").replace("-", " ").replace("_", " ").split())
    if word in _NO_ORDERS:
        return None
    found = _STATUSES.get(word)
    if found is None:
        expected = "pending, processing, on-hold, completed, shipped, delivered, cancelled, refunded or failed"
        raise BadValue("status", text, f"expected {expected}" if text else "it is empty")
    return found
