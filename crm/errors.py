"""Everything that can go wrong in the store, by name."""


class CrmError(Exception):
    """Base of all errors that the store raises on purpose."""


class StoreNotBound(CrmError):
    """``crm.bind(url)`` was not called before the first session."""

    def __init__(self) -> None:
        super().__init__("The store is not open: call crm.bind(database_url) first.")


class SchemaOutdated(CrmError):
    """The database was made by another version of the product."""

    def __init__(self, found: str | None, wanted: str) -> None:
        self.found, self.wanted = found, wanted
        super().__init__(
            f"The database is at schema {found or 'none'}, this version needs {wanted}. `desk up` brings it up to date."
        )


class OrderNotFound(CrmError):
    """No such order, or not this customer's: callers cannot tell which, on purpose."""

    def __init__(self, number: str) -> None:
        self.number = number
        super().__init__(f"no order {number} for this customer")


class ProductNotFound(CrmError):
    def __init__(self, mention: str) -> None:
        self.mention = mention
        super().__init__(f"no product matches {mention!r}")


class ConversationNotFound(CrmError):
    def __init__(self, public_id: str) -> None:
        self.public_id = public_id
        super().__init__(f"no conversation {public_id}")


class AlreadyAnswered(CrmError):
    """Somebody else answered the same lines first."""

    def __init__(self, public_id: str) -> None:
        self.public_id = public_id
        super().__init__(f"conversation {public_id} was answered meanwhile")


class CustomerNotFound(CrmError):
    def __init__(self, customer_id: int | str) -> None:
        self.customer_id = customer_id
        super().__init__(f"no customer {customer_id}")


class NotAllowed(CrmError):
    """The order's state does not permit what was asked; ``reason`` is a word of the shop, not text for customers."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ConfigError(CrmError):
    """shop.toml or a setting is wrong; the message names the place and what to do."""
