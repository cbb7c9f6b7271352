"""Alembic's entry: migrates the database that ``crm.migrate`` hands over."""

from alembic import context
from sqlalchemy import Connection

from crm.models import Base

connection: Connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
