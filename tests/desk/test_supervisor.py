"""The supervisor with small programs in place of the real ones."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from desk import processes
from desk.plan import Plan, Program
from desk.pulse import Pulse
from tests.support.product import ROOT
from tests.support.serving import free_port

SLEEPS = "import time; print('up', flush=True); time.sleep(600)"
IGNORES_TERM = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPS}"


class Running:
    """A supervisor and what it says."""

    def __init__(self, state: Path, **programs: Program) -> None:
        self.state = state
        plan = Plan(list(programs.values()), str(state), "http://localhost", None)
        with tempfile.TemporaryFile("w+") as file:
            file.write(plan.to_json())
            file.flush()
            file.seek(0)
            with (state / "console.txt").open("wb") as console:
                self.process = subprocess.Popen(
                    [sys.executable, "-m", "desk.supervisor", str(file.fileno())],
                    cwd=ROOT,
                    pass_fds=[file.fileno()],
                    stdout=console,
                    stderr=console,
                )

    @property
    def said(self) -> str:
        return (self.state / "console.txt").read_text(encoding="utf-8")

    def until(self, true: Callable[[], bool], seconds: float = 20) -> None:
        ends = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < ends, self.said
            time.sleep(0.02)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number: int = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Runs programs, each given as name and Python code."""
    made: list[Running] = []

    def start(*, once: str | None = None, **codes: str) -> Running:
        programs = {
            name: Program(
                name,
                [sys.executable, "-c", code],
                dict(os.environ),
                None if name == once else str(tmp_path / f"{name}.log"),
                after=once if once and name != once else None,
                once=name == once,
            )
            for name, code in codes.items()
        }
        made.append(Running(tmp_path, **programs))
        return made[-1]

    yield start
    for running in made:
        if running.process.poll() is None:
            running.process.kill()
        running.process.wait()


def test_ctrl_c_leaves_no_process(supervise: Callable[..., Running]) -> None:
    running = supervise(gateway=SLEEPS, rasa=SLEEPS, actions=SLEEPS)
    running.until(lambda: len(running.children()) == 3)
    children = running.children()
    assert running.stop() == 0
    assert not any(child.is_running() for child in children)
    assert "Stopped." in running.said


def test_what_does_not_want_to_stop_is_made_to(supervise: Callable[..., Running]) -> None:
    running = supervise(gateway=SLEEPS, rasa=IGNORES_TERM)
    running.until(lambda: (running.state / "rasa.log").exists() and "up" in (running.state / "rasa.log").read_text())
    children = running.children()
    began = time.monotonic()
    assert running.stop(signal.SIGTERM) == 0
    assert time.monotonic() - began < 10
    assert not any(child.is_running() for child in children)


def test_no_orphan_survives_a_killed_supervisor(supervise: Callable[..., Running]) -> None:
    running = supervise(gateway=SLEEPS, rasa=IGNORES_TERM)
    running.until(lambda: len(running.children()) == 2)
    children = running.children()
    running.process.kill()
    running.process.wait()

    def alive() -> list[psutil.Process]:
        return [c for c in children if c.is_running() and c.status() != psutil.STATUS_ZOMBIE]

    with suppress(psutil.NoSuchProcess):
        running.until(lambda: not alive(), seconds=5)


def test_a_crashed_child_is_started_again_and_its_last_words_are_told(supervise: Callable[..., Running]) -> None:
    running = supervise(rasa="print('no more paper'); raise SystemExit(3)")
    running.until(lambda: running.said.count("started (process") >= 2)
    assert "ended with status 3; starting it again in 1 s. Last words: no more paper" in running.said
    running.until(lambda: "starting it again in 2 s" in running.said)
    assert running.stop() == 0


def test_a_killed_child_is_started_again(supervise: Callable[..., Running]) -> None:
    running = supervise(rasa=SLEEPS)
    running.until(lambda: len(running.children()) == 1)
    first = running.children()[0]
    first.kill()
    running.until(lambda: {child.pid for child in running.children()} - {first.pid} != set())
    assert "was killed by signal 9" in running.said


SERVES = """
import http.server, time
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", {port}), Handler).serve_forever()
"""


