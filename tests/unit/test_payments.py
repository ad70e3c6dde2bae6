"""What the reports about a checkout's payments say together."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.payments import (
    ASK_UNTIL,
    Attempt,
    Conflict,
    Limits,
    Report,
    State,
    ask_again_at,
    attempts_of,
    check_at,
    judge,
)
from flask_checkout_case.rules.policy import Payments

SECOND = timedelta(seconds=1)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMITS = Limits(order_within=timedelta(minutes=10), action_within=timedelta(minutes=10))


def report(name: str, minute: float = 0, **data: Any) -> Report:
    return Report(
        f"payment_{name}", NOON + timedelta(minutes=minute), {"provider": "stripe", **data}
    )


def states(*reports: Report) -> list[State]:
    return [one.state for one in attempts_of(reports)]


def verdict(*reports: Report, minute: float, ordered: bool = False) -> Any:
    now = NOON + timedelta(minutes=minute)
    return judge(attempts_of(reports), now, LIMITS, ordered=ordered)


def test_the_return_page_and_the_webhook_of_one_payment_are_one() -> None:
    page = report("succeeded", 0, payment_id="pi_1")
    webhook = report("succeeded", 1, payment_id="pi_1", attempt_id="ch_1")
    for told in permutations([page, webhook]):
        found = attempts_of(told)
        assert [(one.payment_id, one.attempt_id) for one in found] == [("pi_1", "ch_1")]


def test_a_payment_that_is_tried_again_is_another_attempt() -> None:
    first = report("failed", 0, payment_id="pi_1", attempt_id="ch_1")
    second = report("failed", 1, payment_id="pi_1", attempt_id="ch_2")
    third = report("succeeded", 2, payment_id="pi_1", attempt_id="ch_3")
    assert states(first, second, third) == [State.FAILED, State.FAILED, State.SUCCEEDED]


def test_a_gateway_that_tells_whole_seconds_is_not_before_the_shop() -> None:
    begun = Report("payment_started", NOON + 0.3 * SECOND, {"payment_id": "pi_1"})
    ended = Report("payment_failed", NOON, {"payment_id": "pi_1", "attempt_id": "ch_1"})
    (attempt,) = attempts_of([ended, begun])
    assert attempt.state is State.FAILED
    assert attempt.began_at <= attempt.ended_at


def test_a_failure_told_late_takes_no_success_back() -> None:
    paid = report("succeeded", 0, attempt_id="ch_1")
    failed = report("failed", 5, attempt_id="ch_1")
    assert states(paid, failed) == [State.SUCCEEDED]


def test_an_unknown_outcome_is_settled_by_whatever_comes_later() -> None:
    unknown = report("failed", 0, payment_id="pi_1", outcome="unknown")
    assert states(unknown) == [State.UNKNOWN]
    assert states(unknown, report("succeeded", 1, payment_id="pi_1")) == [State.SUCCEEDED]
    assert states(unknown, report("failed", 1, payment_id="pi_1", attempt_id="ch_1")) == [
        State.FAILED
    ]


@pytest.mark.parametrize(
    "second",
    [
        {"payment_id": "pi_2"},
        {"payment_id": "pi_1", "attempt_id": "ch_2"},
        {"attempt_id": "ch_2"},
        {"provider": "paypal", "payment_id": "5O1"},
    ],
)
def test_two_charges_are_found_at_once(second: dict[str, str]) -> None:
    first = report("succeeded", 0, payment_id="pi_1", attempt_id="ch_1")
    found = verdict(first, report("succeeded", 1, **second), minute=1, ordered=True)
    assert found.conflicts == (Conflict.CHARGED_TWICE,)


@pytest.mark.parametrize("second", [{}, {"payment_id": "pi_1"}, {"attempt_id": "ch_1"}])
def test_what_may_be_the_same_charge_is_no_second_one(second: dict[str, str]) -> None:
    first = report("succeeded", 0, payment_id="pi_1", attempt_id="ch_1")
    assert not verdict(first, report("succeeded", 1, **second), minute=60, ordered=True).conflicts


def test_ids_of_two_kinds_tell_nothing_about_each_other() -> None:
    told = report("succeeded", 0, payment_id="pi_1"), report("succeeded", 1, attempt_id="ch_1")
    assert not verdict(*told, minute=60, ordered=True).conflicts


def test_money_without_an_order_is_found_after_its_time_and_not_before() -> None:
    paid = report("succeeded", 0, payment_id="pi_1")
    early = verdict(paid, minute=9.9)
    assert (early.conflicts, early.check_at) == ((), NOON + timedelta(minutes=10))
    assert verdict(paid, minute=10).conflicts == (Conflict.CHARGED_WITHOUT_ORDER,)
    assert verdict(paid, minute=10, ordered=True).conflicts == ()


def test_where_nobody_tells_of_orders_none_is_missed() -> None:
    paid = attempts_of([report("succeeded", 0, payment_id="pi_1")])
    found = judge(paid, NOON + timedelta(days=9), Limits(None, LIMITS.action_within), ordered=False)
    assert (found.conflicts, found.check_at) == ((), None)


def test_a_confirmation_that_never_comes_has_failed() -> None:
    asked = report("started", 0, payment_id="pi_1", action=True)
    assert verdict(asked, minute=9).check_at == NOON + timedelta(minutes=10)
    assert [one.payment_id for one in verdict(asked, minute=10).expired] == ["pi_1"]
    assert not verdict(asked, report("succeeded", 3, payment_id="pi_1"), minute=99).expired
    assert not verdict(asked, report("canceled", 3, payment_id="pi_1"), minute=99).expired
    assert not verdict(asked, report("failed", 3, payment_id="pi_1"), minute=99).expired
    assert not verdict(asked, report("started", 3, payment_id="pi_2"), minute=99).expired


def test_the_gateway_is_asked_about_unknown_money_for_a_day() -> None:
    (unknown,) = attempts_of([report("failed", 0, payment_id="pi_1", outcome="unknown")])
    asked, now = 0, NOON
    while (due := ask_again_at(unknown, now)) is not None:
        assert due > now
        now, asked = due, asked + 1
        assert judge([unknown], now, LIMITS, ordered=False).to_ask == (unknown,)
    assert now - NOON <= ASK_UNTIL
    assert 10 <= asked <= 13


def test_what_calls_for_a_judgement() -> None:
    allowed = Payments()
    assert check_at("payment_succeeded", NOON, {}, allowed) == NOON
    assert check_at("payment_failed", NOON, {}, allowed) is None
    assert check_at("payment_started", NOON, {}, allowed) is None
    assert check_at("payment_started", NOON, {"action": True}, allowed) == NOON + timedelta(
        minutes=10
    )
    asked = check_at("payment_failed", NOON, {"outcome": "unknown"}, allowed)
    assert asked == NOON + timedelta(seconds=30)
    assert check_at("order_completed", NOON, {}, allowed) is None


REPORTS = st.lists(
    st.builds(
        lambda name, minute, pi, ch, unknown: report(
            name,
            minute,
            **({"payment_id": pi} if pi else {}),
            **({"attempt_id": ch} if ch else {}),
            **({"outcome": "unknown"} if unknown and name == "failed" else {}),
        ),
        st.sampled_from(["started", "failed", "succeeded", "canceled"]),
        st.integers(0, 30),
        st.sampled_from([None, "pi_1", "pi_2"]),
        st.sampled_from([None, "ch_1", "ch_2"]),
        st.booleans(),
    ),
    max_size=8,
)


@given(REPORTS, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(told: list[Report], random: Any) -> None:
    # Reports of one instant and state may fold either way: these differ by a moment.
    told = [
        Report(one.name, one.at + timedelta(milliseconds=place), one.data)
        for place, one in enumerate(told)
    ]
    shuffled = list(told)
    random.shuffle(shuffled)
    assert attempts_of(shuffled) == attempts_of(told)


@given(REPORTS)
def test_money_is_never_forgotten(told: list[Report]) -> None:
    paid = any(one.name == "payment_succeeded" for one in told)
    assert any(one.state is State.SUCCEEDED for one in attempts_of(told)) == paid


@given(REPORTS)
def test_no_report_makes_more_than_one_attempt(told: list[Report]) -> None:
    found: list[Attempt] = attempts_of(told)
    assert len(found) <= len(told)
    assert bool(found) == bool(told)
