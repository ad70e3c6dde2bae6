"""Charged without an order, charged twice, confirmed never, outcome unknown: seen by the sweep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from flask_checkout_case import CaseInfo, Order, signals
from flask_checkout_case.types import PaymentAttempt
from tests.support.due import Clock, checkout, work
from tests.support.shop import Shop

MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


def tell(shop: Shop, name: str, at: datetime, ref: str = "c-1", **data: Any) -> None:
    with shop.app.app_context():
        told = {"provider": "stripe", **data}
        getattr(signals, name).send(shop.app, checkout=checkout(ref), at=at, **told)
        shop.cases.flush()


def cases(shop: Shop, **wanted: Any) -> list[CaseInfo]:
    with shop.app.app_context():
        return shop.cases.find(checkout_ref="c-1", **wanted)


def conflicts(shop: Shop) -> list[CaseInfo]:
    return cases(shop, category="payment_conflict")


def orders_are_told(shop: Shop, clock: Clock) -> None:
    tell(shop, "order_completed", clock(), "another", order_ref="o-9")


def test_money_without_an_order_is_the_most_urgent_case(shop: Shop, clock: Clock) -> None:
    orders_are_told(shop, clock)
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert conflicts(shop) == []
    clock.pass_by(MINUTE)
    work(shop)
    (case,) = conflicts(shop)
    assert (case.priority, case.team, case.status) == ("urgent", "payments", "new")
    assert "Charged without an order" in case.subject


def test_an_order_in_time_is_no_case(shop: Shop, clock: Clock) -> None:
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    clock.pass_by(9 * MINUTE)
    tell(shop, "order_completed", clock(), order_ref="o-1")
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert cases(shop) == []


def test_an_order_that_comes_late_closes_its_case(shop: Shop, clock: Clock) -> None:
    orders_are_told(shop, clock)
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    clock.pass_by(10 * MINUTE)
    work(shop)
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1", attempt_id="ch_1")
    assert [case.status for case in conflicts(shop)] == ["new"], "another report is no order"
    tell(shop, "order_completed", clock(), order_ref="o-1")
    assert [(case.status, case.outcome) for case in conflicts(shop)] == [
        ("closed", "self_recovered")
    ]


def test_the_shop_is_asked_for_the_order_first(shop: Shop, clock: Clock) -> None:
    asked: list[str] = []

    @shop.cases.order_for_checkout
    def order_of(checkout_ref: str) -> Order | None:
        asked.append(checkout_ref)
        return Order(ref="o-1") if checkout_ref == "c-1" else None

    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    tell(shop, "payment_succeeded", clock(), "c-2", payment_id="pi_2")
    clock.pass_by(10 * MINUTE)
    work(shop)
    assert sorted(asked) == ["c-1", "c-2"]
    assert conflicts(shop) == []
    with shop.app.app_context():
        assert len(shop.cases.find(checkout_ref="c-2", category="payment_conflict")) == 1


def test_a_shop_that_tells_of_no_orders_has_no_such_case(shop: Shop, clock: Clock) -> None:
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    clock.pass_by(timedelta(days=1))
    work(shop)
    assert cases(shop) == []


def test_a_hook_that_fails_is_asked_again(shop: Shop, clock: Clock) -> None:
    broken = [True]

    @shop.cases.order_for_checkout
    def order_of(checkout_ref: str) -> Order | None:
        if broken[0]:
            raise RuntimeError("the shop's database is away")
        return None

    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    clock.pass_by(10 * MINUTE)
    work(shop)
    assert conflicts(shop) == []
    broken[0] = False
    clock.pass_by(5 * MINUTE)
    work(shop)
    assert len(conflicts(shop)) == 1


def test_two_charges_are_found_and_an_order_does_not_settle_them(shop: Shop, clock: Clock) -> None:
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    tell(shop, "payment_succeeded", clock(), provider="paypal", payment_id="5O1")
    work(shop)
    (case,) = conflicts(shop)
    assert case.priority == "urgent"
    assert "Charged twice" in case.subject
    tell(shop, "order_completed", clock(), order_ref="o-1")
    assert [one.status for one in conflicts(shop)] == ["new"]


def test_a_conflict_that_was_solved_is_not_opened_again(shop: Shop, clock: Clock) -> None:
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    tell(shop, "payment_succeeded", clock(), payment_id="pi_2")
    work(shop)
    with shop.app.app_context():
        shop.cases.solve(conflicts(shop)[0].reference)
    tell(shop, "payment_succeeded", clock(), payment_id="pi_2", attempt_id="ch_2")
    work(shop)
    assert [one.status for one in conflicts(shop)] == ["solved"]


def test_a_confirmation_that_never_comes_opens_a_case(shop: Shop, clock: Clock) -> None:
    tell(shop, "payment_started", clock(), payment_id="pi_1", action=True)
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert cases(shop) == []
    clock.pass_by(MINUTE)
    work(shop)
    work(shop)
    (case,) = cases(shop)
    assert (case.category, case.failure_class, case.occurrences) == ("authentication", "auth", 1)


def test_who_confirms_in_time_is_left_alone(shop: Shop, clock: Clock) -> None:
    tell(shop, "payment_started", clock(), payment_id="pi_1", action=True)
    clock.pass_by(9 * MINUTE)
    tell(shop, "payment_succeeded", clock(), payment_id="pi_1")
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert cases(shop) == []


@pytest.mark.parametrize(
    ("answer", "ends"),
    [
        (("payment_succeeded", {}), ("closed", "self_recovered", 1)),
        (("payment_failed", {"decline_code": "insufficient_funds"}), ("new", None, 2)),
        (None, ("new", None, 1)),
    ],
)
def test_the_gateway_is_asked_what_became_of_the_money(
    shop: Shop, clock: Clock, answer: Any, ends: tuple[str, str | None, int]
) -> None:
    asked: list[PaymentAttempt] = []

    @shop.cases.reconcile
    def reconcile(payment: PaymentAttempt) -> Any:
        asked.append(payment)
        return answer

    tell(
        shop,
        "payment_failed",
        clock(),
        payment_id="pi_1",
        failure_class="network",
        outcome="unknown",
    )
    work(shop)
    assert asked == []
    clock.pass_by(timedelta(seconds=30))
    work(shop)
    assert [(one.gateway, one.payment_id, one.checkout_ref) for one in asked] == [
        ("stripe", "pi_1", "c-1")
    ]
    (case,) = cases(shop)
    assert (case.status, case.outcome, case.occurrences) == ends
    clock.pass_by(30 * MINUTE)
    work(shop)
    assert len(asked) == (2 if answer is None else 1)


def test_a_late_failure_reopens_nothing(shop: Shop, clock: Clock) -> None:
    tell(shop, "payment_failed", clock(), attempt_id="ch_1", decline_code="insufficient_funds")
    tell(shop, "payment_succeeded", clock() + MINUTE, attempt_id="ch_2")
    tell(shop, "order_completed", clock() + MINUTE, order_ref="o-1")
    tell(shop, "payment_failed", clock() - MINUTE, attempt_id="ch_0", decline_code="do_not_honor")
    tell(
        shop, "payment_failed", clock() + 2 * MINUTE, attempt_id="ch_2", decline_code="do_not_honor"
    )
    clock.pass_by(timedelta(hours=1))
    work(shop)
    (case,) = cases(shop)
    assert (case.status, case.outcome) == ("closed", "self_recovered")
