"""Things of the shop, made in one line each. Lin writes Chinese, Ms Park English; Chen is the other customer."""

from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy.orm import Session

from crm import revisions
from crm.models import Customer, FulfillmentStatus, KnowledgeArticle, Order, OrderLine, Product, Variant

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SOURCE = "test"
_numbers = count(1)


def a_customer(session: Session, name: str, email: str, *, phone: str | None = None, language: str = "en") -> Customer:
    customer = Customer(
        source=SOURCE,
        external_id=str(next(_numbers)),
        name=name,
        email=email,
        phone=phone,
        language=language,
        created_at=NOW,
        updated_at=NOW,
    )
    session.add(customer)
    session.flush()
    return customer


def lin(session: Session) -> Customer:
    return a_customer(session, "林先生", "lin@example.org", phone="+8613900001111", language="zh")


def park(session: Session) -> Customer:
    return a_customer(session, "Ms Park", "park@example.com", phone="+6591230001")


def chen(session: Session) -> Customer:
    return a_customer(session, "陈雨", "chen@example.net", phone="+6591230002", language="zh")


def a_product(
    session: Session, english: str, chinese: str, *, price_minor: int = 1800, currency: str = "SGD", stock: int = 10
) -> Product:
    product = Product(
        source=SOURCE,
        external_id=f"product-{next(_numbers)}",
        title=f"{english} {chinese}",
        title_en=english,
        title_zh=chinese,
        created_at=NOW,
        updated_at=NOW,
    )
    product.variants.append(Variant(price_minor=price_minor, currency=currency, inventory=stock))
    session.add(product)
    session.flush()
    revisions.bump(session, revisions.CATALOGUE)
    return product


def an_order(
    session: Session,
    number: str,
    *,
    of: Customer,
    lines: tuple[Product, ...] = (),
    status: FulfillmentStatus = FulfillmentStatus.FULFILLED,
    days_ago: int = 3,
) -> Order:
    placed_at = NOW - timedelta(days=days_ago)
    order = Order(
        source=SOURCE,
        external_id=number,
        number=number,
        customer=of,
        email=of.email,
        phone=of.phone,
        currency="SGD",
        total_minor=sum(product.variants[0].price_minor for product in lines),
        country="SG",
        fulfillment_status=status,
        placed_at=placed_at,
        fulfilled_at=placed_at if status is FulfillmentStatus.FULFILLED else None,
        updated_at=NOW,
    )
    for position, product in enumerate(lines, start=1):
        price = product.variants[0].price_minor
        line = OrderLine(
            position=position, product_id=product.id, title=product.title, quantity=1, unit_price_minor=price
        )
        order.lines.append(line)
    session.add(order)
    session.flush()
    revisions.bump(session, revisions.ORDERS)
    return order


def an_article(
    session: Session, slug: str, title: str, body: str, *, language: str = "en", questions: tuple[str, ...] = ()
) -> KnowledgeArticle:
    article = KnowledgeArticle(
        slug=slug, language=language, title=title, body=body, questions=list(questions), updated_at=NOW
    )
    session.add(article)
    session.flush()
    revisions.bump(session, revisions.KNOWLEDGE)
    return article
