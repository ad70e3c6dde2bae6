"""Opening hours: what they hold, and the laws that hold for all of them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.calendars import (
    DAY,
    Calendar,
    Interval,
    Shift,
    add_open,
    is_open,
    open_time,
)

HOUR = 3600
NINE_TO_FIVE = (Shift(9 * HOUR, 17 * HOUR),)
AROUND_THE_CLOCK = {day: (Shift(0, DAY),) for day in range(7)}
NOTHING = timedelta(0)
BERLIN = ZoneInfo("Europe/Berlin")
NEW_YORK = ZoneInfo("America/New_York")


def calendar(zone: str = "UTC", **days: tuple[Shift, ...]) -> Calendar:
    names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    given = days or dict.fromkeys(names[:5], NINE_TO_FIVE)
    return Calendar("c", ZoneInfo(zone), {names.index(day): found for day, found in given.items()})


def at(text: str, zone: ZoneInfo | None = None) -> datetime:
    naive = datetime.fromisoformat(text)
    return naive.replace(tzinfo=zone or UTC).astimezone(UTC)


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def next_opening(calendar: Calendar, start: datetime) -> datetime | None:
    return add_open(calendar, start, NOTHING)


def test_without_a_calendar_it_is_always_open() -> None:
    start = at("2026-03-01T12:00")
    assert add_open(None, start, hours(5)) == start + hours(5)
    assert is_open(None, start)
    assert open_time(None, start, start + hours(2)) == hours(2)


@pytest.mark.parametrize(("day", "length"), [("2026-03-28", 47), ("2026-10-24", 49)])
def test_a_weekend_has_the_hours_that_it_has(day: str, length: int) -> None:
    office = Calendar("c", BERLIN, AROUND_THE_CLOCK)
    start = at(day, BERLIN)
    end = (start.astimezone(BERLIN).replace(tzinfo=None) + timedelta(days=2)).isoformat()
    assert open_time(office, start, at(end, BERLIN)) == hours(length)
    assert add_open(office, start, hours(length)) == at(end, BERLIN)


def test_lord_howe_sets_its_clocks_by_half_an_hour() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    island = Calendar("c", lord_howe, AROUND_THE_CLOCK)
    night = at("2026-10-04T00:00", lord_howe)
    assert open_time(island, night, at("2026-10-05T00:00", lord_howe)) == hours(23.5)
    autumn = at("2026-04-05T00:00", lord_howe)
    assert open_time(island, autumn, at("2026-04-06T00:00", lord_howe)) == hours(24.5)


def test_an_office_over_the_weekend_of_summer_time() -> None:
    office = calendar("Europe/Berlin")
    friday = at("2026-03-27T16:00", BERLIN)
    assert add_open(office, friday, hours(2)) == at("2026-03-30T10:00", BERLIN)
    assert add_open(office, at("2026-10-23T16:00", BERLIN), hours(2)) == at(
        "2026-10-26T10:00", BERLIN
    )


def test_a_night_shift_belongs_to_the_day_it_begins() -> None:
    night = calendar(fri=(Shift(22 * HOUR, 30 * HOUR),))
    assert is_open(night, at("2026-03-07T05:59"))
    assert not is_open(night, at("2026-03-07T06:00"))
    assert not is_open(night, at("2026-03-06T05:00"))
    assert next_opening(night, at("2026-03-07T06:00")) == at("2026-03-13T22:00")
    free = Calendar("c", night.timezone, night.shifts, frozenset({date(2026, 3, 7)}))
    assert is_open(free, at("2026-03-07T05:00"))
    free = Calendar("c", night.timezone, night.shifts, frozenset({date(2026, 3, 6)}))
    assert not is_open(free, at("2026-03-07T05:00"))


def test_a_night_shift_over_the_change_to_summer_time_is_an_hour_shorter() -> None:
    night = calendar("Europe/Berlin", sat=(Shift(22 * HOUR, 30 * HOUR),))
    assert open_time(night, at("2026-03-28T12:00"), at("2026-03-29T12:00")) == hours(7)
    assert open_time(night, at("2026-10-24T12:00"), at("2026-10-25T12:00")) == hours(9)


def test_lunch_is_two_shifts_a_day() -> None:
    office = calendar(mon=(Shift(9 * HOUR, 12 * HOUR), Shift(13 * HOUR, 17 * HOUR)))
    assert add_open(office, at("2026-03-02T11:30"), hours(1)) == at("2026-03-02T13:30")
    assert add_open(office, at("2026-03-02T11:30"), hours(0.5)) == at("2026-03-02T12:00")
    assert next_opening(office, at("2026-03-02T12:00")) == at("2026-03-02T13:00")


def test_a_break_of_one_day_is_taken_out_of_its_shifts() -> None:
    day = date(2026, 3, 2)
    office = Calendar(
        "c", ZoneInfo("UTC"), {0: NINE_TO_FIVE}, breaks={day: (Shift(36_000, 39_600),)}
    )
    assert open_time(office, at("2026-03-02"), at("2026-03-03")) == hours(7)
    assert open_time(office, at("2026-03-09"), at("2026-03-10")) == hours(8)
    assert not is_open(office, at("2026-03-02T10:30"))


def test_on_a_holiday_the_clock_waits_for_the_next_day() -> None:
    office = Calendar("c", NEW_YORK, calendar().shifts, frozenset({date(2026, 7, 3)}))
    created = at("2026-07-03T11:00", NEW_YORK)
    assert add_open(office, created, hours(1)) == at("2026-07-06T10:00", NEW_YORK)


def test_created_exactly_at_closing_it_waits_for_the_opening() -> None:
    office = calendar()
    assert add_open(office, at("2026-03-06T17:00"), hours(1)) == at("2026-03-09T10:00")
    assert add_open(office, at("2026-03-06T17:00"), NOTHING) == at("2026-03-09T09:00")


def test_what_runs_out_at_closing_is_due_at_closing() -> None:
    assert add_open(calendar(), at("2026-03-06T16:00"), hours(1)) == at("2026-03-06T17:00")


def test_an_opening_that_the_clock_skips_is_read_with_the_offset_before() -> None:
    early = calendar("America/New_York", sun=(Shift(9000, 14_400),))
    assert next_opening(early, at("2026-03-08T00:00", NEW_YORK)) == at("2026-03-08T03:30", NEW_YORK)
    gone = calendar("America/New_York", sun=(Shift(9000, 11_700),), mon=NINE_TO_FIVE)
    assert next_opening(gone, at("2026-03-08T00:00", NEW_YORK)) == at("2026-03-09T09:00", NEW_YORK)


def test_an_opening_that_comes_twice_is_the_first() -> None:
    early = calendar("America/New_York", sun=(Shift(5400, 14_400),))
    opening = next_opening(early, at("2026-11-01T00:00", NEW_YORK))
    assert opening == at("2026-11-01T05:30")
    assert open_time(early, opening, at("2026-11-02T00:00", NEW_YORK)) == hours(3.5)


def test_a_calendar_that_never_opens_ends_the_search() -> None:
    never = Calendar("c", ZoneInfo("UTC"), {})
    assert add_open(never, at("2026-03-06T16:00"), hours(1)) is None
    assert next_opening(never, at("2026-03-06T16:00")) is None
    assert open_time(never, at("2026-03-06T16:00"), at("2027-03-06T16:00")) == hours(0)
    assert add_open(calendar(), at("2026-03-06T16:00"), timedelta(days=90_000)) is None
    assert add_open(None, at("2026-03-06T16:00"), timedelta.max) is None


def test_a_pause_stops_the_clock_inside_the_hours_alone() -> None:
    office = calendar()
    start = at("2026-03-02T09:00")
    lunch = Interval(at("2026-03-02T10:00"), at("2026-03-02T11:00"))
    assert add_open(office, start, hours(2), [lunch]) == at("2026-03-02T12:00")
    night = Interval(at("2026-03-02T20:00"), at("2026-03-03T03:00"))
    assert add_open(office, start, hours(10), [night]) == at("2026-03-03T11:00")


ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Apia",
    "America/Sao_Paulo",
)
START = datetime(2011, 1, 1, tzinfo=UTC)
instants = st.timedeltas(timedelta(0), timedelta(days=800)).map(lambda passed: START + passed)
lengths = st.timedeltas(timedelta(0), timedelta(days=20))


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    def some_shifts() -> tuple[Shift, ...]:
        edges = draw(st.lists(st.integers(0, 36 * 4), max_size=6, unique=True).map(sorted))
        pairs = [Shift(a * 900, b * 900) for a, b in zip(edges[::2], edges[1::2], strict=False)]
        return tuple(shift for shift in pairs if shift.opens < DAY)

    shifts = {day: some_shifts() for day in range(7)}
    shifts[2] = shifts[2] or NINE_TO_FIVE
    holidays = draw(st.frozensets(st.dates(date(2011, 1, 1), date(2013, 3, 1)), max_size=20))
    return Calendar("c", ZoneInfo(draw(st.sampled_from(ZONES))), shifts, holidays)


@st.composite
def pauses(draw: st.DrawFn) -> list[Interval]:
    edges = draw(st.lists(instants, max_size=6, unique=True).map(sorted))
    return [Interval(a, b) for a, b in zip(edges[::2], edges[1::2], strict=False)]


@given(calendars(), instants, lengths, pauses())
def test_adding_then_measuring_gives_the_same(
    hours: Calendar, start: datetime, length: timedelta, breaks: list[Interval]
) -> None:
    due = add_open(hours, start, length, breaks)
    assert due is not None
    assert due >= start
    assert open_time(hours, start, due, breaks) == length


@given(calendars(), instants, lengths, pauses())
def test_it_is_never_early_nor_late(
    hours: Calendar, start: datetime, length: timedelta, breaks: list[Interval]
) -> None:
    due = add_open(hours, start, length, breaks)
    assert due is not None
    if length and due > start:
        before = due - timedelta(microseconds=1)
        assert open_time(hours, start, before, breaks) < length


@given(calendars(), st.lists(instants, min_size=3, max_size=3).map(sorted), pauses())
def test_splitting_at_any_instant_adds_up(
    hours: Calendar, times: list[datetime], breaks: list[Interval]
) -> None:
    start, middle, end = times
    whole = open_time(hours, start, end, breaks)
    parts = open_time(hours, start, middle, breaks), open_time(hours, middle, end, breaks)
    assert whole == sum(parts, timedelta(0))


@given(calendars(), instants, lengths, lengths, pauses())
def test_adding_in_two_steps_is_adding_at_once(
    hours: Calendar, start: datetime, first: timedelta, second: timedelta, breaks: list[Interval]
) -> None:
    half = add_open(hours, start, first, breaks)
    assert half is not None
    if second:
        assert add_open(hours, half, second, breaks) == add_open(
            hours, start, first + second, breaks
        )


def two(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.tuples(values, values).map(sorted)


@given(calendars(), two(instants), two(lengths), pauses())
def test_later_starts_and_longer_times_are_due_no_earlier(
    hours: Calendar, starts: list[datetime], times: list[timedelta], breaks: list[Interval]
) -> None:
    early, late = (
        add_open(hours, start, length, breaks) for start, length in zip(starts, times, strict=True)
    )
    assert early is not None
    assert late is not None
    assert early <= late


@given(calendars(), instants, lengths, pauses(), two(instants))
def test_a_pause_makes_nothing_due_earlier(
    hours: Calendar,
    start: datetime,
    length: timedelta,
    breaks: list[Interval],
    another: list[datetime],
) -> None:
    longer = sorted([*breaks, Interval(*another)])
    without, within = (add_open(hours, start, length, these) for these in (breaks, longer))
    assert without is not None
    assert within is not None
    assert without <= within


@given(calendars(), instants)
def test_open_means_that_time_runs(hours: Calendar, now: datetime) -> None:
    tick = timedelta(microseconds=1)
    assert is_open(hours, now) == (open_time(hours, now, now + tick) == tick)
    opening = next_opening(hours, now)
    assert opening is not None
    assert is_open(hours, opening)
    assert open_time(hours, now, opening) == timedelta(0)
