"""How messages sound: the shipped texts learnt, texts written apart judged."""

import json
from pathlib import Path

import pytest
from sklearn.metrics import f1_score

from analytics.sentiment.texts import Text, examples, written
from analytics.sentiment.training import learn
from crm.sentiment import Label, NoSentimentModel, SentimentModel, features_of
from tests.support.product import ROOT, run_desk, settings_for

DEVELOPMENT = Path(__file__).with_name("development")
FLOOR = {"en": 0.76, "zh": 0.86}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> SentimentModel:
    """Learnt from the shipped texts, saved and loaded again."""
    path = tmp_path_factory.mktemp("sentiment") / "sentiment.npz"
    learn(written(ROOT / "data" / "sentiment"), examples(ROOT / "data" / "nlu")).save(path)
    return SentimentModel.load(path)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_texts_written_apart_are_judged_well(model: SentimentModel, language: str) -> None:
    rows = [line.split("\t") for line in (DEVELOPMENT / f"{language}.tsv").read_text(encoding="utf-8").splitlines()]
    told = [model.judge(text).label for _, text in rows]

    assert f1_score([label for label, _ in rows], told, average="macro") >= FLOOR[language]


def test_no_development_text_is_among_those_learnt_from() -> None:
    learnt = {one.text.lower() for one in written(ROOT / "data" / "sentiment")}
    learnt |= {one.text.lower() for one in examples(ROOT / "data" / "nlu")}
    rows = [line.split("\t")[1] for file in DEVELOPMENT.glob("*.tsv") for line in file.read_text("utf-8").splitlines()]

    assert not {row.lower() for row in rows} & learnt


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this shop", Label.POSITIVE),
        ("this is a disgrace, I want my money back", Label.NEGATIVE),
        ("what are your opening hours", Label.NEUTRAL),
        ("太失望了，再也不来了", Label.NEGATIVE),
        ("質量很差，太失望了", Label.NEGATIVE),
        ("谢谢，超喜欢", Label.POSITIVE),
        ("请问几点开门", Label.NEUTRAL),
        ("😡😡", Label.NEGATIVE),
        ("❤️", Label.POSITIVE),
        ("", Label.NEUTRAL),
        ("   ", Label.NEUTRAL),
        ("\x00", Label.NEUTRAL),
        ("订单 20231105888", Label.NEUTRAL),
    ],
)
def test_plain_cases(model: SentimentModel, text: str, label: Label) -> None:
    assert model.judge(text).label is label


def test_negation_turns_a_word_around() -> None:
    assert "w:not_good" in features_of("this is not very good")
    assert "w:not_good" not in features_of("not today. good")


def test_the_owners_corrections_count(model: SentimentModel) -> None:
    words = "the parcel did a backflip"
    own = [Text(words, Label.NEGATIVE, "en", weight=5.0)] * 3

    corrected = learn(written(ROOT / "data" / "sentiment"), own=own)

    assert corrected.judge(words).score < model.judge(words).score


def test_four_thousand_pictures_are_judged_like_one(model: SentimentModel) -> None:
    assert model.judge("😡" * 4_000).label is Label.NEGATIVE


def test_a_file_that_is_no_model_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "sentiment.npz").write_bytes(b"not a model")

    with pytest.raises(NoSentimentModel, match="desk train"):
        SentimentModel.load(tmp_path / "sentiment.npz")


def test_the_command_answers_every_line_with_one(tmp_path: Path) -> None:
    texts = ["I love it", "", "\x00", "太差了", "a" * 5_000, "在吗"]
    status, out, _ = run_desk("sentiment", env=settings_for(tmp_path), said="\n".join(texts) + "\n")

    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert len(lines) == len(texts)
    assert [lines[0]["label"], lines[3]["label"]] == ["positive", "negative"]
    assert all(-1 <= line["score"] <= 1 for line in lines)
