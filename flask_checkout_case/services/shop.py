"""What the shop knows by now, asked through its loaders. A loader that fails is as none at all."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from inspect import signature
from typing import Any, Final

from ..types import Customer, Money, Order, make_ref
from .runtime import Runtime

log = logging.getLogger(__name__)

NOTE_LIMIT: Final = 2_000


@dataclass(frozen=True, slots=True)
class Told:
    """What the shop says about a customer.

    Args:
        facts: those that it knows, by the names that :class:`Customer` gives them.
        failed: it could not say.
    """

    facts: Mapping[str, Any] = field(default_factory=dict)
    failed: bool = False


def order_of(runtime: Runtime, order_ref: str | None) -> Order | None:
    """Return the order as the shop's ``order_loader`` tells it now."""
    loader = runtime.hooks.order_loader
    if loader is None or order_ref is None:
        return None
    try:
        with runtime.apart():
            found = loader(order_ref)
    except Exception:
        log.exception("the order_loader failed")
        return None
    return found if isinstance(found, Order) else None


def is_ordered(runtime: Runtime, checkout_ref: str | None) -> bool:
    """Whether a checkout has become an order, where ``order_for_checkout`` can tell."""
    loader = runtime.hooks.order_for_checkout
    if loader is None or checkout_ref is None:
        return False
    try:
        with runtime.apart():
            return loader(checkout_ref) is not None
    except Exception:
        log.exception("the order_for_checkout failed")
        return False


def customer_of(runtime: Runtime, customer_ref: str | None) -> Told:
    """Return what the shop's ``customer_loader`` tells of a customer now."""
    if customer_ref is None:
        return Told()
    try:
        found = _ask_customer(runtime, customer_ref)
        return Told(_facts(found) if found is not None else {})
    except Exception:
        log.exception("the customer_loader failed")
        return Told(failed=True)


def _facts(customer: Customer) -> dict[str, Any]:
    """Return what is told, without what no page could show."""
    told = {item.name: getattr(customer, item.name) for item in fields(Customer)}
    since, value = told["since"], told["lifetime_value"]
    if isinstance(since, datetime):
        told["since"] = since.replace(tzinfo=since.tzinfo or UTC)
    else:
        told["since"] = None
    if not isinstance(value, Money):
        told["lifetime_value"] = None
    for name in ("note", "phone"):
        told[name] = str(told[name])[:NOTE_LIMIT] if told[name] else None
    return {name: fact for name, fact in told.items() if fact or fact == 0}


def current_customer_ref(runtime: Runtime) -> str | None:
    """Return the ref of the customer who is logged in, where ``customer_loader`` tells it.

    Called without a ref, the loader returns the customer of this request; one that always wants a
    ref is not asked.
    """
    try:
        found = _ask_customer(runtime)
    except Exception:
        log.exception("the customer_loader failed")
        return None
    return make_ref(found.ref) if found is not None else None


def _ask_customer(runtime: Runtime, *ref: str) -> Customer | None:
    loader = runtime.hooks.customer_loader
    if loader is None:
        return None
    try:
        signature(loader).bind(*ref)
    except (TypeError, ValueError):
        return None
    found = loader(*ref)
    if found is not None and not isinstance(found, Customer):
        raise TypeError(f"a Customer is expected, not a {type(found).__name__}")
    return found
