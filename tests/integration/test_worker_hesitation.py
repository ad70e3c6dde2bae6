"""Hesitating buyers: one case, at the right time, and none for who has bought."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import select

from flask_checkout_case import signals
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services.hesitation import sweep_checkouts
from flask_checkout_case.types import Category, Origin, Outcome, Status
from tests.support.due import (
    MINUTE,
    Clock,
    cases,
    checkout,
    checkout_row,
    decline,
    entries,
    runtime_of,
    send,
)
from tests.support.shop import Shop

HIGH = "5200.00"


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


def start(shop: Shop, clock: Clock, value: str = HIGH, ref: str = "c-1") -> None:
    send(shop, "checkout_started", clock.now, checkout=checkout(ref, value, step="shipping"))


def test_no_progress_at_high_value_opens_one_case(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    clock.pass_by(10 * MINUTE - timedelta(seconds=1))
    assert sweep(runtime_of(shop)).checkouts == 0
    clock.pass_by(timedelta(seconds=1))
    assert sweep(runtime_of(shop)).checkouts == 1
    (case,) = cases(shop)
    assert (case.category, case.team) == (Category.HESITATION, "concierge")
    assert case.opened_at == clock.now
    assert "5,200.00" in case.subject
    assert "Ada" in case.subject
    (told,) = entries(shop, "signal")
    assert told.data == {
        "signal": "hesitation",
        "step": "shipping",
        "since": (clock.now - 10 * MINUTE).isoformat(),
        "minutes": 10,
    }
    clock.pass_by(timedelta(days=1))
    sweep(runtime_of(shop))
    assert len(cases(shop)) == 1
    assert checkout_row(shop).hesitated_at is not None


def test_the_case_comes_from_the_sweep(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    clock.pass_by(10 * MINUTE)
    sweep(runtime_of(shop))
    with runtime_of(shop).read() as session:
        row = session.scalars(select(CaseRow)).one()
    assert (row.origin, row.protocol) == (Origin.SWEEP, "white-glove")


def test_exactly_the_amount_is_not_over_it(shop: Shop, clock: Clock) -> None:
    start(shop, clock, "5000.00")
    clock.pass_by(timedelta(hours=1))
    assert sweep(runtime_of(shop)).checkouts == 0
    assert cases(shop) == []


def test_progress_starts_the_time_anew(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    clock.pass_by(9 * MINUTE)
    send(shop, "checkout_step_completed", clock.now, checkout=checkout("c-1", HIGH))
    clock.pass_by(9 * MINUTE)
    assert sweep(runtime_of(shop)).checkouts == 0
    clock.pass_by(MINUTE)
    assert sweep(runtime_of(shop)).checkouts == 1


def test_who_left_while_the_worker_was_down_is_let_go(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    clock.pass_by(timedelta(days=3))
    sweep(runtime_of(shop))
    assert cases(shop) == []
    assert checkout_row(shop).wake_at is None


def test_who_comes_back_and_wavers_again_is_helped(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    clock.pass_by(timedelta(days=3))
    sweep(runtime_of(shop))
    back = checkout("c-1", HIGH, step="shipping")
    send(shop, "checkout_step_viewed", clock.now, checkout=back)
    clock.pass_by(10 * MINUTE)
    sweep(runtime_of(shop))
    assert len(cases(shop)) == 1


def test_a_sign_after_the_case_is_weighed_though_the_page_is_shown_again(
    shop: Shop, clock: Clock
) -> None:
    start(shop, clock)
    clock.pass_by(10 * MINUTE)
    sweep(runtime_of(shop))
    where = checkout("c-1", HIGH, step="shipping")
    send(shop, "coupon_rejected", clock.now, checkout=where, code="WELCOME99")
    clock.pass_by(timedelta(seconds=1))
    send(shop, "checkout_step_viewed", clock.now, checkout=where)
    clock.pass_by(timedelta(seconds=5))
    sweep(runtime_of(shop))
    reasons = checkout_row(shop).score_reasons or []
    assert "coupon_rejected" in [one["kind"] for one in reasons]


def test_a_purchase_before_leaves_nothing_to_do(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    send(shop, "order_completed", clock.now + MINUTE, checkout_ref="c-1", order_ref="O-1")
    clock.pass_by(timedelta(hours=1))
    assert sweep(runtime_of(shop)).checkouts == 0
    assert cases(shop) == []


def test_a_purchase_afterwards_closes_the_case(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    clock.pass_by(10 * MINUTE)
    sweep(runtime_of(shop))
    send(shop, "order_completed", clock.now + MINUTE, checkout_ref="c-1", order_ref="O-1")
    (case,) = cases(shop)
    assert (case.status, case.outcome) == (Status.CLOSED, Outcome.SELF_RECOVERED)


def test_hesitation_joins_an_open_payment_case(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    decline(shop, clock.now + MINUTE, checkout=checkout("c-1", HIGH))
    clock.pass_by(timedelta(hours=1))
    sweep(runtime_of(shop))
    (case,) = cases(shop)
    assert case.category is Category.PAYMENT_DECLINED
    assert [line.data["signal"] for line in entries(shop, "signal") if line.data] == [
        "payment_failed",
        "hesitation",
    ]


def test_a_purchase_in_the_spool_comes_first(shop: Shop, clock: Clock) -> None:
    start(shop, clock)
    clock.pass_by(10 * MINUTE)
    with shop.app.test_request_context():
        # In the middle of a request: spooled, and not in the database yet.
        signals.order_completed.send(
            shop.app, checkout_ref="c-1", order_ref="O-1", at=clock.now - MINUTE
        )
    sweep(runtime_of(shop))
    assert cases(shop, category="hesitation", status=["new", "open", "waiting"]) == []


@pytest.mark.slow
def test_a_purchase_at_the_same_moment_leaves_no_open_case(shop: Shop, clock: Clock) -> None:
    failed: list[BaseException] = []
    rounds = 20
    for number in range(rounds):
        start(shop, clock, ref=f"c-{number}")
    clock.pass_by(10 * MINUTE)

    def buy(together: threading.Barrier, ref: str) -> None:
        try:
            together.wait()
            send(shop, "order_completed", clock.now, checkout_ref=ref, order_ref=f"O-{ref}")
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failed.append(error)

    for number in range(rounds):
        together = threading.Barrier(2)
        buyer = threading.Thread(target=buy, args=(together, f"c-{number}"))
        buyer.start()
        together.wait()
        sweep_checkouts(runtime_of(shop))
        buyer.join(30)
    with shop.app.app_context():
        shop.cases.flush()
    assert not failed
    assert cases(shop, category="hesitation", status=["new", "open", "waiting"]) == []
