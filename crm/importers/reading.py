"""Reading CSV files as shops really have them: any common encoding and separator, packed or not, row by row."""

import codecs
import csv
import gzip
import io
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from crm.importers.report import BadValue, Refusal, UnreadableFile, refusal
from crm.importers.values import LONGEST_NAME, TOO_LONG

SAMPLE_BYTES = 1 << 18
LONGEST_CELL = 4 << 20
MOST_LINES_IN_A_ROW = 2_000
# The columns in which a shop tells at length; all others name or count something.
_AT_LENGTH = frozenset(
    """body description short tags image images url external_url link categories lines titles properties refund_items
    address changed_address""".split()
)
_SEPARATORS = ",;\t|"
_OPEN_QUOTE = "a quotation mark opens here and is not closed properly"


class _UnclosedQuote(Exception):
    pass


class Row:
    """One row. ``row["sku"]`` is the cell under that column without surrounding space, "" where there is none."""

    __slots__ = ("_cells", "_columns", "line")

    def __init__(self, line: int, cells: list[str], columns: Mapping[str, int]) -> None:
        self.line, self._cells, self._columns = line, cells, columns

    def __getitem__(self, column: str) -> str:
        return self._cells[self._columns[column]].strip() if column in self._columns else ""

    def __contains__(self, column: str) -> bool:
        return column in self._columns


@dataclass
class Table:
    """An open file. ``columns`` maps the importer's own names of the columns to their places."""

    path: Path
    columns: dict[str, int]
    header: list[str]
    refused: list[Refusal]
    bytes_in_all: int
    _rows: Iterator[Row] = field(repr=False)
    _position: Callable[[], int] = field(repr=False)
    rows_read: int = 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.rows_read += 1
            yield row

    def heading(self, column: str) -> str | None:
        """How the file itself names the importer's column; None if it has none."""
        return self.header[self.columns[column]] if column in self.columns else None

    @property
    def bytes_done(self) -> int:
        return self._position()

    def refuse(self, line: int, error: BadValue) -> None:
        self.refused.append(refusal(line, error, file=self.path.name))


def plain_name(header: str) -> str:
    """A column's name as it is compared: "Accepts Email Marketing" and "accepts_email_marketing" are one."""
    return re.sub(r"[\s_\-./:：]+", "", header.replace("\ufeff", "")).casefold()


@contextmanager
def open_table(
    path: Path, names: Mapping[str, Iterable[str]], *, required: Iterable[str] = (), what: str
) -> Iterator[Table]:
    """Opens a CSV file. ``names`` gives, for each column of the importer, the headers it may have.

    Raises UnreadableFile for a file that is no such table; ``what`` says in the message which file was expected.
    """
    with _unpacked(path) as (raw, content):
        encoding = _encoding(path, content)
        text = io.TextIOWrapper(content, encoding=encoding, errors="replace", newline="")
        feeder = _Feeder(text)
        separator, header = _header(path, feeder)
        columns = _columns_of(header, names)
        missing = [name for name in required if name not in columns]
        if missing:
            wanted = ", ".join(repr(next(iter(names[name]))) for name in missing)
            found = ", ".join(repr(name) for name in header if name.strip())
            raise UnreadableFile(path, f"no column {wanted}; this is not {what}. Its columns are {found}.")
        table = Table(path, columns, header, [], path.stat().st_size, iter(()), raw.tell)
        table._rows = _rows(feeder, separator, len(header), columns, table)
        yield table


