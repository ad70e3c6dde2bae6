"""What cases count as in reports, and when a day is counted again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case import Money
from flask_checkout_case.rules.policy_values import Rates
from flask_checkout_case.rules.tally import (
    BANDS,
    DAYS,
    Count,
    Counted,
    State,
    band_of,
    count,
    day_to_count,
)
from flask_checkout_case.types import Outcome

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
RATES = Rates("USD", {"EUR": Decimal("1.10")})
MINUTES = st.integers(0, 600).map(lambda number: timedelta(minutes=number))
CASES = st.lists(
    st.builds(
        Counted,
        checkout=st.sampled_from(["c-1", "c-2", "c-3"]),
        team=st.sampled_from(["payments", "risk"]),
        category=st.just("payment_declined"),
        failure_class=st.sampled_from([None, "funds"]),
        provider=st.sampled_from([None, "stripe"]),
        value=st.one_of(st.none(), st.integers(1, 10**6).map(lambda n: Money.minor(n, "USD"))),
        ended=st.booleans(),
        outcome=st.sampled_from([None, *Outcome]),
        answered_in=st.one_of(st.none(), MINUTES),
        due_in=st.one_of(st.none(), MINUTES),
        overdue=st.booleans(),
    ),
    max_size=12,
)


def case(**told: object) -> Counted:
    given = {
        "checkout": "c-1",
        "team": "payments",
        "category": "payment_declined",
        "failure_class": "funds",
        "provider": "stripe",
        "value": Money("100.00", "USD"),
        "ended": True,
        "outcome": Outcome.ASSISTED,
    }
    return Counted(**{**given, **told})  # type: ignore[arg-type]


@given(CASES)
def test_each_case_is_counted_once_and_each_purchase_once(cases: list[Counted]) -> None:
    found = count(cases, RATES)
    total = sum(found.values(), Count())
    assert total.cases == len(cases)
    assert total.in_time <= total.due <= total.cases
    assert total.answered <= total.cases
    values: dict[str, set[int]] = {}
    for one in cases:
        values.setdefault(one.checkout, set()).add(one.value.minor_units if one.value else 0)
    assert sum(min(found) for found in values.values()) <= total.value_minor
    assert total.value_minor <= sum(max(found) for found in values.values())
    assert Counter(kind.team for kind in found) <= Counter(
        {team: len(found) for team in ("payments", "risk")}
    )


def test_who_had_the_strongest_part_in_a_purchase_has_all_of_its_credit() -> None:
    cases = [
        case(outcome=Outcome.SELF_RECOVERED),
        case(outcome=Outcome.ASSISTED),
        case(outcome=Outcome.RESCUED),
    ]
    found = {kind.state: one.value_minor for kind, one in count(cases, RATES).items()}
    assert found == {State.ALONE: 0, State.HELPED: 10_000, State.LINK: 0}


@pytest.mark.parametrize(
    ("amount", "currency", "band"),
    [
        ("0.01", "USD", BANDS[0]),
        ("100.00", "USD", BANDS[0]),
        ("100.01", "USD", BANDS[1]),
        ("5000.00", "USD", BANDS[2]),
        ("5000.01", "USD", BANDS[3]),
        ("4600.00", "EUR", BANDS[3]),
        ("10.00", "GBP", "unknown"),
    ],
)
def test_bands_are_of_the_policys_currency(amount: str, currency: str, band: str) -> None:
    assert band_of(Money(amount, currency), RATES) == band


def test_amounts_are_added_up_in_the_policys_currency() -> None:
    (one,) = count([case(value=Money("10.01", "EUR"))], RATES).values()
    assert one.value_minor == 1101


@pytest.mark.parametrize(
    ("told", "due", "in_time"),
    [
        ({"answered_in": timedelta(minutes=15), "due_in": timedelta(minutes=15)}, 1, 1),
        ({"answered_in": timedelta(minutes=16), "due_in": timedelta(minutes=15)}, 1, 0),
        ({"due_in": timedelta(minutes=15), "overdue": True}, 1, 0),
        ({"due_in": timedelta(minutes=15)}, 0, 0),
        ({"answered_in": timedelta(minutes=15)}, 0, 0),
    ],
)
def test_what_is_in_time(told: dict[str, object], due: int, in_time: int) -> None:
    (one,) = count([case(**told)], RATES).values()
    assert (one.due, one.in_time) == (due, in_time)


def test_days_that_were_never_counted_come_first_and_all_of_them_come() -> None:
    counted: dict[date, datetime] = {}
    for _ in range(DAYS + 1):
        day = day_to_count(counted, NOW)
        assert day is not None
        assert day not in counted
        counted[day] = NOW
    assert day_to_count(counted, NOW) is None


@given(st.integers(0, DAYS), st.integers(0, 10_000))
def test_young_days_are_counted_often(age: int, minutes: int) -> None:
    days = [NOW.date() - timedelta(days=number) for number in range(DAYS + 1)]
    counted = dict.fromkeys(days, NOW)
    counted[days[age]] = NOW - timedelta(minutes=minutes)
    wait = {0: 1, 1: 15}.get(age, 180)
    assert day_to_count(counted, NOW) == (days[age] if minutes >= wait else None)
