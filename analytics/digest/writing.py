"""Writing the digest: from a week's facts to one page of sentences."""

from collections.abc import Sequence
from dataclasses import replace

from analytics.digest import pictures
from analytics.digest.key_figures import KeyFigure, Unit, key_figures, weeks_of
from analytics.digest.norms import Norm, Standing
from analytics.digest.page import Action, Context, Page, Section, Tile, Tone
from analytics.digest.sections import sections_of
from analytics.digest.words import Words
from crm import money
from crm.figures import Figures

FEWEST_RATINGS = 10


def write(context: Context) -> Page:
    """The page for ``context.week``; its pictures are put into ``context.pictures``."""
    weeks = weeks_of(context.session, context.week, currency=context.shop.currency)
    shown = key_figures(weeks)
    words, week = context.words, context.week
    found = sections_of(context)
    period = words.days(week.monday, week.sunday)
    shop = context.shop.name.in_language(words.language)
    empty = weeks[0].empty and not found
    return Page(
        subject=words.say("subject", shop=shop, period=period),
        shop=shop,
        title=words.say("title", number=week.number),
        period=period,
        headline=_headline(words, weeks[0], shown, empty=empty),
        tiles=() if empty else tuple(_tile(words, figure) for figure in shown),
        sections=() if empty else (*_sales(context, weeks, shown), *found),
        footer=_footer(context, weeks[0]),
        language=words.language,
        archive=Action(words.say("archive"), context.links.console(f"digests/{week.label}")),
    )


def _headline(words: Words, week: Figures, shown: Sequence[KeyFigure], *, empty: bool) -> str:
    if empty:
        return words.say("headline.empty")
    sales = next(figure for figure in shown if figure.name == "sales")
    return words.say(
        f"headline.{sales.standing}",
        sales=words.money(week.sales_minor),
        orders=words.say("orders", n=week.orders),
    )


def _tile(words: Words, figure: KeyFigure) -> Tile:
    few = figure.of is not None and figure.of < FEWEST_RATINGS
    return Tile(
        name=figure.name,
        label=words.say(f"figures.{figure.name}"),
        value=_shown(words, figure.unit, figure.value),
        note=words.say("note.few_ratings", n=figure.of) if few else _note(words, figure),
        tone=Tone.PLAIN if few else _tone(figure),
    )


def _tone(figure: KeyFigure) -> Tone:
    if figure.more_is_better is None or figure.standing not in (Standing.HIGH, Standing.LOW):
        return Tone.PLAIN
    return Tone.GOOD if (figure.standing is Standing.HIGH) == figure.more_is_better else Tone.BAD


def _note(words: Words, figure: KeyFigure) -> str:
    """Against what is usual where that is known, else against last week."""
    if figure.norm is not None:
        low, high = _bounds(words, figure.unit, figure.norm)
        return words.say(f"note.{figure.standing}", low=low, high=high)
    if figure.before is None:
        return words.say("note.first")
    return words.say("note.before", before=_shown(words, figure.unit, figure.before))


def _bounds(words: Words, unit: Unit, norm: Norm) -> tuple[str, str]:
    high = min(norm.high, 5.0) if unit is Unit.SCORE else norm.high
    if unit is Unit.SCORE:
        return words.number(norm.low, 1), words.number(high, 1)
    return _shown(words, unit, norm.low), _shown(words, unit, high)


def _shown(words: Words, unit: Unit, value: float) -> str:
    match unit:
        case Unit.MONEY:
            return words.money(value)
        case Unit.SCORE:
            return words.say("note.score", value=words.number(value, 1))
        case Unit.MINUTES:
            return words.duration(value)
        case Unit.COUNT:
            return words.number(value)


def _sales(context: Context, weeks: Sequence[Figures], shown: Sequence[KeyFigure]) -> tuple[Section, ...]:
    if len(weeks) < 2 or not any(week.sales_minor for week in weeks):
        return ()
    digits = money.digits(context.shop.currency)
    oldest_first = [week.sales_minor / 10**digits for week in reversed(weeks)]
    mondays = [context.week.before(back).monday for back in reversed(range(len(weeks)))]
    norm = next(figure.norm for figure in shown if figure.name == "sales")
    scaled = replace(norm, low=norm.low / 10**digits, high=norm.high / 10**digits) if norm else None
    context.pictures["sales"] = pictures.weekly_bars(mondays, oldest_first, scaled)
    words = context.words
    return (
        Section(
            key="sales",
            title=words.say("sections.sales.title"),
            picture="sales",
            caption=words.say("sections.sales.caption", weeks=len(weeks)),
        ),
    )


def _footer(context: Context, week: Figures) -> tuple[str, ...]:
    words = context.words
    period = words.days(context.week.monday, context.week.sunday)
    lines = [words.say("footer.period", period=period, zone=context.shop.timezone)]
    if week.other_currencies:
        lines.append(words.say("footer.currency", n=week.other_currencies))
    lines += [words.say("footer.built", moment=words.moment(context.now)), words.say("footer.off")]
    return tuple(lines)
