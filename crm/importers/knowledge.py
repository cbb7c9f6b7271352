"""The owner's articles: Markdown files with a few lines of front matter, one file per article and language."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import frontmatter
import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from crm import revisions
from crm.importers.records import Context
from crm.importers.report import BadValue, ImportReport, UnreadableFile, refusal
from crm.importers.running import reported
from crm.importers.upsert import Values, delete_by_id, differs, table_of, upsert
from crm.models import KnowledgeArticle

SOURCE = "knowledge"
_COLUMNS = ("title", "body", "questions", "tags")
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_LANGUAGES = {"en": "en", "english": "en", "zh": "zh", "chinese": "zh", "中文": "zh"}
_articles = table_of(KnowledgeArticle)
Key = tuple[str, str]


class _BadArticle(Exception):
    def __init__(self, line: int, error: BadValue) -> None:
        self.line, self.error = line, error


def import_folder(folder: Path, context: Context, *, prune: bool = False) -> ImportReport:
    """Adds and updates articles; with ``prune`` those whose file is gone are removed. Raises UnreadableFile."""
    if not folder.is_dir():
        raise UnreadableFile(folder, "is not a folder")
    files = sorted(
        path for path in folder.rglob("*") if path.suffix.lower() in (".md", ".markdown") and path.name[0] != "."
    )
    if not files:
        raise UnreadableFile(folder, "holds no Markdown files (*.md)")
    with reported(SOURCE, "articles", folder) as report:
        articles: dict[Key, Values] = {}
        seen: dict[Key, str] = {}
        refused_slugs: set[str] = set()
        for done, path in enumerate(files, start=1):
            report.rows += 1
            name = str(path.relative_to(folder))
            try:
                article = _article(path)
                key = (article["slug"], article["language"])
                if key in seen:
                    raise _BadArticle(1, BadValue("", name, f"the same article in the same language is in {seen[key]}"))
                seen[key] = name
                articles[key] = article
            except _BadArticle as bad:
                refused_slugs.add(_slug(path))
                report.refused.append(refusal(bad.line, bad.error, file=name))
            context.progress(done, done, len(files))
        with context.open_session() as session:
            _store(session, articles, report, context)
            if prune:
                _prune(session, articles, refused_slugs, report)
            if report.changed:
                revisions.bump(session, revisions.KNOWLEDGE)
    return report


def _store(session: Session, articles: dict[Key, Values], report: ImportReport, context: Context) -> None:
    stored = {(row["slug"], row["language"]): row for row in session.execute(select(_articles)).mappings()}
    writing: list[Values] = []
    for key, values in articles.items():
        known = stored.get(key)
        if known is None:
            report.added += 1
        elif differs(values, known, _COLUMNS):
            report.updated += 1
        else:
            report.unchanged += 1
            continue
        writing.append(values | {"updated_at": context.now})
    upsert(session, KnowledgeArticle, writing, key=("slug", "language"), update=[*_COLUMNS, "updated_at"])


def _prune(session: Session, articles: dict[Key, Values], refused_slugs: set[str], report: ImportReport) -> None:
    """Removes articles without a file; one whose file was refused keeps its last good version."""
    gone = [
        row.id
        for row in session.execute(select(KnowledgeArticle.id, KnowledgeArticle.slug, KnowledgeArticle.language))
        if (row.slug, row.language) not in articles and row.slug not in refused_slugs
    ]
    delete_by_id(session, KnowledgeArticle, gone)
    report.removed += len(gone)


def _slug(path: Path) -> str:
    """The file's name without its language: brewing.en.md and brewing.zh.md are one article."""
    return re.sub(r"[._-](en|zh)$", "", path.stem, flags=re.IGNORECASE)


def _article(path: Path) -> Values:
    text = _text(path)
    try:
        fields, body = frontmatter.parse(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise _BadArticle(mark.line + 1 if mark else 1, BadValue("", "", f"{error.problem}")) from None
    except (yaml.YAMLError, ValueError) as error:
        raise _BadArticle(1, BadValue("", "", str(error).splitlines()[0])) from None
    if not fields and text.startswith("---"):
        raise _BadArticle(1, BadValue("", "", "the front matter is empty or has no closing line of three hyphens"))
    body = body.strip()
    if not body:
        raise _BadArticle(len(text.splitlines()), BadValue("", "", "the article has no text below its front matter"))
    heading = re.match(r"#\s+(.+)", body)
    title = str(fields.get("title") or (heading[1] if heading else "")).strip()
    if not title:
        raise _BadArticle(1, BadValue("title", "", "it is missing"))
    return {
        "slug": _slug(path),
        "language": _language(path, fields, text, title + body),
        "title": title,
        "body": body,
        "questions": _list(fields, "questions", text),
        "tags": _list(fields, "tags", text),
    }


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _BadArticle(1, BadValue("", "", f"it cannot be read: {error.strerror}")) from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding).replace("\r\n", "\n")
        except UnicodeDecodeError:
            continue
    raise _BadArticle(1, BadValue("", "", "it is not text in UTF-8"))


def _line_of(field: str, text: str) -> int:
    for number, line in enumerate(text.splitlines(), start=1):
        if re.match(rf"\s*[\"']?{field}[\"']?\s*:", line):
            return number
    return 1


def _language(path: Path, fields: dict[str, Any], text: str, words: str) -> str:
    told = fields.get("language")
    if told is not None:
        known = _LANGUAGES.get(re.split(r"[-_]", str(told).strip().lower())[0])
        if known is None:
            raise _BadArticle(_line_of("language", text), BadValue("language", str(told), "expected en or zh"))
        return known
    in_name = re.search(r"[._-](en|zh)$", path.stem, re.IGNORECASE)
    if in_name:
        return in_name[1].lower()
    # A Chinese character says about as much as five Latin letters.
    return "zh" if len(_HAN.findall(words)) * 5 > len(re.findall(r"[A-Za-z]", words)) else "en"


def _list(fields: dict[str, Any], name: str, text: str) -> list[str]:
    value = fields.get(name) or []
    if isinstance(value, str):
        value = re.split(r"[,，、]", value) if name == "tags" else [value]
    if not isinstance(value, Sequence) or any(isinstance(item, dict | list) or item is None for item in value):
        raise _BadArticle(_line_of(name, text), BadValue(name, str(value), "expected a list of texts"))
    return [str(item).strip() for item in value if str(item).strip()]
