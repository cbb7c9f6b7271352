"""returns are decided, quotes can be declined"""

import sqlalchemy as sa
from alembic import op

from crm.types import UtcDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENTS = ("owner_told_at", "decided_at", "refunded_at", "told_at")


def upgrade() -> None:
    with op.batch_alter_table("return_requests", schema=None) as batch_op:
        for name in MOMENTS:
            batch_op.add_column(sa.Column(name, UtcDateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.String(), nullable=True))
        batch_op.add_column(sa.Column("decision_note", sa.String(), nullable=False, server_default=""))
    # What was asked for before is old news: it stands in the list, and nobody's phone rings for it.
    op.execute("UPDATE return_requests SET owner_told_at = requested_at")
    with op.batch_alter_table("return_requests", schema=None) as batch_op:
        batch_op.alter_column("decision_note", server_default=None)
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.add_column(sa.Column("declined_at", UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("quotes", schema=None) as batch_op:
        batch_op.drop_column("declined_at")
    with op.batch_alter_table("return_requests", schema=None) as batch_op:
        for name in ("decision_note", "decided_by", *MOMENTS):
            batch_op.drop_column(name)
