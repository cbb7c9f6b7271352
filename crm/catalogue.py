"""Changing the catalogue by hand: the next answer follows it at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, selectinload

from crm import revisions
from crm.errors import ProductNotFound
from crm.models import Product, ProductStatus, Variant

PAGE = 60


@dataclass(frozen=True)
class VariantChange:
    """What a variant costs (smallest unit) and how many there are; ``inventory`` None means that it is not counted."""

    price_minor: int
    inventory: int | None


def find(session: Session, search: str = "", *, page: int = 0) -> Sequence[Product]:
    wanted = select(Product).options(selectinload(Product.variants)).order_by(Product.title)
    if search:
        like = "%" + search.replace("%", r"\%").replace("_", r"\_") + "%"
        wanted = wanted.where(
            or_(*(column.ilike(like, escape="\\") for column in (Product.title, Product.title_en, Product.title_zh)))
        )
    return session.scalars(wanted.offset(page * PAGE).limit(PAGE)).all()


def by_id(session: Session, product_id: int) -> Product:
    """Raises ProductNotFound."""
    found = session.get(Product, product_id, options=[selectinload(Product.variants)])
    if found is None:
        raise ProductNotFound(str(product_id))
    return found


def change(
    session: Session,
    product_id: int,
    *,
    title: str,
    description: str,
    status: ProductStatus,
    variants: Mapping[int, VariantChange],
    now: datetime,
) -> Product:
    """Raises ProductNotFound. Variants that are not named stay as they are."""
    product = by_id(session, product_id)
    product.title, product.description, product.status = title.strip() or product.title, description.strip(), status
    product.updated_at = now
    for variant in product.variants:
        wanted = variants.get(variant.id)
        if wanted is not None:
            _change_variant(variant, wanted)
    revisions.bump(session, revisions.CATALOGUE)
    session.flush()
    return product


def _change_variant(variant: Variant, wanted: VariantChange) -> None:
    variant.price_minor, variant.inventory = wanted.price_minor, wanted.inventory
