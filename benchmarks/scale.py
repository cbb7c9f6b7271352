"""How long a full analysis takes and how much memory it needs, by the size of the shop.

    python -m benchmarks.scale [ORDERS …]        default: 10000 100000 1000000; twice as many messages

Each size is a made-up shop in an SQLite store of its own, analysed by a process of its own.
"""

import json
import math
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results" / "scale.json"
SIZES = (10_000, 100_000, 1_000_000)


def measure(orders: int, folder: Path) -> dict[str, float | int]:
    """Fills a store and analyses it; what the analysing process needed."""
    store = f"sqlite:///{folder / 'desk.db'}"
    subprocess.run([sys.executable, "-m", "benchmarks.scale", "--fill", str(orders), store], check=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scale", "--analyse", store], check=True, capture_output=True, text=True
    )
    return {"orders": orders, "messages": 2 * orders, **json.loads(done.stdout.splitlines()[-1])}


def main(sizes: list[int]) -> None:
    rows = []
    for orders in sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows.append(measure(orders, Path(folder)))
        print(rows[-1], flush=True)
    for row in rows:
        row["seconds_per_n_log_n"] = row["seconds"] / (row["orders"] * math.log(row["orders"]))
    told = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "runs": rows,
    }
    RESULTS.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


def _fill(orders: int, store: str) -> None:
    import crm
    from benchmarks.made_up_shop import fill

    fill(crm.bind(store), orders=orders, messages=2 * orders)


def _analyse(store: str) -> None:
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    import crm
    from analytics.run import Step, analyse
    from benchmarks.made_up_shop import AS_OF
    from crm.shop import Shop

    crm.bind(store)
    began, cpu = time.monotonic(), time.process_time()
    stages: dict[str, float] = {}

    def note(step: Step) -> None:
        stages[step.name] = round(time.monotonic() - began, 1)

    analyse(Shop(currency="CNY", timezone="Asia/Shanghai"), as_of=AS_OF, now=AS_OF, progress=note)
    found = {
        "seconds": round(time.monotonic() - began, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "memory_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
        "stage_began_at_seconds": stages,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fill"]:
        _fill(int(sys.argv[2]), sys.argv[3])
    elif sys.argv[1:2] == ["--analyse"]:
        _analyse(sys.argv[2])
    else:
        main([int(size) for size in sys.argv[1:]] or list(SIZES))
