"""The shop over a local Stripe, for tests without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from webtest import TestApp

from tests.support.store import LocalStripe, dispose_store, make_store, running_stripe


@pytest.fixture(scope="session")
def local_stripe() -> Iterator[LocalStripe]:
    """One local Stripe without receivers of webhooks, for many tests."""
    with running_stripe() as local:
        yield local


@pytest.fixture
def make_shop(local_stripe: LocalStripe, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Make the shop, with its products, customers and staff: ``make_shop(KEY=value)``."""
    with ExitStack() as stack:

        def make(**config: Any) -> Flask:
            app = make_store(tmp_path, local_stripe.url, **config)
            stack.callback(dispose_store, app)
            return app

        yield make


@pytest.fixture
def app(make_shop: Callable[..., Flask]) -> Flask:
    return make_shop()


@pytest.fixture
def visitor(app: Flask) -> TestApp:
    """Somebody who has just come into the shop."""
    return TestApp(app)
