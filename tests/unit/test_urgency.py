from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.urgency import LEAD, ODDS, TAU, WITHOUT_DUE, standing, urgency_at
from flask_checkout_case.types import FailureClass, Priority

START = datetime(2026, 3, 1, 12, tzinfo=UTC)

dues = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda passed: START + passed)
values = st.one_of(
    st.none(), st.decimals(0, 10**12, places=2, allow_nan=False, allow_infinity=False)
)
classes = st.one_of(st.none(), st.sampled_from(FailureClass))
priorities = st.sampled_from(Priority)


@given(dues, dues, values, classes, priorities)
def test_what_is_due_earlier_stands_earlier(
    due: datetime,
    other: datetime,
    value: Decimal | None,
    failure: FailureClass | None,
    priority: Priority,
) -> None:
    first = urgency_at(min(due, other), START, value, failure, priority)
    assert first <= urgency_at(max(due, other), START, value, failure, priority)


@given(dues, values, values, classes, priorities)
def test_what_is_worth_more_stands_no_later(
    due: datetime,
    value: Decimal | None,
    other: Decimal | None,
    failure: FailureClass | None,
    priority: Priority,
) -> None:
    more, less = sorted([value or Decimal(0), other or Decimal(0)], reverse=True)
    at_more = urgency_at(due, START, more, failure, priority)
    assert at_more <= urgency_at(due, START, less, failure, priority)


@given(dues, values, classes)
def test_a_higher_priority_stands_earlier(
    due: datetime, value: Decimal | None, failure: FailureClass | None
) -> None:
    places = [urgency_at(due, START, value, failure, priority) for priority in Priority]
    assert places == sorted(places, reverse=True)


def test_the_formula() -> None:
    due = START + timedelta(minutes=15)
    found = urgency_at(due, START, Decimal(14), FailureClass.SOFT, Priority.NORMAL)
    assert found == due - 3 * TAU
    urgent = urgency_at(due, START, None, None, Priority.URGENT)
    assert urgent == due - LEAD[Priority.URGENT]


def test_a_case_without_a_due_time_has_a_place_too() -> None:
    assert urgency_at(None, START, None, None, Priority.NORMAL) == START + WITHOUT_DUE


def test_every_class_has_odds() -> None:
    assert set(ODDS) == set(FailureClass)
    assert all(0 < odds < 1 for odds in ODDS.values())


@given(st.none() | dues, values, classes, priorities)
def test_what_is_told_of_a_place_adds_up_to_it(
    due: datetime | None,
    value: Decimal | None,
    failure: FailureClass | None,
    priority: Priority,
) -> None:
    told = standing(due, START, value, failure, priority)
    assert told.at == urgency_at(due, START, value, failure, priority)
    assert told.due - told.by_value - told.by_priority == told.at
    assert told.promised == (due is not None)
    assert told.by_value >= timedelta(0)
