"""Follow-ups: drafted by rules, decided by the owner, sent with consent, measured against those who got none."""

from crm.follow_ups.deciding import CannotReach, FollowUpDecided, approve, dismiss, send_due, waiting
from crm.follow_ups.drafting import draft_due
from crm.follow_ups.hours import allowed_from
from crm.follow_ups.measuring import effect
from crm.follow_ups.rule_settings import Setting, set_rule, settings

__all__ = [
    "CannotReach",
    "FollowUpDecided",
    "Setting",
    "allowed_from",
    "approve",
    "dismiss",
    "draft_due",
    "effect",
    "send_due",
    "set_rule",
    "settings",
    "waiting",
]
