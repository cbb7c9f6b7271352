"""Personal fields lie encrypted in the database; the rest of the code reads and writes them as plain text.

AES-SIV (RFC 5297) under a key that is kept outside the database. The synthetic IV of a field that is looked up is its
blind index: equal values give equal ciphertexts, which only the holder of the key can make. All other fields get a
random nonce, so that equal values cannot be told apart from different ones.
"""

from crm.sealing.keyring import Keyring, forget, keyring
from crm.sealing.keys import BadDataKey, DataKeyMissing, SealingKey, WrongDataKey
from crm.sealing.types import Sealed, SealedJson

__all__ = [
    "BadDataKey",
    "DataKeyMissing",
    "Keyring",
    "Sealed",
    "SealedJson",
    "SealingKey",
    "WrongDataKey",
    "forget",
    "keyring",
]
