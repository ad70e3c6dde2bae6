from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules import hesitation
from flask_checkout_case.rules.policy import Policy, load_policy, parse_policy
from flask_checkout_case.types import Money

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = load_policy(None)
HIGH = Money("5200.00", "USD")


def wake_at(
    value: Money | None = HIGH,
    *,
    policy: Policy = POLICY,
    paid: bool = False,
    ordered: bool = False,
    hesitated: bool = False,
) -> datetime | None:
    return hesitation.wake_at(policy, value, START, paid=paid, ordered=ordered, hesitated=hesitated)


def test_over_the_amount_it_is_time_after_the_policys_time() -> None:
    assert wake_at() == START + timedelta(minutes=10)


@pytest.mark.parametrize(
    "value", [Money(5000, "USD"), Money("4999.99", "USD"), Money(9000, "EUR"), None]
)
def test_nothing_else_hesitates(value: Money | None) -> None:
    assert wake_at(value) is None


@pytest.mark.parametrize("state", ["paid", "ordered", "hesitated"])
def test_what_is_settled_never_hesitates(state: str) -> None:
    assert wake_at(**{state: True}) is None  # type: ignore[arg-type]


def test_the_policy_can_switch_it_off() -> None:
    text = '[teams.a]\n[[routes]]\nname = "x"\nteam = "a"\n[hesitation]\nenabled = false\n'
    assert wake_at(policy=parse_policy(text, "p.toml")) is None


@given(st.timedeltas(timedelta(0), timedelta(hours=1)), st.integers(0, 10**7))
def test_exactly_from_the_due_instant_on(passed: timedelta, cents: int) -> None:
    value = Money.minor(cents, "USD")
    state = {"paid": False, "ordered": False, "hesitated": False}
    due = hesitation.wake_at(POLICY, value, START, **state)
    found = hesitation.hesitates(POLICY, value, START, START + passed, **state)
    assert found is (due is not None and START + passed >= due)
    assert (due is not None) is (cents > 500_000)
