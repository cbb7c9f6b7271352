"""tries with an open end"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("messages", sa.Column("delivered_pieces", sa.Integer(), server_default="0", nullable=False))
    op.add_column("messages", sa.Column("tried_after", sa.Integer(), nullable=True))
    op.add_column("owner_notices", sa.Column("tried_after", sa.Integer(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("owner_notices", schema=None) as batch_op:
        batch_op.drop_column("tried_after")
    with op.batch_alter_table("messages", schema=None) as batch_op:
        batch_op.drop_column("tried_after")
        batch_op.drop_column("delivered_pieces")
