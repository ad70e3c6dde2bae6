from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules import clocks
from flask_checkout_case.rules.calendars import Calendar, Shift
from flask_checkout_case.rules.clocks import Course, Dues, Promise
from flask_checkout_case.rules.pauses import WAITING_MOST, follow_status, standing
from flask_checkout_case.rules.policy import Sla, Step
from flask_checkout_case.types import Priority, Status

START = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
PAYMENT = Sla("payment", first_response=15 * MINUTE, next_response=30 * MINUTE, resolution=4 * HOUR)
OFFICE = Calendar("o", ZoneInfo("UTC"), dict.fromkeys(range(5), (Shift(9 * 3600, 17 * 3600),)))
NEW = Course(START)


def span(start: timedelta, end: timedelta | None, *kind: str) -> list[str | None]:
    return [(START + start).isoformat(), (START + end).isoformat() if end else None, *kind]


def moments(found: list[clocks.Threshold]) -> list[tuple[str, int, timedelta]]:
    return [(one.clock, one.percent, one.after) for one in found]


def test_a_new_case_is_due_from_its_opening() -> None:
    dues = clocks.first_dues(PAYMENT, START)
    assert dues == Dues(START + 15 * MINUTE, None, START + 4 * HOUR)
    assert dues.earliest == START + 15 * MINUTE


def test_nothing_is_due_without_a_service_level() -> None:
    assert clocks.first_dues(None, START) == Dues()
    assert Dues().earliest is None


def test_the_first_answer_stops_the_first_clock() -> None:
    dues = clocks.recompute(Promise(PAYMENT), replace(NEW, first_response_at=START + MINUTE))
    assert dues == Dues(None, None, START + 4 * HOUR)


def test_an_unanswered_message_is_due_from_when_it_was_written() -> None:
    asked = START + HOUR
    course = Course(START, START + MINUTE, asked)
    assert clocks.recompute(Promise(PAYMENT), course).next_response == asked + 30 * MINUTE


def test_before_the_first_answer_a_message_adds_no_clock() -> None:
    course = replace(NEW, unanswered_since=START)
    assert clocks.recompute(Promise(PAYMENT), course).next_response is None


def test_an_ended_case_is_due_no_more() -> None:
    assert clocks.recompute(Promise(PAYMENT), replace(NEW, ended=True)) == Dues()


def test_time_runs_in_the_hours_of_the_calendar() -> None:
    late = START + 4.9 * HOUR  # six minutes before closing
    dues = clocks.first_dues(PAYMENT, late, OFFICE)
    assert dues.first_response == datetime(2026, 3, 3, 9, 9, tzinfo=UTC)
    (warning, breach) = (
        one
        for one in clocks.thresholds(Promise(PAYMENT, OFFICE), Course(late))
        if one.clock == "first_response"
    )
    assert warning.at == datetime(2026, 3, 3, 9, 5, 15, tzinfo=UTC)
    assert breach.at == breach.due == dues.first_response


def test_the_checkout_may_run_out_first() -> None:
    course = replace(NEW, checkout_due=START + 8 * MINUTE)
    dues = clocks.recompute(Promise(PAYMENT), course)
    assert dues.earliest == dues.checkout == START + 8 * MINUTE
    passed = clocks.fired_now(Promise(PAYMENT), course, [], START + 9 * MINUTE)
    assert moments(passed) == [("checkout", 75, 0 * MINUTE), ("checkout", 100, 0 * MINUTE)]
    over = clocks.recompute(Promise(PAYMENT), course, [one.key for one in passed])
    assert over.earliest == START + 15 * MINUTE


# --- thresholds ----------------------------------------------------------------------------------

ONLY_FIRST = Sla("first", first_response=20 * MINUTE)


def test_thresholds_fire_at_three_quarters_and_at_the_end() -> None:
    promise = Promise(ONLY_FIRST)
    assert clocks.wake_at(promise, NEW, []) == START + 15 * MINUTE
    (warning,) = clocks.fired_now(promise, NEW, [], START + 15 * MINUTE)
    assert (warning.clock, warning.percent, warning.breaches) == ("first_response", 75, False)
    assert clocks.wake_at(promise, NEW, [warning.key]) == START + 20 * MINUTE
    (breach,) = clocks.fired_now(promise, NEW, [warning.key], START + 20 * MINUTE)
    assert breach.breaches
    assert breach.key == "first_response:100:1"
    assert clocks.wake_at(promise, NEW, [warning.key, breach.key]) is None


def test_steps_add_their_moments() -> None:
    steps = (
        Step(percent=50, notify=("assignee",)),
        Step(percent=100, priority=Priority.URGENT),
        Step(percent=100, notify=("team",)),
        Step(after=15 * MINUTE, team="supervisors"),
        Step("resolution", percent=90),
    )
    promise = Promise(replace(ONLY_FIRST, escalate=steps))
    found = clocks.fired_now(promise, NEW, [], START + 35 * MINUTE)
    assert moments(found) == [
        ("first_response", 50, 0 * MINUTE),
        ("first_response", 75, 0 * MINUTE),
        ("first_response", 100, 0 * MINUTE),
        ("first_response", 100, 15 * MINUTE),
    ]
    assert [len(one.steps) for one in found] == [1, 0, 2, 1]
    assert [one.breaches for one in found] == [False, False, True, False]
    assert found[-1].key == "first_response:100+900:1"


