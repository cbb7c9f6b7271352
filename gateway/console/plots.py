"""Plots as SVG, drawn here: no library, no script, sharp at every size. Texts are escaped; colours are CSS classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from gateway.console.pages import plain_svg

WIDTH, HEIGHT = 520, 200
LEFT, RIGHT, TOP, BOTTOM = 44, 8, 12, 26
_INNER_W, _INNER_H = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM


@dataclass(frozen=True)
class Series:
    """One row of values; None where there is nothing to show."""

    name: str
    values: Sequence[float | None]


def _nice(most: float) -> float:
    """The next round number, for the top of an axis."""
    if most <= 0:
        return 1.0
    step = 10 ** (len(str(int(most))) - 1) if most >= 1 else 0.1
    for factor in (1, 2, 2.5, 5, 10):
        if step * factor >= most:
            return step * factor
    return step * 10


def _frame(labels: Sequence[str], top: float, body: str, title: str, *, percent: bool = False) -> Markup:
    lines = []
    for part in (0.0, 0.5, 1.0):
        y = TOP + _INNER_H * (1 - part)
        value = top * part
        shown = f"{value:.0%}" if percent else f"{value:,.0f}" if value == int(value) else f"{value:,.1f}"
        lines.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        lines.append(f'<text x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{shown}</text>')
    every = max(1, round(len(labels) / 6))
    for index, label in enumerate(labels):
        if (len(labels) - 1 - index) % every == 0:
            x = LEFT + _INNER_W * (index + 0.5) / max(1, len(labels))
            lines.append(f'<text x="{x:.1f}" y="{HEIGHT - 8}" text-anchor="middle">{escape(label)}</text>')
    return plain_svg(
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{"".join(lines)}{body}</svg>'
    )


def _x(index: int, count: int) -> float:
    return LEFT + _INNER_W * (index + 0.5) / max(1, count)


def _y(value: float, top: float) -> float:
    return TOP + _INNER_H * (1 - min(1.0, value / top))


def bars(labels: Sequence[str], series: Sequence[Series], title: str, *, percent: bool = False) -> Markup:
    """Stacked bars, one stack per label. Values are not negative."""
    count = len(labels)
    sums = [sum(one.values[i] or 0 for one in series) for i in range(count)]
    top = 1.0 if percent else _nice(max(sums, default=0))
    width = max(3.0, _INNER_W / max(1, count) * 0.62)
    body = []
    for i in range(count):
        below = 0.0
        for number, one in enumerate(series):
            value = one.values[i] or 0
            if value <= 0:
                continue
            high, low = _y(below + value, top), _y(below, top)
            below += value
            told = f"{value:.0%}" if percent else f"{value:,.0f}"
            body.append(
                f'<rect class="s{number}" x="{_x(i, count) - width / 2:.1f}" y="{high:.1f}" width="{width:.1f}" '
                f'height="{max(0.5, low - high):.1f}" rx="2"><title>{escape(labels[i])} · {escape(one.name)}: '
                f"{told}</title></rect>"
            )
    return _frame(labels, top, "".join(body), title, percent=percent)


def lines(
    labels: Sequence[str], series: Sequence[Series], title: str, *, top: float | None = None, percent: bool = False
) -> Markup:
    """Lines with a dot on every value; a gap where a value is missing."""
    count = len(labels)
    most = max((value for one in series for value in one.values if value is not None), default=0.0)
    top = top or (1.0 if percent else _nice(most))
    body = []
    for number, one in enumerate(series):
        path, pen_down = [], False
        for i, value in enumerate(one.values):
            if value is None:
                pen_down = False
                continue
            path.append(f"{'L' if pen_down else 'M'}{_x(i, count):.1f} {_y(value, top):.1f}")
            pen_down = True
            told = f"{value:.0%}" if percent else f"{value:,.1f}"
            body.append(
                f'<circle class="s{number}" cx="{_x(i, count):.1f}" cy="{_y(value, top):.1f}" r="3">'
                f"<title>{escape(labels[i])} · {escape(one.name)}: {told}</title></circle>"
            )
        body.insert(0, f'<path class="l l{number}" d="{" ".join(path)}"/>')
    return _frame(labels, top, "".join(body), title, percent=percent)


def band(labels: Sequence[str], middle: Series, low: Sequence[float], high: Sequence[float], title: str) -> Markup:
    """A line within the band that it is expected to stay in."""
    count, top = len(labels), _nice(max([*high, 0.0]))
    edge = [f"{_x(i, count):.1f} {_y(value, top):.1f}" for i, value in enumerate(high)]
    edge += [f"{_x(i, count):.1f} {_y(low[i], top):.1f}" for i in range(count - 1, -1, -1)]
    path = [f"{'L' if i else 'M'}{_x(i, count):.1f} {_y(value or 0, top):.1f}" for i, value in enumerate(middle.values)]
    body = f'<polygon class="band" points="{" ".join(edge)}"/><path class="l l0" d="{" ".join(path)}"/>'
    return _frame(labels, top, body, title)
