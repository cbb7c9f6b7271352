"""Where in a TOML file each field stands; the standard library's reader does not tell."""

import re

Path = tuple[str | int, ...]
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*=""")
_TOKEN = re.compile(r'"""|\'\'\'|"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*|[\[\]{}]')


def lines_of_fields(text: str) -> dict[Path, int]:
    """Line number (first is 1) per field and table of a file that is known to be valid TOML.

    ``("shipping", "regions", 1, "cost")`` is the second region's cost. Fields inside an inline table are not listed:
    they stand on the line of their table.
    """
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    depth, quotes = 0, ""
    for number, line in enumerate(text.splitlines(), start=1):
        if depth == 0 and not quotes:
            header = _HEADER.match(line)
            if header:
                table = _names(header[2])
                if header[1] == "[[":
                    index = counts.get(table, 0)
                    counts[table] = index + 1
                    lines.setdefault(table, number)
                    table = (*table, index)
                lines.setdefault(table, number)
                continue
            key = _KEY.match(line)
            if key:
                lines[(*table, *_names(key[1]))] = number
        depth, quotes = _after(line, depth, quotes)
    return lines


def line_of(lines: dict[Path, int], path: Path) -> int | None:
    """The line of the field or, where that is not known, of what it stands in."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return None


def _names(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.\s]+", dotted))


def _after(line: str, depth: int, quotes: str) -> tuple[int, str]:
    """How deep in brackets, and in which multi-line string, the next line begins."""
    for token in _TOKEN.findall(line):
        if quotes:
            if token == quotes:
                quotes = ""
        elif token in ('"""', "'''"):
            quotes = token
        elif token in ("[", "{"):
            depth += 1
        elif token in ("]", "}"):
            depth -= 1
    return depth, quotes
