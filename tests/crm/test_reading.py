"""CSV files as shops have them: encodings, separators, quotes, broken rows."""

import csv
import gzip
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.importers.reading import open_table
from crm.importers.report import Refusal, UnreadableFile

File = Callable[..., Path]
NAMES = {"sku": ("sku", "StockCode", "货号"), "title": ("title", "Product Name", "商品名称"), "price": ("price",)}


def rows_of(path: Path) -> list[tuple[str, str]]:
    with open_table(path, NAMES, required=("sku",), what="a list") as table:
        return [(row["sku"], row["title"]) for row in table]


def refused_in(path: Path) -> list[Refusal]:
    with open_table(path, NAMES, required=("sku",), what="a list") as table:
        assert list(table) is not None
        return table.refused


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
def test_chinese_is_read_in_every_common_encoding(file: File, encoding: str) -> None:
    path = file("货号,商品名称\nJP,茉莉龙珠\nSL,烟熏正山小种，新茶\n", encoding=encoding)
    assert rows_of(path) == [("JP", "茉莉龙珠"), ("SL", "烟熏正山小种，新茶")]


def test_western_accents_are_not_taken_for_chinese(file: File) -> None:
    path = file("sku,title\n1,Böhm £5\n2,Jürgen Café\n", encoding="cp1252")
    assert rows_of(path) == [("1", "Böhm £5"), ("2", "Jürgen Café")]


def test_the_encoding_may_show_only_at_the_end_of_a_long_file(file: File) -> None:
    filler = "".join(f"{n},plain\n" for n in range(40_000))
    assert rows_of(file(f"sku,title\n{filler}X,茉莉龙珠\n", encoding="gb18030"))[-1] == ("X", "茉莉龙珠")


def test_a_broken_byte_spoils_its_own_row_only(file: File) -> None:
    path = file("sku,title\nA,茉莉龙珠\nB,烟熏".encode() + b"\xe7\x82" + "\nC,青瓷盖碗\n".encode())
    assert rows_of(path) == [("A", "茉莉龙珠"), ("C", "青瓷盖碗")]
    assert [(refused.line, refused.reason[:21]) for refused in refused_in(path)] == [(3, "unreadable characters")]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_separator_and_line_ends_are_found_out(file: File, separator: str, line_end: str) -> None:
    text = line_end.join(separator.join(row) for row in (("sku", "title"), ("A", "x"), ("B", "y"))) + line_end
    assert rows_of(file(text)) == [("A", "x"), ("B", "y")]


def test_excels_own_hint_of_the_separator_is_followed(file: File) -> None:
    assert rows_of(file("sep=;\nsku;title\nA;x, y\n")) == [("A", "x, y")]


def test_packed_files_are_read_whatever_they_are_called(file: File) -> None:
    assert rows_of(file(gzip.compress(b"sku,title\nA,x\n"), "list.csv.gz")) == [("A", "x")]
    assert rows_of(file(gzip.compress(b"sku,title\nA,x\n"), "list.csv")) == [("A", "x")]


def test_headers_are_known_in_any_spelling_and_unknown_ones_ignored(file: File) -> None:
    assert rows_of(file("extra, STOCK_CODE ,product name\n1,A,x\n")) == [("A", "x")]


def test_quotes_keep_line_breaks_and_lines_are_counted_as_an_editor_does(file: File) -> None:
    path = file('sku,title\nA,"one\ntwo ""three"", four"\n\nB,y\n')
    with open_table(path, NAMES, what="a list") as table:
        assert [(row.line, row["title"]) for row in table] == [(2, 'one\ntwo "three", four'), (5, "y")]


def test_missing_cells_at_the_end_are_empty_and_too_many_are_refused(file: File) -> None:
    path = file("sku,title,price\nA\nB,x,1,2\nC,y,1,,\n")
    assert rows_of(path) == [("A", ""), ("C", "y")]
    assert [(refused.line, refused.reason) for refused in refused_in(path)] == [
        (3, "the row has 4 cells, the header has 3")
    ]


@pytest.mark.parametrize(
    "bad_row",
    ['B,"never closed,1', 'B,"closed" too early,1', '"B,never,closed'],
)
def test_an_unclosed_quote_costs_its_own_row_only(file: File, bad_row: str) -> None:
    path = file(f"sku,title,price\nA,x,1\n{bad_row}\nC,y,1\nD,z,1\n")
    assert [sku for sku, _ in rows_of(path)] == ["A", "C", "D"]
    assert [(refused.line, "quotation mark" in refused.reason) for refused in refused_in(path)] == [(3, True)]


def test_two_unclosed_quotes_that_close_each_other_are_noticed(file: File) -> None:
    path = file('sku,title,price\nA,x,1\nB,"one,1\nC,y,1\nD,two",1\nE,z,1\n')
    assert "E" in [sku for sku, _ in rows_of(path)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"\n\n  \n", "is empty"),
        (b"PK\x03\x04xlsx", "Excel workbook"),
        (b"id,name\n1,x\n", "no column 'sku'; this is not a list. Its columns are 'id', 'name'."),
        (b"\x1f\x8bnothing like it", "damaged gzip"),
    ],
)
def test_a_file_that_is_no_table_is_one_clear_error(file: File, content: bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        rows_of(file(content))
    assert reason in str(caught.value)


def test_a_missing_file_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"nowhere\.csv: cannot be opened: No such file"):
        rows_of(tmp_path / "nowhere.csv")


cells = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffd\ufeff"), max_size=12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(cells, cells), max_size=15), st.sampled_from([",", ";", "\t"]))
def test_what_any_program_writes_is_read_back(tmp_path: Path, rows: list[tuple[str, str]], separator: str) -> None:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([("sku", "title"), *rows])
    path = tmp_path / "any.csv"
    path.write_bytes(out.getvalue().encode())
    assert rows_of(path) == [(sku.strip(), title.strip()) for sku, title in rows if sku or title]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bytes.csv"
    path.write_bytes(b"sku,title\nA,x\n" + content)
    with open_table(path, NAMES, required=("sku",), what="a list") as table:
        assert [row["sku"] for row in table][:1] in (["A"], [])
