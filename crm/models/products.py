from datetime import datetime

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from crm.models.base import Base
from crm.models.enums import ProductStatus
from crm.types import MINOR


class Product(Base):
    """Something the shop sells. Titles may be in one or both languages; ``title`` is as the shop wrote it."""

    __tablename__ = "products"
    __table_args__ = (UniqueConstraint("source", "external_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str]
    external_id: Mapped[str]  # Shopify's handle, WooCommerce's id, the sku of a plain list
    title: Mapped[str]
    title_en: Mapped[str | None]
    title_zh: Mapped[str | None]
    description: Mapped[str] = mapped_column(default="")  # plain text
    product_type: Mapped[str | None]
    tags: Mapped[list[str]] = mapped_column(default=list)
    vendor: Mapped[str | None]
    image_url: Mapped[str | None]
    url: Mapped[str | None]
    status: Mapped[ProductStatus] = mapped_column(default=ProductStatus.ACTIVE)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    variants: Mapped[list["Variant"]] = relationship(
        back_populates="product", order_by="Variant.position", cascade="all, delete-orphan"
    )


class Variant(Base):
    """What is really picked and paid: one colour, size or scent. ``inventory`` NULL means that stock is not counted."""

    __tablename__ = "variants"
    __table_args__ = (UniqueConstraint("product_id", "title"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    position: Mapped[int] = mapped_column(default=1)
    title: Mapped[str] = mapped_column(default="")  # "Blue / L"; empty for a product without options
    sku: Mapped[str | None] = mapped_column(index=True)
    options: Mapped[dict[str, str]] = mapped_column(default=dict)
    price_minor: Mapped[int] = mapped_column(MINOR)
    compare_at_minor: Mapped[int | None] = mapped_column(MINOR)
    currency: Mapped[str]
    inventory: Mapped[int | None]
    sells_when_empty: Mapped[bool] = mapped_column(default=False)

    product: Mapped[Product] = relationship(back_populates="variants")

    @property
    def in_stock(self) -> bool:
        return self.inventory is None or self.inventory > 0 or self.sells_when_empty
