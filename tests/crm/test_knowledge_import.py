from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

import crm
from crm import revisions
from crm.importers import Context, ImportReport, UnreadableFile
from crm.importers.knowledge import import_folder
from crm.models import KnowledgeArticle
from tests.crm.conftest import ROOT

File = Callable[..., Path]
BREWING = "---\ntitle: How to brew\nlanguage: en\nquestions:\n  - How hot?\ntags: [tea]\n---\n\nUse water at 80 °C.\n"


@pytest.fixture
def take(store: Engine, file: File, context: Context) -> Callable[..., ImportReport]:
    """Imports a folder with the given files."""

    def importing(*, prune: bool = False, **files: str) -> ImportReport:
        folder = file(b"", "knowledge/.keep").parent
        for known in folder.glob("*.md"):
            known.unlink()
        for name, content in files.items():
            file(content, f"knowledge/{name.replace('__', '.')}.md")
        return import_folder(folder, context, prune=prune)

    return importing


def articles() -> dict[tuple[str, str], KnowledgeArticle]:
    with crm.reading() as session:
        return {(article.slug, article.language): article for article in session.scalars(select(KnowledgeArticle))}


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    return report.added, report.updated, report.unchanged, report.removed


def test_an_article_is_stored_with_its_questions(take: Callable[..., ImportReport]) -> None:
    assert counts(take(brewing__en=BREWING)) == (1, 0, 0, 0)
    article = articles()["brewing", "en"]
    assert (article.title, article.body) == ("How to brew", "Use water at 80 °C.")
    assert (article.questions, article.tags) == (["How hot?"], ["tea"])


def test_the_language_is_told_or_found_out(take: Callable[..., ImportReport]) -> None:
    take(
        told="---\ntitle: 怎么泡\nlanguage: zh-CN\n---\nText",
        named__zh="---\ntitle: T\n---\nText",
        seen="---\ntitle: 水温\n---\n绿茶用 80 °C 的水泡两分钟。",
        english="# Gift wrapping\n\nWe wrap it.",
    )
    assert set(articles()) == {("told", "zh"), ("named", "zh"), ("seen", "zh"), ("english", "en")}
    assert articles()["english", "en"].title == "Gift wrapping"


def test_running_again_changes_nothing_and_an_edit_is_seen(take: Callable[..., ImportReport]) -> None:
    take(brewing__en=BREWING)
    assert counts(take(brewing__en=BREWING)) == (0, 0, 1, 0)
    assert counts(take(brewing__en=BREWING.replace("80", "85"))) == (0, 1, 0, 0)
    with crm.reading() as session:
        assert revisions.current(session, revisions.KNOWLEDGE) == 2


def test_a_removed_file_removes_its_article_only_on_request(take: Callable[..., ImportReport]) -> None:
    take(brewing__en=BREWING, other__en=BREWING)
    assert counts(take(brewing__en=BREWING)) == (0, 0, 1, 0)
    assert counts(take(brewing__en=BREWING, prune=True)) == (0, 0, 1, 1)
    assert set(articles()) == {("brewing", "en")}


def test_a_file_that_became_bad_keeps_its_last_good_article(take: Callable[..., ImportReport]) -> None:
    take(brewing__en=BREWING)
    report = take(brewing__en="---\ntitle: [\n---\nText", other__en=BREWING, prune=True)
    assert len(report.refused) == 1
    assert ("brewing", "en") in articles()


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        ("---\ntitle: T\nquestions: [a\n---\nText", 4, "expected ',' or ']'"),
        ("---\ntitle: a: b\n---\nText", 2, "mapping values are not allowed"),
        ("---\ntitle: T\nlanguage: de\n---\nText", 3, "expected en or zh"),
        ("---\ntitle: T\n\nquestions:\n  a: b\n---\nText", 4, "expected a list of texts"),
        ("---\nlanguage: en\n---\nText", 1, "it is missing"),
        ("---\ntitle: T\n---\n\n", 4, "no text below its front matter"),
        ("---\ntitle: T\nText without an end", 1, "no closing line"),
    ],
)
def test_a_bad_article_is_named_with_file_line_and_reason(
    take: Callable[..., ImportReport], content: str, line: int, reason: str
) -> None:
    report = take(bad__en=content, good__en=BREWING)
    assert [(refused.file, refused.line) for refused in report.refused] == [("bad.en.md", line)]
    assert reason in report.refused[0].reason
    assert set(articles()) == {("good", "en")}


def test_one_article_in_two_files_is_refused(take: Callable[..., ImportReport]) -> None:
    report = take(brewing=BREWING, brewing__en=BREWING)
    assert "is in brewing.en.md" in str(report.refused[0])


def test_articles_in_gbk_are_read(store: Engine, file: File, context: Context) -> None:
    path = file("---\ntitle: 怎么泡\n---\n水温八十度。", "knowledge/brewing.zh.md", "gbk")
    assert import_folder(path.parent, context).ok
    assert articles()["brewing", "zh"].title == "怎么泡"


def test_a_folder_without_articles_is_one_clear_error(store: Engine, tmp_path: Path, context: Context) -> None:
    with pytest.raises(UnreadableFile, match="holds no Markdown files"):
        import_folder(tmp_path, context)
    with pytest.raises(UnreadableFile, match="is not a folder"):
        import_folder(tmp_path / "nowhere", context)


def test_the_demo_articles_are_right(store: Engine, context: Context) -> None:
    report = import_folder(ROOT / "demo" / "knowledge", context)
    assert report.refused == []
    assert report.added > 10
