"""Reports: how conversations, customers and sales go, in plots that are drawn here."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import Response

from crm import inbox, money, reports, resolution
from crm.models import Segment
from crm.reports import Outlook, WeekReport
from crm.resolution import Outcome
from crm.types import now
from crm.weeks import Week
from gateway.console import pages, plots
from gateway.console.access import SignedInOf
from gateway.console.pages import Speaker
from gateway.console.plots import Series
from gateway.errors import Refused
from gateway.web import PartsOf

router = APIRouter(include_in_schema=False)
SHOWN_OUTCOMES = (Outcome.CONFIRMED, Outcome.ASSUMED, Outcome.HANDED_OVER, Outcome.ABANDONED, Outcome.REOPENED)


@dataclass(frozen=True)
class Plot:
    """A picture with its title and what its colours mean."""

    title: str
    svg: Markup
    legend: Sequence[str] = ()
    note: str = ""


@router.get("/owner/reports")
async def reports_page(request: Request, parts: PartsOf, who: SignedInOf) -> Response:
    moment, say = now(), pages.speaker(request, parts)
    weeks = await parts.store.read(lambda session: reports.weeks(session, parts.shop, now=moment))
    outlook = await parts.store.read(reports.outlook)
    drawn = [*_of_weeks(weeks, say)]
    if outlook is not None:
        drawn += _of_outlook(outlook, say)
    return pages.page(
        request,
        parts,
        "reports.html",
        who,
        present=weeks[-1],
        before=weeks[-2],
        plots=drawn,
        outlook=outlook,
        outcomes=SHOWN_OUTCOMES,
    )


def _of_weeks(weeks: Sequence[WeekReport], say: Speaker) -> list[Plot]:
    labels = [
        f"{report.week.monday:%d.%m.}" if say.language == "en" else f"{report.week.monday:%m/%d}" for report in weeks
    ]
    outcomes = [
        Series(say.t(f"outcome.{outcome}"), [float(report.resolution.outcomes.get(outcome, 0)) for report in weeks])
        for outcome in SHOWN_OUTCOMES
    ]
    talks = Series(say.t("reports.conversations"), [float(report.figures.conversations) for report in weeks])
    rate = Series(say.t("reports.rate"), [report.resolution.rate for report in weeks])
    owner = Series(say.t("reports.owner_minutes"), [report.figures.answered_by_owner for report in weeks])
    happy = Series(say.t("reports.satisfaction"), [report.figures.satisfaction for report in weeks])
    drawn = [
        _plot(say, "conversations", plots.bars(labels, [talks], say.t("reports.conversations"))),
        _plot(
            say,
            "outcomes",
            plots.bars(labels, outcomes, say.t("reports.outcomes")),
            legend=[series.name for series in outcomes],
        ),
        _plot(say, "rate", plots.lines(labels, [rate], say.t("reports.rate"), percent=True)),
    ]
    for name, series, top in (("owner_minutes", owner, None), ("satisfaction", happy, 5.0)):
        if any(value is not None for value in series.values):
            drawn.append(_plot(say, name, plots.lines(labels, [series], series.name, top=top)))
    if any(report.sentiment is not None for report in weeks):
        drawn.append(_sentiment(labels, weeks, say))
    return drawn


def _sentiment(labels: Sequence[str], weeks: Sequence[WeekReport], say: Speaker) -> Plot:
    names = ("positive", "neutral", "negative")
    series = [
        Series(say.t(f"sentiment.{name}"), [report.sentiment[2 - i] if report.sentiment else None for report in weeks])
        for i, name in enumerate(names)
    ]
    return _plot(
        say,
        "sentiment",
        plots.bars(labels, series, say.t("reports.sentiment"), percent=True),
        legend=[one.name for one in series],
    )


def _of_outlook(outlook: Outlook, say: Speaker) -> list[Plot]:
    segments = [segment for segment in Segment if outlook.segments.get(segment)]
    sizes = Series(say.t("reports.customers"), [float(outlook.segments[segment]) for segment in segments])
    fifths = [f"{20 * i}–{20 * (i + 1)} %" for i in range(5)]
    risks = Series(say.t("reports.customers"), [float(count) for count in outlook.churn])
    drawn = [
        _plot(
            say,
            "segments",
            plots.bars([say.t(f"segment.{segment}") for segment in segments], [sizes], say.t("reports.segments")),
        ),
        _plot(say, "churn", plots.bars(fifths, [risks], say.t("reports.churn"))),
    ]
    if outlook.forecast:
        days = [f"{day.day:%d.%m.}" if say.language == "en" else f"{day.day:%m/%d}" for day in outlook.forecast]
        major = [
            tuple(float(money.to_major(minor, say.currency)) for minor in (d.amount_minor, d.low_minor, d.high_minor))
            for d in outlook.forecast
        ]
        expected = Series(say.t("reports.forecast"), [values[0] for values in major])
        band = plots.band(days, expected, [v[1] for v in major], [v[2] for v in major], say.t("reports.forecast"))
        drawn.append(_plot(say, "forecast", band))
    return drawn


def _plot(say: Speaker, name: str, svg: Markup, *, legend: Sequence[str] = ()) -> Plot:
    return Plot(title=say.t(f"reports.{name}"), svg=svg, legend=legend, note=say.t(f"reports.{name}_note"))


@router.get("/owner/reports/{label}/{outcome}")
async def behind(request: Request, parts: PartsOf, who: SignedInOf, label: str, outcome: Outcome) -> Response:
    """The conversations behind one figure of a week."""
    moment = now()
    week = Week.parse(label, parts.shop.zone)

    def read(session: Any) -> list[inbox.InboxRow]:
        found = resolution.between(session, week.starts_at, week.ends_at, as_of=moment)
        ids = found.conversations.get(outcome, ())
        return inbox.rows(session, ids=ids) if ids else []

    rows = await parts.store.read(read)
    if week.starts_at > moment:
        raise Refused(404, "not_found", "This week has not begun.")
    return pages.page(request, parts, "behind.html", who, rows=rows, week=week, outcome=outcome)
