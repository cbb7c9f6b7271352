"""What Rasa remembers of a conversation lies encrypted: it holds what the customer just wrote."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEALED = b"\x01"
_KEY_BYTES, _NONCE_BYTES = 32, 12


class BadTrackerKey(ValueError):
    def __init__(self) -> None:
        super().__init__("DESK_TRACKER_KEY is no key: it has to be 32 bytes in URL-safe base64.")


class Sealing:
    """AES-256-GCM, each value bound to its conversation. Without a key everything stays as it is."""

    def __init__(self, secret: str = "") -> None:
        self._cipher = AESGCM(_key(secret)) if secret else None

    def seal(self, sender_id: str, plain: bytes) -> bytes:
        if self._cipher is None:
            return plain
        nonce = os.urandom(_NONCE_BYTES)
        return SEALED + nonce + self._cipher.encrypt(nonce, plain, sender_id.encode())

    def open(self, sender_id: str, stored: bytes) -> bytes | None:
        """None for what another key sealed: the conversation then starts anew."""
        if not stored.startswith(SEALED):
            return stored
        if self._cipher is None:
            return None
        nonce, sealed = stored[1 : 1 + _NONCE_BYTES], stored[1 + _NONCE_BYTES :]
        try:
            return self._cipher.decrypt(nonce, sealed, sender_id.encode())
        except InvalidTag:
            return None


def _key(secret: str) -> bytes:
    try:
        raw = base64.b64decode(secret, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise BadTrackerKey from None
    if len(raw) != _KEY_BYTES:
        raise BadTrackerKey
    return raw