def test_another_unanswered_message_is_another_threshold() -> None:
    promise = Promise(PAYMENT)
    first = Course(START, START, START + 10 * MINUTE)
    keys = [one.key for one in clocks.fired_now(promise, first, [], START + HOUR)]
    again = replace(first, unanswered_since=START + HOUR)
    later = clocks.fired_now(promise, again, keys, START + 2 * HOUR)
    assert moments(later) == [("next_response", p, 0 * MINUTE) for p in (75, 100)]


def test_a_key_fits_the_timeline() -> None:
    promise = Promise(replace(PAYMENT, escalate=(Step("next_response", after=9999 * HOUR),)))
    course = Course(START, START, START, checkout_due=START + MINUTE, revision=123_456)
    keys = [f"step:{one.key}" for one in clocks.thresholds(promise, course)]
    assert max(map(len, keys)) <= 64


# --- pauses --------------------------------------------------------------------------------------


def test_waiting_for_the_customer_stands_still() -> None:
    waited = replace(NEW, first_response_at=START + HOUR, spans=[span(HOUR, 3 * HOUR)])
    assert clocks.recompute(Promise(PAYMENT), waited).resolution == START + 6 * HOUR


def test_waiting_counts_from_the_first_response_on() -> None:
    spans = [span(HOUR, 3 * HOUR)]
    assert clocks.recompute(Promise(PAYMENT), replace(NEW, spans=spans)).resolution == (
        START + 4 * HOUR
    )
    answered = replace(NEW, first_response_at=START + 2 * HOUR, spans=spans)
    assert clocks.recompute(Promise(PAYMENT), answered).resolution == START + 5 * HOUR


def test_waiting_is_capped_in_sum() -> None:
    two_days = [span(HOUR, 49 * HOUR), span(50 * HOUR, 98 * HOUR)]
    course = replace(NEW, first_response_at=START, spans=two_days)
    assert clocks.recompute(Promise(PAYMENT), course).resolution == START + 4 * HOUR + WAITING_MOST


def test_a_wait_that_lasts_is_taken_to_last_and_an_answer_brings_it_forward() -> None:
    waiting = replace(NEW, first_response_at=START, spans=[span(HOUR, None)])
    assert clocks.recompute(Promise(PAYMENT), waiting).resolution == START + 76 * HOUR
    answered = replace(waiting, spans=[span(HOUR, 2 * HOUR)])
    assert clocks.recompute(Promise(PAYMENT), answered).resolution == START + 5 * HOUR


def test_a_case_that_had_ended_goes_on_where_it_stopped() -> None:
    spans = [span(HOUR, 100 * HOUR, "ended")]
    dues = clocks.recompute(Promise(PAYMENT), replace(NEW, first_response_at=START, spans=spans))
    assert dues.resolution == START + 103 * HOUR


def test_the_history_follows_the_status() -> None:
    steps = [
        (Status.NEW, 0, []),
        (Status.WAITING, 1, [span(HOUR, None)]),
        (Status.WAITING, 2, [span(HOUR, None)]),
        (Status.OPEN, 3, [span(HOUR, 3 * HOUR)]),
        (Status.SOLVED, 4, [span(HOUR, 3 * HOUR), span(4 * HOUR, None, "ended")]),
        (Status.CLOSED, 5, [span(HOUR, 3 * HOUR), span(4 * HOUR, None, "ended")]),
        (Status.OPEN, 6, [span(HOUR, 3 * HOUR), span(4 * HOUR, 6 * HOUR, "ended")]),
    ]
    spans: list[list[str | None]] = []
    for status, hour, expected in steps:
        spans = follow_status(spans, status, START + hour * HOUR)
        assert spans == expected


def test_a_clock_that_jumps_back_makes_no_pause_of_less_than_nothing() -> None:
    spans = follow_status([], Status.WAITING, START)
    spans = follow_status(spans, Status.OPEN, START - HOUR)
    spans = follow_status(spans, Status.WAITING, START - HOUR)
    assert standing(spans, START - 9 * HOUR)[0].start == START


# --- changes of what is promised -----------------------------------------------------------------


def started(promise: Promise, course: Course, now: datetime) -> list[str]:
    _, fired = clocks.retarget(promise, course, [], now)
    return [*fired, *(one.key for one in clocks.fired_now(promise, course, fired, now))]


def test_the_same_promise_is_the_same_revision() -> None:
    fired = started(Promise(PAYMENT), NEW, START + HOUR)
    assert clocks.retarget(Promise(PAYMENT), NEW, fired, START + HOUR) == (1, fired)
    steps = Promise(replace(PAYMENT, escalate=(Step(percent=50),)))
    assert clocks.retarget(steps, NEW, fired, START + HOUR) == (1, fired)


