"""The whole product, running: started as its owner starts it, talked to as its customers do."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from tests.support.serving import free_port

ROOT = Path(__file__).parents[2]
DESK = Path(sys.executable).with_name("desk")
READY_WITHIN_SECONDS = 240  # training included, should the sources have just changed
STOPS_WITHIN_SECONDS = 20
KEYS = {
    "DESK_SECRET_KEY": "a secret for tests, long enough for any use of it",
    "DESK_DATA_KEY": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
    "DESK_OWNER_PASSWORD": "acorn-almond-amber-anchor-apple-apron",
}


def settings_for(state: Path, **more: str) -> dict[str, str]:
    """An environment in which the product keeps to ``state`` and to free ports."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("DESK_")}
    return {
        **env,
        **KEYS,
        "DESK_DATABASE_URL": f"sqlite:///{state}/desk.db",
        "DESK_PORT": str(free_port()),
        "DESK_RASA_URL": f"http://127.0.0.1:{free_port()}",
        "DESK_ACTIONS_URL": f"http://127.0.0.1:{free_port()}",
        "DESK_TELEGRAM_TOKEN": "",
        "DESK_SMTP_URL": "",
        "DESK_SHOP": str(ROOT / "demo" / "shop.toml"),
        "DESK_DEMO": "0",
        **more,
    }


def run_desk(*arguments: str, env: dict[str, str], said: str | bytes = b"", cwd: Path = ROOT) -> tuple[int, str, str]:
    """Status, output and errors of one command."""
    done = subprocess.run(
        [str(DESK), *arguments],
        env=env,
        input=said.encode() if isinstance(said, str) else said,
        capture_output=True,
        cwd=cwd,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@dataclass
class Visitor:
    """One customer in the web chat."""

    http: httpx.Client
    conversation: str
    last: list[dict[str, Any]] = field(default_factory=list)

    def says(self, text: str, *, payload: str | None = None, wait: float = 30) -> list[dict[str, Any]]:
        """The replies to the text; they are kept in ``last``."""
        body = {"text": text, "client_id": uuid.uuid4().hex} | ({"payload": payload} if payload else {})
        response = self.http.post("/api/chat/messages", params={"wait": wait}, json=body)
        assert response.status_code == 200, (response.status_code, response.text)
        self.last = response.json()["replies"]
        return self.last

    def sends(self, text: str) -> None:
        """Without waiting for the answer."""
        body = {"text": text, "client_id": uuid.uuid4().hex}
        assert self.http.post("/api/chat/messages", json=body).status_code == 202

    def presses(self, part_of_title: str) -> list[dict[str, Any]]:
        """Presses a button of the last replies."""
        button = next(b for reply in self.last for b in reply.get("buttons", []) if part_of_title in b["title"])
        return self.says(button["title"], payload=button["payload"])

    def history(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.http.get("/api/chat/messages").json()["messages"]
        return found

    @property
    def heard(self) -> str:
        return "\n".join(reply["text"] for reply in self.last)


class RunningDesk:
    """``desk up`` and what to do with it."""

    def __init__(self, state: Path, env: dict[str, str], *up: str) -> None:
        self.state, self.env = state, env
        self.base_url = f"http://127.0.0.1:{env['DESK_PORT']}"
        self.console = state / "console.txt"
        self._clients: list[httpx.Client] = []
        with self.console.open("ab") as output:
            self.process = subprocess.Popen(
                [str(DESK), "up", *up],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self, within: float = READY_WITHIN_SECONDS) -> None:
        ends = time.monotonic() + within
        while time.monotonic() < ends:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}:\n{self.said}"
            assert "starting it again in 8 s" not in self.said, f"a part cannot start:\n{self.said}"
            try:
                if httpx.get(f"{self.base_url}/readyz", timeout=5, trust_env=False).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"not ready within {within} s:\n{self.said}")

    @property
    def said(self) -> str:
        """What it wrote to the console."""
        return self.console.read_text(encoding="utf-8", errors="replace")

    def child(self, name: str) -> psutil.Process:
        """The process of that name: gateway, rasa or actions."""
        module = "bot" if name == "rasa" else name
        for process in psutil.Process(self.process.pid).children():
            if ["-m", module] == process.cmdline()[1:3]:
                return process
        raise AssertionError(f"no {name} is running:\n{self.said}")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def visitor(self, language: str | None = None, *, address: str | None = None) -> Visitor:
        """``address``: the one of this machine's, all of 127.0.0.0/8, that the visitor seems to come from."""
        transport = httpx.HTTPTransport(local_address=address) if address else None
        http = httpx.Client(base_url=self.base_url, timeout=60, trust_env=False, transport=transport)
        self._clients.append(http)
        opened = http.post("/api/chat/sessions", json={"language": language} if language else {}).json()
        http.headers["Authorization"] = f"Bearer {opened['token']}"
        return Visitor(http, opened["conversation_id"])

    @contextmanager
    def store(self) -> Iterator[Session]:
        """The product's own store, to look into."""
        engine = create_engine(self.env["DESK_DATABASE_URL"])
        try:
            with Session(engine) as session:
                yield session
        finally:
            engine.dispose()

    def stop(self, number: int = signal.SIGINT) -> int:
        """Its exit status."""
        for client in self._clients:
            client.close()
        self._clients.clear()
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOPS_WITHIN_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            raise AssertionError(f"it did not stop:\n{self.said}") from None


@contextmanager
def running_desk(state: Path, *up: str, **more: str) -> Iterator[RunningDesk]:
    """Ready when entered, stopped when left."""
    desk = RunningDesk(state, settings_for(state, **more), *up)
    try:
        desk.wait_until_ready()
        yield desk
    finally:
        desk.stop()
