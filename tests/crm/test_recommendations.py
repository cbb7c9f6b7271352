"""What the chat suggests: what was learnt for the customer comes first, and nothing that is out of stock."""

from datetime import timedelta

from sqlalchemy import Engine
from sqlalchemy.orm import Session

import crm
from analytics.recommendations.lists import Reason as Learnt
from crm import scores
from crm.models import Analysis, AnalysisStatus, Customer, Product, Recommendation, RecommendationList
from crm.recommendations import Reason, recommend
from tests.support.factories import NOW, a_product, an_order, chen, lin


def _learnt(
    session: Session, customer: Customer, *told: tuple[Product, Product | None], status: AnalysisStatus
) -> None:
    analysis = Analysis(as_of=NOW - timedelta(hours=9), started_at=NOW, status=status)
    session.add(analysis)
    session.flush()
    for rank, (product, because) in enumerate(told, start=1):
        session.add(
            Recommendation(
                analysis_id=analysis.id, customer_id=customer.id, list=RecommendationList.NEW_FOR_YOU, rank=rank,
                product_id=product.id, score=1.0 / rank, because_of_id=because.id if because else None,
                reason="bought_together" if because else "popular",
            )
        )  # fmt: skip
    session.flush()


def test_what_was_learnt_for_a_customer_comes_first_with_its_reason(store: Engine) -> None:
    with crm.session() as session:
        tea, cup, vase, gone = (a_product(session, name, name) for name in ("Tea", "Cup", "Vase", "Lamp"))
        gone.variants[0].inventory = 0
        customer = lin(session)
        an_order(session, "A1", of=customer, lines=(tea,))
        an_order(session, "A2", of=chen(session), lines=(vase,))
        _learnt(session, customer, (gone, None), (cup, tea), (tea, None), status=AnalysisStatus.COMPLETE)
        found = recommend(session, now=NOW, customer_id=customer.id)
        assert (found[0].product.id, found[0].reason) == (cup.id, Reason.BOUGHT_TOGETHER)
        assert found[0].because_of is tea
        assert {one.product.id for one in found} == {cup.id, vase.id}


def test_a_half_done_analysis_says_nothing(store: Engine) -> None:
    with crm.session() as session:
        tea, cup, vase = (a_product(session, name, name) for name in ("Tea", "Cup", "Vase"))
        customer = lin(session)
        an_order(session, "A1", of=customer, lines=(tea,))
        an_order(session, "A2", of=chen(session), lines=(vase,))
        _learnt(session, customer, (cup, tea), status=AnalysisStatus.RUNNING)
        assert recommend(session, now=NOW, customer_id=customer.id)[0].product is vase


def test_every_learnt_reason_that_is_used_is_a_sentence_in_both_languages() -> None:
    for reason in (Learnt.BOUGHT_BEFORE, Learnt.BOUGHT_TOGETHER, Learnt.POPULAR):
        assert scores.recommended_because(reason, "Tea", "en").endswith(".")
        assert scores.recommended_because(reason, "茶", "zh").endswith("。")
    assert "None" not in scores.recommended_because(Learnt.BOUGHT_TOGETHER, None, "en")
