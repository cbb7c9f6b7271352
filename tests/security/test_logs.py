"""What is logged of a failure: its place, whoever logs it; nothing that its message or an address quotes."""

import subprocess
import sys

import pytest

from tests.support.product import ROOT

WORDS = "my-secret-words"
FAILS = f"""
import asyncio, logging
import httpx
from {{module}} import set_up

set_up()
log = logging.getLogger("somewhere")

def fails(text):
    words = text
    raise ValueError("cannot read " + text)

try:
    fails("{WORDS}")
except ValueError as error:
    log.exception("failed")
    log.error("failed too", exc_info=error)

async def nobody_waits():
    asyncio.get_running_loop().call_exception_handler({{{{"message": "lost", "exception": ValueError("{WORDS}")}}}})
    transport = httpx.MockTransport(lambda request: httpx.Response(500))
    async with httpx.AsyncClient(transport=transport) as http:
        await http.get("https://telegram.example/bot{WORDS}/getUpdates")

asyncio.run(nobody_waits())
log.info("the end")
"""


@pytest.mark.parametrize("module", ["crm.logs", "gateway.logs"])
def test_a_failure_is_logged_by_its_place_alone(module: str) -> None:
    source = FAILS.format(module=module)
    if module == "crm.logs":  # the action server and the scheduler call no address with a secret in it
        source = source.replace("        await http.get(", "        str(")
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, cwd=ROOT, text=True, check=True)
    assert WORDS not in done.stdout + done.stderr
    assert done.stderr.count("error=ValueError at ") == 2 + ("lost" in done.stderr)
    assert "<string>" in done.stderr
    assert "the end" in done.stderr
