"""How long a customer waits for a reply, over the web chat API of a running desk.

    uv run python benchmarks/latency.py [--url http://localhost:8000] [--messages 300] [--customers 32]

Start the desk with DESK_MESSAGES_PER_MINUTE and DESK_SESSIONS_PER_MINUTE set high, or the rate limits will answer.

Measures one customer at a time, then many at once, then a burst of three lines, then a long conversation. Writes
``benchmarks/results/latency.json``. The figures depend on the machine and on what else it does: compare ratios.
"""

import argparse
import asyncio
import json
import os
import platform
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

RESULT = Path(__file__).parent / "results" / "latency.json"
# What customers of the demo shop ask, in the mixture of a day: looked-up answers mostly, some small talk.
SAYS = (
    "hello",
    "where is my order 1383? my email is j.whitcombe@example.com",
    "how much is the cedar attic candle",
    "寄日本要几天",
    "订单 1398 发货了吗？ruoxi.song@example.org",
    "what goes well with linen napkins?",
    "有没有香薰蜡烛",
    "can I return a candle I have lit?",
    "thanks!",
    "怎么付款",
)


class Customer:
    """One visitor of the web chat."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._token = ""

    async def open(self) -> "Customer":
        answer = await self._client.post("/api/chat/sessions", json={})
        answer.raise_for_status()
        self._token = answer.json()["token"]
        return self

    async def say(self, text: str) -> float:
        """Milliseconds until the replies were there. Raises when there were none."""
        began = time.perf_counter()
        answer = await self._client.post(
            "/api/chat/messages?wait=30",
            json={"text": text, "client_id": uuid.uuid4().hex},
            headers={"Authorization": f"Bearer {self._token}"},
        )
        took = (time.perf_counter() - began) * 1000
        answer.raise_for_status()
        if not answer.json().get("replies"):
            raise RuntimeError(f"no reply to {text!r}")
        return took


def summary(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    at = lambda share: round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)  # noqa: E731
    return {
        "n": len(ordered), "p50_ms": at(0.5), "p95_ms": at(0.95), "p99_ms": at(0.99),
        "mean_ms": round(statistics.fmean(ordered), 1),
    }  # fmt: skip


async def one_at_a_time(client: httpx.AsyncClient, messages: int) -> dict[str, Any]:
    times: list[float] = []
    while len(times) < messages:
        customer = await Customer(client).open()
        times.extend([await customer.say(text) for text in SAYS])
    return summary(times)


async def many_at_once(client: httpx.AsyncClient, customers: int) -> dict[str, Any]:
    opened = [await Customer(client).open() for _ in range(customers)]

    async def all_of(customer: Customer) -> list[float]:
        return [await customer.say(text) for text in SAYS]

    began = time.perf_counter()
    times = [took for each in await asyncio.gather(*map(all_of, opened)) for took in each]
    return {**summary(times), "per_second": round(len(times) / (time.perf_counter() - began), 1)}


async def burst(client: httpx.AsyncClient) -> dict[str, Any]:
    single, three = [], []
    for _ in range(20):
        customer = await Customer(client).open()
        single.append(await customer.say("how can I pay?"))
        began = time.perf_counter()
        await asyncio.gather(*(customer.say(text) for text in ("and", "how long does shipping to Japan take", "?")))
        three.append((time.perf_counter() - began) * 1000)
    return {
        "one_line_p50_ms": round(statistics.median(single), 1),
        "three_lines_p50_ms": round(statistics.median(three), 1),
        "ratio": round(statistics.median(three) / statistics.median(single), 2),
    }


async def long_conversation(client: httpx.AsyncClient, turns: int) -> dict[str, Any]:
    customer = await Customer(client).open()
    times = [await customer.say(SAYS[turn % len(SAYS)]) for turn in range(turns)]
    early, late = statistics.median(times[:40]), statistics.median(times[-40:])
    return {
        "turns": turns, "first_40_p50_ms": round(early, 1), "last_40_p50_ms": round(late, 1),
        "ratio": round(late / early, 2),
    }  # fmt: skip


def memory_mb() -> dict[str, float]:
    """Resident memory of the desk's processes on this machine."""
    import psutil

    found: dict[str, float] = {}
    for process in psutil.process_iter(["cmdline", "memory_info"]):
        line = " ".join(process.info["cmdline"] or [])
        for name, mark in (
            ("rasa", "-m bot serve"),
            ("actions", "-m actions"),
            ("gateway", "-m gateway"),
            ("supervisor", "desk up"),
        ):
            if mark in line and "python" in line and process.info["memory_info"]:
                found[name] = round(process.info["memory_info"].rss / 1e6, 1)
    return {**found, "total": round(sum(found.values()), 1)}


async def measure(url: str, messages: int, customers: int, turns: int) -> dict[str, Any]:
    limits = httpx.Limits(max_connections=customers * 2)
    async with httpx.AsyncClient(base_url=url, timeout=60, limits=limits) as client:
        await one_at_a_time(client, len(SAYS))  # warm up
        steps: dict[str, Callable[[], Awaitable[dict[str, Any]]]] = {
            "one_at_a_time": lambda: one_at_a_time(client, messages),
            f"{customers}_at_once": lambda: many_at_once(client, customers),
            "burst_of_three": lambda: burst(client),
            "long_conversation": lambda: long_conversation(client, turns),
        }
        result: dict[str, Any] = {
            "machine": {"cores": os.cpu_count(), "load": os.getloadavg()[0], "python": platform.python_version()},
            "memory_mb": memory_mb(),
        }
        for name, step in steps.items():
            result[name] = await step()
            print(name, result[name], flush=True)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://localhost:8000")
    parser.add_argument("--messages", type=int, default=300)
    parser.add_argument("--customers", type=int, default=32)
    parser.add_argument("--turns", type=int, default=400)
    given = parser.parse_args()
    result = asyncio.run(measure(given.url, given.messages, given.customers, given.turns))
    print("memory", result["memory_mb"])
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
