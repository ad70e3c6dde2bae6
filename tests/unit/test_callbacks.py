"""When customers may be called: within hours, never in the past, through changes of the clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_checkout_case.errors import PolicyError
from flask_checkout_case.rules.calendars import Calendar, Interval, Shift, open_time
from flask_checkout_case.rules.callbacks import open_slots, read_phone
from flask_checkout_case.rules.policy import Callbacks, parse_policy, read_policy_text
from flask_checkout_case.types import Money

HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")
OVER = Money("5000.00", "USD")
ZONES = ("America/New_York", "Europe/Lisbon", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC")
CHANGES = (
    datetime(2026, 3, 8, 7, tzinfo=UTC),
    datetime(2026, 11, 1, 6, tzinfo=UTC),
    datetime(2026, 3, 29, 1, tzinfo=UTC),
    datetime(2026, 10, 25, 1, tzinfo=UTC),
    datetime(2026, 4, 4, 15, tzinfo=UTC),
)
"""Instants at which clocks are set, in New York, in Lisbon, on Lord Howe."""


def office(zone: ZoneInfo = NEW_YORK, **more: object) -> Calendar:
    hours = (Shift(9 * 3600, 12 * 3600 + 1800), Shift(13 * 3600, 17 * 3600))
    return Calendar("office", zone, dict.fromkeys(range(5), hours), **more)  # type: ignore[arg-type]


def local(slots: list[Interval], zone: ZoneInfo = NEW_YORK) -> list[str]:
    return [f"{slot.start.astimezone(zone):%a %H:%M}" for slot in slots]


def test_slots_begin_where_the_hours_do() -> None:
    now = datetime(2026, 1, 6, 11, 50, tzinfo=NEW_YORK)
    plan = Callbacks(OVER, slot=timedelta(minutes=45), days=1)
    assert local(open_slots(plan, office(), now)) == [
        *("Tue 13:00", "Tue 13:45", "Tue 14:30", "Tue 15:15", "Tue 16:00"),
    ]


def test_the_exact_lead_counts() -> None:
    now = datetime(2026, 1, 6, 8, tzinfo=NEW_YORK)
    plan = Callbacks(OVER, days=1)
    assert local(open_slots(plan, office(), now))[0] == "Tue 09:00"
    later = open_slots(plan, office(), now + timedelta(seconds=1))
    assert local(later)[0] == "Tue 09:30"


def test_days_without_hours_do_not_count() -> None:
    friday = datetime(2026, 1, 9, 16, tzinfo=NEW_YORK)
    found = open_slots(Callbacks(OVER, days=2), office(), friday)
    assert {slot[:3] for slot in local(found)} == {"Mon", "Tue"}
    off = office(holidays=frozenset({datetime(2026, 1, 12).date()}))  # noqa: DTZ001 - a date
    found = open_slots(Callbacks(OVER, days=2), off, friday)
    assert {slot[:3] for slot in local(found)} == {"Tue", "Wed"}


def test_hours_that_never_come_offer_nothing() -> None:
    closed = Calendar("never", NEW_YORK, {})
    assert open_slots(Callbacks(OVER), closed, datetime(2026, 1, 6, tzinfo=UTC)) == []
    short = Calendar("short", NEW_YORK, {0: (Shift(0, 600),)})
    assert open_slots(Callbacks(OVER), short, datetime(2026, 1, 6, tzinfo=UTC)) == []


def test_around_the_clock_slots_begin_at_the_hour() -> None:
    found = open_slots(Callbacks(OVER, days=1), None, datetime(2026, 1, 6, 20, 10, tzinfo=UTC))
    assert [f"{slot.start:%H:%M}" for slot in found] == [
        *("21:30", "22:00", "22:30", "23:00", "23:30"),
    ]


def test_a_full_time_is_offered_to_nobody_else() -> None:
    now = datetime(2026, 1, 6, 8, tzinfo=NEW_YORK)
    plan = Callbacks(OVER, days=1, per_slot=2)
    first = open_slots(plan, office(), now)[0]
    assert open_slots(plan, office(), now, [first])[0] == first
    assert open_slots(plan, office(), now, [first, first])[0].start == first.end
    # A call of another length, promised before the policy was changed, takes all that it touches.
    long = Interval(first.start + HOUR / 4, first.start + HOUR)
    assert local(open_slots(plan, office(), now, [long, long]))[0] == "Tue 10:00"


def test_the_night_the_clocks_go_back_has_both_hours() -> None:
    night = Calendar("night", NEW_YORK, {6: (Shift(0, 4 * 3600),)})
    now = datetime(2026, 10, 31, 12, tzinfo=NEW_YORK)
    found = open_slots(Callbacks(OVER, slot=HOUR, days=1), night, now)
    assert local(found) == ["Sun 00:00", "Sun 01:00", "Sun 01:00", "Sun 02:00", "Sun 03:00"]
    spring = datetime(2026, 3, 7, 12, tzinfo=NEW_YORK)
    found = open_slots(Callbacks(OVER, slot=HOUR, days=1), night, spring)
    assert local(found) == ["Sun 00:00", "Sun 01:00", "Sun 03:00"]


@st.composite
def calendars(draw: st.DrawFn) -> Calendar | None:
    zone = draw(st.sampled_from(ZONES))
    shifts: dict[int, tuple[Shift, ...]] = {}
    for day in draw(st.sets(st.integers(0, 6), min_size=1)):
        opens = draw(st.integers(0, 47)) * 1800
        shifts[day] = (Shift(opens, opens + draw(st.integers(1, 48)) * 1800),)
    return draw(st.sampled_from([None, Calendar("drawn", ZoneInfo(zone), shifts)]))


@st.composite
def plans(draw: st.DrawFn) -> Callbacks:
    return Callbacks(
        OVER,
        slot=timedelta(minutes=draw(st.sampled_from([15, 20, 30, 45, 90]))),
        lead=timedelta(minutes=draw(st.integers(0, 300))),
        days=draw(st.integers(1, 4)),
        per_slot=2,
    )


@settings(max_examples=150, deadline=None)
@given(
    plan=plans(),
    calendar=calendars(),
    now=st.builds(
        lambda change, seconds: change + timedelta(seconds=seconds),
        st.sampled_from(CHANGES),
        st.integers(-3 * 86400, 3 * 86400),
    ),
    calls=st.lists(st.integers(0, 200), max_size=12),
)
def test_every_slot_is_open_ahead_and_free(
    plan: Callbacks, calendar: Calendar | None, now: datetime, calls: list[int]
) -> None:
    start = datetime.combine(now.date(), time(), UTC)
    taken = [
        Interval(start + timedelta(minutes=30 * call), start + timedelta(minutes=30 * call + 30))
        for call in calls
    ]
    found = open_slots(plan, calendar, now, taken)
    assert found == sorted(set(found))
    zone = calendar.timezone if calendar else UTC
    assert len({one.start.astimezone(zone).date() for one in found}) <= plan.days
    for one in found:
        assert one.end - one.start == plan.slot
        assert one.start >= now + plan.lead
        assert open_time(calendar, one.start, one.end) == plan.slot
        assert sum(one.start < call.end and call.start < one.end for call in taken) < 2
    for one, following in pairwise(found):
        assert one.end <= following.start
    # A moment later the same times are offered, less those that have come too close.
    later = open_slots(plan, calendar, now + timedelta(minutes=1), taken)
    kept = [one for one in found if one.start >= now + plan.lead + timedelta(minutes=1)]
    assert later[: len(kept)] == kept


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("+1 (212) 555-0142", "+1 (212) 555-0142"),
        ("  030/1234567 ", "030/1234567"),
        ("٠٢١٢٥٥٥٠١٤٢", "02125550142"),
        ("1234567", "1234567"),
        ("123456789012345", "123456789012345"),
    ],
)
def test_phone_numbers(given: str, kept: str) -> None:
    assert read_phone(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        *("", "123456", "1234567890123456", "call me", "+", "12345678x", "++1 212 555 0142"),
        *(
            "1 2 3 4 5 6 7 " + "-" * 60,
            "²²²²²²²²",
            "4242 4242 4242 4242",
            "<b>1234567</b>",
        ),
        *("378282246310005", "3782 822463 10005", "4222222222222"),
    ],
)
def test_what_is_no_phone_number(given: str) -> None:
    assert read_phone(given) is None


def read(lines: str) -> Callbacks:
    text = '[teams.a]\n[[routes]]\nname = "All"\nteam = "a"\n'
    return parse_policy(text + lines, "policy.toml").callbacks


def test_a_policy_that_says_nothing_offers_no_calls() -> None:
    assert read("").enabled is False
    assert read("[callbacks]\n").enabled is True


def test_the_amount_is_that_of_hesitation_unless_it_is_told() -> None:
    assert read('[callbacks]\n[hesitation]\nover = "300 USD"\n').over == Money("300.00", "USD")
    assert read('[callbacks]\nover = "70 USD"\n').over == Money("70.00", "USD")


def test_the_default_policy_offers_them() -> None:
    plan = parse_policy(read_policy_text(None)[0], "default").callbacks
    assert (plan.enabled, plan.over, plan.slot, plan.lead) == (True, OVER, HOUR / 2, HOUR)
    assert (plan.days, plan.per_slot) == (3, 2)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('slot = "1m"', "callbacks.slot: expected a time from 5m to 12h"),
        ('slot = "2d"', "callbacks.slot: expected a time from 5m to 12h"),
        ("days = 15", "callbacks.days: expected at most 14 days"),
        ("days = 0", "callbacks.days: expected a whole number of at least 1"),
        ("per_slot = true", "callbacks.per_slot: expected a whole number of at least 1"),
        ('calendar = "offce"', "callbacks.calendar: expected one of always or [calendars]: always"),
        ('timezone = "Mars"', "callbacks.timezone: expected a time zone such as"),
        ('over = "5000 EUR"', "callbacks.over: expected an amount in the policy's currency"),
        ("enable = true", "callbacks.enable"),
    ],
)
def test_mistakes_in_a_policy_are_named(line: str, told: str) -> None:
    with pytest.raises(PolicyError) as error:
        read(f"[callbacks]\n{line}\n")
    assert told in str(error.value)
