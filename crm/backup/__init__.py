"""The whole store in one file, and back: the same file for every database."""

from crm.backup.archive import BadBackup, Manifest, read_manifest, verify
from crm.backup.restoring import restore
from crm.backup.sealing import WrongPassphrase, is_sealed, seal, unseal
from crm.backup.writing import write

__all__ = [
    "BadBackup",
    "Manifest",
    "WrongPassphrase",
    "is_sealed",
    "read_manifest",
    "restore",
    "seal",
    "unseal",
    "verify",
    "write",
]
