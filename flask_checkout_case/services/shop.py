"""What the shop knows by now, asked through its loaders. A loader that fails is as none at all."""

from __future__ import annotations

import logging

from ..types import Customer, Order
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
    loader = runtime.hooks.customer_loader
    if loader is None or customer_ref is None:
        return None
    try:
        found = loader(customer_ref)
    except Exception:
        log.exception("the customer_loader failed")
        return None
    return found if isinstance(found, Customer) else None
