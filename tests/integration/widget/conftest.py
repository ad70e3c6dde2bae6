"""A shop with the widget on it, for every test of this folder."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.shop import Shop
from tests.support.widget import furnish


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return furnish(make_app())


@pytest.fixture
def sqlite_shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return furnish(make_sqlite_app())
