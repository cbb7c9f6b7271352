"""personal fields are encrypted"""

import sqlalchemy as sa
from alembic import op

from crm.sealing import keyring
from crm.sealing.rewriting import SealedColumn, seal, unseal
from crm.types import UtcDateTime, now

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

COLUMNS = (
    SealedColumn("customers", "external_id", "customer", lookup=True),
    SealedColumn("customers", "name", "name"),
    SealedColumn("customers", "email", "email", lookup=True),
    SealedColumn("customers", "phone", "phone", lookup=True),
    SealedColumn("identities", "display_name", "name"),
    SealedColumn("orders", "email", "email", lookup=True),
    SealedColumn("orders", "phone", "phone", lookup=True),
    SealedColumn("orders", "city", "city"),
    SealedColumn("return_requests", "reason", "return reason"),
    SealedColumn("handoffs", "summary", "summary"),
    SealedColumn("tickets", "contact", "contact"),
    SealedColumn("tickets", "text", "ticket"),
    SealedColumn("feedback", "comment", "comment"),
    SealedColumn("follow_ups", "text", "follow-up"),
    SealedColumn("follow_ups", "data", "follow-up data", as_json=True),
    SealedColumn("alerts", "data", "alert", as_json=True),
    SealedColumn("quotes", "note", "note"),
    SealedColumn("owner_notices", "text", "notice"),
    SealedColumn("digests", "html", "digest"),
    SealedColumn("digests", "text", "digest"),
    SealedColumn("digests", "short_text", "digest"),
    SealedColumn("digests", "facts", "digest", as_json=True),
    SealedColumn("owner_links", "data", "owner link", as_json=True),
    SealedColumn("messages", "text", "message", messages=True),
    SealedColumn("messages", "payload", "payload", messages=True),
    SealedColumn("messages", "buttons", "buttons", as_json=True, messages=True),
    SealedColumn("messages", "cards", "cards", as_json=True, messages=True),
    SealedColumn("messages", "entities", "entities", as_json=True, messages=True),
)


def upgrade() -> None:
    made = op.create_table(
        "data_key",
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_data_key")),
    )
    assert made is not None
    made.c.since.type = UtcDateTime()
    seal(op.get_bind(), COLUMNS, keyring())
    op.get_bind().execute(made.insert().values(key_id=keyring().active, since=now()))


def downgrade() -> None:
    unseal(op.get_bind(), COLUMNS, keyring())
    op.drop_table("data_key")
