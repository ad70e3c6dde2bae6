"""Nobody is spoken to more often than the policy says, and the same people are always held out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules import prompts
from flask_checkout_case.rules.policy_hesitation import HeldOut, Prompts
from flask_checkout_case.rules.prompts import Contact

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RULE = Prompts()
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


def spoken(*ages: timedelta, here: bool = False) -> list[Contact]:
    return [Contact(NOW - age, here) for age in ages]


@pytest.mark.parametrize(
    ("contacts", "allowed"),
    [
        ([], True),
        (spoken(DAY), True),
        (spoken(DAY - SECOND), False),
        (spoken(2 * DAY, 3 * DAY), True),
        (spoken(2 * DAY, 3 * DAY, 4 * DAY), False),
        (spoken(2 * DAY, 3 * DAY, 30 * DAY), True),
        (spoken(90 * DAY, here=True), False),
        ([Contact(NOW - 9 * DAY, dismissed_at=NOW - 7 * DAY)], True),
        ([Contact(NOW - 9 * DAY, dismissed_at=NOW - 7 * DAY + SECOND)], False),
    ],
)
def test_the_budget(contacts: list[Contact], allowed: bool) -> None:
    assert prompts.may_prompt(RULE, contacts, NOW) is allowed


@given(st.lists(st.integers(0, 60 * 24 * 40), max_size=60))
def test_however_often_it_is_wanted_the_budget_holds(minutes: list[int]) -> None:
    said: list[datetime] = []
    for minute in sorted(minutes):
        now = NOW + timedelta(minutes=minute)
        if prompts.may_prompt(RULE, [Contact(at) for at in said], now):
            said.append(now)
    for at in said:
        assert sum(1 for other in said if timedelta(0) <= other - at < DAY) <= RULE.per_day
        assert sum(1 for other in said if timedelta(0) <= other - at < 30 * DAY) <= RULE.per_month


def test_nobody_is_held_out_unless_the_policy_says_so() -> None:
    assert {prompts.arm_of(HeldOut(), str(n)) for n in range(500)} == {prompts.TREATED}


def test_the_share_is_held_out_and_stays() -> None:
    rule = HeldOut(0.1, "spring")
    arms = [prompts.arm_of(rule, str(n)) for n in range(20_000)]
    assert arms == [prompts.arm_of(rule, str(n)) for n in range(20_000)]
    # Four standard deviations around a tenth.
    assert 0.0915 < arms.count(prompts.HELD_OUT) / len(arms) < 0.1085
    other = [prompts.arm_of(HeldOut(0.1, "autumn"), str(n)) for n in range(20_000)]
    assert arms != other


def test_a_greater_share_holds_out_the_same_and_more() -> None:
    few = {n for n in range(3000) if prompts.arm_of(HeldOut(0.05), str(n)) == prompts.HELD_OUT}
    many = {n for n in range(3000) if prompts.arm_of(HeldOut(0.2), str(n)) == prompts.HELD_OUT}
    assert few < many


@pytest.mark.parametrize(
    ("since", "paying"),
    [
        (None, False),
        (NOW, True),
        (NOW - timedelta(minutes=15) + SECOND, True),
        (NOW - timedelta(minutes=15), False),
    ],
)
def test_a_payment_under_way(since: datetime | None, paying: bool) -> None:
    assert prompts.is_paying(since, NOW) is paying
