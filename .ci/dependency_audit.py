"""Looks up everything that both lock files bring in the OSV database of known vulnerabilities, by pip-audit.

    python .ci/dependency_audit.py [--report]

With --report it tells what it finds and ends with 0: an advisory of today must not stop a change that has nothing to
do with it. Otherwise it ends with 1 for a vulnerability that accepted_vulnerabilities.toml beside this file does not
name for that package and lock file. When the database cannot be reached it says so and ends with 0. PIP_AUDIT_OSV_URL
names another database of the same kind. Once a day is enough while neither packages nor the accepted change.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
from desk.environments import find_uv  # noqa: E402 - it must run before the package is installed

PROJECTS = (ROOT, ROOT / "bot")
ACCEPTED = Path(__file__).with_name("accepted_vulnerabilities.toml")
DATABASE = os.environ.get("PIP_AUDIT_OSV_URL") or "https://api.osv.dev/v1/query"
NOTE = ROOT / ".tools" / "audited"
PROBE_SECONDS = 8.0


@dataclass(frozen=True)
class Vulnerability:
    """One known vulnerability of one locked package, under all of its names."""

    lock: str
    package: str
    version: str
    names: frozenset[str]
    fixed_in: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """A vulnerability that stays, under any of its names."""

    lock: str
    package: str
    ids: frozenset[str]

    def covers(self, one: Vulnerability) -> bool:
        return (self.lock, self.package) == (one.lock, one.package) and bool(self.ids & one.names)


class AuditFailed(Exception):
    """pip-audit could not do its work; the message is what it said."""


def say(text: str) -> None:
    print(f"audit    {text}", flush=True)


def database_answers() -> bool:
    """Whether a question gets an answer, be it an error that only another question can mend."""
    question = {"package": {"name": "pip", "ecosystem": "PyPI"}, "version": "1.0"}
    try:
        return httpx.post(DATABASE, json=question, timeout=PROBE_SECONDS).is_success
    except httpx.HTTPError:
        return False


def locked(project: Path, uv: str) -> str:
    """The project's locked packages as pip writes them, those of development included."""
    command = [uv, "export", "--frozen", "--all-groups", "--no-emit-project", "--no-hashes", "--quiet"]
    return subprocess.run([*command, "--project", str(project)], check=True, capture_output=True, text=True).stdout


def vulnerabilities(lock: str, requirements: str) -> list[Vulnerability]:
    """Raises AuditFailed."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requirements.txt"
        file.write_text(requirements, encoding="utf-8")
        options = ["--disable-pip", "--no-deps", "--format", "json", "--aliases", "on", "--desc", "off"]
        options += ["--vulnerability-service", "osv", "--osv-url", DATABASE, "--progress-spinner", "off"]
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(file), *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        raise AuditFailed(done.stderr.strip()[-2000:]) from None
    return [
        Vulnerability(
            lock=lock,
            package=package["name"],
            version=package["version"],
            names=frozenset([found["id"], *found["aliases"]]),
            fixed_in=tuple(found["fix_versions"]),
        )
        for package in found
        for found in package.get("vulns", [])
    ]


def all_accepted() -> list[Accepted]:
    entries = tomllib.loads(ACCEPTED.read_text(encoding="utf-8")).get("accepted", [])
    return [Accepted(entry["lock"], entry["package"], frozenset(entry["ids"])) for entry in entries if entry["reason"]]


def judge(found: Sequence[Vulnerability]) -> int:
    """How many are not accepted; each of them is printed, and what is accepted for nothing."""
    accepted = all_accepted()
    new = [one for one in found if not any(entry.covers(one) for entry in accepted)]
    for one in new:
        mended = f"mended in {', '.join(one.fixed_in)}" if one.fixed_in else "not mended in any version"
        say(f"{one.lock}: {one.package} {one.version}: {', '.join(sorted(one.names))}, {mended}")
    for entry in accepted:
        if not any(entry.covers(one) for one in found):
            say(f"accepted but not found, take it out: {entry.lock}: {entry.package} {', '.join(sorted(entry.ids))}")
    if new:
        say(f"update the package, or name it with the reason in {ACCEPTED.relative_to(ROOT)}")
    return len(new)


def audit(packages: Mapping[str, str]) -> int:
    """How many are not accepted. Raises AuditFailed."""
    with ThreadPoolExecutor() as pool:
        each = pool.map(vulnerabilities, packages.keys(), packages.values())
        found = [one for several in each for one in several]
    open_ones = judge(found)
    if not open_ones:
        say(f"nothing new; {len(found)} known and accepted")
    return open_ones


def audit_if_reachable(packages: Mapping[str, str]) -> int | None:
    """The same, or None without an answer. A failure counts only if the database answers afterwards: it is no break."""
    failure = ""
    for _ in range(2):
        if not database_answers():
            return None
        try:
            return audit(packages)
        except AuditFailed as failed:
            failure = str(failed)
    raise AuditFailed(failure)


def main() -> int:
    found = findings()
    return 0 if "--report" in sys.argv[1:] else found


def findings() -> int:
    uv = find_uv()
    packages = {str((project / "uv.lock").relative_to(ROOT)): locked(project, uv) for project in PROJECTS}
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    inputs = [today, DATABASE, ACCEPTED.read_text(encoding="utf-8"), *packages.values()]
    state = hashlib.sha256("\0".join(inputs).encode()).hexdigest()
    if NOTE.is_file() and NOTE.read_text(encoding="utf-8") == state:
        return 0  # done today already
    try:
        open_ones = audit_if_reachable(packages)
    except AuditFailed as failed:
        say(f"pip-audit failed:\n{failed}")
        return 1
    if open_ones is None:
        say(f"not done: {DATABASE} cannot be reached from here")
    elif open_ones == 0:
        NOTE.parent.mkdir(exist_ok=True)
        NOTE.write_text(state, encoding="utf-8")
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
