"""A desk with one declined payment, and Lin at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flask_checkout_case import CaseInfo
from tests.support.desk import Desk, decline, open_desk
from tests.support.shop import Shop


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_sqlite_app)


@pytest.fixture
def case(shop: Shop) -> CaseInfo:
    return decline(shop, "c-1", attempt_id="ch_1", method="card")


@pytest.fixture
def lin(shop: Shop) -> Desk:
    return Desk(shop, "lin")
