"""Column types: text and JSON that lie encrypted in the database."""

import json
from typing import Any

from sqlalchemy import JSON, String
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import operators
from sqlalchemy.types import TypeDecorator, TypeEngine

from crm.sealing.keyring import PREFIX, keyring

# What stands for a forgotten person's name is no secret, and is looked for in SQL.
PLAIN = "erased:"
_EXACT = {operators.eq, operators.ne, operators.in_op, operators.not_in_op}


def stays_plain(value: str) -> bool:
    return not value or value.startswith(PLAIN)


class Sealed(TypeDecorator[str]):
    """Encrypted text. With ``lookup`` it can be compared for equality in SQL, and fields of one name can be joined.

    ``messages``: encrypted only where DESK_ENCRYPT_MESSAGES asks for it; what was stored before is read either way.
    """

    impl = String
    cache_ok = True

    def __init__(self, field: str, *, lookup: bool = False, messages: bool = False) -> None:
        super().__init__()
        self.field, self.lookup, self.messages = field, lookup, messages

    @property
    def python_type(self) -> type[str]:
        return str

    def coerce_compared_value(self, op: Any, value: Any) -> TypeEngine[Any]:
        # Anything but equality compares what lies there, for instance with the prefix of forgotten people.
        return self if self.lookup and op in _EXACT else String()

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or stays_plain(value):
            return value
        if self.messages and not value.startswith(PREFIX) and not keyring().messages:
            return value
        return keyring().seal(self.field, value, lookup=self.lookup)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not value.startswith(PREFIX):
            return value
        return keyring().open(self.field, value, lookup=self.lookup)


class SealedJson(TypeDecorator[Any]):
    """Encrypted lists and tables; in the database the ciphertext is a JSON text."""

    impl = JSON
    cache_ok = True

    def __init__(self, field: str, *, messages: bool = False) -> None:
        super().__init__(none_as_null=True)
        self.field, self.messages = field, messages

    @property
    def python_type(self) -> type[dict[str, Any]]:
        return dict

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        if not value or (self.messages and not keyring().messages):
            return value
        return keyring().seal(self.field, json.dumps(value, ensure_ascii=False))

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        if not isinstance(value, str) or not value.startswith(PREFIX):
            return value
        return json.loads(keyring().open(self.field, value))
