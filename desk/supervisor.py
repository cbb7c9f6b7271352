"""Keeps the desk's processes running: starts them together, restarts what crashes, stops all of them.

Runs in a process of its own with nothing but the standard library, so that watching costs little memory.
"""

import os
import select
import signal
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from types import FrameType

from desk import processes
from desk.console import tell
from desk.plan import Plan, Program
from desk.pulse import Pulse

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
STEADY_AFTER_SECONDS = 60.0
ASK_EVERY_SECONDS = 0.1
LOOK_AT_LOGS_EVERY_SECONDS = 60.0
FEEL_PULSES_EVERY_SECONDS = 1.0
FRONT_STOPS_WITHIN_SECONDS, REST_STOPS_WITHIN_SECONDS = 4.0, 4.0
WRONG_CONFIGURATION = 2
# Proxies from the environment must not come between us and our own gateway.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class GivenUp(Exception):
    """A child cannot run as things are; ``status`` is what the supervisor ends with."""

    def __init__(self, message: str, status: int) -> None:
        self.status = status
        super().__init__(message)


@dataclass
class Child:
    program: Program
    process: Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float | None = 0.0  # None: not to be started
    pause: float = FIRST_PAUSE_SECONDS
    log_began: int = 0
    done: bool = False
    pulse: Pulse | None = None

    def __post_init__(self) -> None:
        if self.program.health_url:
            self.pulse = Pulse(self.program.health_url)

    @property
    def log(self) -> Path:
        return Path(self.program.log or os.devnull)

    def start(self, folder: str, now: float) -> None:
        self.log_began = self.log.stat().st_size if self.log.is_file() else 0
        self.process = processes.start(self.program, folder)
        self.started_at, self.start_at = now, None
        if self.pulse:
            self.pulse.begin()

    def plan_restart(self, now: float) -> float:
        """When it ran steadily the pauses begin anew. Returns the seconds until the next start."""
        if now - self.started_at > STEADY_AFTER_SECONDS:
            self.pause = FIRST_PAUSE_SECONDS
        pause, self.pause = self.pause, min(self.pause * 2, LONGEST_PAUSE_SECONDS)
        self.process, self.start_at = None, now + pause
        return pause


