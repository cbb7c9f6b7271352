"""The demo shop holds together: its files parse, its sums add up, its articles agree with shop.toml."""

import csv
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

DEMO = Path(__file__).parents[2] / "demo"
ARTICLES = sorted((DEMO / "knowledge").glob("*.md"))
CHINESE = re.compile(r"[\u4e00-\u9fff]")
FINANCIAL = {"paid", "pending", "refunded", "partially_refunded", "voided"}
STATES = {
    "shipped": ("paid", "fulfilled"),
    "not yet shipped": ("paid", "unfulfilled"),
    "partly shipped": ("paid", "partial"),
    "waiting for payment": ("pending", "unfulfilled"),
    "cancelled": ("refunded", "unfulfilled"),
    "refunded": ("refunded", "fulfilled"),
    "partly refunded": ("partially_refunded", "fulfilled"),
}


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of a file, each as wide as the header."""
    with (DEMO / name).open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file))
    assert len(set(header)) == len(header)
    assert all(len(row) == len(header) for row in rows)
    return [dict(zip(header, row, strict=True)) for row in rows]


@pytest.fixture(scope="module")
def shop() -> dict[str, Any]:
    return tomllib.loads((DEMO / "shop.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def products() -> list[dict[str, str]]:
    return rows_of("products_export.csv")


@pytest.fixture(scope="module")
def customers() -> list[dict[str, str]]:
    return rows_of("customers_export.csv")


@pytest.fixture(scope="module")
def orders() -> dict[str, list[dict[str, str]]]:
    lines: dict[str, list[dict[str, str]]] = defaultdict(list)
    for row in rows_of("orders_export.csv"):
        lines[row["Name"]].append(row)
    return dict(lines)


def article(path: Path) -> tuple[dict[str, Any], str]:
    """An article's front matter (title, language, questions, tags) and its text."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    fields: dict[str, Any] = {"questions": re.findall(r'^  - "(.+)"$', front, re.M)}
    for key in ("title", "language", "tags"):
        found = re.search(rf"^{key}: (.+)$", front, re.M)
        assert found, f"{path.name} has no {key}"
        fields[key] = found[1].strip('"')
    return fields, body.strip()


def test_every_product_speaks_both_languages(products: list[dict[str, str]]) -> None:
    titled = [p for p in products if p["Title"]]
    assert 38 <= len(titled) <= 48
    for product in titled:
        for column in ("Title", "Body (HTML)", "Type", "Tags"):
            assert CHINESE.search(product[column]), (product["Handle"], column)
            assert re.search("[a-z]{3}", product[column]), (product["Handle"], column)


def test_variants_are_complete(products: list[dict[str, str]]) -> None:
    skus = [p["Variant SKU"] for p in products]
    assert all(skus)
    assert len(set(skus)) == len(skus)
    options: list[str] = []
    for row in products:
        if row["Title"]:
            options = [row[f"Option{n} Name"] for n in (1, 2, 3) if row[f"Option{n} Name"]]
        assert len([n for n in (1, 2, 3) if row[f"Option{n} Value"]]) == len(options), row["Variant SKU"]
        assert Decimal(row["Variant Price"]) > 0
        if row["Variant Compare At Price"]:
            assert Decimal(row["Variant Compare At Price"]) > Decimal(row["Variant Price"])


def test_stock_has_the_cases_worth_asking_about(products: list[dict[str, str]]) -> None:
    stock: dict[str, int] = defaultdict(int)
    status = {p["Handle"]: p["Status"] for p in products if p["Status"]}
    for row in products:
        stock[row["Handle"]] += int(row["Variant Inventory Qty"])
    sold_out = {handle for handle, left in stock.items() if not left and status[handle] == "active"}
    assert sold_out == {"drying-day-candle", "mountain-incense-burner", "linen-table-runner"}
    assert sorted(status.values()).count("draft") == sorted(status.values()).count("archived") == 1


def test_there_are_80_customers_and_400_orders(
    customers: list[dict[str, str]], orders: dict[str, list[dict[str, str]]]
) -> None:
    assert len(customers) == 80
    assert len({c["Email"] for c in customers}) == len({c["Customer ID"] for c in customers}) == 80
    assert sorted(orders) == [f"#{number}" for number in range(1001, 1401)]
    assert {lines[0]["Email"] for lines in orders.values()} <= {c["Email"] for c in customers}


def test_order_sums_add_up(orders: dict[str, list[dict[str, str]]], shop: dict[str, Any]) -> None:
    for name, (first, *_) in orders.items():
        goods = sum(Decimal(line["Lineitem price"]) * int(line["Lineitem quantity"]) for line in orders[name])
        subtotal, off, shipping, taxes, total, refunded = (
            Decimal(first[column])
            for column in ("Subtotal", "Discount Amount", "Shipping", "Taxes", "Total", "Refunded Amount")
        )
        assert goods == subtotal, name
        assert subtotal - off + shipping + taxes == total, name
        assert bool(off) == bool(first["Discount Code"]), name
        assert (shipping == 0) == (subtotal - off >= Decimal(str(shop["shipping"]["free_over"]))), name
        assert first["Currency"] == shop["currency"]
        assert first["Financial Status"] in FINANCIAL
        expected = {"refunded": refunded == total, "partially_refunded": 0 < refunded < total}
        assert expected.get(first["Financial Status"], refunded == 0), name


