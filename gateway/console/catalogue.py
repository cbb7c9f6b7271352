"""Products, prices and stock."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from crm import catalogue, money
from crm.catalogue import VariantChange
from crm.errors import ProductNotFound
from crm.models import Product, ProductStatus
from crm.types import now
from gateway.console import pages
from gateway.console.access import FormOf, Id, SignedInOf
from gateway.errors import Refused
from gateway.web import PartsOf

router = APIRouter(include_in_schema=False)


@router.get("/owner/catalogue")
async def catalogue_page(
    request: Request, parts: PartsOf, who: SignedInOf, q: str = "", page: Annotated[int, Query(ge=0, le=10_000)] = 0
) -> Response:
    found = await parts.store.read(lambda session: catalogue.find(session, q.strip(), page=page))
    return pages.page(
        request, parts, "catalogue.html", who, products=found, q=q, page=page, more=len(found) == catalogue.PAGE
    )


@router.get("/owner/catalogue/{number}")
async def product_page(request: Request, parts: PartsOf, who: SignedInOf, number: Id, saved: int = 0) -> Response:
    try:
        product = await parts.store.read(lambda session: catalogue.by_id(session, number))
    except ProductNotFound:
        raise Refused(404, "not_found", "There is no such product.") from None
    prices = {v.id: str(money.to_major(v.price_minor, v.currency)) for v in product.variants}
    return pages.page(
        request, parts, "product.html", who, product=product, prices=prices, statuses=list(ProductStatus), saved=saved
    )


def _changes(product: Product, form: Mapping[str, str]) -> dict[int, VariantChange]:
    """Raises Refused."""
    changes = {}
    for variant in product.variants:
        price, stock = form.get(f"price_{variant.id}"), form.get(f"stock_{variant.id}", "").strip()
        if price is None:
            continue
        try:
            minor = money.parse(price, variant.currency)
            inventory = int(stock) if stock else None
        except (ValueError, ArithmeticError):
            raise Refused(422, "invalid", "A price or a stock cannot be read.") from None
        if minor < 0 or (inventory is not None and not -1_000_000 < inventory < 10_000_000):
            raise Refused(422, "invalid", "A price or a stock is out of range.")
        changes[variant.id] = VariantChange(price_minor=minor, inventory=inventory)
    return changes


@router.post("/owner/catalogue/{number}")
async def save(parts: PartsOf, _who: SignedInOf, form: FormOf, number: Id) -> Response:
    """The very next answer follows it."""
    try:
        status = ProductStatus(form.get("status", ""))
        product = await parts.store.read(lambda session: catalogue.by_id(session, number))
    except ValueError:
        raise Refused(422, "invalid", "This is no state of a product.") from None
    except ProductNotFound:
        raise Refused(404, "not_found", "There is no such product.") from None
    changes = _changes(product, form)
    await parts.store.write(
        lambda session: catalogue.change(
            session,
            number,
            title=form.get("title", ""),
            description=form.get("description", ""),
            status=status,
            variants=changes,
            now=now(),
        )
    )
    return pages.go(f"/owner/catalogue/{number}?saved=1")
