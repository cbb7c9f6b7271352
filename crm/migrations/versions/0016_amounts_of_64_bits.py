"""amounts of 64 bits: an order of 30 million rupiah was too large for PostgreSQL"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

AMOUNTS = {
    "variants": ("price_minor", "compare_at_minor"),
    "orders": (
        "subtotal_minor",
        "discount_minor",
        "shipping_minor",
        "tax_minor",
        "total_minor",
        "refunded_minor",
    ),
    "order_lines": ("unit_price_minor", "discount_minor"),
}


def _retype(old: sa.types.TypeEngine[int], new: sa.types.TypeEngine[int]) -> None:
    if op.get_bind().dialect.name == "sqlite":
        return  # its integers have 64 bits, whatever they are called
    for table, columns in AMOUNTS.items():
        for column in columns:
            op.alter_column(table, column, existing_type=old, type_=new, existing_nullable=column == "compare_at_minor")


def upgrade() -> None:
    _retype(sa.Integer(), sa.BigInteger())


def downgrade() -> None:
    _retype(sa.BigInteger(), sa.Integer())
