"""What a checkout's own time does to a case."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_checkout_case import Agent
from tests.support.due import MINUTE, Clock, decline, send, work
from tests.support.escalation import LIN, actions, escalating_shop, only_case
from tests.support.shop import Shop

HOUR = timedelta(hours=1)


@pytest.fixture
def shop(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    return escalating_shop(make_app, tmp_path)


def test_a_case_is_due_when_its_checkout_runs_out_of_time(shop: Shop, clock: Clock) -> None:
    now = clock.now
    decline(
        shop,
        now,
        reserved_until=now + 8 * MINUTE,
        session_expires_at=(now + HOUR).isoformat(),
        ships_at=now - MINUTE,
    )
    found = only_case(shop)
    assert found.checkout_due == found.due_at == now + 8 * MINUTE
    assert found.urgency_at < now + 8 * MINUTE
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert actions(shop) == [
        ("sla_warned", "checkout", 75, 0),
        ("sla_breached", "checkout", 100, 0),
    ]
    assert only_case(shop).due_at == now + 15 * MINUTE


def test_a_renewed_reservation_gives_time_again(shop: Shop, clock: Clock) -> None:
    now = clock.now
    decline(shop, now, reserved_until=now + 8 * MINUTE)
    later = now + 12 * MINUTE
    send(shop, "checkout_step_viewed", now + MINUTE, checkout_ref="c-1", reserved_until=later)
    assert only_case(shop).due_at == only_case(shop).checkout_due == later
    decline(shop, now + 2 * MINUTE, reserved_until=now + 10 * MINUTE)
    assert only_case(shop).due_at == now + 10 * MINUTE


@pytest.mark.parametrize("odd", ["soon", 12, "2030-01-01T00:00:00", None, ["2030"]])
def test_what_is_no_instant_is_left_out(shop: Shop, clock: Clock, odd: Any) -> None:
    decline(shop, clock.now, reserved_until=odd)
    assert only_case(shop).checkout_due is None


def test_the_queue_shows_the_checkouts_time(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now, reserved_until=clock.now + 8 * MINUTE)

    @shop.cases.agent_loader
    def load_agent() -> Agent | None:
        return LIN

    page = shop.app.test_client().get("/checkout-case/agent/")
    assert page.status_code == 200
    assert "Checkout" in page.text
