"""Encrypting a backup with a passphrase: AES-256-GCM in blocks, the key by scrypt."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from crm.backup.archive import BadBackup
from crm.errors import CrmError

MAGIC = b"SOLODESK BACKUP 1\n"
BLOCK = 1 << 20
_SALT, _TAG = 16, 16


class WrongPassphrase(CrmError):
    """The passphrase is not the one the backup was made with, or the file was changed."""

    def __init__(self) -> None:
        super().__init__("The passphrase does not open this backup, or the file was changed.")


def is_sealed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def seal(source: Path, target: Path, passphrase: str) -> None:
    """Writes ``target``, mode 600; each block is bound to its place and to being the last or not."""
    salt = os.urandom(_SALT)
    cipher = AESGCM(_key(passphrase, salt))
    with (
        source.open("rb") as plain,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
    ):
        out.write(MAGIC + salt)
        for number, block, last in _blocks(plain, BLOCK):
            out.write(cipher.encrypt(_nonce(number, last=last), block, None))
        out.flush()
        os.fsync(out.fileno())


def unseal(source: Path, target: Path, passphrase: str) -> None:
    """Raises WrongPassphrase, BadBackup; ``target`` is then not to be used."""
    with (
        source.open("rb") as sealed,
        os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
    ):
        if sealed.read(len(MAGIC)) != MAGIC:
            raise BadBackup(f"{source} is no encrypted backup.")
        salt = sealed.read(_SALT)
        if len(salt) < _SALT:
            raise BadBackup(f"{source} ends too early.")
        cipher = AESGCM(_key(passphrase, salt))
        try:
            for number, block, last in _blocks(sealed, BLOCK + _TAG):
                out.write(cipher.decrypt(_nonce(number, last=last), block, None))
        except InvalidTag:
            raise WrongPassphrase from None


def _new(path: Path) -> BinaryIO:
    """An empty file that only we can read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def _key(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(passphrase.encode())


def _nonce(number: int, *, last: bool) -> bytes:
    return struct.pack(">QI", number, int(last))


def _blocks(file: BinaryIO, size: int) -> Iterator[tuple[int, bytes, bool]]:
    number, block = 0, file.read(size)
    while True:
        following = file.read(size)
        yield number, block, not following
        if not following:
            return
        number, block = number + 1, following
