"""The sentiment model: trained when its sources changed; and ``desk sentiment``."""

import hashlib
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import IO

from crm.sentiment import MODEL, NoSentimentModel, SentimentModel
from desk.console import tell
from desk.places import root


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    sources = [
        *(folder / "data" / "sentiment").rglob("*.txt"),
        *(folder / "data" / "nlu").rglob("*.yml"),
        *(folder / "analytics" / "sentiment").glob("*.py"),
        folder / "crm" / "sentiment.py",
        folder / "crm" / "sentiment_words.toml",
        folder / "crm" / "text.py",
    ]
    for file in sorted(sources):
        digest.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()


def train(*, force: bool = False) -> Path:
    """The model of the present sources, trained if it is not there yet."""
    folder = root()
    model, note = folder / MODEL, folder / MODEL.with_suffix(".source")
    wanted = _fingerprint(folder)
    if not force and model.is_file() and note.is_file() and note.read_text(encoding="ascii") == wanted:
        return model
    from analytics.sentiment.texts import examples, written
    from analytics.sentiment.training import learn

    tell("sentiment", "training …")
    learn(written(folder / "data" / "sentiment"), examples(folder / "data" / "nlu")).save(model)
    note.write_text(wanted, encoding="ascii")
    return model


def judge_lines(lines: IO[bytes], out: IO[bytes]) -> int:
    """One line of JSON for every line in, each as soon as it is known; trains the model first if there is none."""
    try:
        model = SentimentModel.load(root() / MODEL)
    except NoSentimentModel:
        with redirect_stdout(sys.stderr):  # stdout is for the answers
            model = SentimentModel.load(train())
    for raw in lines:
        judged = model.judge(raw.decode("utf-8", "replace").rstrip("\r\n"))
        out.write(json.dumps({"label": judged.label, "score": round(judged.score, 4)}).encode() + b"\n")
        out.flush()
    return 0
