from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_checkout_case.rules import surge
from flask_checkout_case.rules.surge import (
    NORMAL_FOR,
    OTHER,
    SILENCE,
    Alarm,
    Stream,
    Trial,
    Watch,
    stream_among,
)
from flask_checkout_case.types import FailureClass

START = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def trial(
    number: int, at: timedelta, group: str | None = None, customer: str | None = None
) -> Trial:
    return Trial(START + at, f"c-{number}", customer or f"k-{number}", group)


def traffic(
    minutes: int, rate: int, fails: float, *, seed: int = 1, after: timedelta = timedelta(0)
) -> list[Trial]:
    """Attempts of so many checkouts a minute, of which a share fails."""
    random = Random(seed)
    return [
        trial(
            int(after.total_seconds()) * 1000 + number,
            after + number * MINUTE / rate,
            "gateway" if random.random() < fails else None,
        )
        for number in range(minutes * rate)
    ]


def observed(*parts: Iterable[Trial], until: timedelta) -> tuple[Watch, Alarm | None]:
    watch = Watch.begin(START)
    found = watch.observe([one for part in parts for one in part], START + until)
    return watch, found


def test_ordinary_payments_are_no_outage() -> None:
    _, found = observed(traffic(24 * 60, 2, 0.15), until=timedelta(days=1))
    assert found is None


def test_a_gateway_that_fails_is_found_within_minutes() -> None:
    before, after = traffic(60, 20, 0.15), traffic(5, 20, 0.9, after=60 * MINUTE)
    _, found = observed(before, after, until=62 * MINUTE)
    assert found is not None
    assert found.group == "gateway"
    assert START + 55 * MINUTE <= found.began_at <= START + 61 * MINUTE


def test_a_storm_is_not_waited_for_until_the_minute_ends() -> None:
    storm = [trial(number, number * SECOND / 10, "gateway") for number in range(100)]
    _, found = observed([trial(-1, timedelta(0))], storm, until=10 * SECOND)
    assert found is not None


def test_five_failures_of_three_customers_are_the_least() -> None:
    def found(failures: int, customers: int) -> Alarm | None:
        watch = Watch.begin(START)
        watch.score = 100.0
        told = [
            trial(one, one * SECOND, "gateway", f"k-{one % customers}") for one in range(failures)
        ]
        return watch.observe(told, START + MINUTE)

    assert found(4, 4) is None
    assert found(20, 2) is None
    assert found(5, 3) is not None


def test_failures_without_any_success_are_measured_by_time() -> None:
    # Most shops tell of what fails, and not all of what passes.
    slow = [trial(number, number * MINUTE, "gateway") for number in range(600)]
    assert observed(slow, until=600 * MINUTE)[1] is None
    fast = [trial(number, number * SECOND, "gateway") for number in range(60)]
    assert observed(fast, until=MINUTE)[1] is not None


def test_the_last_attempt_of_a_checkout_counts() -> None:
    passes = [trial(-number, timedelta(0)) for number in range(1, 20)]
    again = [trial(1, one * SECOND, "gateway", f"k-{one}") for one in range(50)]
    watch, found = observed(passes, again, until=59 * SECOND)
    assert (found, watch.failures) == (None, 1)
    paid = [trial(number, number * SECOND, "gateway") for number in range(10)]
    paid += [trial(number, (30 + number) * SECOND) for number in range(10)]
    watch, found = observed(paid, until=59 * SECOND)
    assert (found, watch.attempts, watch.failures) == (None, 10, 0)


def test_what_depends_on_the_customer_tells_nothing() -> None:
    for one in FailureClass:
        left_out = {"card_data", "funds", "expired", "cancelled"}
        assert (one not in surge.GROUPS) is (one.value in left_out)
    told = [trial(number, number * SECOND / 10, OTHER) for number in range(600)]
    assert observed(told, until=10 * MINUTE)[1] is None


