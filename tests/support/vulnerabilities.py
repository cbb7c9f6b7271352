"""A database of vulnerabilities that answers as OSV does, over real HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


def advisory(package: str, name: str, *, fixed: str) -> dict[str, Any]:
    """Every version before ``fixed`` is affected."""
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": fixed}]}]
    affected = [{"package": {"name": package, "ecosystem": "PyPI"}, "ranges": ranges}]
    return {"id": name, "aliases": [f"CVE-of-{name}"], "summary": "", "affected": affected}


@contextmanager
def vulnerability_database(known: dict[tuple[str, str], dict[str, Any]], *, status: int = 200) -> Iterator[str]:
    """The address to ask; ``known`` holds advisories by package and the start of the version that has them."""

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = asked["package"]["name"], asked["version"]
            found = [
                entry for (package, start), entry in known.items() if package == name and version.startswith(start)
            ]
            body = orjson.dumps({"vulns": found} if found else {})
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/query"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
