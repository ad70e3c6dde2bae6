"""What an order or a bag becomes when something of it changes. Sums in cents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from . import pricing
from .baskets import ADDRESS, MOST_OF_ONE
from .extensions import db
from .models import Basket, BasketLine, Order, Product


class NotPossibleError(Exception):
    """The shop can't do this; the message says why."""


@dataclass(frozen=True, slots=True)
class Amended:
    """The lines of an order, its way of delivery and its sums."""

    lines: list[dict[str, Any]]
    method: str
    subtotal: int
    discount: int
    shipping: int

    @property
    def total(self) -> int:
        return self.subtotal - self.discount + self.shipping


def product_of(sku: str | None) -> Product | None:
    return db.session.scalar(select(Product).filter_by(sku=sku))


def method_of(order: Order) -> pricing.ShippingMethod:
    return next((one for one in pricing.METHODS if one.name == order.shipping), pricing.METHODS[0])


def amend(order: Order, asked: Mapping[str, Any]) -> Amended:
    """Return what an order would be with another delivery or another number of something.

    Args:
        asked: ``{"delivery": key}`` or ``{"sku": …, "quantity": n}``.

    Raises:
        NotPossibleError: the shop has no such product or delivery.
    """
    if "delivery" in asked:
        method = pricing.BY_KEY[asked["delivery"]]
        price = method.price_for(order.subtotal_minor)
        return Amended(order.lines, method.name, order.subtotal_minor, order.discount_minor, price)
    lines = _lines(order.lines, asked["sku"], asked["quantity"])
    subtotal = sum(line["quantity"] * line["unit_minor"] for line in lines)
    method = method_of(order)
    # What was agreed to for the delivery stays, but for what more or fewer goods do to its price.
    other = method.price_for(subtotal) - method.price_for(order.subtotal_minor)
    shipping = max(0, order.shipping_minor + other)
    discount = subtotal * order.discount_percent // 100
    return Amended(lines, order.shipping, subtotal, discount, shipping)


def _lines(lines: list[dict[str, Any]], sku: str, quantity: int) -> list[dict[str, Any]]:
    if any(line["sku"] == sku for line in lines):
        changed = [{**line, "quantity": quantity} if line["sku"] == sku else line for line in lines]
        return [line for line in changed if line["quantity"]]
    product = product_of(sku)
    if product is None:
        raise NotPossibleError(f"there is no {sku}")
    added = {"title": product.name, "slug": product.slug, "unit_minor": product.price_minor}
    return [*lines, {"sku": sku, "quantity": quantity, **added}]


def settle(order: Order, amended: Amended) -> None:
    """Make an order what it was amended to."""
    before = {line["sku"]: line["quantity"] for line in order.lines}
    after = {line["sku"]: line["quantity"] for line in amended.lines}
    for sku in {*before, *after}:
        product = product_of(sku)
        if product is not None:
            product.stock = Product.stock - (after.get(sku, 0) - before.get(sku, 0))
    order.lines, order.shipping = amended.lines, amended.method
    order.subtotal_minor, order.discount_minor = amended.subtotal, amended.discount
    order.shipping_minor, order.total_minor = amended.shipping, amended.total


def amend_basket(basket: Basket, kind: str, asked: Mapping[str, Any]) -> None:
    """Change a bag, without committing it.

    Raises:
        NotPossibleError: it can't be delivered there, or there is no such thing.
    """
    if kind == "address":
        if asked["country"] not in pricing.COUNTRIES.keys() - pricing.UNDELIVERABLE:
            raise NotPossibleError(f"nobody delivers to {asked['country']}")
        for name in ADDRESS:
            setattr(basket, name, asked.get(name))
    elif kind == "delivery":
        basket.shipping_method = asked["delivery"]
    elif "sku" in asked:
        _set_quantity(basket, asked["sku"], asked["quantity"])
    else:
        setattr(basket, kind, asked[kind])


def _set_quantity(basket: Basket, sku: str, quantity: int) -> None:
    if quantity > MOST_OF_ONE:
        raise NotPossibleError(f"at most {MOST_OF_ONE} of one thing")
    line = next((line for line in basket.lines if line.product.sku == sku), None)
    product = product_of(sku)
    if product is None:
        raise NotPossibleError(f"there is no {sku}")
    if quantity == 0 and line is not None:
        basket.lines.remove(line)
    elif line is not None:
        line.quantity = quantity
    else:
        basket.lines.append(BasketLine(product=product, quantity=quantity))
