"""What the shop knows by now, asked through its loaders. A loader that fails is as none at all."""

from __future__ import annotations

import logging
from inspect import signature

from ..types import Customer, Order, make_ref
from .runtime import Runtime

log = logging.getLogger(__name__)


def order_of(runtime: Runtime, order_ref: str | None) -> Order | None:
    """Return the order as the shop's ``order_loader`` tells it now."""
    loader = runtime.hooks.order_loader
    if loader is None or order_ref is None:
        return None
    try:
        found = loader(order_ref)
    except Exception:
        log.exception("the order_loader failed")
        return None
    return found if isinstance(found, Order) else None


def customer_of(runtime: Runtime, customer_ref: str | None) -> Customer | None:
    """Return the customer as the shop's ``customer_loader`` tells them now."""
    return _ask_customer(runtime, customer_ref) if customer_ref is not None else None


def current_customer_ref(runtime: Runtime) -> str | None:
    """Return the ref of the customer who is logged in, where ``customer_loader`` tells it.

    Called without a ref, the loader returns the customer of this request; one that always wants a
    ref is not asked.
    """
    found = _ask_customer(runtime)
    return make_ref(found.ref) if found is not None else None


def _ask_customer(runtime: Runtime, *ref: str) -> Customer | None:
    loader = runtime.hooks.customer_loader
    if loader is None:
        return None
    try:
        signature(loader).bind(*ref)
    except (TypeError, ValueError):
        return None
    try:
        found = loader(*ref)
    except Exception:
        log.exception("the customer_loader failed")
        return None
    return found if isinstance(found, Customer) else None
