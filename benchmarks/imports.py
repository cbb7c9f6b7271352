"""How fast the importers are, and how much memory they take: ``uv run python benchmarks/imports.py``.

Measures the UCI Online Retail file (first and second run) and a made-up Shopify export of the same kind of size, each
in a process of its own, and prints one JSON object. ``--database-url`` measures another store than a new SQLite file.
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database-url", help="an empty store; default a new SQLite file per measurement")
    parser.add_argument("--shopify-orders", type=int, default=60_000)
    arguments = parser.parse_args()
    results: dict[str, Any] = {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "processors": os.cpu_count(),
        "load_before": os.getloadavg()[0],
    }
    with tempfile.TemporaryDirectory() as folder:
        shopify = Path(folder) / "orders_export.csv"
        write_shopify_orders(shopify, arguments.shopify_orders, 3)
        for name, job in {
            "online_retail": ("csv", "orders", str(RETAIL)),
            "shopify_orders": ("shopify", "orders", str(shopify)),
        }.items():
            if not Path(job[2]).exists():
                results[name] = f"not measured: {Path(job[2]).name} is not there"
                continue
            url = arguments.database_url or f"sqlite:///{folder}/{name}.db"
            results[name] = {"first_run": in_own_process(url, *job), "second_run": in_own_process(url, *job)}
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
