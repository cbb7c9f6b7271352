"""The store: the only place that knows tables. Imports none of the other folders."""

from crm.database import bind, reading, session

__all__ = ["bind", "reading", "session"]
