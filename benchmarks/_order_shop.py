"""A shop with orders and a worker of its own, for processes that are killed. Its time runs fast."""

from __future__ import annotations

import os
import time
from datetime import datetime
from pathlib import Path
from typing import Final

from flask import Flask

from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services.runtime import Runtime
from flask_checkout_case.types import utc_now
from tests.support.orders import SECRET, Orders
from tests.support.shop import Shop, build_shop

FASTER: Final = 60
"""A minute of the shop's is a second here: pauses and leases are minutes."""


class FastClock:
    """The time since a moment that all processes share, so many times as fast."""

    def __init__(self, began: datetime) -> None:
        self._began = began

    def __call__(self) -> datetime:
        return self.now

    @property
    def now(self) -> datetime:
        return self._began + (utc_now() - self._began) * FASTER


def order_shop(url: str, home: Path, began: datetime, warehouse: str) -> tuple[Shop, Orders]:
    """Make the shop; each process makes its own on the same database."""
    home.mkdir(parents=True, exist_ok=True)
    shop = build_shop(
        url,
        home,
        CHECKOUT_CASE_FULFILMENT_URL=warehouse,
        CHECKOUT_CASE_FULFILMENT_SECRETS=[SECRET],
        CHECKOUT_CASE_EGRESS_ALLOW=["127.0.0.0/8"],
        CHECKOUT_CASE_RATE_LIMIT="100000 per minute",
    )
    clock = FastClock(began)
    runtime_of(shop).clock = clock
    orders = Orders(shop, clock)
    orders.placed_at = began
    return shop, orders


def runtime_of(shop: Shop) -> Runtime:
    found: Runtime = shop.app.extensions["checkout_case"]
    return found


def _from_environment() -> Shop:
    given = os.environ
    shop, _orders = order_shop(
        given["ORDER_SHOP_URL"],
        Path(given["ORDER_SHOP_HOME"]),
        datetime.fromisoformat(given["ORDER_SHOP_BEGAN"]),
        given["ORDER_SHOP_WAREHOUSE"],
    )
    return shop


def served() -> Flask:
    """Make the shop that gunicorn serves, by its environment."""
    return _from_environment().app


def work() -> None:
    """Do what the worker does, until the process is killed."""
    shop = _from_environment()
    runtime = runtime_of(shop)
    with shop.app.app_context():
        while True:
            sweep(runtime)
            deliver(runtime)
            time.sleep(0.05)
