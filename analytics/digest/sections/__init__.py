"""The digest's sections, in the order in which they are read: money first, then people, then how sure it all is."""

from collections.abc import Callable

from analytics.digest.page import Context, Section
from analytics.digest.sections import (
    at_risk,
    complaints,
    effects,
    follow_ups,
    forecast,
    models,
    mood,
    not_understood,
    segments,
    tickets,
)

SECTIONS: tuple[Callable[[Context], Section | None], ...] = (
    at_risk.section,
    follow_ups.section,
    complaints.section,
    tickets.section,
    not_understood.section,
    forecast.section,
    mood.section,
    segments.section,
    effects.section,
    models.section,
)


def sections_of(context: Context) -> tuple[Section, ...]:
    """Those that have something to say."""
    return tuple(section for make in SECTIONS if (section := make(context)) is not None)
