"""One key for personal fields, and what can be wrong with it."""

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crm.errors import CrmError

KEY_BYTES = 32
_SIV_KEY_BYTES, _NONCE_BYTES, _ID_BYTES = 64, 16, 4


class DataKeyMissing(CrmError):
    def __init__(self) -> None:
        super().__init__(
            "DESK_DATA_KEY is not set, and personal data is encrypted with it. For a new store `desk up` writes one "
            "into .env; for a store that you have already, put back the .env that belongs to it."
        )


class BadDataKey(CrmError):
    def __init__(self) -> None:
        super().__init__("DESK_DATA_KEY is no key: it has to be 32 bytes in URL-safe base64.")


class WrongDataKey(CrmError):
    """``needed`` and ``given`` are the ids of keys, which tell nothing of the keys themselves."""

    def __init__(self, needed: str, given: str) -> None:
        super().__init__(
            f"The personal data of this store is encrypted with the key {needed}; DESK_DATA_KEY is the key {given}. "
            "Put the key that belongs to the store into .env; if it was changed a moment ago, start the desk anew. "
            "Nothing was changed."
        )


class SealingKey:
    """Encrypts single values, each bound to its field's name. ``id`` names the key and gives nothing of it away."""

    def __init__(self, secret: str) -> None:
        try:
            raw = base64.b64decode(secret, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise BadDataKey from None
        if len(raw) != KEY_BYTES:
            raise BadDataKey
        self.id = _derived(raw, b"desk data key id v1", _ID_BYTES).hex()
        self._cipher = AESSIV(_derived(raw, b"desk personal fields v1", _SIV_KEY_BYTES))

    def seal(self, field: str, text: str, *, lookup: bool) -> str:
        """URL-safe base64; the same text gives the same result only with ``lookup``."""
        nonce = b"" if lookup else os.urandom(_NONCE_BYTES)
        sealed = self._cipher.encrypt(text.encode("utf-8", "surrogatepass"), [field.encode(), nonce])
        return base64.urlsafe_b64encode(nonce + sealed).decode()

    def open(self, field: str, sealed: str, *, lookup: bool) -> str:
        """Raises ValueError for what was not sealed with this key for this field."""
        raw = base64.urlsafe_b64decode(sealed)
        length = 0 if lookup else _NONCE_BYTES
        try:
            plain = self._cipher.decrypt(raw[length:], [field.encode(), raw[:length]])
        except InvalidTag:
            raise ValueError(f"a value of {field} was not encrypted by this desk, or was changed") from None
        return plain.decode("utf-8", "surrogatepass")


def derived_key(secret: str, purpose: str) -> str:
    """A key for another purpose that follows from this one, as URL-safe base64 of 32 bytes. Raises BadDataKey."""
    try:
        raw = base64.b64decode(secret, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadDataKey from None
    return base64.urlsafe_b64encode(_derived(raw, purpose.encode(), KEY_BYTES)).decode()


def _derived(raw: bytes, purpose: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=purpose).derive(raw)
