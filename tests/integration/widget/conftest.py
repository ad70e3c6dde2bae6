"""A shop with the widget on it, for every test of this folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flask_checkout_case.rules.policy import read_policy_text
from tests.support.shop import Shop
from tests.support.widget import furnish


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return furnish(make_app())


@pytest.fixture
def sqlite_shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return furnish(make_sqlite_app())


@pytest.fixture
def make_shop_with(make_app: Callable[..., Shop], tmp_path: Path) -> Callable[[str, str], Shop]:
    """Make the shop with the shipped policy, in which one line is another."""

    def make(line: str, other: str) -> Shop:
        text, _name = read_policy_text(None)
        assert line in text
        policy = tmp_path / "policy.toml"
        policy.write_text(text.replace(line, other))
        return furnish(make_app(CHECKOUT_CASE_POLICY=str(policy)))

    return make
