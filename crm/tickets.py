"""What the owner has to see to: complaints, requests about orders, quotes, data requests."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from crm.models import Conversation, Identity, Order, Product, Ticket, TicketKind


def open_ticket(
    session: Session,
    conversation: Conversation,
    *,
    kind: TicketKind,
    request_key: str,
    text: str,
    now: datetime,
    order: Order | None = None,
    product: Product | None = None,
    quantity: int | None = None,
    contact: str | None = None,
) -> Ticket:
    """A ticket, made once per ``request_key``: the same turn answered again finds the one it made."""
    found = session.scalar(select(Ticket).where(Ticket.request_key == request_key))
    if found is not None:
        return found
    identity = session.get_one(Identity, conversation.identity_id)
    ticket = Ticket(
        request_key=request_key,
        kind=kind,
        conversation_id=conversation.id,
        customer_id=order.customer_id if order is not None else identity.customer_id,
        order_id=order.id if order is not None else None,
        product_id=product.id if product is not None else None,
        quantity=quantity,
        contact=contact,
        text=text,
        opened_at=now,
    )
    session.add(ticket)
    session.flush()
    return ticket
