"""Starting children so that none outlives its supervisor, and their log files."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from desk.plan import Program

LARGEST_LOG_BYTES = 10_000_000
KEPT_LOGS = 3
_PR_SET_PDEATHSIG = 1


def tied_to_parent() -> Callable[[], None] | None:
    """What the child does before its program starts, so that the kernel ends it when the supervisor is killed -9."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    supervisor = os.getpid()

    def tie() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != supervisor:
            os._exit(1)  # it was killed between fork and prctl

    return tie


def start(program: Program, folder: str) -> subprocess.Popen[bytes]:
    """Runs the program in a process group of its own; what it prints goes to its log, or to the console.

    Call from the main thread only: the kernel ties the child to the thread that started it.
    """
    if program.log is None:
        return _popen(program, folder, None)
    Path(program.log).parent.mkdir(parents=True, exist_ok=True)
    with open(program.log, "ab") as log:
        return _popen(program, folder, log.fileno())


def _popen(program: Program, folder: str, output: int | None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        program.command,
        cwd=folder,
        env=program.env,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        process_group=0,
        preexec_fn=tied_to_parent(),
    )


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Signals the child and everything it started, also when the child itself has ended already."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


def rotate(log: Path) -> None:
    """Keeps the log small. Children go on writing to the same file, so it is copied and emptied, never renamed."""
    with suppress(OSError):
        if log.stat().st_size < LARGEST_LOG_BYTES:
            return
        for number in range(KEPT_LOGS - 1, 0, -1):
            older = log.with_name(f"{log.name}.{number}")
            if older.exists():
                older.replace(log.with_name(f"{log.name}.{number + 1}"))
        shutil.copyfile(log, log.with_name(f"{log.name}.1"))
        os.truncate(log, 0)


def last_line(log: Path, since: int = 0) -> str:
    """The last thing said after byte ``since``; empty if nothing was."""
    with suppress(OSError), log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(since if since <= size else 0, size - 4096))
        lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
        return next((line for line in reversed(lines) if line), "")
    return ""
