"""What a backup is: a zip file with one JSON line per row, a file per table, and a manifest that vouches for them."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from crm.errors import CrmError

MANIFEST = "manifest.json"
FORMAT = 1


class BadBackup(CrmError):
    """The file is no backup of this product, or not as it was written."""


@dataclass(frozen=True)
class TableEntry:
    name: str
    rows: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """``schema`` is the migration the store was at; ``made_at`` is ISO 8601 in UTC."""

    format: int
    made_at: str
    schema: str
    dialect: str
    tables: list[TableEntry]

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, indent=2)

    @classmethod
    def from_json(cls, text: str) -> "Manifest":
        """Raises BadBackup."""
        try:
            raw: dict[str, Any] = json.loads(text)
            if raw["format"] != FORMAT:
                raise BadBackup(f"This backup has format {raw['format']}; this version reads format {FORMAT}.")
            return cls(**{**raw, "tables": [TableEntry(**entry) for entry in raw["tables"]]})
        except (KeyError, TypeError, ValueError) as error:
            raise BadBackup(f"The backup's manifest cannot be read: {error}") from None

    @property
    def rows(self) -> int:
        return sum(table.rows for table in self.tables)


def entry_name(table: str) -> str:
    return f"tables/{table}.jsonl"


def open_archive(path: Path) -> zipfile.ZipFile:
    """Raises BadBackup."""
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile) as error:
        raise BadBackup(f"{path} is no backup that can be read: {error}") from None


def read_manifest(path: Path) -> Manifest:
    """Raises BadBackup."""
    with open_archive(path) as archive:
        try:
            return Manifest.from_json(archive.read(MANIFEST).decode())
        except (KeyError, UnicodeDecodeError):
            raise BadBackup(f"{path} is a zip file, but no backup of a desk.") from None


def lines_of(archive: zipfile.ZipFile, table: TableEntry) -> Iterator[bytes]:
    """The table's rows, one JSON list each. Raises BadBackup at the end if they are not what was written."""
    digest, rows = hashlib.sha256(), 0
    try:
        with archive.open(entry_name(table.name)) as file:
            for line in file:
                digest.update(line)
                rows += 1
                yield line
    except (KeyError, zipfile.BadZipFile, EOFError) as error:
        raise BadBackup(f"Table {table.name} of the backup cannot be read: {error}") from None
    # The first line names the columns.
    if digest.hexdigest() != table.sha256 or rows - 1 != table.rows:
        raise BadBackup(f"Table {table.name} of the backup is not as it was written.")


def verify(path: Path) -> Manifest:
    """Reads all of it. Raises BadBackup unless every row is as it was written."""
    manifest = read_manifest(path)
    with open_archive(path) as archive:
        for table in manifest.tables:
            for _ in lines_of(archive, table):
                pass
    return manifest
