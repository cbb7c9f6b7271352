"""How fast the importers are, and how much memory they take: ``make bench-imports``.

Imports made-up exports of Shopify, WooCommerce and Taobao and a plain list, of 500,000 order lines each, twice, and the
UCI Online Retail file where it is at hand; each in a process of its own. Writes results/imports.json. Of every ten
orders of Shopify, WooCommerce and the plain list one is by a new customer; Taobao's are of one article and one new
buyer each, with name, phone and address, which is the most work that a line can be. ``--database-url`` measures another
store than a new SQLite file.
"""

import argparse
import csv
import json
import multiprocessing
import os
import platform
import resource
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import crm
from crm import migrate
from crm.importers import SOURCES, Context
from crm.shop import Shop

ROOT = Path(__file__).parents[1]
RETAIL = ROOT.parent / "shared" / "data" / "online_retail" / "online_retail.csv.gz"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
RESULTS = ROOT / "benchmarks" / "results" / "imports.json"
LINES_PER_ORDER = 3


def measure(database_url: str, source: str, kind: str, file: str) -> dict[str, Any]:
    """One import of one file into the store."""
    migrate.upgrade(crm.bind(database_url))
    context = Context(Shop(currency="GBP", timezone="Europe/London"), NOW)
    cpu, wall = time.process_time(), time.perf_counter()
    report = SOURCES[source][kind](Path(file), context)
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "rows": report.rows,
        "added": report.added,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": len(report.refused),
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu_seconds, 1),
        "rows_per_second": round(report.rows / seconds),
        "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def in_own_process(*arguments: str) -> dict[str, Any]:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def write_shopify_orders(path: Path, orders: int, lines: int) -> None:
    """An orders export with the demo's header; customers come back about ten times each."""
    with (ROOT / "demo" / "orders_export.csv").open(encoding="utf-8-sig", newline="") as demo:
        header = next(csv.reader(demo))
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, header)
        writer.writeheader()
        for number in range(1, orders + 1):
            placed = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=10 * number)
            first = {
                "Email": f"customer{number * 7919 % (orders // 10 + 1)}@example.com",
                "Financial Status": "paid", "Fulfillment Status": "fulfilled", "Currency": "GBP",
                "Subtotal": f"{lines * 12}.00", "Shipping": "3.00", "Taxes": "0.00", "Total": f"{lines * 12 + 3}.00",
                "Created at": f"{placed:%Y-%m-%d %H:%M:%S} +0000", "Id": str(5_000_000_000 + number),
                "Fulfilled at": f"{placed + timedelta(days=1):%Y-%m-%d %H:%M:%S} +0000", "Shipping Country": "GB",
            }  # fmt: skip
            for place in range(lines):
                sku = (number * 31 + place * 17) % 500
                line = {
                    "Name": f"#{number}", "Lineitem quantity": "1", "Lineitem name": f"Thing {sku}",
                    "Lineitem price": "12.00", "Lineitem sku": f"T-{sku}", "Lineitem fulfillment status": "fulfilled",
                }  # fmt: skip
                writer.writerow(line if place else first | line)