@contextmanager
def _unpacked(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The file and its content, which differ for a gzip file. Raises UnreadableFile."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise UnreadableFile(path, f"cannot be opened: {error.strerror}") from None
    with raw:
        start = raw.read(4)
        raw.seek(0)
        if start.startswith(b"PK"):
            raise UnreadableFile(path, "is an Excel workbook or zip file; save it as CSV first")
        if not start.startswith(b"\x1f\x8b"):
            yield raw, raw
            return
        with gzip.GzipFile(fileobj=raw) as content:
            try:
                yield raw, content  # type: ignore[misc]
            except (EOFError, gzip.BadGzipFile) as error:
                raise UnreadableFile(path, f"is a damaged gzip file: {error}") from None


def _encoding(path: Path, content: IO[bytes]) -> str:
    """UTF-8 or UTF-16 (marked or not), GB18030 or Western; looks at the whole file, then goes back to its start."""
    sample = content.read(SAMPLE_BYTES)
    if not sample.strip():
        raise UnreadableFile(path, "is empty")
    found = _marked(sample) or _without_mark(sample, content)
    content.seek(0)
    return found


def _marked(sample: bytes) -> str | None:
    if sample.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # Separators and line ends have a zero byte in UTF-16, always on the same side.
    first, second = sample[:4000:2].count(0), sample[1:4000:2].count(0)
    if max(first, second) >= 3 and min(first, second) == 0:
        return "utf-16-be" if first else "utf-16-le"
    return None


def _without_mark(sample: bytes, content: IO[bytes]) -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    strange, chunk = b"", sample
    while chunk:
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            strange = chunk
            break
        chunk = content.read(1 << 20)
    if not strange:
        return "utf-8"
    # A few broken bytes in a UTF-8 file spoil their own rows only; in another encoding hardly anything decodes.
    decoded = strange.decode("utf-8", errors="replace")
    broken, good = decoded.count("\ufffd"), sum(letter > "\x7f" for letter in decoded) - decoded.count("\ufffd")
    if good > 4 * broken:
        return "utf-8"
    # Chinese is written in pairs of high bytes; a Western accent stands alone.
    runs = re.findall(rb"[\x80-\xff]+", strange)
    paired = sum(len(run) for run in runs if len(run) > 1)
    return "gb18030" if paired > sum(map(len, runs)) // 2 else "cp1252"


class _Feeder:
    """The file's lines for ``csv.reader``; those swallowed by an unclosed quotation mark can be given back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._again: deque[str] = deque()
        self.number = 0
        self.taken: list[str] = []
        self.spoilt = False

    def __iter__(self) -> "_Feeder":
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.number += 1
        self.taken.append(line)
        if "\ufffd" in line:
            self.spoilt = True
        if len(self.taken) > MOST_LINES_IN_A_ROW:
            raise _UnclosedQuote
        return line.replace("\0", "") if "\0" in line else line

    def give_back_all_but_first(self) -> None:
        self._again.extendleft(reversed(self.taken[1:]))
        self.number -= len(self.taken) - 1
        del self.taken[1:]


def _reader(feeder: _Feeder, separator: str) -> "csv._reader":  # type: ignore[name-defined]
    csv.field_size_limit(LONGEST_CELL)
    return csv.reader(feeder, delimiter=separator, strict=True)


def _header(path: Path, feeder: _Feeder) -> tuple[str, list[str]]:
    """The separator and the names in the first line that is not blank (Excel may put ``sep=;`` before it)."""
    told = ""
    for line in feeder:
        stripped = line.lstrip("\ufeff").strip("\r\n")
        excel = re.fullmatch(r'"?sep=(.)"?', stripped.strip(), re.IGNORECASE)
        if excel:
            told = excel[1]
        elif stripped.strip(' \t,;|"'):
            candidates = [told] if told else list(_SEPARATORS)
            splits = {mark: next(csv.reader([stripped], delimiter=mark)) for mark in candidates}
            best = max(splits, key=lambda mark: len(splits[mark]))
            return best, [name.strip() for name in splits[best]]
    raise UnreadableFile(path, "is empty")


def _columns_of(header: list[str], names: Mapping[str, Iterable[str]]) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, name in enumerate(header):
        places.setdefault(plain_name(name), place)
    columns: dict[str, int] = {}
    for column, accepted in names.items():
        known = next((places[plain_name(name)] for name in accepted if plain_name(name) in places), None)
        if known is not None:
            columns[column] = known
    return columns


def _rows(feeder: _Feeder, separator: str, width: int, columns: dict[str, int], table: Table) -> Iterator[Row]:
    reader = _reader(feeder, separator)
    naming = [place for column, place in columns.items() if column not in _AT_LENGTH]
    while True:
        feeder.taken.clear()
        feeder.spoilt = False
        line = feeder.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (csv.Error, _UnclosedQuote):
            feeder.give_back_all_but_first()
            reader = _reader(feeder, separator)
            table.rows_read += 1
            table.refuse(line, BadValue("", feeder.taken[0].strip() if feeder.taken else "", _OPEN_QUOTE))
            continue
        if len(cells) != width:
            if not any(cells):
                continue
            if not any(cells[width:]) and (len(cells) > width or len(feeder.taken) == 1):
                cells = [*cells[:width], *[""] * (width - len(cells))]
            else:
                table.rows_read += 1
                reason = f"the row has {len(cells)} cells, the header has {width}"
                if len(feeder.taken) > 1:
                    feeder.give_back_all_but_first()
                    reader, reason = _reader(feeder, separator), _OPEN_QUOTE
                table.refuse(line, BadValue("", cells[0], reason))
                continue
        elif not cells[0] and not any(cells):
            continue
        if feeder.spoilt:
            table.rows_read += 1
            spoilt = next((cell for cell in cells if "\ufffd" in cell), "")
            table.refuse(line, BadValue("", spoilt, "unreadable characters; save the file as CSV in UTF-8"))
            continue
        if sum(map(len, feeder.taken)) > LONGEST_NAME:
            endless = next((place for place in naming if len(cells[place]) > LONGEST_NAME), None)
            if endless is not None:
                table.rows_read += 1
                table.refuse(line, BadValue(table.header[endless], cells[endless], TOO_LONG))
                continue
        yield Row(line, cells, columns)
