"""All that connects the shop with flask_checkout_case, but for three lines in two other modules.

Each statement that is there for the extension carries the mark ``# checkout-case``.
"""

from __future__ import annotations

import logging
from typing import Any, Final

from flask import current_app, request, session, url_for

from flask_checkout_case import (  # checkout-case
    Agent,
    Checkout,
    CheckoutCase,
    Customer,
    Line,
    Money,
    signals,
)

from . import baskets, models, pricing

_log = logging.getLogger(__name__)

cases = CheckoutCase()  # checkout-case


DELIVERIES: Final = {one.key: f"{one.name}, {one.promise}" for one in pricing.METHODS}


def as_line(sku: str, title: str, unit_minor: int, quantity: int = 1, **more: str) -> Line:
    price = Money.minor(unit_minor, models.CURRENCY)
    return Line(sku=sku, title=title, quantity=quantity, unit_price=price, **more)


def as_checkout(basket: models.Basket) -> Checkout:  # checkout-case
    return Checkout(  # checkout-case
        ref=basket.ref,
        value=Money.minor(pricing.totals_of(basket).total, models.CURRENCY),
        step=basket.step,
        customer=Customer(
            ref=basket.account_id,
            name=basket.name,
            email=basket.email,
            country=basket.country,
            orders=len(basket.account.orders) if basket.account else None,
        ),
        lines=[
            as_line(
                line.product.sku,
                line.product.name,
                line.product.price_minor,
                line.quantity,
                image_url=url_for("static", filename=line.product.image),
                url=url_for("shop.product", slug=line.product.slug),
            )
            for line in basket.lines
        ],
        country=basket.country,
        url=url_for("checkout.payment"),
        address=baskets.address_of(basket) or None,
        delivery=basket.shipping_method,
        deliveries=DELIVERIES if basket.shipping_method else {},
        instructions=basket.instructions,
        gift_note=basket.gift_note,
        addons=[as_line(one.sku, one.name, one.price_minor) for one in baskets.small_things()],
    )


cases.checkout_loader(  # checkout-case
    lambda: as_checkout(basket) if (basket := baskets.current()) else None
)


@cases.agent_loader  # checkout-case
def load_agent() -> Agent | None:  # checkout-case
    return (  # checkout-case
        Agent(ref=staff.id, name=staff.name, email=staff.email, teams=staff.teams, role=staff.role)
        if (staff := baskets.account()) and staff.is_staff
        else None
    )


def track(event: str, basket: models.Basket, **facts: Any) -> None:
    """Tell what happens in the checkout: the shop's log of its funnel, and who listens to it.

    Args:
        event: such as ``checkout_step_viewed``.
        facts: what else is worth knowing; never card data.
    """
    _log.info("%s %s %s", basket.ref, event, facts)
    getattr(signals, event).send(  # checkout-case
        current_app, checkout=as_checkout(basket), **facts
    )


cases.consent_loader(  # checkout-case
    lambda: session.get("observed", False)
)
cases.login_url(  # checkout-case
    lambda: url_for("account.login", next=request.path)
)
