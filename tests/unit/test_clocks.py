from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules import clocks
from flask_checkout_case.rules.clocks import Dues
from flask_checkout_case.rules.policy import Sla

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PAYMENT = Sla(
    "payment",
    first_response=15 * MINUTE,
    next_response=30 * MINUTE,
    resolution=timedelta(hours=4),
)


def test_a_new_case_is_due_from_its_opening() -> None:
    dues = clocks.first_dues(PAYMENT, START)
    assert dues == Dues(START + 15 * MINUTE, None, START + timedelta(hours=4))
    assert dues.earliest == START + 15 * MINUTE


def test_nothing_is_due_without_a_service_level() -> None:
    assert clocks.first_dues(None, START) == Dues()
    assert Dues().earliest is None


def test_the_first_answer_stops_the_first_clock() -> None:
    dues = clocks.recompute(PAYMENT, START, START + MINUTE, None)
    assert dues == Dues(None, None, START + timedelta(hours=4))


def test_an_unanswered_message_is_due_from_when_it_was_written() -> None:
    asked = START + 60 * MINUTE
    dues = clocks.recompute(PAYMENT, START, START + MINUTE, asked)
    assert dues.next_response == asked + 30 * MINUTE


def test_before_the_first_answer_a_message_adds_no_clock() -> None:
    assert clocks.recompute(PAYMENT, START, None, START).next_response is None


def test_an_ended_case_is_due_no_more() -> None:
    assert clocks.recompute(PAYMENT, START, None, None, ended=True) == Dues()


def test_thresholds_fire_at_three_quarters_and_at_the_end() -> None:
    dues = Dues(first_response=START + 20 * MINUTE)
    assert clocks.wake_at(dues, START, []) == START + 15 * MINUTE
    (warning,) = clocks.fired_now(dues, START, [], START + 15 * MINUTE)
    assert (warning.clock, warning.percent) == ("first_response", 75)
    assert clocks.wake_at(dues, START, [warning.key]) == START + 20 * MINUTE
    (breach,) = clocks.fired_now(dues, START, [warning.key], START + 20 * MINUTE)
    assert breach.percent == 100
    assert breach.key == f"first_response:100:{dues.first_response:%Y-%m-%dT%H:%M:%S+00:00}"
    assert clocks.wake_at(dues, START, [warning.key, breach.key]) is None


def test_another_due_time_is_another_threshold() -> None:
    first = clocks.fired_now(Dues(next_response=START), START, [], START, START - 30 * MINUTE)
    again = Dues(next_response=START + 60 * MINUTE)
    keys = [one.key for one in first]
    later = clocks.fired_now(again, START, keys, START + 60 * MINUTE, START + 30 * MINUTE)
    assert [one.percent for one in later] == [75, 100]


instants = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda passed: START + passed)
lengths = st.one_of(st.none(), st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
slas = st.builds(
    Sla, st.just("x"), first_response=lengths, next_response=lengths, resolution=lengths
)
steps = st.lists(st.timedeltas(timedelta(0), timedelta(days=40)), max_size=12)


@given(slas, instants, steps, st.booleans(), st.booleans())
def test_each_threshold_fires_once_never_early_and_however_late(
    sla: Sla, opened_at: datetime, steps: list[timedelta], answered: bool, asked: bool
) -> None:
    since = opened_at + MINUTE if asked else None
    dues = clocks.recompute(sla, opened_at, opened_at + MINUTE if answered else None, since)
    expected = list(clocks.thresholds(dues, opened_at, since))
    fired: list[str] = []
    now = opened_at
    for step in [*steps, timedelta(days=900)]:
        now += step
        for one in clocks.fired_now(dues, opened_at, fired, now, since):
            assert one.at <= now
            assert one.key not in fired
            fired.append(one.key)
        wake = clocks.wake_at(dues, opened_at, fired, since)
        assert wake is None or wake > now
    assert sorted(fired) == sorted(one.key for one in expected)
    assert len(set(fired)) == len(fired)


@given(slas, instants)
def test_waking_at_the_next_threshold_misses_none(sla: Sla, opened_at: datetime) -> None:
    dues, fired = clocks.first_dues(sla, opened_at), list[str]()
    while (now := clocks.wake_at(dues, opened_at, fired)) is not None:
        reached = clocks.fired_now(dues, opened_at, fired, now)
        assert reached
        fired += [one.key for one in reached]
    assert len(fired) == len(list(clocks.thresholds(dues, opened_at)))


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_jumps_fires_nothing_twice(jump: timedelta) -> None:
    dues = Dues(first_response=START + 20 * MINUTE)
    now = START + 16 * MINUTE
    fired = [one.key for one in clocks.fired_now(dues, START, [], now)]
    jumped = [one.key for one in clocks.fired_now(dues, START, fired, now + jump)]
    assert not set(fired) & set(jumped)
