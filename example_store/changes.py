"""Orders and bags as flask_checkout_case is told of them, and what changes them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from flask import has_request_context, url_for
from sqlalchemy import select

from flask_checkout_case import (  # checkout-case
    Change,
    Customer,
    Money,
    Order,
    errors,
)

from . import amending, baskets, models, payments, pricing
from .extensions import announce_writing, db
from .support import DELIVERIES, as_line, cases  # checkout-case


def of_number(number: str | None) -> models.Order | None:
    return db.session.scalar(select(models.Order).filter_by(number=number))


def _basket(ref: str | None) -> models.Basket | None:
    return db.session.scalar(select(models.Basket).filter_by(ref=ref, state="open"))


@cases.order_loader  # checkout-case
def load_order(number: str) -> Order | None:  # checkout-case
    order = of_number(number)
    if order is None:
        return None
    return Order(  # checkout-case
        ref=order.number,
        status=order.status,
        value=Money.minor(order.total_minor, models.CURRENCY),
        checkout_ref=order.basket_ref,
        customer=Customer(ref=order.account_id, name=order.name, email=order.email),
        lines=[
            as_line(line["sku"], line["title"], line["unit_minor"], line["quantity"])
            for line in order.lines
        ],
        addons=[as_line(one.sku, one.name, one.price_minor) for one in baskets.small_things()],
        url=url_for("checkout.confirmation", number=order.number)
        if has_request_context()
        else None,
        version=order.version,
        placed_at=order.placed_at.replace(tzinfo=UTC),
        stage="cancelled" if order.status == "cancelled" else order.stage,
        address=order.destination,
        instructions=order.instructions,
        gift_note=order.gift_note,
        delivery=amending.method_of(order).key,
        deliveries=DELIVERIES,
    )


@cases.inventory_loader  # checkout-case
def pieces_left(sku: str) -> int | None:
    product = amending.product_of(sku)
    return product.stock if product is not None else 0


@cases.price_change  # checkout-case
def price(change: Change) -> Money | None:  # checkout-case
    """Say what a change costs; what Klarna was paid, an agent gives back."""
    order = of_number(change.order_ref)
    more = _more(order, change) if order is not None else _more_in_checkout(change)
    if more < 0 and order is not None and not payments.can_refund(order):
        return None
    return Money.minor(more, models.CURRENCY)


def _more(order: models.Order, change: Change) -> int:
    if change.kind == "cancel":
        return -order.total_minor
    if change.kind in ("address", "instructions", "gift_note"):
        return 0
    return amending.amend(order, change.asked).total - order.total_minor


def _more_in_checkout(change: Change) -> int:
    basket = _basket(change.checkout_ref)
    if basket is None:
        raise amending.NotPossibleError("the bag is gone")
    before = pricing.totals_of(basket).total
    with db.session.no_autoflush:
        amending.amend_basket(basket, change.kind, change.asked)
        after = pricing.totals_of(basket).total
    # It was only to be added up.
    db.session.rollback()
    return after - before


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
    return order, payments.Extra(change.id, _title(change), change.delta.minor_units)


def _title(change: Change) -> str:
    if change.kind == "delivery":
        return pricing.BY_KEY[change.asked["delivery"]].name
    return f"{change.asked['quantity']} × {change.asked['title']}"


def paid(order: models.Order, change_id: str, intent: str, waiting: payments.Extra | None) -> bool:
    """Note that a change is paid; whether it goes on. One that has ended gives the money back.

    Args:
        waiting: what had to be paid until now; nothing when somebody else was faster.
    """
    if waiting is not None:
        order.extra_payments = {**order.extra_payments, intent: waiting.amount}
    # Where one writes at a time, our own transaction would keep the extension out.
    db.session.commit()
    try:
        cases.change_paid(change_id, intent)  # checkout-case
    except errors.InvalidTransitionError:
        _give_back(order, change_id, intent)
        return False
    return True


@cases.change_refund  # checkout-case
def give_back(change: Change) -> None:  # checkout-case
    """Give back what was paid for a change that isn't made."""
    announce_writing()
    order = of_number(change.order_ref)
    if order is not None and change.payment_id is not None:
        _give_back(order, change.id, change.payment_id)


def _give_back(order: models.Order, change_id: str, intent: str) -> None:
    payments.give_back(intent, f"refused-{change_id}")
    # A cancellation gives back what is left of the others.
    order.extra_payments = {k: v for k, v in order.extra_payments.items() if k != intent}
    db.session.commit()


@cases.change_applier  # checkout-case
def apply(change: Change) -> None:  # checkout-case
    """Change an order, once for each change; money goes back when nothing else can go wrong."""
    # One that has read first could be told that the database is locked, and wait for its next turn.
    announce_writing()
    order = of_number(change.order_ref)
    if order is None or change.id in order.changed_by:
        return
    if change.kind == "address":
        order.destination = dict(change.asked)
        order.name = change.asked.get("name", order.name)
        order.address = _lines(change.asked)
    elif change.kind == "cancel":
        if payments.can_refund(order):
            payments.refund(order, change.id, order.total_minor)
        order.status = "cancelled"
    elif change.kind in ("instructions", "gift_note"):
        setattr(order, change.kind, change.asked[change.kind])
    else:
        amended = amending.amend(order, change.asked)
        if amended.total < order.total_minor and payments.can_refund(order):
            payments.refund(order, change.id, order.total_minor - amended.total)
        amending.settle(order, amended)
    order.changed_by = [*order.changed_by, change.id]
    order.version += 1
    db.session.commit()


@cases.checkout_applier  # checkout-case
def apply_to_basket(change: Change) -> None:  # checkout-case
    """Change a bag; the same change again makes it what it is already."""
    announce_writing()
    basket = _basket(change.checkout_ref)
    if basket is None:
        raise amending.NotPossibleError("the bag is gone")
    amending.amend_basket(basket, change.kind, change.asked)
    db.session.commit()


@cases.checkout_restorer  # checkout-case
def restore(ref: str) -> str | None:  # checkout-case
    """Give this browser the bag that a payment failed for."""
    basket = _basket(ref)
    if basket is None:
        return None
    baskets.take(basket)
    return url_for("checkout.payment")


def _lines(address: Mapping[str, str]) -> list[str]:
    town = " ".join(address[name] for name in ("city", "region", "postcode") if name in address)
    country = address.get("country", "")
    named = (address.get("line1"), address.get("line2"), town)
    return [line for line in (*named, country) if line]
