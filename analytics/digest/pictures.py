"""The digest's pictures. They carry numbers and dates only, so that they need no font beyond matplotlib's own."""

import io
from collections.abc import Sequence
from datetime import date

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from analytics.digest.norms import Norm

matplotlib.use("Agg")

# Readable on white and on black alike: mail programs turn backgrounds dark by themselves.
INK, QUIET, ACCENT, BAND = "#7d8590", "#a7b0bb", "#2f8f6b", "#2f8f6b26"
WIDTH_INCHES, DPI = 5.6, 200


def _canvas(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH_INCHES, height), dpi=DPI, layout="constrained")
    figure.patch.set_alpha(0.0)
    axes = figure.subplots()
    axes.patch.set_alpha(0.0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(QUIET)
    axes.tick_params(colors=INK, labelsize=8, length=0)
    axes.grid(axis="y", color=QUIET, alpha=0.35, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    return figure, axes


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", transparent=True)
    return buffer.getvalue()


def weekly_bars(mondays: Sequence[date], values: Sequence[float], norm: Norm | None) -> bytes:
    """One bar per week, oldest first, the last in colour; the usual range as a band. Values in major units."""
    figure, axes = _canvas(2.1)
    labels = [f"{monday.month}/{monday.day}" for monday in mondays]
    colours = [QUIET] * (len(values) - 1) + [ACCENT]
    axes.bar(range(len(values)), values, color=colours, width=0.62)
    if norm is not None:
        axes.axhspan(norm.low, norm.high, color=BAND, linewidth=0)
    axes.set_xticks(range(len(values)), labels)
    axes.set_ylim(bottom=0, top=max([*values, norm.high if norm else 0.0, 1.0]) * 1.08)
    return _png(figure)


def daily_band(days: Sequence[date], middle: Sequence[float], low: Sequence[float], high: Sequence[float]) -> bytes:
    """A line with its band, one point per day. Values in major units."""
    figure, axes = _canvas(2.0)
    places = range(len(days))
    axes.fill_between(places, low, high, color=BAND, linewidth=0)
    axes.plot(places, middle, color=ACCENT, linewidth=1.8)
    ticks = list(range(0, len(days), 7))
    axes.set_xticks(ticks, [f"{days[at].month}/{days[at].day}" for at in ticks])
    axes.set_ylim(bottom=0)
    return _png(figure)


def shares(values: Sequence[float], colours: Sequence[str]) -> bytes:
    """One bar of parts, left to right in the given order."""
    figure = Figure(figsize=(WIDTH_INCHES, 0.42), dpi=DPI)
    figure.patch.set_alpha(0.0)
    axes = figure.add_axes((0.0, 0.1, 1.0, 0.8))
    axes.set_axis_off()
    left = 0.0
    for value, colour in zip(values, colours, strict=True):
        axes.barh(0, value, left=left, color=colour, height=1.0)
        left += value
    axes.set_xlim(0, max(left, 1.0))
    return _png(figure)
