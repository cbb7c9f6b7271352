"""How well questions find the article that answers them: ``uv run python -m benchmarks.knowledge``.

Three collections of questions:
tuning, check : tests/nlu/development/knowledge.jsonl over the demo shop's articles, halved by a hash of the text.
                Weights and thresholds were fitted on the first half only.
other shop    : tests/crm/bicycle_shop.yml, a trade that nothing was fitted to.
And lines that no article answers (out of scope), to see how many of them are answered all the same.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import frontmatter
import yaml

from crm.knowledge import FITS_BETTER, FITS_THE_TOPIC, SURE, KnowledgeIndex, Passage
from crm.models import KnowledgeArticle

ROOT = Path(__file__).parents[1]
DEVELOPMENT = ROOT / "tests/nlu/development"
LANGUAGES = ("en", "zh")
# Filed as out of scope because no intent is for them; articles of the demo shop answer them.
_ANSWERED_BY_AN_ARTICLE = re.compile(
    r"plant a tree|plastic|packag|sustainab|carbon|eco|供应商|环保|環保|塑料|回收|种树|包装"
)

Articles = dict[str, list[KnowledgeArticle]]


@dataclass(frozen=True)
class Asked:
    text: str
    language: str
    slug: str


@dataclass(frozen=True)
class Row:
    """One line of the table; shares are 0–1, ``out_of_scope_answered`` None where there are no such lines."""

    questions: str
    language: str
    count: int
    recall_at_1: float
    recall_at_3: float
    mean_reciprocal_rank: float
    answered: float
    precision: float
    out_of_scope_answered: float | None
    milliseconds: float


def half_of(text: str) -> str:
    return "check" if hashlib.sha256(text.encode()).digest()[0] % 2 else "tuning"


def demo_articles() -> Articles:
    found: Articles = {language: [] for language in LANGUAGES}
    for number, path in enumerate(sorted((ROOT / "demo/knowledge").glob("*.md"))):
        post = frontmatter.load(str(path))
        language = str(post["language"])
        slug = path.stem.rsplit(".", 1)[0]
        about = {name: post.get(name) for name in ("title", "questions", "tags")}
        found[language].append(KnowledgeArticle(id=number, slug=slug, language=language, body=post.content, **about))
    return found


def bicycle_shop() -> tuple[Articles, list[Asked]]:
    shop = yaml.safe_load((ROOT / "tests/crm/bicycle_shop.yml").read_text(encoding="utf-8"))
    articles = {
        language: [
            KnowledgeArticle(id=number, slug=article["slug"], language=language, **article[language])
            for number, article in enumerate(shop["articles"])
        ]
        for language in LANGUAGES
    }
    asked = [
        Asked(text, language, slug)
        for language in LANGUAGES
        for slug, texts in shop["asked"][language].items()
        for text in texts
    ]
    return articles, asked


def development_questions() -> list[Asked]:
    return [Asked(r["text"], r["language"], r["article"]) for r in _lines("knowledge")]


def out_of_scope() -> list[tuple[str, str]]:
    """Text and language of the lines that nothing in the demo shop answers."""
    return [
        (row["text"], language)
        for language in LANGUAGES
        for row in _lines(language)
        if row["intent"] == "out_of_scope" and not _ANSWERED_BY_AN_ARTICLE.search(row["text"])
    ]


def _lines(name: str) -> Iterable[dict[str, str]]:
    for line in (DEVELOPMENT / f"{name}.jsonl").read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def indexes(articles: Articles) -> dict[str, KnowledgeIndex]:
    """One index per language, the other language's articles helping, as the desk builds them."""
    return {
        language: KnowledgeIndex(articles[language], [a for o in LANGUAGES if o != language for a in articles[o]])
        for language in LANGUAGES
    }


def measure(name: str, index: KnowledgeIndex, language: str, asked: list[Asked], strangers: list[str]) -> Row:
    started = time.process_time()
    found = [index.search(question.text, limit=5) for question in asked]
    seconds = time.process_time() - started
    ranks = [_rank(passages, question.slug) for passages, question in zip(found, asked, strict=True)]
    told = [rank == 1 for rank, passages in zip(ranks, found, strict=True) if passages and passages[0].score >= SURE]
    fooled = [bool(p) and p[0].score >= SURE for p in (index.search(text, limit=1) for text in strangers)]
    return Row(
        questions=name,
        language=language,
        count=len(asked),
        recall_at_1=round(sum(rank == 1 for rank in ranks) / len(ranks), 3),
        recall_at_3=round(sum(0 < rank <= 3 for rank in ranks) / len(ranks), 3),
        mean_reciprocal_rank=round(sum(1 / rank for rank in ranks if rank) / len(ranks), 3),
        answered=round(len(told) / len(asked), 3),
        precision=round(sum(told) / max(1, len(told)), 3),
        out_of_scope_answered=round(sum(fooled) / len(fooled), 3) if fooled else None,
        milliseconds=round(seconds / len(asked) * 1000, 2),
    )


def _rank(passages: list[Passage], slug: str) -> int:
    """From 1; 0 if the article is not among the passages."""
    slugs = [passage.slug for passage in passages]
    return slugs.index(slug) + 1 if slug in slugs else 0


def table() -> list[Row]:
    rows: list[Row] = []
    demo, (bicycles, about_bicycles) = indexes(demo_articles()), bicycle_shop()
    strangers = out_of_scope()
    for half in ("tuning", "check"):
        for language in LANGUAGES:
            asked = [q for q in development_questions() if q.language == language and half_of(q.text) == half]
            lines = [text for text, spoken in strangers if spoken == language and half_of(text) == half]
            rows.append(measure(half, demo[language], language, asked, lines))
    for language, index in indexes(bicycles).items():
        asked = [question for question in about_bicycles if question.language == language]
        rows.append(measure("other shop", index, language, asked, []))
    return rows


def main() -> None:
    articles = demo_articles()
    indexes(articles)  # loads the thesaurus
    started = time.process_time()
    indexes(articles)
    build = (time.process_time() - started) / len(LANGUAGES) * 1000
    rows = table()
    print("questions   lang    n  recall@1  recall@3   MRR  answered  precision  out of scope  ms")
    for row in rows:
        fooled = "     -" if row.out_of_scope_answered is None else f"{row.out_of_scope_answered:6.3f}"
        print(
            f"{row.questions:<11} {row.language:<4} {row.count:>4} {row.recall_at_1:9.3f} {row.recall_at_3:9.3f} "
            f"{row.mean_reciprocal_rank:6.3f} {row.answered:8.3f} {row.precision:10.3f} {fooled:>13} "
            f"{row.milliseconds:5.2f}"
        )
    print(f"building an index of {len(articles['en'])} articles and their translations: {build:.0f} ms")
    thresholds = {"SURE": SURE, "FITS_THE_TOPIC": FITS_THE_TOPIC, "FITS_BETTER": FITS_BETTER}
    results = {"thresholds": thresholds, "build_milliseconds": round(build), "rows": [asdict(row) for row in rows]}
    path = ROOT / "benchmarks/results/knowledge.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