def write_woocommerce_orders(path: Path, orders: int, lines: int) -> None:
    """One row per line, the order's own columns repeated."""
    header = ["order_number", "order_date", "status", "order_total", "order_currency", "customer_id", "billing_email",
              "billing_country", "item_sku", "item_name", "item_quantity", "item_total"]  # fmt: skip
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        for number in range(1, orders + 1):
            placed = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * number)
            buyer = number * 7919 % (orders // 10 + 1)
            order = [number, f"{placed:%Y-%m-%d %H:%M:%S}", "completed", f"{lines * 12}.00", "GBP", buyer,
                     f"customer{buyer}@example.com", "GB"]  # fmt: skip
            for place in range(lines):
                sku = (number * 31 + place * 17) % 500
                writer.writerow([*order, f"T-{sku}", f"Thing {sku}", 1, "12.00"])


def write_taobao_orders(path: Path, orders: int) -> None:
    """One row per order of one article and one buyer, in GB18030 as the seller centre writes it."""
    header = ["订单编号", "买家会员名", "买家应付货款", "买家应付邮费", "总金额", "订单状态", "收货人姓名", "收货地址",
              "联系手机", "订单创建时间", "订单付款时间", "宝贝标题", "宝贝种类", "宝贝总数量", "物流单号",
              "物流公司"]  # fmt: skip
    with path.open("w", encoding="gb18030", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(header)
        for number in range(1, orders + 1):
            placed = datetime(2021, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * number)
            buyer, article = number, number * 31 % 500
            writer.writerow(
                [f'="{3_800_000_000_000_000 + number}"', f"买家{buyer}", "24.00", "0.00", "24.00", "交易成功",
                 f"收货人{buyer}", f"浙江省 杭州市 西湖区 茶园路{buyer}号", f"'138{buyer:08}",
                 f"{placed:%Y-%m-%d %H:%M:%S}", f"{placed:%Y-%m-%d %H:%M:%S}", f"好东西{article}", 1, 2,
                 f"SF{number}", "顺丰速运"]
            )  # fmt: skip


def write_plain_orders(path: Path, orders: int, lines: int) -> None:
    """The plain list with every column that most shops have."""
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(
            ["order_number", "customer_id", "date", "email", "sku", "product", "quantity", "amount", "status"]
        )
        for number in range(1, orders + 1):
            placed = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=5 * number)
            buyer = number * 7919 % (orders // 10 + 1)
            order = [number, buyer, f"{placed:%Y-%m-%d %H:%M:%S}", f"customer{buyer}@example.com"]
            for place in range(lines):
                sku = (number * 31 + place * 17) % 500
                writer.writerow([*order, f"T-{sku}", f"Thing {sku}", 1, "12.00", "shipped"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", help="an empty store; default a new SQLite file per measurement")
    parser.add_argument("--lines", type=int, default=500_000, help="of each made-up export")
    parser.add_argument(
        "--only", help="one of the measurements, by its name in the results; the others stay as they are"
    )
    arguments = parser.parse_args()
    results: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8")) if arguments.only else {}
    results |= {"python": platform.python_version(), "machine": platform.machine(), "processors": os.cpu_count()}
    with tempfile.TemporaryDirectory() as folder:
        shopify = Path(folder) / "orders_export.csv"
        woocommerce, taobao = Path(folder) / "woocommerce.csv", Path(folder) / "ExportOrderList.csv"
        plain = Path(folder) / "orders.csv"
        orders = -(-arguments.lines // LINES_PER_ORDER)
        write_shopify_orders(shopify, orders, LINES_PER_ORDER)
        write_woocommerce_orders(woocommerce, orders, LINES_PER_ORDER)
        write_plain_orders(plain, orders, LINES_PER_ORDER)
        write_taobao_orders(taobao, arguments.lines)
        for name, job in {
            "online_retail": ("csv", "orders", str(RETAIL)),
            "shopify_orders": ("shopify", "orders", str(shopify)),
            "woocommerce_orders": ("woocommerce", "orders", str(woocommerce)),
            "taobao_orders": ("taobao", "orders", str(taobao)),
            "plain_orders": ("csv", "orders", str(plain)),
        }.items():
            if arguments.only and arguments.only != name:
                continue
            if not Path(job[2]).exists():
                results[name] = f"not measured: {Path(job[2]).name} is not there"
                continue
            url = arguments.database_url or f"sqlite:///{folder}/{name}.db"
            load = round(os.getloadavg()[0], 1)
            first, second = in_own_process(url, *job), in_own_process(url, *job)
            results[name] = {"first_run": first, "second_run": second, "load_before": load}
            print(
                f"{name}: {first['rows_per_second']:,} lines/s, again {second['rows_per_second']:,} lines/s", flush=True
            )
    RESULTS.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
