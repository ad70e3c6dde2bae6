"""Orders as flask_checkout_case is told of them, and what changes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from flask import has_request_context, url_for
from sqlalchemy import select

from flask_checkout_case import (  # checkout-case
    Change,
    Customer,
    Money,
    Order,
    errors,
    signals,
)

from . import models, payments, pricing
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
        delivery=_method_of(order),
        deliveries={method.key: f"{method.name}, {method.promise}" for method in pricing.METHODS},
    )


def _method_of(order: models.Order) -> str | None:
    return next((one.key for one in pricing.METHODS if one.name == order.shipping), None)


@cases.price_change  # checkout-case
def price(change: Change) -> Money | None:  # checkout-case
    """Say what a change costs; what Klarna was paid, an agent gives back."""
    order = of_number(change.order_ref)
    if order is None or change.kind not in ("cancel", "delivery"):
        return Money(0, models.CURRENCY)
    if change.kind == "delivery":
        more = _method(change).price_for(order.subtotal_minor) - order.shipping_minor
        return (
            Money.minor(more, models.CURRENCY) if more >= 0 or payments.can_refund(order) else None
        )
    return Money.minor(-order.total_minor, models.CURRENCY) if payments.can_refund(order) else None


def _method(change: Change) -> pricing.ShippingMethod:
    return pricing.BY_KEY[change.asked["delivery"]]


@cases.change_payment  # checkout-case
def where_to_pay(change: Change) -> str:  # checkout-case
    return url_for("extra.pay", change_id=change.id)


def to_pay(change_id: str) -> tuple[models.Order | None, payments.Extra | None]:
    """Return the order of a change, and what the customer has to pay for it, if anything."""
    try:
        change = cases.get_change(change_id)  # checkout-case
    except errors.NotFoundError:
        return None, None
    order = of_number(change.order_ref)
    if change.state != "awaiting_payment" or change.delta is None:
        return order, None
    title = _method(change).name if change.kind == "delivery" else "Your change"
    return order, payments.Extra(change.id, title, change.delta.minor_units)


def paid(order: models.Order, change_id: str, intent: str) -> bool:
    """Note that a change is paid; whether it goes on. One that has ended gives the money back."""
    if intent not in order.extra_payments:
        order.extra_payments = [*order.extra_payments, intent]
    # Where one writes at a time, our own transaction would keep the extension out.
    db.session.commit()
    try:
        cases.change_paid(change_id, intent)  # checkout-case
    except errors.InvalidTransitionError:
        _give_back(order, change_id, intent)
        return False
    return True


@signals.change_refused.connect  # checkout-case
def give_back(_sender: object, change: Change, **_more: Any) -> None:  # checkout-case
    """Give back what was paid for a change that isn't made."""
    order = of_number(change.order_ref)
    if order is not None and change.payment_id is not None:
        _give_back(order, change.id, change.payment_id)


def _give_back(order: models.Order, change_id: str, intent: str) -> None:
    payments.give_back(intent, f"refused-{change_id}")
    # A cancellation gives back what is left of the others.
    order.extra_payments = [one for one in order.extra_payments if one != intent]
    db.session.commit()


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
    elif change.kind == "delivery":
        _deliver_otherwise(order, change)
    elif change.kind == "cancel":
        if payments.can_refund(order):
            payments.refund(order, change.id)
        order.status = "cancelled"
    else:
        setattr(order, change.kind, change.asked[change.kind])
    order.changed_by = [*order.changed_by, change.id]
    order.version += 1
    db.session.commit()


def _deliver_otherwise(order: models.Order, change: Change) -> None:
    method = _method(change)
    price = method.price_for(order.subtotal_minor)
    if price < order.shipping_minor and payments.can_refund(order):
        payments.refund(order, change.id, order.shipping_minor - price)
    order.total_minor += price - order.shipping_minor
    order.shipping, order.shipping_minor = method.name, price


def _lines(address: Mapping[str, str]) -> list[str]:
    town = " ".join(address[name] for name in ("city", "region", "postcode") if name in address)
    country = address.get("country", "")
    named = (address.get("line1"), address.get("line2"), town)
    return [line for line in (*named, country) if line]
