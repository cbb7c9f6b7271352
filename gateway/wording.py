"""The gateway's own sentences, kept in wording.toml."""

import tomllib
from pathlib import Path

LANGUAGES = ("en", "zh")
FILE = Path(__file__).with_name("wording.toml")


class Wording:
    """Sentences by name and language."""

    def __init__(self, sentences: dict[str, dict[str, str]]) -> None:
        self.sentences = sentences

    @classmethod
    def load(cls, file: Path = FILE) -> "Wording":
        return cls(tomllib.loads(file.read_text(encoding="utf-8")))

    def say(self, key: str, language: str, /, **values: str) -> str:
        """The sentence in that language, in English for any other."""
        sentence = self.sentences[key]
        return sentence.get(language, sentence["en"]).format(**values)
