"""Writes the demo shop's customers and orders: always the same ones, none of them real.

    python demo/make_demo.py [--out DIR]

Reads products_export.csv, people.csv and shop.toml beside this file; how people shop is in shopping.py, what
becomes of their orders in orders.py.
The files have the columns of Shopify's standard exports.
"""

import argparse
import csv
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from random import Random

from orders import VAT_PERCENT, Order, mishaps, moments, pack_and_send, place
from shopping import Shelf, Shopper, Variant

HERE = Path(__file__).parent
SEED = 1871
FIRST_NUMBER = 1001
VENDOR = "Camphor Lane 樟树里"

CUSTOMER_COLUMNS = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,Default Address Address1,"
    "Default Address Address2,Default Address City,Default Address Province Code,Default Address Country Code,"
    "Default Address Zip,Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,"
    "Tags"
).split(",")
ORDER_COLUMNS = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,"
    "Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Lineitem taxable,"
    "Lineitem fulfillment status,Billing Name,Billing Street,Billing Address1,Billing Address2,Billing Company,"
    "Billing City,Billing Zip,Billing Province,Billing Country,Billing Phone,Shipping Name,Shipping Street,"
    "Shipping Address1,Shipping Address2,Shipping Company,Shipping City,Shipping Zip,Shipping Province,"
    "Shipping Country,Shipping Phone,Notes,Note Attributes,Cancelled at,Payment Method,Payment Reference,"
    "Refunded Amount,Vendor,Outstanding Balance,Employee,Location,Device ID,Id,Tags,Risk Level,Source,"
    "Lineitem discount,Tax 1 Name,Tax 1 Value,Tax 2 Name,Tax 2 Value,Tax 3 Name,Tax 3 Value,Tax 4 Name,Tax 4 Value,"
    "Tax 5 Name,Tax 5 Value,Phone,Receipt Number,Duties,Billing Province Name,Shipping Province Name,Payment ID,"
    "Payment Terms Name,Next Payment Due At,Payment References"
).split(",")


