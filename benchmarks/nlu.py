"""How well and how fast requests are understood, on public sets, beside other ways: ``make bench-nlu``.

Runs in the bot's environment: ``bot/.venv/bin/python benchmarks/nlu.py``. Each pipeline learns a set's training part
and is judged on its test part. ``--pipelines diet`` adds Rasa's stock DIET pipeline, which needs TensorFlow and is run
by benchmarks/nlu_diet.py in an environment of its own; it takes about ten minutes per 600 examples.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
OUT = "out_of_scope"
RECALL = 0.7
# Published by HINT3 (Arora et al. 2020) for the same test parts: accuracy without a threshold.
KNOWN = {
    "sofmattress": {"BERT": 0.736, "Dialogflow": 0.732, "Haptik": 0.723, "Rasa": 0.693, "LUIS": 0.636},
    "curekart": {"Rasa": 0.841, "BERT": 0.836, "Haptik": 0.808, "Dialogflow": 0.750, "LUIS": 0.737},
}


@dataclass
class Set:
    """``test`` may hold requests out of scope, labelled OUT."""

    name: str
    train: list[tuple[str, str]]
    test: list[tuple[str, str]]


@dataclass
class Result:
    set: str
    pipeline: str
    examples: int
    tests: int
    accuracy: float
    in_scope_at_recall: float | None
    train_seconds: float
    load_seconds: float
    parse_ms_p50: float
    parse_ms_p95: float
    memory_mb: int
    known: dict[str, float] = field(default_factory=dict)


# ------------------------------------------------------------------------------------------------------------- sets


def _csv(path: Path, text: str, label: str) -> list[tuple[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [(row[text], row[label]) for row in csv.DictReader(file)]


def _hint3(folder: Path, shop: str) -> Set:
    scope = {"NO_NODES_DETECTED": OUT}
    parts = [_csv(folder / "hint3" / f"{shop}_{part}.csv", "sentence", "label") for part in ("train", "test")]
    return Set(shop, parts[0], [(text, scope.get(label, label)) for text, label in parts[1]])


def _banking(folder: Path, per_intent: int | None) -> Set:
    train, test = (_csv(folder / "banking77" / f"{part}.csv", "text", "category") for part in ("train", "test"))
    if per_intent is None:
        return Set("banking77", train, test)
    chosen: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for text, label in train:
        if len(chosen[label]) < per_intent:
            chosen[label].append((text, label))
    return Set(f"banking77-{per_intent}-shot", [pair for pairs in chosen.values() for pair in pairs], test)


def _clinc(folder: Path) -> Set:
    raw = json.loads((folder / "clinc150" / "data_full.json").read_text(encoding="utf-8"))
    out = [(text, OUT) for text, _ in raw["oos_train"]]
    test = [tuple(pair) for pair in raw["test"]] + [(text, OUT) for text, _ in raw["oos_test"]]
    return Set("clinc150", [tuple(pair) for pair in raw["train"]] + out, test)


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _hwu(folder: Path) -> Set:
    parts = [
        [(str(row.get("text") or row.get("utterance")), str(row.get("intent") or row.get("label"))) for row in rows]
        for rows in (_lines(folder / "hwu64" / f"{part}.jsonl") for part in ("train", "test"))
    ]
    return Set("hwu64", *parts)


SETS: dict[str, Callable[[Path], Set]] = {
    "sofmattress": lambda folder: _hint3(folder, "sofmattress"),
    "curekart": lambda folder: _hint3(folder, "curekart"),
    "banking77-10-shot": lambda folder: _banking(folder, 10),
    "banking77": lambda folder: _banking(folder, None),
    "clinc150": _clinc,
    "hwu64": _hwu,
}

# -------------------------------------------------------------------------------------------------------- pipelines

Ranking = Callable[[str], "list[tuple[str, float]]"]


def desk(train: list[tuple[str, str]]) -> tuple[Ranking, float, float]:
    """The desk's own component, saved and loaded as the product does."""
    from bot import without_tensorflow

    without_tensorflow.install()
    from bot.classifier import IntentModel
    from bot.fitting import fit
    from bot.intents import text_features

    began = time.perf_counter()
    model = fit([text_features(text) for text, _ in train], [label for _, label in train])
    trained = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder))
        saved = time.perf_counter()
        model = IntentModel.load(Path(folder))
    loaded = time.perf_counter()
    return lambda text: model.ranking(text_features(text)), trained - began, loaded - saved


