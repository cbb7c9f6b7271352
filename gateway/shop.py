"""The public facts about the shop that a chat window shows."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Text = str | dict[str, str]


@dataclass(frozen=True)
class ShopFacts:
    name: Text
    languages: tuple[str, ...]
    default_language: str
    currency: str | None
    opening_hours: Text | None
    contact_email: str | None

    @classmethod
    def load(cls, file: Path) -> "ShopFacts":
        """From shop.toml; a desk without one still talks."""
        facts: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        languages = tuple(facts.get("languages") or ("en", "zh"))
        return cls(
            name=facts.get("name") or {"en": "Our shop", "zh": "本店"},
            languages=languages,
            default_language=facts.get("default_language") or languages[0],
            currency=facts.get("currency"),
            opening_hours=facts.get("opening_hours"),
            contact_email=facts.get("contact_email"),
        )

    def name_in(self, language: str) -> str:
        return in_language(self.name, language, self.default_language)

    def as_json(self) -> dict[str, Any]:
        """Without what is not set."""
        facts = {
            "name": self.name,
            "languages": list(self.languages),
            "default_language": self.default_language,
            "currency": self.currency,
            "opening_hours": self.opening_hours,
            "contact_email": self.contact_email,
        }
        return {name: value for name, value in facts.items() if value is not None}


def in_language(text: Text, language: str, otherwise: str) -> str:
    if isinstance(text, str):
        return text
    return text.get(language) or text.get(otherwise) or next(iter(text.values()), "")