def test_following_lines_carry_only_themselves(orders: dict[str, list[dict[str, str]]]) -> None:
    allowed = {"Name", "Email", "Created at", "Vendor"}
    assert any(len(lines) > 1 for lines in orders.values())
    for first, *others in orders.values():
        for line in others:
            filled = {column for column, value in line.items() if value}
            assert {c for c in filled if not c.startswith("Lineitem")} == allowed
            assert line["Created at"] == first["Created at"]


def test_order_lines_name_known_products(
    orders: dict[str, list[dict[str, str]]], products: list[dict[str, str]]
) -> None:
    known = {p["Variant SKU"]: p for p in products}
    titles = {p["Handle"]: p["Title"] for p in products if p["Title"]}
    drafts = {p["Handle"] for p in products if p["Status"] == "draft"}
    for line in (line for lines in orders.values() for line in lines):
        product = known[line["Lineitem sku"]]
        assert line["Lineitem name"].startswith(titles[product["Handle"]])
        assert line["Lineitem price"] == product["Variant Price"]
        assert product["Handle"] not in drafts


def test_times_make_sense(orders: dict[str, list[dict[str, str]]]) -> None:
    heads = [lines[0] for lines in orders.values()]
    created = [head["Created at"] for head in heads]
    assert created == sorted(created, reverse=True)
    assert created[0].startswith("2026-11-20")
    assert created[-1].startswith("2025-09")
    for head in heads:
        for column in ("Paid at", "Fulfilled at", "Cancelled at"):
            assert not head[column] or head["Created at"] < head[column], (head["Name"], column)
    assert all(head["Fulfillment Status"] == "unfulfilled" for head in heads[:12])


def test_customer_totals_come_from_their_orders(
    customers: list[dict[str, str]], orders: dict[str, list[dict[str, str]]]
) -> None:
    spent: dict[str, Decimal] = defaultdict(Decimal)
    count: dict[str, int] = defaultdict(int)
    for head in (lines[0] for lines in orders.values() if not lines[0]["Cancelled at"]):
        count[head["Email"]] += 1
        if head["Paid at"]:
            spent[head["Email"]] += Decimal(head["Total"]) - Decimal(head["Refunded Amount"])
    for customer in customers:
        assert Decimal(customer["Total Spent"]) == spent[customer["Email"]], customer["Email"]
        assert int(customer["Total Orders"]) == count[customer["Email"]], customer["Email"]


def test_files_can_be_made_again(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(DEMO / "make_demo.py"), "--out", str(tmp_path)], check=True)
    for name in ("customers_export.csv", "orders_export.csv"):
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes(), name


def test_every_article_exists_in_both_languages() -> None:
    names = {path.name for path in ARTICLES}
    topics = {name.split(".")[0] for name in names}
    assert len(topics) >= 22
    assert names == {f"{topic}.{language}.md" for topic in topics for language in ("en", "zh")}


@pytest.mark.parametrize("path", ARTICLES, ids=lambda path: path.name)
def test_article_is_complete(path: Path) -> None:
    fields, body = article(path)
    assert path.name.endswith(f".{fields['language']}.md")
    assert 4 <= len(fields["questions"]) <= 8
    assert fields["tags"].startswith("[")
    assert body
    chinese = fields["language"] == "zh"
    assert all(bool(CHINESE.search(text)) == chinese for text in (fields["title"], body, *fields["questions"]))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_articles_agree_with_the_shop(shop: dict[str, Any], language: str) -> None:
    def text(topic: str) -> str:
        return article(DEMO / "knowledge" / f"{topic}.{language}.md")[1]

    shipping = text("shipping")
    for region in shop["shipping"]["regions"]:
        assert region["days"].replace("-", "–") in shipping
        assert re.search(rf"\D{region['cost']:.0f} (CNY|元)", shipping)
    assert f"{shop['shipping']['free_over']:.0f} " in shipping
    assert f" {shop['shipping']['handling_days']} " in shipping
    assert f" {shop['returns']['days']} " in text("returns")
    assert f" {shop['privacy']['retention_days']} " in text("privacy")
    assert "10:30–18:30" in text("visit")
    assert "10:30–18:30" in shop["opening_hours"][language]
    assert shop["contact_email"] in text("visit")
    for method in shop["payment"]["methods"]:
        chinese_name = method.split()[-1] if CHINESE.search(method) else method
        name = chinese_name if language == "zh" else re.sub(r"\s*[\u4e00-\u9fff]+", "", method)
        assert name.lower() in text("payment-methods").lower(), name


def test_readme_examples_are_what_it_says(orders: dict[str, list[dict[str, str]]]) -> None:
    readme = (DEMO / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"^\| (#\d+) \| (\S+) \| ([^|]+?) \| (.+?) \|$", readme, re.M)
    assert {state for *_, state, _ in examples} == set(STATES)
    for number, email, state, say in examples:
        head = orders[number][0]
        assert head["Email"] == email
        assert (head["Financial Status"], head["Fulfillment Status"]) == STATES[state], number
        assert bool(head["Cancelled at"]) == (state == "cancelled")
        assert number[1:] in say
        assert email in say


def test_no_address_could_be_a_real_one() -> None:
    for path in sorted(DEMO.rglob("*.*")):
        if path.suffix in {".csv", ".md", ".toml", ".py"}:
            for host in re.findall(r"[\w.+-]+@([\w.-]+\w)", path.read_text(encoding="utf-8")):
                assert re.search(r"(^|\.)example\.(com|net|org)$", host), f"{host} in {path.name}"
