"""The digest as an e-mail: text and HTML, pictures inside, over SMTP with TLS where the server has it."""

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from crm.errors import ConfigError
from crm.models import Digest

TIMEOUT_SECONDS = 30.0
_PORTS = {"smtp": 587, "smtps": 465}


@dataclass(frozen=True)
class Server:
    """What DESK_SMTP_URL says. ``smtps`` speaks TLS from the start; ``smtp`` turns to it when the server offers it."""

    host: str
    port: int
    user: str | None
    password: str | None
    tls_at_once: bool

    @classmethod
    def parse(cls, url: str) -> "Server":
        """Raises ConfigError unless it is smtp://user:password@host:port or smtps://…"""
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise ConfigError("DESK_SMTP_URL: expects smtp://user:password@host:port or smtps://…")
        return cls(
            host=parts.hostname,
            port=parts.port or _PORTS[parts.scheme],
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls_at_once=parts.scheme == "smtps",
        )

    @property
    def local(self) -> bool:
        return self.host in ("localhost", "127.0.0.1", "::1")


def message_for(digest: Digest, *, to: str, sender: str, shop: str) -> EmailMessage:
    """A multipart message: plain text, or HTML with its pictures inside.

    Its Message-ID follows from the week, so that a mail program shows a message once that came twice.
    """
    message = EmailMessage()
    name, _, host = sender.rpartition("@")
    message["Subject"] = digest.subject
    message["From"] = Address(shop, name, host)
    message["To"] = to
    message["Date"] = formatdate(digest.built_at.timestamp())
    message["Message-ID"] = f"<digest-{digest.week.lower()}-{digest.id}@{host}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(digest.text)
    message.add_alternative(digest.html, subtype="html")
    body = message.get_payload()[1]  # type: ignore[index]
    for picture in digest.pictures:
        body.add_related(picture.png, "image", "png", cid=f"<{picture.name}>", filename=f"{picture.name}.png")  # type: ignore[union-attr]
    return message


def send(message: EmailMessage, server: Server) -> None:
    """Hands the message to the server. Raises OSError or smtplib.SMTPException when it was not taken.

    A password is never sent unencrypted, unless the server is on this machine.
    """
    context = ssl.create_default_context()
    if server.local:
        # A mail server on the same machine has no certificate that anybody could check.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with _connect(server, context) as smtp:
        smtp.ehlo()
        encrypted = server.tls_at_once
        if not encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=context)
            smtp.ehlo()
            encrypted = True
        if server.user is not None and server.password is not None:
            if not encrypted and not server.local:
                raise smtplib.SMTPNotSupportedError("the server offers no TLS; the password was not sent")
            smtp.login(server.user, server.password)
        smtp.send_message(message)


def _connect(server: Server, context: ssl.SSLContext) -> smtplib.SMTP:
    if server.tls_at_once:
        return smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
    return smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
