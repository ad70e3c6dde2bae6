"""Orders as flask_checkout_case is told of them, and what changes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from flask import has_request_context, url_for
from sqlalchemy import select

from flask_checkout_case import Change, Customer, Money, Order  # checkout-case

from . import models, payments
from .extensions import db
from .support import cases  # checkout-case


def of_number(number: str | None) -> models.Order | None:
    return db.session.scalar(select(models.Order).filter_by(number=number))


@cases.order_loader  # checkout-case
def load_order(number: str) -> Order | None:  # checkout-case
    """Tell of an order, but not of what is in it: the shop has few pieces of anything."""
    order = of_number(number)
    if order is None:
        return None
    return Order(  # checkout-case
        ref=order.number,
        status=order.status,
        value=Money.minor(order.total_minor, models.CURRENCY),
        checkout_ref=order.basket_ref,
        customer=Customer(ref=order.account_id, name=order.name, email=order.email),
        url=url_for("checkout.confirmation", number=order.number)
        if has_request_context()
        else None,
        version=order.version,
        placed_at=order.placed_at.replace(tzinfo=UTC),
        stage="cancelled" if order.status == "cancelled" else order.stage,
        address=order.destination,
        instructions=order.instructions,
        gift_note=order.gift_note,
    )


@cases.price_change  # checkout-case
def price(change: Change) -> Money | None:  # checkout-case
    """Say what a change costs; what Klarna was paid, an agent gives back."""
    order = of_number(change.order_ref)
    if order is None or change.kind != "cancel":
        return Money(0, models.CURRENCY)
    return Money.minor(-order.total_minor, models.CURRENCY) if payments.can_refund(order) else None


@cases.change_applier  # checkout-case
def apply(change: Change) -> None:  # checkout-case
    """Change an order, once for each change; money goes back when nothing else can go wrong."""
    order = of_number(change.order_ref)
    if order is None or change.id in order.changed_by:
        return
    if change.kind == "address":
        order.destination = dict(change.asked)
        order.name = change.asked.get("name", order.name)
        order.address = _lines(change.asked)
    elif change.kind == "cancel":
        if payments.can_refund(order):
            payments.refund(order, change.id)
        order.status = "cancelled"
    else:
        setattr(order, change.kind, change.asked[change.kind])
    order.changed_by = [*order.changed_by, change.id]
    order.version += 1
    db.session.commit()


def _lines(address: Mapping[str, str]) -> list[str]:
    town = " ".join(address[name] for name in ("city", "region", "postcode") if name in address)
    country = address.get("country", "")
    named = (address.get("line1"), address.get("line2"), town)
    return [line for line in (*named, country) if line]