def test_what_lives_but_does_not_answer_is_started_again(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/health"
    command = [sys.executable, "-c", SERVES.format(port=port)]
    log = str(tmp_path / "rasa.log")
    # Ten seconds: longer than a busy machine takes for one answer, and answers are asked for every five.
    program = Program("rasa", command, dict(os.environ), log, health_url=url, hangs_after=10.0)
    running = Running(tmp_path, rasa=program)
    try:
        running.until(lambda: "GET /health" in (tmp_path / "rasa.log").read_text() if Path(log).exists() else False)
        # An error is an answer, so it is left alone until it hangs.
        assert "ending it" not in running.said
        hanging = running.children()[0]
        hanging.suspend()
        running.until(lambda: "has not answered for 1" in running.said, seconds=60)
        running.until(lambda: {child.pid for child in running.children()} - {hanging.pid} != set())
        assert "was killed by signal 9; starting it again in 1 s" in running.said
    finally:
        running.process.kill()
        running.process.wait()


def test_a_slow_start_and_a_held_up_supervisor_are_no_hang() -> None:
    pulse = Pulse(f"http://127.0.0.1:{free_port()}/health")
    for moment in range(100):
        pulse.look(float(moment))
    assert pulse.silent_seconds == 0
    pulse.begin()  # lets the last question go
    with socket.create_server(("127.0.0.1", 0)) as server:
        pulse = Pulse(f"http://127.0.0.1:{server.getsockname()[1]}/health")
        pulse.look(0.0)
        taken, _ = server.accept()
        with taken:
            taken.sendall(b"HTTP/1.0 503 Not ready\r\n\r\n")
            time.sleep(0.1)
            pulse.look(1.0)
            pulse.look(1.5)
            assert pulse.silent_seconds == 0.5
            pulse.look(3_600.0)
            assert pulse.silent_seconds == 2.5
        pulse.begin()


def test_a_wrong_configuration_ends_it_with_one_sentence(supervise: Callable[..., Running]) -> None:
    running = supervise(gateway="print('DESK_X is wrong.'); raise SystemExit(2)", rasa=SLEEPS)
    assert running.process.wait(20) == 2
    assert "gateway cannot start: DESK_X is wrong." in running.said


def test_programs_wait_for_what_comes_before_them(supervise: Callable[..., Running], tmp_path: Path) -> None:
    mark = tmp_path / "prepared"
    running = supervise(
        once="store",
        store=f"import time, pathlib; time.sleep(0.3); pathlib.Path({str(mark)!r}).touch()",
        gateway=f"import pathlib; print(pathlib.Path({str(mark)!r}).exists(), flush=True); {SLEEPS}",
    )
    running.until(lambda: (tmp_path / "gateway.log").exists() and "up" in (tmp_path / "gateway.log").read_text())
    assert (tmp_path / "gateway.log").read_text().startswith("True")


def test_nothing_starts_when_preparing_fails(supervise: Callable[..., Running], tmp_path: Path) -> None:
    running = supervise(once="store", store="print('shop.toml: no such field'); raise SystemExit(2)", gateway=SLEEPS)
    assert running.process.wait(20) == 2
    assert "shop.toml: no such field" in running.said
    assert not (tmp_path / "gateway.log").exists()


def test_the_supervisor_is_small(supervise: Callable[..., Running]) -> None:
    running = supervise(gateway=SLEEPS)
    running.until(lambda: len(running.children()) == 1)
    assert psutil.Process(running.process.pid).memory_info().rss < 40_000_000


def test_logs_are_rotated_without_losing_their_writer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "LARGEST_LOG_BYTES", 10)
    log = tmp_path / "gateway.log"
    with log.open("ab", buffering=0) as writer:
        for turn in range(5):
            writer.write(f"line {turn}, long enough\n".encode())
            processes.rotate(log)
        writer.write(b"the last\n")
    assert log.read_bytes() == b"the last\n"
    assert (tmp_path / "gateway.log.1").read_text() == "line 4, long enough\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "gateway.log",
        "gateway.log.1",
        "gateway.log.2",
        "gateway.log.3",
    ]
