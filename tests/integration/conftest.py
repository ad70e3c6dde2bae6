"""A clock and a mailbox for whatever ``shop`` the test's own module makes."""

from __future__ import annotations

import pytest

from flask_checkout_case.jobs.mail import Mail
from tests.support.due import Clock, set_clock
from tests.support.shop import Shop


@pytest.fixture
def clock(shop: Shop) -> Clock:
    """The shop's clock, which stands still until a test sets it."""
    return set_clock(shop)


@pytest.fixture
def mails(shop: Shop) -> list[Mail]:
    """The mails that the shop has sent; none of them leaves the process."""
    kept: list[Mail] = []
    shop.cases.mailer(kept.append)
    return kept
