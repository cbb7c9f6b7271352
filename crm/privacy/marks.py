"""One-way marks that recognise a record which must not come back, without telling whose it was."""

import hashlib

PREFIX = "erased:"


def mark(source: str, external_id: str) -> str:
    """Of a customer record's source and id, or a channel and the account's id there. Whoever knows both can test it."""
    return PREFIX + hashlib.sha256(f"erased\0{source}\0{external_id}".encode()).hexdigest()[:32]


def pseudonym(marks: list[str]) -> str:
    """What the receipt calls the person."""
    return hashlib.sha256("\0".join(sorted(marks)).encode()).hexdigest()[:16]
