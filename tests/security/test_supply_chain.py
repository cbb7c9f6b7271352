"""What ``make lint`` says of packages with known vulnerabilities and of secrets in files."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.product import ROOT
from tests.support.serving import free_port
from tests.support.vulnerabilities import advisory, vulnerability_database

ACCEPTED = advisory("scikit-learn", "CVE-2024-5206", fixed="1.5.0")
# Put together here, so that the scan of this file finds none.
TELEGRAM_TOKEN = "110201543" + ":" + "AAHdqTcvCH1vGWJxf" + "SeofSAs0K5PALDsaw1"
PRIVATE_KEY = "-----BEGIN RSA " + "PRIVATE KEY-----"


def audit(database: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, ".ci/dependency_audit.py"],
        cwd=ROOT,
        env={**os.environ, "PIP_AUDIT_OSV_URL": database},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


class TestVulnerabilities:
    @pytest.fixture(autouse=True)
    def note(self) -> Iterator[None]:
        """The audit's own note of the last time is left as it was."""
        note = ROOT / ".tools" / "audited"
        before = note.read_text(encoding="utf-8") if note.is_file() else None
        yield
        if before is None:
            note.unlink(missing_ok=True)
        else:
            note.write_text(before, encoding="utf-8")

    @pytest.mark.parametrize(
        ("package", "version", "lock"), [("cryptography", "", "uv.lock"), ("rasa", "3.6", "bot/uv.lock")]
    )
    def test_a_new_one_in_either_lock_file_is_told_and_fails(self, package: str, version: str, lock: str) -> None:
        found = advisory(package, "PYSEC-2026-1", fixed="999")
        with vulnerability_database({(package, version): found}) as database:
            status, said = audit(database)
        assert status == 1
        assert f"{lock}: {package}" in said
        assert "PYSEC-2026-1, mended in 999" in said

    def test_one_that_was_judged_is_let_by(self) -> None:
        with vulnerability_database({("scikit-learn", "1.1"): ACCEPTED}) as database:
            status, said = audit(database)
        assert (status, "1 known and accepted" in said) == (0, True), said

    def test_it_was_judged_for_one_lock_file_only(self) -> None:
        with vulnerability_database({("scikit-learn", ""): ACCEPTED}) as database:
            status, said = audit(database)
        assert status == 1
        assert "audit    uv.lock: scikit-learn" in said
        assert "bot/uv.lock: scikit-learn" not in said

    def test_what_is_accepted_for_nothing_is_named(self) -> None:
        with vulnerability_database({}) as database:
            status, said = audit(database)
        assert status == 0
        assert "accepted but not found, take it out: bot/uv.lock: scikit-learn" in said

    def test_without_a_network_it_says_so_and_goes_on(self) -> None:
        status, said = audit(f"http://127.0.0.1:{free_port()}/v1/query")
        assert (status, "cannot be reached" in said) == (0, True), said

    def test_a_database_that_is_down_stops_nobody(self) -> None:
        with vulnerability_database({}, status=500) as database:
            assert audit(database)[0] == 0


class TestSecrets:
    @pytest.fixture
    def checkout(self, tmp_path: Path) -> Path:
        (tmp_path / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "secret_scan.py", tmp_path / ".ci")
        subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
        return tmp_path

    @staticmethod
    def scan(checkout: Path, *arguments: str) -> tuple[int, str]:
        command = [sys.executable, ".ci/secret_scan.py", *arguments]
        done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=120, check=False)
        return done.returncode, done.stdout + done.stderr

    @pytest.mark.parametrize("secret", [TELEGRAM_TOKEN, PRIVATE_KEY])
    @pytest.mark.parametrize("name", ["notes.txt", "tests/test_it.py"])
    def test_a_secret_in_a_file_that_git_would_take_fails(self, checkout: Path, name: str, secret: str) -> None:
        file = checkout / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"\n{secret}\n", encoding="utf-8")
        status, said = self.scan(checkout)
        assert (status, f"{name}:2:" in said) == (1, True), said
        assert secret not in said

    def test_an_ignored_file_is_left_alone(self, checkout: Path) -> None:
        (checkout / ".gitignore").write_text(".env\n", encoding="utf-8")
        (checkout / ".env").write_text(TELEGRAM_TOKEN, encoding="utf-8")
        assert self.scan(checkout)[0] == 0

    def test_what_was_accepted_is_let_by_wherever_it_moves_in_its_file(self, checkout: Path) -> None:
        (checkout / "notes.txt").write_text(TELEGRAM_TOKEN, encoding="utf-8")
        assert self.scan(checkout, "--accept")[0] == 0
        (checkout / "notes.txt").write_text(f"\n\n{TELEGRAM_TOKEN}", encoding="utf-8")
        assert self.scan(checkout)[0] == 0
        (checkout / "more.txt").write_text(TELEGRAM_TOKEN, encoding="utf-8")
        assert self.scan(checkout)[0] == 1
