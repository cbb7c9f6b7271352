"""Looks for secrets in every file that git holds or would take, by detect-secrets.

    python .ci/secret_scan.py            ends with 1 for one that secrets.baseline beside this file does not know
    python .ci/secret_scan.py --accept   writes everything found into the baseline, to be reviewed in the change

A line that is no secret may also say so: ``pragma: allowlist secret``. Words that only look like a password by their
name ("Secret Keyword") are not looked for in tests, which are full of made-up ones; keys and tokens are.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from detect_secrets import SecretsCollection
from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
from detect_secrets.core.potential_secret import PotentialSecret
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parents[1]
BASELINE = Path(__file__).with_name("secrets.baseline")
BY_NAME = "Secret Keyword"
NO_SECRETS = {"IPPublicDetector"}
# Hashes of packages; and what is known already.
LEFT_OUT = {"uv.lock", "bot/uv.lock", str(BASELINE.relative_to(ROOT))}
Finding = tuple[str, str, str]  # file, kind, hash of the secret


def settings() -> dict[str, object]:
    """All detectors, and filters that ask nobody: a secret is never sent anywhere to see whether it works."""
    kinds = get_mapping_from_secret_type_to_class().values()
    plugins = [{"name": kind.__name__} for kind in kinds if kind.__name__ not in NO_SECRETS]
    heuristics = ("is_sequential_string", "is_potential_uuid", "is_templated_secret", "is_indirect_reference")
    paths = [f"detect_secrets.filters.heuristic.{name}" for name in heuristics]
    return {
        "plugins_used": plugins,
        "filters_used": [{"path": path} for path in [*paths, "detect_secrets.filters.allowlist.is_line_allowlisted"]],
    }


def files() -> list[str]:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    return [name for name in listed if name and name not in LEFT_OUT and (ROOT / name).is_file()]


def scan(names: list[str]) -> dict[Finding, PotentialSecret]:
    found = SecretsCollection(root=str(ROOT))
    with transient_settings(settings()):
        found.scan_files(*names)
    return {
        (name, secret.type, secret.secret_hash): secret
        for name, secret in found
        if not (secret.type == BY_NAME and name.startswith("tests/"))
    }


def known() -> set[Finding]:
    entries = json.loads(BASELINE.read_text(encoding="utf-8")) if BASELINE.is_file() else []
    return {(entry["file"], entry["kind"], entry["sha1"]) for entry in entries}


def accept(found: dict[Finding, PotentialSecret]) -> None:
    entries = [{"file": name, "kind": kind, "sha1": digest} for name, kind, digest in sorted(found)]
    BASELINE.write_text(json.dumps(entries, indent=1) + "\n", encoding="utf-8")
    print(f"secrets  {len(entries)} written into {BASELINE.relative_to(ROOT)}")


def main() -> int:
    found = scan(files())
    if "--accept" in sys.argv[1:]:
        accept(found)
        return 0
    new = {finding: found[finding] for finding in sorted(found.keys() - known())}
    for (name, kind, _), secret in new.items():
        print(f"secrets  {name}:{secret.line_number}: {kind}")
    for name, kind, _ in sorted(known() - found.keys()):
        print(f"secrets  in the baseline but no longer there: {name}: {kind}")
    if new:
        print("secrets  take it out and change it where it is used; if it is none, see .ci/secret_scan.py")
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
