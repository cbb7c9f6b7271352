from dataclasses import dataclass


@dataclass(frozen=True)
class Page:
    """What stands on a link's page; a field that is None is not asked for."""

    title: str
    lines: tuple[str, ...] = ()
    button: str | None = None
    field_title: str | None = None
    field_text: str | None = None
    questions: tuple[str, ...] = ()
    mail_to: str | None = None
