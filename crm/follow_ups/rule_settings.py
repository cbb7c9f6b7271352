"""How each rule is set: switched on or off, sent by itself or not, and how many do without for comparison."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.follow_ups.rules import RULES, Rule
from crm.models import FollowUpKind, FollowUpRule


@dataclass(frozen=True)
class Setting:
    """How a rule is set now."""

    kind: FollowUpKind
    marketing: bool
    enabled: bool
    automatic: bool
    control_share: float


def settings(session: Session) -> list[Setting]:
    """Every rule as the owner has set it, or as it stands by itself."""
    rows = {row.kind: row for row in session.scalars(select(FollowUpRule))}
    return [_setting(kind, rule, rows.get(kind)) for kind, rule in RULES.items()]


def _setting(kind: FollowUpKind, rule: Rule, row: FollowUpRule | None) -> Setting:
    source = row or rule
    return Setting(kind, rule.marketing, source.enabled, source.automatic, source.control_share)


def set_rule(
    session: Session,
    kind: FollowUpKind,
    *,
    now: datetime,
    enabled: bool | None = None,
    automatic: bool | None = None,
    control_share: float | None = None,
) -> Setting:
    """Changes what is given. Raises ValueError for a share outside 0 to 0.5."""
    if control_share is not None and not 0 <= control_share <= 0.5:
        raise ValueError(f"the control group is 0 to 0.5 of all, not {control_share}")
    row = session.get(FollowUpRule, kind)
    if row is None:
        rule = RULES[kind]
        row = FollowUpRule(
            kind=kind, enabled=rule.enabled, automatic=rule.automatic, control_share=rule.control_share, updated_at=now
        )
        session.add(row)
    row.enabled = row.enabled if enabled is None else enabled
    row.automatic = row.automatic if automatic is None else automatic
    row.control_share = row.control_share if control_share is None else control_share
    row.updated_at = now
    session.flush()
    return _setting(kind, RULES[kind], row)
