"""A shop whose signals are captured, and no other app beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from flask_checkout_case.capture import receivers, unregister
from tests.support.capture import CaptureShop
from tests.support.shop import Shop


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> CaptureShop:
    made = CaptureShop(make_app(CHECKOUT_CASE_PARTS=[]))
    made.connect()
    return made


@pytest.fixture
def no_other_apps() -> Iterator[None]:
    others = list(receivers._apps)
    for app in others:
        unregister(app)
    yield
    for app in others:
        receivers.register(app)
