"""A plain decline is given to nobody while its customer may still settle it alone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flask_checkout_case import CaseInfo, signals
from flask_checkout_case.services.assignment import sweep_assignments
from tests.support.desk import checkout, decline, runtime_of
from tests.support.due import MINUTE, Clock, set_clock
from tests.support.giving import arrive, giving_shop, holders
from tests.support.shop import Shop

Make = Callable[..., Shop]
GRACE = 'assignment = "balanced"\n\n[payments]\nrecovers_within = "2m"'


@pytest.fixture
def shop(make_app: Make, tmp_path: Path) -> Shop:
    made = giving_shop(make_app, tmp_path, GRACE)
    arrive(made, "7")
    return made


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


@pytest.fixture
def case(shop: Shop, clock: Clock) -> CaseInfo:
    return decline(shop, "c-1", at=clock())


def holder(shop: Shop, case: CaseInfo) -> str | None:
    with shop.app.app_context():
        sweep_assignments(runtime_of(shop))
    return holders(shop)[case.reference]


def test_it_waits_for_its_time_and_is_given_then(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    clock.pass_by(2 * MINUTE - timedelta(seconds=1))
    assert holder(shop, case) is None
    clock.pass_by(timedelta(seconds=1))
    assert holder(shop, case) == "7"


def test_who_pays_in_time_has_disturbed_nobody(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    assert holder(shop, case) is None
    with shop.app.app_context():
        signals.payment_succeeded.send(shop.app, checkout=checkout("c-1"), at=clock() + MINUTE)
        shop.cases.flush()
        assert shop.cases.get(case.reference).outcome == "self_recovered"
    clock.pass_by(5 * MINUTE)
    assert holder(shop, case) is None


def test_who_writes_is_given_to_somebody_at_once(shop: Shop, clock: Clock, case: CaseInfo) -> None:
    with shop.app.app_context():
        shop.cases.customer_message(case.reference, "I need this bag today")
    assert holder(shop, case) == "7"


def test_what_is_no_plain_decline_waits_for_nothing(shop: Shop, clock: Clock) -> None:
    case = decline(shop, "c-2", code="duplicate_transaction", at=clock())
    assert holder(shop, case) == "7"
