"""What can be changed where: orders by a sealed link, the checkout by its customer's request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import current_app, url_for
from itsdangerous import BadSignature, URLSafeTimedSerializer

from ...change_types import Change, ChangeKind, Stage
from ...errors import NotFoundError
from ...rules import changes as rules
from ...services import change_said, changes, checkout_changes
from ...services.change_terms import (
    is_offered,
    is_offered_in_checkout,
    order_now,
    order_to_be,
)
from ...services.shop import current_customer_ref
from ...types import Order, make_ref
from ..current import current_checkout, runtime
from ..guard import signing_keys
from . import change_words
from .blueprint import blueprint

SALT: Final = "checkout-case-order"
TOKEN_AGE: Final = 24 * 3600
"""Seconds for which a link to change an order works; a newer one is on each page of the order."""


@dataclass(frozen=True, slots=True)
class Place:
    """What can be changed here: an order, or a checkout as the order that it would become.

    Args:
        url: of the page itself.
    """

    order: Order
    url: str

    @property
    def in_checkout(self) -> bool:
        return self.order.stage == Stage.CHECKOUT

    def take(self, kind: ChangeKind, given: Mapping[str, Any], **more: Any) -> Change:
        ask = checkout_changes.ask if self.in_checkout else changes.ask
        return ask(runtime(), self.order, kind, given, **more)


def change_url(order_ref: Any = None) -> str:
    """Return where this order's customer can change it; nothing where changes aren't offered.

    For the shop's own page of the order, which only its customer sees: whoever has the link can
    change the order for a day. Without an order it is the checkout's page, of use to its customer
    alone.
    """
    found: Any = current_app.extensions["checkout_case"]
    ref = make_ref(order_ref)
    if ref is None:
        return checkout_url() if is_offered_in_checkout(found) else ""
    return url_for(f"{blueprint.name}.change_page", token=seal(ref)) if is_offered(found) else ""


def checkout_url() -> str:
    """Return where the customer of a checkout can change it."""
    return url_for(f"{blueprint.name}.checkout_page")


def change_link() -> str | None:
    """Return where the customer of this request can change what they are about to buy."""
    checkout = current_checkout() if is_offered_in_checkout(runtime()) else None
    if checkout is None or checkout.order_ref is not None:
        return None
    return checkout_url() if kinds(order_to_be(checkout)) else None


def seal(order_ref: str) -> str:
    """Return the token of an order, which only the shop hands out."""
    return str(URLSafeTimedSerializer(signing_keys(), salt=SALT).dumps(order_ref))


def of_order(token: str) -> Place:
    """Return the order of a link; raises ``NotFoundError``."""
    try:
        ref = URLSafeTimedSerializer(signing_keys(), salt=SALT).loads(token, max_age=TOKEN_AGE)
    except BadSignature as error:
        raise NotFoundError("no such order") from error
    if not isinstance(ref, str) or not is_offered(runtime()):
        raise NotFoundError("no such order")
    order = order_now(runtime(), ref)
    # A link that was forwarded is of no use to somebody else who is logged in.
    owner = make_ref(order.customer.ref) if order.customer is not None else None
    here = current_customer_ref(runtime())
    if owner is not None and here is not None and owner != here:
        raise NotFoundError("no such order")
    return Place(order, url_for(f"{blueprint.name}.change_page", token=token))


def of_checkout() -> Place:
    """Return the checkout of this request, or the order that it is by now.

    Raises:
        NotFoundError: there is none, or nothing of it can be changed.
    """
    checkout = current_checkout()
    if checkout is None or not is_offered_in_checkout(runtime()):
        raise NotFoundError("no such checkout")
    if checkout.order_ref is not None:
        # Their own loader says that it is theirs.
        return of_order(seal(make_ref(checkout.order_ref) or ""))
    return Place(order_to_be(checkout), checkout_url())


def offered(order: Order) -> frozenset[ChangeKind]:
    """Return the kinds that the order's state allows now."""
    now, plan, stage = runtime().clock(), runtime().policy.changes, rules.stage_of(order)
    return frozenset(
        one
        for one in change_said.KINDS
        if rules.why_refused(plan, one, stage, order.cut_off_at, now) is None
    )


def kinds(order: Order) -> list[tuple[str, str]]:
    """Return what the customer can choose of, as its key and its words."""
    return change_words.kinds(order, offered(order))
