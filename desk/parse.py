"""``desk parse``: what the bot understands, without the dialogue, one line of JSON per line of text."""

import json
import re
import subprocess
from collections.abc import Callable
from typing import IO, Any

from sqlalchemy.exc import SQLAlchemyError

import crm
from crm import products
from crm.errors import ConfigError, CrmError
from crm.settings import load_settings
from desk import model

# Anything but a line feed that some reader might take for the end of a line.
_OTHER_LINE_ENDS = re.compile("[\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]+")


def parse_lines(lines: IO[bytes], out: IO[bytes]) -> int:
    """Exactly one line out for every line in, each as soon as it is known. Raises CrmError if the bot cannot start."""
    find_products = _product_finder()
    command = [str(model.require_bot()), "-m", "bot", "parse", "--model", str(model.trained())]
    with subprocess.Popen(command, env=model.bot_environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bot:
        assert bot.stdin
        assert bot.stdout
        for raw in lines:
            text = _OTHER_LINE_ENDS.sub(" ", raw.decode("utf-8", "replace").rstrip("\r\n"))
            bot.stdin.write(text.encode() + b"\n")
            bot.stdin.flush()
            answer = bot.stdout.readline()
            if not answer:
                raise ConfigError("The bot ended unexpectedly; the lines above say why.")
            out.write(_completed(json.loads(answer), find_products(text)) + b"\n")
            out.flush()
        bot.stdin.close()
        return bot.wait()


def _completed(understood: dict[str, Any], found: list[dict[str, Any]]) -> bytes:
    entities = [e for e in understood.get("entities") or [] if not (found and e.get("entity") == "product")]
    understood["entities"] = entities + found
    return json.dumps(understood, ensure_ascii=False).encode()


def _product_finder() -> Callable[[str], list[dict[str, Any]]]:
    """Finds products of the live catalogue in a text; nothing while there is no store to look into."""
    try:
        settings = load_settings()
        crm.bind(settings.database_url)
        with crm.reading() as session:
            catalogue = products.catalogue(session)
    except (CrmError, SQLAlchemyError, OSError):
        return lambda text: []

    def find(text: str) -> list[dict[str, Any]]:
        mentions = catalogue.mentions(text)
        with crm.reading() as session:
            named = products.by_ids(session, [mention.product_id for mention in mentions])
            return [{"entity": "product", "value": product.title, "product_id": product.id} for product in named]

    return find