@pytest.mark.parametrize(
    "promise",
    [
        Promise(replace(PAYMENT, key="other")),
        Promise(replace(PAYMENT, resolution=5 * HOUR)),
        Promise(PAYMENT, OFFICE),
        Promise(None),
    ],
)
def test_another_promise_is_another_revision(promise: Promise) -> None:
    fired = started(Promise(PAYMENT), NEW, START)
    revision, now = clocks.retarget(promise, NEW, fired, START)
    assert revision == 2
    assert clocks.retarget(promise, replace(NEW, revision=2), now, START) == (2, now)


def test_a_threshold_that_fired_stays_fired_and_a_later_promise_is_a_new_one() -> None:
    now = START + 16 * MINUTE
    fired = started(Promise(PAYMENT), NEW, now)
    longer = Promise(replace(PAYMENT, first_response=HOUR))
    revision, kept = clocks.retarget(longer, NEW, fired, now)
    course = replace(NEW, revision=revision)
    assert set(fired) - {Promise(PAYMENT).target} <= set(kept)
    assert clocks.fired_now(longer, course, kept, now) == []
    later = clocks.fired_now(longer, course, kept, START + HOUR)
    assert moments(later) == [("first_response", p, 0 * MINUTE) for p in (75, 100)]


def test_what_has_passed_by_both_promises_is_told_once() -> None:
    now = START + 16 * MINUTE
    fired = started(Promise(PAYMENT), NEW, now)
    shorter = Promise(replace(PAYMENT, first_response=10 * MINUTE))
    revision, kept = clocks.retarget(shorter, NEW, fired, now)
    assert clocks.fired_now(shorter, replace(NEW, revision=revision), kept, now) == []


# --- laws ----------------------------------------------------------------------------------------

instants = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda passed: START + passed)
lengths = st.one_of(st.none(), st.timedeltas(timedelta(seconds=1), timedelta(days=40)))
some_steps = st.lists(
    st.one_of(
        st.builds(Step, st.just("resolution"), percent=st.integers(1, 150)),
        st.builds(Step, st.just("first_response"), after=st.timedeltas(MINUTE, 9 * HOUR)),
    ),
    max_size=3,
).map(tuple)
slas = st.builds(
    Sla,
    st.just("x"),
    first_response=lengths,
    next_response=lengths,
    resolution=lengths,
    escalate=some_steps,
)
promises = st.builds(Promise, slas, st.sampled_from([None, OFFICE]))
passing = st.lists(st.timedeltas(timedelta(0), timedelta(days=40)), max_size=12)


@given(promises, instants, passing, st.booleans(), st.booleans())
def test_each_threshold_fires_once_never_early_and_however_late(
    promise: Promise, opened_at: datetime, steps: list[timedelta], answered: bool, asked: bool
) -> None:
    course = Course(
        opened_at,
        opened_at + MINUTE if answered else None,
        opened_at + MINUTE if asked else None,
    )
    expected = list(clocks.thresholds(promise, course))
    fired: list[str] = []
    now = opened_at
    for step in [*steps, timedelta(days=900)]:
        now += step
        for one in clocks.fired_now(promise, course, fired, now):
            assert one.at <= now
            assert one.key not in fired
            fired.append(one.key)
        wake = clocks.wake_at(promise, course, fired)
        assert wake is None or wake > now
    assert sorted(fired) == sorted(one.key for one in expected)
    assert len(set(fired)) == len(fired)


@given(promises, instants)
def test_waking_at_the_next_threshold_misses_none(promise: Promise, opened_at: datetime) -> None:
    course, fired = Course(opened_at), list[str]()
    while (now := clocks.wake_at(promise, course, fired)) is not None:
        reached = clocks.fired_now(promise, course, fired, now)
        assert reached
        fired += [one.key for one in reached]
    assert len(fired) == len(list(clocks.thresholds(promise, course)))


@given(
    promises,
    st.lists(st.sampled_from([*Status]), max_size=8),
    st.lists(st.timedeltas(timedelta(0), timedelta(days=3)), min_size=8, max_size=8),
)
def test_a_due_time_only_moves_to_where_time_stood_still(
    promise: Promise, statuses: list[Status], lasting: list[timedelta]
) -> None:
    spans: list[list[str | None]] = []
    now, before = START, clocks.recompute(promise, NEW).resolution
    for status, length in zip(statuses, lasting, strict=False):
        spans = follow_status(spans, status, now)
        now += length
    course = Course(START, START, spans=follow_status(spans, Status.OPEN, now))
    after = clocks.recompute(promise, course).resolution
    assert (before is None) == (after is None)
    assert before is None or after is None or after >= before


@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
def test_a_clock_that_jumps_fires_nothing_twice(jump: timedelta) -> None:
    promise, now = Promise(ONLY_FIRST), START + 16 * MINUTE
    fired = [one.key for one in clocks.fired_now(promise, NEW, [], now)]
    jumped = [one.key for one in clocks.fired_now(promise, NEW, fired, now + jump)]
    assert not set(fired) & set(jumped)