def read(name: str) -> list[dict[str, str]]:
    with (HERE / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def variants_of(rows: Iterable[dict[str, str]]) -> list[Variant]:
    """The catalogue's variants; a product's first row alone carries its title."""
    variants: list[Variant] = []
    title = ""
    for row in rows:
        title = row["Title"] or title
        options = [row[f"Option{n} Value"] for n in (1, 2, 3) if row[f"Option{n} Value"]]
        name = title if options == ["Default Title"] else f"{title} - {' / '.join(options)}"
        variants.append(
            Variant(
                handle=row["Handle"],
                sku=row["Variant SKU"],
                name=name,
                price=Decimal(row["Variant Price"]),
                compare_at=row["Variant Compare At Price"],
                ships=row["Variant Requires Shipping"] == "true",
            )
        )
    return variants


def shoppers_of(people: Iterable[dict[str, str]]) -> list[Shopper]:
    return [
        Shopper(
            email=p["email"],
            country=p["country"],
            taste=p["taste"],
            rhythm=p["rhythm"],
            traits=frozenset(p["traits"].split()),
            marketing=p["marketing"] == "yes",
        )
        for p in people
    ]


def stamp(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S %z") if moment else ""


def full_name(person: dict[str, str]) -> str:
    return f"{person['first']} {person['last']}"


def order_rows(order: Order, person: dict[str, str], currency: str) -> list[dict[str, str]]:
    """The first line carries the whole order, the others only themselves."""
    identifier = str(6120000000000 + order.number * 7919)
    address = {
        "Name": full_name(person),
        "Street": person["street"],
        "Address1": person["street"],
        "City": person["city"],
        "Zip": person["zip"],
        "Province": person["province"],
        "Country": person["country"],
        "Phone": person["phone"],
        "Province Name": person["province"],
    }
    rows = []
    for variant, quantity in order.lines:
        waiting = order.sent is None or variant.sku == order.waiting_sku
        rows.append(
            {
                "Name": f"#{order.number}",
                "Email": person["email"],
                "Created at": stamp(order.created),
                "Lineitem quantity": str(quantity),
                "Lineitem name": variant.name,
                "Lineitem price": str(variant.price),
                "Lineitem compare at price": variant.compare_at,
                "Lineitem sku": variant.sku,
                "Lineitem requires shipping": str(variant.ships).lower(),
                "Lineitem taxable": "true",
                "Lineitem fulfillment status": "pending" if waiting else "fulfilled",
                "Lineitem discount": "0.00",
                "Vendor": VENDOR,
            }
        )
    rows[0] |= {f"{side} {key}": value for side in ("Billing", "Shipping") for key, value in address.items()}
    rows[0] |= {
        "Financial Status": order.money,
        "Paid at": stamp(order.paid),
        "Fulfillment Status": order.parcel,
        "Fulfilled at": stamp(order.sent) if order.parcel == "fulfilled" else "",
        "Accepts Marketing": person["marketing"],
        "Currency": currency,
        "Subtotal": str(order.goods),
        "Shipping": str(order.shipping),
        "Taxes": str(order.tax),
        "Total": str(order.total),
        "Discount Code": order.code,
        "Discount Amount": str(order.off),
        "Shipping Method": "SF Express 顺丰速运" if order.shopper.chinese else "International Tracked 国际追踪",
        "Notes": order.note,
        "Cancelled at": stamp(order.cancelled),
        "Payment Method": order.method,
        "Payment Reference": f"c{identifier}.1" if order.paid else "",
        "Refunded Amount": str(order.refunded),
        "Outstanding Balance": str(order.total) if order.money == "pending" else "0.00",
        "Id": identifier,
        "Risk Level": "Low",
        "Source": "web",
        "Tax 1 Name": f"{person['country']} VAT {VAT_PERCENT[person['country']]}%" if order.tax else "",
        "Tax 1 Value": str(order.tax) if order.tax else "",
        "Phone": person["phone"],
    }
    return rows


def customer_row(person: dict[str, str], identifier: int, orders: list[Order]) -> dict[str, str]:
    kept = [o for o in orders if not o.cancelled]
    spent = sum((o.total - o.refunded for o in kept if o.paid), Decimal("0.00"))
    tags = ["Lane Circle"] * (len(kept) >= 5) + ["student"] * ("student" in person["traits"])
    return {
        "Customer ID": f"'{identifier}",
        "First Name": person["first"],
        "Last Name": person["last"],
        "Email": person["email"],
        "Accepts Email Marketing": person["marketing"],
        "Default Address Address1": person["street"],
        "Default Address City": person["city"],
        "Default Address Province Code": person["province"],
        "Default Address Country Code": person["country"],
        "Default Address Zip": f"'{person['zip']}",
        "Default Address Phone": f"'{person['phone']}" if person["phone"] else "",
        "Phone": f"'{person['phone']}" if person["phone"] else "",
        "Accepts SMS Marketing": "no",
        "Total Spent": str(spent),
        "Total Orders": str(len(kept)),
        "Tax Exempt": "no",
        "Tags": ", ".join(tags),
    }


def write(path: Path, columns: list[str], rows: Iterable[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def make(out: Path) -> None:
    rng = Random(SEED)
    shop = tomllib.loads((HERE / "shop.toml").read_text(encoding="utf-8"))
    people = {p["email"]: p for p in read("people.csv")}
    shelf = Shelf(variants_of(read("products_export.csv")))
    orders = [place(shop, shelf, who, at, rng) for at, who in moments(shoppers_of(people.values()), rng)]
    for number, order in enumerate(orders, FIRST_NUMBER):
        order.number = number
    pack_and_send(orders, rng)
    mishaps(orders, rng)
    of: dict[str, list[Order]] = defaultdict(list)
    for order in orders:
        of[order.shopper.email].append(order)
    newest_first = (row for o in reversed(orders) for row in order_rows(o, people[o.shopper.email], shop["currency"]))
    write(out / "orders_export.csv", ORDER_COLUMNS, newest_first)
    customers = (customer_row(p, 7300400100000 + n * 32768, of[p["email"]]) for n, p in enumerate(people.values(), 1))
    write(out / "customers_export.csv", CUSTOMER_COLUMNS, customers)


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the demo shop's customers and orders.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder for the two files (default: this one)")
    make(parser.parse_args().out)


if __name__ == "__main__":
    main()
