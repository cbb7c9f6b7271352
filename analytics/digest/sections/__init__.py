"""The digest's sections, in the order in which they are read: money first, then people, then how sure it all is."""

from collections.abc import Callable

from analytics.digest.page import Context, Section
from analytics.digest.sections import complaints, effects, follow_ups, tickets

SECTIONS: tuple[Callable[[Context], Section | None], ...] = (
    follow_ups.section,
    complaints.section,
    tickets.section,
    effects.section,
)


def sections_of(context: Context) -> tuple[Section, ...]:
    """Those that have something to say."""
    return tuple(section for make in SECTIONS if (section := make(context)) is not None)
