"""How well the examples teach: cross-validation per language, and development sets kept apart from training."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rasa.shared.nlu.training_data.loading import load_data

from bot.classifier import OUT_OF_SCOPE, IntentModel
from bot.entities import details_of
from bot.fitting import calibrate, fit, judge
from bot.intents import text_features
from bot.language import detect

BINS = 10


@dataclass(frozen=True)
class Outcome:
    intent: str
    guess: str
    second: str
    third: str
    confidence: float

    @property
    def is_right(self) -> bool:
        return self.intent == self.guess


@dataclass(frozen=True)
class Figures:
    examples: int
    accuracy: float
    among_three: float  # the right intent is one of the three best
    macro_f1: float
    out_of_scope_recall: float | None  # of what is out of scope, the share seen as such
    wrongly_out_of_scope: float  # of what is in scope, the share turned away
    calibration_error: float  # expected: mean distance between confidence and accuracy
    worst_confusions: list[str]


def figures(outcomes: Sequence[Outcome]) -> Figures:
    outside = [o for o in outcomes if o.intent == OUT_OF_SCOPE]
    inside = [o for o in outcomes if o.intent != OUT_OF_SCOPE]
    confusions = Counter(f"{o.intent} → {o.guess}" for o in outcomes if not o.is_right)
    return Figures(
        examples=len(outcomes),
        accuracy=_share(o.is_right for o in outcomes) or 0.0,
        among_three=_share(o.intent in (o.guess, o.second, o.third) for o in outcomes) or 0.0,
        macro_f1=_macro_f1(outcomes),
        out_of_scope_recall=_share(o.is_right for o in outside),
        wrongly_out_of_scope=_share(o.guess == OUT_OF_SCOPE for o in inside) or 0.0,
        calibration_error=_calibration_error(outcomes),
        worst_confusions=[f"{pair} ({count})" for pair, count in confusions.most_common(12)],
    )


def _share(values: Iterable[bool]) -> float | None:
    known = list(values)
    return round(sum(known) / len(known), 4) if known else None


def _macro_f1(outcomes: Sequence[Outcome]) -> float:
    right = Counter(o.intent for o in outcomes if o.is_right)
    meant, guessed = Counter(o.intent for o in outcomes), Counter(o.guess for o in outcomes)
    scores = [2 * right[intent] / (meant[intent] + guessed[intent]) for intent in meant]
    return round(sum(scores) / len(scores), 4) if scores else 0.0


def _calibration_error(outcomes: Sequence[Outcome]) -> float:
    bins: dict[int, list[Outcome]] = {}
    for outcome in outcomes:
        bins.setdefault(min(int(outcome.confidence * BINS), BINS - 1), []).append(outcome)
    distance = sum(
        abs(sum(o.confidence for o in members) - sum(o.is_right for o in members)) for members in bins.values()
    )
    return round(distance / len(outcomes), 4) if outcomes else 0.0


def cross_validated(texts: Sequence[str], intents: Sequence[str], folds: int) -> list[Outcome]:
    """Every example judged by a model without it; confidence calibrated on the other half of the examples."""
    judged = judge([text_features(text) for text in texts], intents, folds=folds)
    halves = [calibrate(judged[1::2]), calibrate(judged[0::2])]
    names = sorted(set(intents))
    outcomes = []
    for position, example in enumerate(judged):
        order = [names[i] for i in example.scores.by_intent.argsort()[::-1][:3]]
        calibration = halves[position % 2]
        confidence = IntentModel.calibrated(example.scores, calibration)
        outcomes.append(Outcome(example.intent, order[0], order[1], order[2], confidence))
    return outcomes


def judged_by(model: IntentModel, lines: Sequence[dict[str, Any]]) -> list[Outcome]:
    outcomes = []
    for line in lines:
        ranking = model.ranking(text_features(line["text"]))
        names = [name for name, _ in ranking]
        outcomes.append(Outcome(line["intent"], names[0], names[1], names[2], ranking[0][1]))
    return outcomes


def entity_figures(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Precision and recall of the details, by value; only lines that name their entities count."""
    hits, found, wanted = Counter[str](), Counter[str](), Counter[str]()
    misses: list[str] = []
    for line in lines:
        if "entities" not in line:
            continue
        known = {(d.entity, str(d.value).lower()) for d in details_of(line["text"])}
        meant = {(e["entity"], str(e["value"]).lower()) for e in line["entities"] or [] if e["entity"] in _EXTRACTED}
        found.update(entity for entity, _ in known)
        wanted.update(entity for entity, _ in meant)
        hits.update(entity for entity, _ in known & meant)
        if known != meant:
            misses.append(f"{line['text']} | meant {sorted(meant)} | found {sorted(known)}")
    return {
        "by_entity": {
            entity: {"recall": round(hits[entity] / wanted[entity], 3) if wanted[entity] else None,
                     "precision": round(hits[entity] / found[entity], 3) if found[entity] else None,
                     "meant": wanted[entity]}
            for entity in sorted(wanted | found)
        },
        "misses": misses,
    }  # fmt: skip


_EXTRACTED = frozenset({"order_number", "email", "phone", "quantity", "budget", "rating"})


def evaluate(data: str, sets: Sequence[str], *, folds: int, as_json: bool) -> int:
    examples = [
        (message.get("text"), message.get("intent"), folder.name)
        for folder in sorted(Path(data, "nlu").iterdir())
        if folder.is_dir()
        for message in load_data(str(folder)).intent_examples
    ]
    texts, intents = [text for text, _, _ in examples], [intent for _, intent, _ in examples]
    report: dict[str, Any] = {}
    if folds > 1:
        outcomes = cross_validated(texts, intents, folds)
        for language in sorted({language for _, _, language in examples}):
            own = [o for o, (_, _, spoken) in zip(outcomes, examples, strict=True) if spoken == language]
            report[f"cross-validation {language}"] = asdict(figures(own))
    if sets:
        model = fit([text_features(text) for text in texts], intents)
        for name in sets:
            lines = [json.loads(line) for line in Path(name).read_text("utf-8").splitlines() if line.strip()]
            for language in sorted({line.get("language", "") for line in lines}):
                own = [line for line in lines if line.get("language", "") == language]
                report[f"{Path(name).stem} {language}".strip()] = asdict(figures(judged_by(model, own))) | {
                    "language_accuracy": _share(detect(line["text"]) in (language, None) for line in own),
                    "entities": entity_figures(own),
                }
    print(json.dumps(report, ensure_ascii=False, indent=2) if as_json else _readable(report))
    return 0


def _readable(report: dict[str, Any]) -> str:
    lines: list[str] = []
    for name, entries in report.items():
        lines.append(f"\n{name}")
        for key, value in entries.items():
            if isinstance(value, list):
                lines += [f"  {key.replace('_', ' ')}:", *(f"    {entry}" for entry in value)]
            elif isinstance(value, dict):
                lines += [f"  {key}:", *(f"    {entity}: {scores}" for entity, scores in value["by_entity"].items())]
                lines += [f"    {miss}" for miss in value["misses"][:20]]
            else:
                lines.append(f"  {key.replace('_', ' ')}: {value}")
    return "\n".join(lines).strip()
