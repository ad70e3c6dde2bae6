"""A shop with orders, with or without a warehouse."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.due import Clock, set_clock
from tests.support.orders import SECRET, Orders, Warehouse
from tests.support.shop import Shop


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
def shop(
    make_app: Callable[..., Shop], live_server: Callable[[Flask], str], warehouse: Warehouse
) -> Shop:
    """A shop whose changes go to the warehouse."""
    return make_app(
        CHECKOUT_CASE_FULFILMENT_URL=f"{live_server(warehouse.app())}/changes",
        CHECKOUT_CASE_FULFILMENT_SECRETS=[SECRET],
        CHECKOUT_CASE_EGRESS_ALLOW=["127.0.0.0/8"],
    )


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


@pytest.fixture
def orders(shop: Shop, clock: Clock) -> Orders:
    return Orders(shop, clock)