def test_nobody_attempting_is_found_where_many_are_expected() -> None:
    week = 7 * 24 * 60 * MINUTE
    watch = Watch.begin(START)
    for number in range(3):
        watch.observe(
            traffic(60, 4, 0.15, after=number * week), START + number * week + 60 * MINUTE
        )
        watch.minute = int((START + (number + 1) * week).timestamp() // 60)
    silent_from = START + 3 * week
    assert watch.observe([], silent_from + 4 * MINUTE) is None
    found = watch.observe([], silent_from + 20 * MINUTE)
    assert found is not None
    assert (found.group, found.began_at) == (SILENCE, silent_from)
    assert watch.observe([], silent_from + 40 * MINUTE) is None, "said once"
    assert watch.ill_until == silent_from + 40 * MINUTE


def test_a_silence_that_nobody_expected_otherwise_is_none() -> None:
    assert observed(traffic(60, 4, 0.15), until=20 * 60 * MINUTE)[1] is None


def test_what_is_usual_is_learnt_for_each_hour_of_the_week() -> None:
    watch, _ = observed(traffic(60, 60, 0.02), until=60 * MINUTE)
    known = watch.rate()
    assert known < 0.08
    watch.minute = int((START + timedelta(days=7)).timestamp() // 60)
    assert watch.rate() < known


def test_nothing_is_learnt_of_an_outage() -> None:
    watch = Watch.begin(START)
    watch.observe(traffic(30, 20, 0.9), START + 30 * MINUTE, suspended=True)
    assert watch.hours == {}


def test_an_incident_ends_after_fifteen_normal_minutes() -> None:
    outage, normal = traffic(10, 20, 0.9), traffic(40, 20, 0.15, after=10 * MINUTE)
    watch, _ = observed(outage, normal, until=50 * MINUTE)
    ended = watch.ill_until
    assert ended is not None
    assert START + 10 * MINUTE <= ended <= START + 15 * MINUTE
    assert not surge.has_ended(START, ended, ended + NORMAL_FOR - SECOND)
    assert surge.has_ended(START, ended, ended + NORMAL_FOR)


def test_nobody_attempting_any_more_is_normal_too() -> None:
    # The shop has hidden the method: it must come back some time.
    watch, _ = observed(traffic(10, 20, 0.9), until=60 * MINUTE)
    assert watch.ill_until is not None
    assert surge.has_ended(START, watch.ill_until, START + 26 * MINUTE)


def test_fraud_and_double_charges_are_folded_into_nothing() -> None:
    folded = {one for group in {*surge.GROUPS.values()} for one in surge.classes_of(group)}
    assert FailureClass.FRAUD not in folded
    assert FailureClass.DUPLICATE not in folded


GROUPS = st.sampled_from(["gateway", "issuer", OTHER, None])
MOMENTS = st.lists(
    st.tuples(st.integers(0, 3600), st.integers(0, 40), st.integers(0, 5), GROUPS), max_size=200
)


@given(MOMENTS, st.lists(st.integers(0, 3600), max_size=5))
@settings(max_examples=60)
def test_how_often_it_is_looked_at_changes_nothing(
    moments: list[tuple[int, int, int, str | None]], looks: list[int]
) -> None:
    trials = [
        trial(number, at * SECOND, group, f"k-{customer}")
        for at, number, customer, group in sorted(moments, key=lambda one: one[0])
    ]
    end = START + 3601 * SECOND
    once, often = Watch.begin(START), Watch.begin(START)
    first = once.observe(trials, end)
    left, alarms = trials, []
    for at in [START + one * SECOND for one in sorted(looks)] + [end]:
        now = [one for one in left if one.at <= at]
        left = left[len(now) :]
        alarms.append(often.observe(now, at))
        often = Watch.from_json(json.loads(json.dumps(often.as_json())))
    assert next((one for one in alarms if one is not None), None) == first
    assert often == once


@given(MOMENTS)
@settings(max_examples=60)
def test_successes_alone_are_never_an_outage(
    moments: list[tuple[int, int, int, str | None]],
) -> None:
    told = [
        trial(number, at * SECOND) for at, number, *_ in sorted(moments, key=lambda one: one[0])
    ]
    watch, found = observed(told, until=timedelta(hours=2))
    assert found is None
    assert watch.ill_until is None
    assert watch.score == 0


@given(st.integers(0, 200), st.integers(0, 200), st.floats(0.02, 0.45), st.floats(0, 10))
def test_a_failure_raises_the_score_and_a_success_lowers_it(
    attempts: int, failures: int, rate: float, score: float
) -> None:
    failures = min(failures, attempts)
    here = surge.stepped(score, attempts, failures, rate)
    assert surge.stepped(score, attempts + 1, failures + 1, rate) > here
    assert surge.stepped(score, attempts + 1, failures, rate) < here


@pytest.mark.parametrize(
    ("known", "stream", "expected"),
    [
        ([("stripe", "card")], ("stripe", ""), ("stripe", "card")),
        ([("stripe", "card"), ("stripe", "")], ("stripe", ""), ("stripe", "card")),
        ([("stripe", "card"), ("stripe", "sepa")], ("stripe", ""), ("stripe", "")),
        ([("adyen", "klarna")], ("stripe", ""), ("stripe", "")),
        ([("stripe", "card")], ("stripe", "sepa"), ("stripe", "sepa")),
        ([], ("stripe", ""), ("stripe", "")),
    ],
)
def test_who_tells_no_method_uses_the_only_one(
    known: list[Stream], stream: Stream, expected: Stream
) -> None:
    assert stream_among(known, stream) == expected
