"""Seconds from a customer's "human please" to the owner's phone, and from her reply back to the customer.

    uv run python benchmarks/takeover.py [--times 20]

Starts the whole product with the demo shop and a stand-in for Telegram's Bot API in this process, so that the figures
hold everything but the way to Telegram and back. Customers come three seconds apart.
Writes ``benchmarks/results/takeover.json``.
"""

import argparse
import asyncio
import json
import platform
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import httpx

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.support.product import RunningDesk, run_desk, settings_for
from tests.support.serving import serving
from tests.support.telegram_api import TOKEN, TelegramApi

RESULT = Path(__file__).parent / "results" / "takeover.json"
OWNER = 900


def _reply_to(notice: dict[str, Any]) -> dict[str, Any]:
    return {"message_id": notice["message_id"], "chat": {"id": OWNER, "type": "private"}, "date": 1_790_000_000}


async def _once(url: str, api: TelegramApi) -> tuple[float, float]:
    """Seconds to the phone, and seconds from the phone to the customer's open event stream."""
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as http:
        token = (await http.post("/api/chat/sessions", json={"language": "en"})).json()["token"]
        headers = {"Authorization": f"Bearer {token}"}
        known = len(api.sent)
        began = time.perf_counter()
        body = {"text": "I want to talk to a human please", "client_id": uuid.uuid4().hex}
        await http.post("/api/chat/messages", json=body, headers=headers)
        await api.until(lambda: any("asks for a person" in s["text"] for s in api.sent[known:]), seconds=30)
        to_phone = time.perf_counter() - began
        notice = next(s for s in api.sent[known:] if "asks for a person" in s["text"])
        words = f"Hello, this is the owner {uuid.uuid4().hex[:6]}"
        async with http.stream("GET", "/api/chat/events", headers=headers) as stream:
            lines = stream.aiter_lines()
            await anext(lines)
            began = time.perf_counter()
            await api.says(OWNER, words, reply_to_message=_reply_to(notice))
            async for line in lines:
                if words in line:
                    break
        return to_phone, time.perf_counter() - began


async def _measure(times: int, folder: Path) -> dict[str, Any]:
    api = TelegramApi()
    async with serving(api.app) as telegram:
        env = settings_for(
            folder,
            DESK_DEMO="1",
            DESK_TELEGRAM_TOKEN=TOKEN,
            DESK_TELEGRAM_API=f"{telegram}/bot",
            DESK_SESSIONS_PER_MINUTE="1000",
        )
        desk = RunningDesk(folder, env)
        try:
            await asyncio.to_thread(desk.wait_until_ready)
            _, said, _ = await asyncio.to_thread(lambda: run_desk("owner", "pair", env=env))
            code = said.split("/start ")[1].split()[0]
            await api.says(OWNER, f"/start {code}")
            await api.sent_to(OWNER, 1)
            await _no_quiet_hours(desk.base_url, env["DESK_OWNER_PASSWORD"])
            runs = []
            for _ in range(times):
                runs.append(await _once(desk.base_url, api))
                await asyncio.sleep(3)
        finally:
            await asyncio.to_thread(desk.stop)
    return {
        "times": times,
        "seconds_to_phone": _spread([run[0] for run in runs]),
        "seconds_from_phone_to_customer": _spread([run[1] for run in runs]),
        "machine": platform.platform(),
    }


async def _no_quiet_hours(url: str, password: str) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30) as http:
        await http.post("/owner/sign-in", data={"password": password})
        csrf = (await http.get("/owner")).text.split('data-csrf="')[1].split('"')[0]
        form = {"csrf": csrf, "return_after_minutes": "30", "language": "en"}
        answer = await http.post("/owner/settings", data=form)
        if answer.status_code != 303:
            raise RuntimeError(f"the settings were not taken: {answer.status_code}")


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "p95": round(sorted(values)[max(0, round(0.95 * len(values)) - 1)], 3),
        "most": round(max(values), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_measure(parser.parse_args().times, Path(folder)))
    RESULT.write_text(json.dumps(found, indent=2) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
