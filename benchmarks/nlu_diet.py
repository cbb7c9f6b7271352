"""Rasa's stock DIET pipeline on one set, for benchmarks/nlu.py: from set.json to told.json in the given folder."""

import asyncio
import json
import resource
import sys
import time
from pathlib import Path

import yaml
from rasa.core.agent import Agent
from rasa.model_training import train_nlu

CONFIG = {
    "recipe": "default.v1",
    "language": "en",
    "pipeline": [
        {"name": "WhitespaceTokenizer"},
        {"name": "RegexFeaturizer"},
        {"name": "LexicalSyntacticFeaturizer"},
        {"name": "CountVectorsFeaturizer"},
        {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
        {"name": "DIETClassifier", "epochs": 100, "constrain_similarities": True},
    ],
}


def main() -> None:
    place = Path(sys.argv[1])
    data = json.loads((place / "set.json").read_text(encoding="utf-8"))
    by_intent: dict[str, list[str]] = {}
    for text, label in data["train"]:
        by_intent.setdefault(label, []).append(" ".join(text.split()))
    nlu = [{"intent": name, "examples": "".join(f"- {line}\n" for line in lines)} for name, lines in by_intent.items()]
    (place / "nlu.yml").write_text(yaml.safe_dump({"version": "3.1", "nlu": nlu}, allow_unicode=True), "utf-8")
    (place / "config.yml").write_text(yaml.safe_dump(CONFIG), encoding="utf-8")
    began = time.perf_counter()
    model = train_nlu(str(place / "config.yml"), str(place / "nlu.yml"), str(place), fixed_model_name="diet")
    trained = time.perf_counter()
    agent = Agent.load(model)
    loaded = time.perf_counter()
    told, milliseconds = [], []

    async def parse_all() -> None:
        for text, _ in data["test"]:
            start = time.perf_counter()
            parsed = await agent.parse_message(text)
            milliseconds.append((time.perf_counter() - start) * 1_000)
            told.append([(one["name"], one["confidence"]) for one in parsed.get("intent_ranking", [])])

    asyncio.run(parse_all())
    milliseconds.sort()
    report = {
        "told": told,
        "train_seconds": round(trained - began, 1),
        "load_seconds": round(loaded - trained, 2),
        "parse_ms_p50": round(milliseconds[len(milliseconds) // 2], 2),
        "parse_ms_p95": round(milliseconds[int(len(milliseconds) * 0.95)], 2),
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    (place / "told.json").write_text(json.dumps(report), encoding="utf-8")


if __name__ == "__main__":
    main()
