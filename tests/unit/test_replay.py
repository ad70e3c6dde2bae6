"""What a policy would have made of cases that have been."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.policy import Policy, load_policy, parse_policy, read_policy_text
from flask_checkout_case.rules.replay import (
    HOURS,
    MOST_DIFFERENCES,
    Recorded,
    Tally,
    Verdict,
    compare,
    judge,
    staffing,
)
from flask_checkout_case.rules.routing import Facts
from flask_checkout_case.types import Category, FailureClass, Money, Origin, Priority

TEXT, _ = read_policy_text(None)
NOW_IN_FORCE = load_policy(None)
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = MONDAY + timedelta(days=10)
MINUTE = timedelta(minutes=1)


def draft(*changes: tuple[str, str]) -> Policy:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return parse_policy(text, "draft.toml")


def declined(at: datetime = MONDAY, value: str = "120.00", **more: object) -> Recorded:
    given: dict[str, object] = {
        "reference": "CC-1",
        "facts": Facts(
            category=Category.PAYMENT_DECLINED,
            origin=Origin.SIGNAL,
            failure_class=FailureClass.SOFT,
            total=Money(value, "USD"),
            at=at,
        ),
        "opened_at": at,
        **more,
    }
    return Recorded(**given)  # type: ignore[arg-type]


def missed(case: Recorded, policy: Policy = NOW_IN_FORCE, now: datetime = LATER) -> tuple[str, ...]:
    return judge(policy, case, now).missed


def test_an_answer_in_time_and_one_a_second_late() -> None:
    in_time = declined(first_response_at=MONDAY + 15 * MINUTE, ended_at=MONDAY + timedelta(hours=4))
    assert missed(in_time) == ()
    late = declined(
        first_response_at=MONDAY + 15 * MINUTE + timedelta(seconds=1),
        ended_at=MONDAY + timedelta(hours=4, seconds=1),
    )
    assert missed(late) == ("first_response", "resolution")


def test_a_shorter_promise_is_missed_by_the_same_answer() -> None:
    case = declined(first_response_at=MONDAY + 12 * MINUTE, ended_at=MONDAY + 60 * MINUTE)
    stricter = draft(('first_response = "15m"', 'first_response = "10m"'))
    assert missed(case) == ()
    assert missed(case, stricter) == ("first_response",)


def test_further_questions_each_have_their_time_and_count_once() -> None:
    answered = MONDAY + MINUTE
    turns = [
        (MONDAY + 10 * MINUTE, MONDAY + 40 * MINUTE),
        (MONDAY + 60 * MINUTE, MONDAY + 91 * MINUTE),
        (MONDAY + 100 * MINUTE, None),
    ]
    case = declined(first_response_at=answered, ended_at=MONDAY + 131 * MINUTE, turns=turns)
    assert missed(case) == ("next_response",)
    assert missed(declined(first_response_at=answered, ended_at=answered, turns=turns[:1])) == ()


def test_a_live_case_is_late_when_its_time_is_over_now() -> None:
    assert missed(declined(), now=MONDAY + 15 * MINUTE) == ()
    assert missed(declined(), now=MONDAY + 16 * MINUTE) == ("first_response",)


def test_waiting_for_the_customer_costs_no_time() -> None:
    waits = [[(MONDAY + 60 * MINUTE).isoformat(), (MONDAY + 600 * MINUTE).isoformat()]]
    case = declined(first_response_at=MONDAY + MINUTE, ended_at=MONDAY + 660 * MINUTE)
    assert missed(case) == ("resolution",)
    paused = declined(
        first_response_at=MONDAY + MINUTE, ended_at=MONDAY + 660 * MINUTE, spans=waits
    )
    assert missed(paused) == ()


def test_both_policies_are_counted_and_compared_case_by_case() -> None:
    cheaper = draft(('total_over = "5000 USD"', 'total_over = "900 USD"'))
    cases = [declined(value=value, ended_at=MONDAY) for value in ("120", "1000", "6000")]
    found = compare(NOW_IN_FORCE, cheaper, cases, LATER)
    assert (found.cases, found.differing) == (3, 1)
    assert found.before.cases == {
        ("payments", Priority.HIGH): 2,
        ("concierge", Priority.URGENT): 1,
    }
    assert found.after.cases == {
        ("payments", Priority.HIGH): 1,
        ("concierge", Priority.URGENT): 2,
    }
    (one,) = found.differences
    assert one.before == Verdict("Payment declined", "payments", Priority.HIGH)
    assert one.after == Verdict("High-value checkout", "concierge", Priority.URGENT)


def test_of_many_differences_some_are_kept_and_all_are_counted() -> None:
    other = draft(('name = "Payment declined"', 'name = "Declined"'))
    cases = (declined() for _ in range(MOST_DIFFERENCES + 50))
    found = compare(NOW_IN_FORCE, other, cases, LATER)
    assert (len(found.differences), found.differing) == (MOST_DIFFERENCES, MOST_DIFFERENCES + 50)


def test_staffing_is_for_the_worst_week_in_the_shops_own_hours() -> None:
    monday_at_nine = [MONDAY] * 3 + [MONDAY + timedelta(days=7)] * 5
    cases = [declined(at) for at in monday_at_nine]
    found = compare(NOW_IN_FORCE, NOW_IN_FORCE, cases, LATER, ZoneInfo("America/New_York"))
    # 09:00 UTC is 04:00 in New York; a week later, after its clocks have changed, it is 05:00.
    hours = {one.hour: one for one in staffing(found.before, per_hour=2) if one.cases}
    assert {hour: (one.most, one.people) for hour, one in hours.items()} == {4: (3, 2), 5: (5, 3)}
    utc = compare(NOW_IN_FORCE, NOW_IN_FORCE, cases, LATER)
    (busy,) = [one for one in staffing(utc.before, per_hour=2) if one.cases]
    assert (busy.hour, busy.cases, busy.most, busy.people) == (9, 8, 5, 3)


def test_an_hour_without_cases_needs_nobody() -> None:
    assert len(staffing(None)) == HOURS
    assert {hour.people for hour in staffing(Tally())} == {0}


@given(
    st.lists(st.integers(0, 100_000), max_size=30), st.sampled_from([UTC, ZoneInfo("Asia/Tokyo")])
)
def test_every_case_is_counted_once_everywhere(minutes: list[int], zone: object) -> None:
    cases = [declined(MONDAY + MINUTE * at) for at in minutes]
    found = compare(NOW_IN_FORCE, NOW_IN_FORCE, cases, LATER, zone)  # type: ignore[arg-type]
    assert found.cases == len(minutes) == sum(found.before.cases.values())
    assert sum(hour.cases for hour in staffing(found.before)) == len(minutes)
    by_team = sum(sum(one.arrivals.values()) for one in found.teams_after.values())
    assert by_team == len(minutes)
    assert found.differing == 0
