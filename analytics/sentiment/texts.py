"""The texts that sentiment is learnt from: data/sentiment, and the neutral requests among the bot's own examples."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from crm.sentiment import Label

LANGUAGES = ("en", "zh")
# What customers write in these is asking and telling; how it sounds decides the model that has read the rest.
ASKING = {
    "track_order", "cancel_order", "change_order", "return_or_refund", "refund_status", "delivery_info", "payment_info",
    "invoice_request", "product_info", "product_availability", "recommend_products", "discount_info", "contact_info",
    "quote_request", "warranty_info", "account_data", "delete_my_data", "stop_messages", "inform", "help", "greet",
    "goodbye", "bot_challenge",
}  # fmt: skip


@dataclass(frozen=True)
class Text:
    text: str
    label: Label
    language: str
    weight: float = 1.0


def written(folder: Path) -> list[Text]:
    """Every line of data/sentiment/{en,zh}/{negative,neutral,positive}.txt."""
    return [
        Text(line, label, language)
        for language in LANGUAGES
        for label in Label
        for line in (folder / language / f"{label}.txt").read_text(encoding="utf-8").splitlines()
        if line.strip()
    ]


def examples(folder: Path) -> Iterator[Text]:
    """The requests among the bot's own training lines, which ask and tell rather than judge."""
    for language in LANGUAGES:
        for file in sorted((folder / language).glob("*.yml")):
            for topic in yaml.safe_load(file.read_text(encoding="utf-8")).get("nlu", []):
                if topic.get("intent") in ASKING:
                    lines = topic["examples"].splitlines()
                    yield from (
                        Text(line.removeprefix("- ").strip(), Label.NEUTRAL, language) for line in lines if line
                    )