class Supervisor:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._children = {program.name: Child(program) for program in plan.programs}
        self._asked_to_stop = 0
        self._began = time.monotonic()
        self._ready_before = False
        self._ready = plan.ready_url is None
        self._awake_reader, self._awake_writer = os.pipe()

    def run(self) -> int:
        """Until a signal asks to stop, or a child can never run. Returns the exit status."""
        self._listen_for_signals()
        status = 0
        try:
            self._watch()
        except GivenUp as reason:
            tell("desk", str(reason))
            status = reason.status
        finally:
            self._stop()
        return status

    # ------------------------------------------------------------------------------------------------- watching

    def _listen_for_signals(self) -> None:
        os.set_blocking(self._awake_writer, False)
        signal.set_wakeup_fd(self._awake_writer)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # only wakes the loop

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._asked_to_stop += 1

    def _watch(self) -> None:
        look_at_logs = time.monotonic() + LOOK_AT_LOGS_EVERY_SECONDS
        while not self._asked_to_stop:
            now = time.monotonic()
            self._reap(now)
            self._start_due(now)
            self._feel_pulses(now)
            if not self._ready:
                self._ask_whether_ready()
            if now >= look_at_logs:
                look_at_logs = now + LOOK_AT_LOGS_EVERY_SECONDS
                for child in self._children.values():
                    if child.program.log:
                        processes.rotate(child.log)
            self._sleep(self._seconds_to_next_event(look_at_logs))

    def _seconds_to_next_event(self, look_at_logs: float) -> float:
        due = [child.start_at for child in self._children.values() if child.start_at and self._may_start(child)]
        wait = min([look_at_logs, *due]) - time.monotonic()
        if any(child.pulse for child in self._children.values()):
            wait = min(wait, FEEL_PULSES_EVERY_SECONDS)
        return max(0.0, wait if self._ready else min(wait, ASK_EVERY_SECONDS))

    def _sleep(self, seconds: float) -> None:
        readable, _, _ = select.select([self._awake_reader], [], [], seconds)
        if readable:
            os.read(self._awake_reader, 4096)

    def _may_start(self, child: Child) -> bool:
        before = child.program.after
        return before is None or before not in self._children or self._children[before].done

    def _start_due(self, now: float) -> None:
        for child in self._children.values():
            if child.start_at is not None and child.start_at <= now and self._may_start(child):
                child.start(self._plan.folder, now)
                if child.process and not child.program.once:
                    tell(child.program.name, f"started (process {child.process.pid})")

    def _feel_pulses(self, now: float) -> None:
        """Kills whoever lives but no longer answers; the next look finds it ended and plans its restart."""
        for child in self._children.values():
            if child.process is None or child.pulse is None:
                continue
            child.pulse.look(now)
            if child.pulse.silent_seconds >= child.program.hangs_after:
                tell(child.program.name, f"has not answered for {child.pulse.silent_seconds:.0f} s; ending it")
                processes.signal_group(child.process, signal.SIGKILL)
                child.pulse.begin()

    def _reap(self, now: float) -> None:
        for child in self._children.values():
            if child.process is None or child.process.poll() is None:
                continue
            processes.signal_group(child.process, signal.SIGKILL)  # whatever the child itself had started
            status = child.process.returncode
            if child.program.once:
                child.process = None
                if status != 0:
                    raise GivenUp("Not started; the line above says why.", status if status > 0 else 1)
                child.done = True
            else:
                self._ended(child, status, now)

    def _ended(self, child: Child, status: int, now: float) -> None:
        name, words = child.program.name, processes.last_line(child.log, child.log_began)
        if status == WRONG_CONFIGURATION:
            child.process = None
            raise GivenUp(f"{name} cannot start: {words or f'see {child.log}'}", WRONG_CONFIGURATION)
        pause = child.plan_restart(now)
        how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
        tell(name, f"{how}; starting it again in {pause:.0f} s. Last words: {words or 'none'} ({child.log})")
        self._ready = self._plan.ready_url is None

    # ------------------------------------------------------------------------------------------------ readiness

    def _ask_whether_ready(self) -> None:
        url = self._plan.ready_url
        gateway = self._children.get("gateway")
        if url is None or gateway is None or gateway.process is None:
            return
        # Not ready is an error status or no connection: ask again.
        with suppress(OSError, urllib.error.HTTPError), _opener.open(url, timeout=1.0) as answer:
            if answer.status == 200:
                self._ready = True
                self._say_ready()

    def _say_ready(self) -> None:
        if self._ready_before:
            tell("desk", "Everything answers again.")
            return
        self._ready_before = True
        tell("desk", f"Ready: {self._plan.base_url}  (after {time.monotonic() - self._began:.1f} s; Ctrl-C stops it)")

    # ------------------------------------------------------------------------------------------------- stopping

    def _stop(self) -> None:
        """First the gateway, so that what customers just asked is still answered; then the others."""
        before = self._asked_to_stop
        running = [child for child in self._children.values() if child.process is not None]
        if running:
            tell("desk", "Stopping …")
        front = [child for child in running if child.program.name == "gateway"]
        self._end(front, FRONT_STOPS_WITHIN_SECONDS, before)
        self._end([child for child in running if child not in front], REST_STOPS_WITHIN_SECONDS, before)
        for child in running:
            if child.process is not None:
                processes.signal_group(child.process, signal.SIGKILL)
                child.process.wait()
        if running:
            tell("desk", "Stopped.")

    def _end(self, children: list[Child], within: float, asked_before: int) -> None:
        for child in children:
            if child.process is not None:
                processes.signal_group(child.process, signal.SIGTERM)
        limit = time.monotonic() + within
        while any(child.process is not None and child.process.poll() is None for child in children):
            # A second Ctrl-C means: now.
            if time.monotonic() > limit or self._asked_to_stop > asked_before:
                return
            self._sleep(0.1)


def main() -> int:
    """Reads the plan from the inherited file whose number is the only argument."""
    with os.fdopen(int(sys.argv[1]), encoding="utf-8") as file:
        plan = Plan.from_json(file.read())
    return Supervisor(plan).run()


if __name__ == "__main__":
    sys.exit(main())
