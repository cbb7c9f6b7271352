"""Whether an address is free, and who holds it if not."""

import socket
import urllib.request
from contextlib import suppress
from urllib.parse import urlsplit

from crm.errors import ConfigError
from crm.settings import Settings, port_of
from desk.places import gateway_url


class PortTaken(ConfigError):
    """The message says who holds the port and what to do."""


def is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def holder(port: int) -> tuple[int, str] | None:
    """Process id and command of whoever listens there, if this user may see it."""
    import psutil

    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    return None
                command = " ".join(psutil.Process(connection.pid).cmdline()[:4])
                return connection.pid, command
    return None


def is_our_gateway(host: str, port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError, ValueError), opener.open(gateway_url(host, port) + "/healthz", timeout=2) as answer:
        return b'"status"' in answer.read(200)
    return False


def check_gateway(settings: Settings) -> None:
    """Raises PortTaken."""
    host, port = settings.host, settings.port
    if not is_taken(host, port):
        return
    by = _by(holder(port))
    if is_our_gateway(host, port):
        raise PortTaken(
            f"A desk is running on port {port} already{by}: stop it with Ctrl-C where it was started, "
            f"or set DESK_PORT to another port."
        )
    raise PortTaken(f"Port {port} is in use{by}: end that program, or set DESK_PORT to another port.")


def check_local(name: str, variable: str, url: str, default: int) -> None:
    """For Rasa and the action server. Raises PortTaken."""
    host, port = urlsplit(url).hostname or "127.0.0.1", port_of(url, default)
    if not is_taken(host, port):
        return
    found = holder(port)
    end = f"end it with `kill {found[0]}`" if found else "end that program"
    raise PortTaken(
        f"Port {port}, which {name} needs, is in use{_by(found)}, perhaps left over from an earlier run: {end}, "
        f"or set {variable} to another port."
    )


def _by(found: tuple[int, str] | None) -> str:
    return f" by process {found[0]} ({found[1]})" if found else ""
