"""what recommendations do: in which group they were shown, and what was looked at"""

import sqlalchemy as sa
from alembic import op

import crm.types

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("shown_recommendations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("personal", sa.Boolean(), nullable=True))
        batch_op.add_column(sa.Column("clicked_at", crm.types.UtcDateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("shown_recommendations", schema=None) as batch_op:
        batch_op.drop_column("clicked_at")
        batch_op.drop_column("personal")
