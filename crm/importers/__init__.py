"""Bringing the shop's records in. Each source is one entry here; docs/importing.md describes the files."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from crm.importers import plain, plain_orders, shopify, shopify_orders, taobao, woocommerce, woocommerce_orders
from crm.importers.records import Context
from crm.importers.report import ImportReport, Progress, Refusal, UnreadableFile

__all__ = ["KINDS", "SOURCES", "Context", "ImportReport", "Importer", "Progress", "Refusal", "UnreadableFile"]

Importer = Callable[[Path, Context], ImportReport]
KINDS: Final = ("products", "customers", "orders")
"""The order in which several files of one source are imported: orders find what came before them."""

SOURCES: Final[Mapping[str, Mapping[str, Importer]]] = {
    "shopify": {
        "products": shopify.import_products,
        "customers": shopify.import_customers,
        "orders": shopify_orders.import_orders,
    },
    "woocommerce": {
        "products": woocommerce.import_products,
        "orders": woocommerce_orders.import_orders,
    },
    "taobao": {"orders": taobao.import_orders},
    "csv": {
        "products": plain.import_products,
        "customers": plain.import_customers,
        "orders": plain_orders.import_orders,
    },
}