def tfidf_svc(train: list[tuple[str, str]]) -> tuple[Ranking, float, float]:
    """What everybody would try first: words and pairs, TF-IDF, a linear support vector machine."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    began = time.perf_counter()
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), LinearSVC())
    model.fit([text for text, _ in train], [label for _, label in train])

    def ranking(text: str) -> list[tuple[str, float]]:
        scores = model.decision_function([text])[0]
        order = np.argsort(-scores)
        return [(str(model.classes_[at]), float(scores[at])) for at in order[:3]]

    return ranking, time.perf_counter() - began, 0.0


PIPELINES = {"desk": desk, "tfidf_svc": tfidf_svc}

# ------------------------------------------------------------------------------------------------------- measuring


def measure(data: Set, name: str) -> Result:
    ranking, train_seconds, load_seconds = PIPELINES[name](data.train)
    told, milliseconds = [], []
    for text, _ in data.test:
        began = time.perf_counter()
        told.append(ranking(text))
        milliseconds.append((time.perf_counter() - began) * 1_000)
    p50, p95 = np.percentile(milliseconds, [50, 95])
    return Result(
        set=data.name,
        pipeline=name,
        examples=len(data.train),
        tests=len(data.test),
        accuracy=accuracy(data, told),
        in_scope_at_recall=in_scope_at_recall(data, told),
        train_seconds=round(train_seconds, 2),
        load_seconds=round(load_seconds, 3),
        parse_ms_p50=round(float(p50), 3),
        parse_ms_p95=round(float(p95), 3),
        memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        known=KNOWN.get(data.name, {}),
    )


def _best_in_scope(ranked: list[tuple[str, float]]) -> tuple[str, float]:
    return next(((name, score) for name, score in ranked if name != OUT), (OUT, 0.0))


def accuracy(data: Set, told: list[list[tuple[str, float]]]) -> float:
    """Of the requests in scope, how many got their intent; no threshold."""
    judged = zip(told, data.test, strict=True)
    pairs = [(_best_in_scope(ranked)[0], label) for ranked, (_, label) in judged if label != OUT]
    return round(float(np.mean([one == other for one, other in pairs])), 4)


def in_scope_at_recall(data: Set, told: list[list[tuple[str, float]]]) -> float | None:
    """Accuracy in scope with the threshold that catches 70 % of what is out of scope; None without any."""
    scores = np.array([_sureness(ranked) for ranked in told])
    out = np.array([label == OUT for _, label in data.test])
    if not out.any():
        return None
    threshold = np.quantile(scores[out], RECALL)
    right = [
        score > threshold and _best_in_scope(ranked)[0] == label
        for score, ranked, (_, label) in zip(scores, told, data.test, strict=True)
        if label != OUT
    ]
    return round(float(np.mean(right)), 4)


def _sureness(ranked: list[tuple[str, float]]) -> float:
    """The best intent's score, less what speaks for out of scope where that was learnt."""
    out = next((score for name, score in ranked if name == OUT), 0.0)
    return _best_in_scope(ranked)[1] - out


# ---------------------------------------------------------------------------------------------------------- output


def table(results: list[Result]) -> str:
    head = "| set | pipeline | in scope | at 70 % out-of-scope recall | training s | load s | parse ms p50 / p95 | MB |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for one in results:
        caught = "–" if one.in_scope_at_recall is None else f"{one.in_scope_at_recall:.1%}"
        speed = f"{one.parse_ms_p50:g} / {one.parse_ms_p95:g}"
        lines.append(
            f"| {one.set} ({one.examples} / {one.tests}) | {one.pipeline} | {one.accuracy:.1%} | {caught} | "
            f"{one.train_seconds:g} | {one.load_seconds:g} | {speed} | {one.memory_mb} |"
        )
        for name, value in one.known.items() if one.pipeline == "desk" else ():
            lines.append(f"| {one.set} | {name} (published) | {value:.1%} | | | | | |")
    return "\n".join(lines)


def with_diet(data: Set) -> Result:
    """Rasa's stock pipeline, in an environment of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        (place / "set.json").write_text(json.dumps(asdict(data)), encoding="utf-8")
        command = ["uv", "run", "--isolated", "--no-project", "--python", sys.executable, "--with", "rasa==3.6.21"]
        command += ["--with", "setuptools<81", "python", str(ROOT / "benchmarks" / "nlu_diet.py"), str(place)]
        subprocess.run(command, check=True, cwd=place)
        found = json.loads((place / "told.json").read_text(encoding="utf-8"))
    told = [[(name, score) for name, score in ranked] for ranked in found.pop("told")]
    return Result(
        set=data.name,
        pipeline="rasa_diet",
        examples=len(data.train),
        tests=len(data.test),
        accuracy=accuracy(data, told),
        in_scope_at_recall=in_scope_at_recall(data, told),
        **found,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", help="where the public sets lie")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS))
    parser.add_argument("--pipelines", nargs="*", default=list(PIPELINES), choices=[*PIPELINES, "diet"])
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks" / "results" / "nlu.json")
    arguments = parser.parse_args()
    if not arguments.data.is_dir():
        sys.exit(f"{arguments.data} is not there; --data names the folder of the public sets")
    results = []
    for name in arguments.sets:
        data = SETS[name](arguments.data)
        for pipeline in arguments.pipelines:
            results.append(with_diet(data) if pipeline == "diet" else measure(data, pipeline))
            print(table(results[-1:]).splitlines()[2], flush=True)
    report = {"python": platform.python_version(), "results": [asdict(one) for one in results]}
    arguments.out.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    arguments.out.with_suffix(".md").write_text(table(results) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
