"""The keys at hand in this process, from its settings."""

from collections.abc import Sequence
from functools import cached_property, lru_cache

from crm.sealing.keys import DataKeyMissing, SealingKey, WrongDataKey
from crm.settings import load_settings

PREFIX = "enc:"
REMEMBERED = 16_384


class Keyring:
    """Seals with the first key and opens with any; ``messages``: whether the text of messages is sealed too.

    A sealed value is ``enc:`` + the key's id + ``:`` + ciphertext.
    """

    def __init__(self, secrets: Sequence[str], *, messages: bool = False) -> None:
        """Raises DataKeyMissing, BadDataKey."""
        if not secrets:
            raise DataKeyMissing
        self._keys = {key.id: key for key in map(SealingKey, secrets)}
        self.active, self.messages = next(iter(self._keys)), messages
        # An import looks the same addresses up, stores and reads them again within one batch.
        self._seal_lookup = lru_cache(REMEMBERED)(self._sealed_lookup)
        self._open_lookup = lru_cache(REMEMBERED)(self._opened_lookup)

    @cached_property
    def _prefix(self) -> str:
        return f"{PREFIX}{self.active}:"

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def seal(self, field: str, text: str, *, lookup: bool = False) -> str:
        if lookup:
            return self._seal_lookup(field, text)
        return self._prefix + self._keys[self.active].seal(field, text, lookup=False)

    def open(self, field: str, sealed: str, *, lookup: bool = False) -> str:
        """Raises WrongDataKey, ValueError."""
        return self._open_lookup(field, sealed) if lookup else self._opened(field, sealed, lookup=False)

    def _sealed_lookup(self, field: str, text: str) -> str:
        return self._prefix + self._keys[self.active].seal(field, text, lookup=True)

    def _opened_lookup(self, field: str, sealed: str) -> str:
        return self._opened(field, sealed, lookup=True)

    def _opened(self, field: str, sealed: str, *, lookup: bool) -> str:
        name, _, value = sealed[len(PREFIX) :].partition(":")
        key = self._keys.get(name)
        if key is None:
            raise WrongDataKey(name, self.active)
        return key.open(field, value, lookup=lookup)


_held: Keyring | None = None


def keyring() -> Keyring:
    """Read from the settings at first need. Raises DataKeyMissing, BadDataKey."""
    global _held
    if _held is None:
        settings = load_settings()
        given = [key.get_secret_value() for key in (settings.data_key, settings.data_key_old) if key is not None]
        _held = Keyring([secret for secret in given if secret], messages=settings.encrypt_messages)
    return _held


def forget() -> None:
    """The settings are read anew: another store may be opened next."""
    global _held
    _held = None
