"""``desk export``: what the newest analysis says, as CSV on stdout."""

import csv
import sys
from collections.abc import Iterable, Sequence
from math import isfinite

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

import crm
from analytics.run import analyse
from crm import money, scores
from crm.effects import Effect, MeanEffect
from crm.models import Analysis, Customer, CustomerScore, Forecast, Product, Recommendation, Variant
from crm.recommendation_effect import recommendation_effect
from crm.shop import Shop, load_shop
from crm.types import now
from desk.store import open_store

ROWS_AT_ONCE = 5_000


def export(what: str) -> int:
    """Writes the table of the analysis that was run last; where there is none yet, one is run first."""
    settings = open_store()
    shop = load_shop(settings.shop_file)
    with crm.reading() as session:
        analysed = scores.last_run(session) is not None
    if not analysed:
        print("Nothing was analysed yet: running `desk analyse` first.", file=sys.stderr)
        analyse(shop, as_of=now(), now=now())
    with crm.reading() as session:
        analysis = scores.last_run(session)
        assert analysis is not None
        columns, rows = _TABLES[what](session, shop, analysis)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return 0


Table = tuple[Sequence[str], Iterable[Sequence[object]]]


def _scores(session: Session, shop: Shop, analysis: Analysis) -> Table:
    columns = (
        "customer_id", "churn_risk", "segment", "expected_orders_90d", "customer_value", "reasons",
        "expected_orders_365d", "customer_value_365d", "next_order_amount", "purchase_intent", "outlier", "cluster",
        "currency", "as_of",
    )  # fmt: skip
    found = session.execute(
        select(Customer.external_id, CustomerScore)
        .join(Customer, Customer.id == CustomerScore.customer_id)
        .where(CustomerScore.analysis_id == analysis.id)
        .order_by(CustomerScore.customer_id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    language, as_of = shop.digest_language, analysis.as_of.astimezone(shop.zone).date().isoformat()
    rows = (
        (
            external_id,
            f"{score.churn_risk:.4f}",
            score.segment.value,
            f"{score.expected_orders_90d:.4f}",
            money.to_major(score.value_90d_minor, shop.currency),
            "; ".join(scores.reason_text(reason, language) for reason in score.reasons),
            f"{score.expected_orders_365d:.4f}",
            money.to_major(score.value_365d_minor, shop.currency),
            money.to_major(score.next_amount_minor, shop.currency),
            f"{score.purchase_intent:.4f}",
            int(score.outlier),
            "" if score.cluster is None else score.cluster,
            shop.currency,
            as_of,
        )
        for external_id, score in found
    )
    return columns, rows


def _recommendations(session: Session, shop: Shop, analysis: Analysis) -> Table:
    columns = ("customer_id", "rank", "product_id", "sku", "title", "list", "score", "reason", "because_of", "as_of")
    language, as_of = shop.digest_language, analysis.as_of.astimezone(shop.zone).date().isoformat()
    because = aliased(Product)
    sku = select(Variant.sku).where(Variant.product_id == Product.id).order_by(Variant.position).limit(1)
    found = session.execute(
        select(
            Customer.external_id,
            Recommendation.rank,
            Product.external_id,
            sku.correlate(Product).scalar_subquery(),
            Product.title,
            Recommendation.list,
            Recommendation.score,
            Recommendation.reason,
            because.title,
        )
        .join(Customer, Customer.id == Recommendation.customer_id)
        .join(Product, Product.id == Recommendation.product_id)
        .outerjoin(because, because.id == Recommendation.because_of_id)
        .where(Recommendation.analysis_id == analysis.id)
        .order_by(Recommendation.customer_id, Recommendation.list, Recommendation.rank)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    rows = (
        (
            customer,
            rank,
            product,
            code or product,
            title,
            which.value,
            f"{score:.4f}",
            scores.recommended_because(reason, led, language),
            led or "",
            as_of,
        )
        for customer, rank, product, code, title, which, score, reason, led in found
    )
    return columns, rows


def _forecast(session: Session, shop: Shop, analysis: Analysis) -> Table:
    columns = ("date", "segment", "amount", "lower", "upper", "currency")
    found = session.scalars(
        select(Forecast).where(Forecast.analysis_id == analysis.id).order_by(Forecast.day, Forecast.series)
    )
    rows = (
        (
            one.day.isoformat(),
            one.series,
            *(money.to_major(minor, shop.currency) for minor in (one.amount_minor, one.low_minor, one.high_minor)),
            shop.currency,
        )
        for one in found
    )
    return columns, rows


def export_effect() -> int:
    """What personal recommendations bring in per customer within 30 days, against the control group."""
    settings = open_store()
    shop = load_shop(settings.shop_file)
    with crm.reading() as session:
        found = recommendation_effect(session, shop.currency, now=now())
    scale = 10 ** money.digits(shop.currency)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(
        ("measure", "customers", "value", "control_customers", "control_value", "difference", "lower", "upper",
         "verdict", "unit")
    )  # fmt: skip
    writer.writerow(_effect_row("buyers", found.buyers, 1, "share"))
    writer.writerow(_effect_row("orders", found.orders, 1, "per customer"))
    writer.writerow(_effect_row("money", found.money_minor, scale, shop.currency))
    return 0


def _effect_row(measure: str, found: Effect | MeanEffect, scale: int, unit: str) -> Sequence[object]:
    """Without two customers in each group there are no bounds: they stay empty."""
    if isinstance(found, Effect):
        values = (
            found.treated_yes / found.treated if found.treated else 0.0,
            found.control_yes / found.control if found.control else 0.0,
        )
    else:
        values = found.treated_mean, found.control_mean
    figures = (found.difference, found.low, found.high)
    difference, low, high = (f"{figure / scale:.4f}" if isfinite(figure) else "" for figure in figures)
    return (
        measure, found.treated, f"{values[0] / scale:.4f}", found.control, f"{values[1] / scale:.4f}",
        difference, low, high, found.verdict.value, unit,
    )  # fmt: skip


_TABLES = {"scores": _scores, "recommendations": _recommendations, "forecast": _forecast}
