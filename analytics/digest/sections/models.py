"""How the models fare: which serve, how good they were on the last closed window, and which to distrust."""

from analytics.digest.page import Context, Entry, Section
from crm import scores
from crm.models import ModelRun

# Figures that an owner can picture, and how each is shown.
_SHOWN = {"auc": (100, 0), "mase": (1, 2), "hr_at_10": (100, 0), "macro_f1": (100, 0)}


def section(context: Context) -> Section | None:
    analysis = scores.latest(context.session, until=context.now)
    if analysis is None:
        return None
    words = context.words
    lines = [_line(context, run) for run in scores.model_runs(context.session, analysis) if run.champion]
    entries = tuple(Entry(line) for line in lines if line)
    if not entries:
        return None
    zone = context.shop.zone
    finished = analysis.finished_at or analysis.started_at
    return Section(
        key="models",
        title=words.say("sections.models.title"),
        lead=words.say(
            "sections.models.lead",
            day=words.day(finished.astimezone(zone).date()),
            until=words.day(analysis.as_of.astimezone(zone).date()),
        ),
        entries=entries,
    )


def _line(context: Context, run: ModelRun) -> str:
    words = context.words
    if not words.has(f"sections.models.name.{run.model}"):
        return ""
    name = words.say(f"sections.models.name.{run.model}")
    if run.drifted:
        return words.say("sections.models.drift", model=name)
    if run.fallback:
        return words.say("sections.models.rule", model=name)
    told = [
        words.say(f"sections.models.metric.{metric}", value=words.number(float(run.metrics[metric]) * scale, digits))
        for metric, (scale, digits) in _SHOWN.items()
        if metric in run.metrics
    ]
    return (
        words.say("sections.models.measured", model=name, metrics=words.say("lists.comma").join(told)) if told else ""
    )
