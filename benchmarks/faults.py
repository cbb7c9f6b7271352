"""Random faults while customers write: what was lost, doubled or out of order.

    make test-faults ARGS="--faults 200 --seed 1"

Writes benchmarks/results/faults.json. Ends with 1 if anything was lost, doubled or out of order.
"""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from tests.support.misfortune import run
from tests.support.product import KEYS

RESULTS = Path(__file__).with_name("results") / "faults.json"


def main() -> int:
    parser = argparse.ArgumentParser(description="Breaks a running desk at random while customers write.")
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--customers", type=int, default=6, help="so many on the web and on Telegram each")
    parser.add_argument("--state", type=Path, help="a folder to keep the store and the logs in")
    given = parser.parse_args()
    os.environ["DESK_DATA_KEY"] = KEYS["DESK_DATA_KEY"]
    with tempfile.TemporaryDirectory() as folder:
        state = given.state or Path(folder)
        state.mkdir(parents=True, exist_ok=True)
        report = asyncio.run(
            run(state, seed=given.seed, faults=given.faults, web=given.customers, telegram=given.customers)
        )
    text = json.dumps(report.as_json(), indent=2, ensure_ascii=False)
    RESULTS.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 1 if report.lost or report.doubled or report.out_of_order else 0


if __name__ == "__main__":
    sys.exit(main())
