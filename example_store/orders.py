"""Orders: made once of a paid basket, whoever learns first that it was paid."""

from __future__ import annotations

from typing import Final

from sqlalchemy import func, select

from . import baskets, pricing
from .extensions import db
from .models import Basket, Order, Product
from .payments import Result
from .support import track

_FIRST_NUMBER: Final = 10_400


def of_basket(ref: str) -> Order | None:
    """Return the order that a basket has become."""
    return db.session.scalar(select(Order).where(Order.basket_ref == ref))


def complete(basket: Basket, payment: Result) -> Order:
    """Turn a paid basket into an order and commit it; the order it is already, when it is one.

    Args:
        payment: how it was paid.
    """
    found = of_basket(basket.ref)
    if found is not None:
        return found
    order = _order_of(basket, payment.card)
    db.session.add(order)
    for line in basket.lines:
        line.product.stock = Product.stock - line.quantity
    basket.state, basket.step = "ordered", "confirmation"
    db.session.commit()
    track(
        "payment_succeeded",
        basket,
        provider=payment.provider,
        payment_id=basket.payment_intent if payment.provider == "stripe" else None,
        attempt_id=payment.charge,
        method="card" if payment.provider == "stripe" else "klarna",
    )
    track("order_completed", basket, order_ref=order.number)
    return order


def _order_of(basket: Basket, card: str) -> Order:
    totals = pricing.totals_of(basket)
    method = pricing.BY_KEY[basket.shipping_method or "standard"]
    country = pricing.COUNTRIES.get(basket.country or "", "")
    town = " ".join(part for part in (basket.city, basket.region, basket.postcode) if part)
    made = db.session.scalar(select(func.count(Order.id))) or 0
    return Order(
        number=f"MC-{_FIRST_NUMBER + made + 1}",
        basket_ref=basket.ref,
        account_id=basket.account_id,
        email=basket.email or "",
        name=basket.name or "",
        destination=baskets.address_of(basket),
        address=[part for part in (basket.line1, basket.line2, town, country) if part],
        lines=[
            {
                "sku": line.product.sku,
                "title": line.product.name,
                "slug": line.product.slug,
                "quantity": line.quantity,
                "unit_minor": line.product.price_minor,
            }
            for line in basket.lines
        ],
        shipping=method.name,
        subtotal_minor=totals.subtotal,
        discount_minor=totals.discount,
        discount_percent=basket.coupon.percent if basket.coupon and totals.discount else 0,
        instructions=basket.instructions,
        gift_note=basket.gift_note,
        shipping_minor=totals.shipping,
        total_minor=totals.total,
        card=card or None,
        payment_intent=basket.payment_intent,
    )
