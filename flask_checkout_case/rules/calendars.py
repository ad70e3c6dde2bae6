"""Opening hours: when a clock of a case runs. Pure; instants are aware UTC, days are local.

Local hours become UTC intervals, and everything is counted in those: an hour that a change to
summer time takes away isn't counted, one that it gives back is. A time of day that such a change
skips is read with the offset before it, one that comes twice is the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

DAY: Final = 86_400
ALWAYS: Final = "always"

_NOTHING: Final = timedelta(0)
_SHIFT_DAYS: Final = 2
"""A shift may reach into the day after the next, so counting begins so many days early."""
_HORIZON_DAYS: Final = 20 * 366
"""Nobody is promised anything for later; a calendar that never opens ends the search here."""


class Shift(NamedTuple):
    """Seconds after its day's local midnight; overnight it ``closes`` after more than a day."""

    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """When a team works.

    Args:
        shifts: by weekday, Monday is 0; several a day, sorted, apart from each other.
        holidays: local dates on which no shift begins.
        breaks: by local date, what is taken out of the shifts that begin on it.
    """

    key: str
    timezone: ZoneInfo
    shifts: Mapping[int, tuple[Shift, ...]]
    holidays: frozenset[date] = frozenset()
    breaks: Mapping[date, tuple[Shift, ...]] = field(default_factory=dict)


class Interval(NamedTuple):
    """From ``start`` on, until just before ``end``; UTC."""

    start: datetime
    end: datetime


Pauses: TypeAlias = Sequence[Interval]
"""When a clock stands still: sorted, apart from each other."""


def is_open(calendar: Calendar | None, at: datetime) -> bool:
    """Whether somebody works at this instant; at a closing time nobody does."""
    found = next(_open_after(calendar, at), None)
    return found is not None and found.start <= at


def openings(calendar: Calendar | None, at: datetime) -> Iterator[Interval]:
    """Yield the hours that end after ``at``, each from its true beginning; UTC.

    Around the clock is one interval without an end.
    """
    # No shift is longer than a day: none of those that are open at ``at`` is cut so early.
    early = at - timedelta(days=_SHIFT_DAYS)
    return (one for one in _open_after(calendar, early) if one.end > at)


def open_time(
    calendar: Calendar | None, start: datetime, end: datetime, pauses: Pauses = ()
) -> timedelta:
    """Return how much of ``start`` to ``end`` is open and not paused; nothing when it is reversed.

    Args:
        calendar: ``None`` is open around the clock.
    """
    found = _NOTHING
    for one in _without(_open_after(calendar, start), pauses):
        if one.start >= end:
            break
        found += min(one.end, end) - one.start
    return found


def add_open(
    calendar: Calendar | None, start: datetime, length: timedelta, pauses: Pauses = ()
) -> datetime | None:
    """Return when ``length`` of open, unpaused time has run since ``start``, UTC.

    Time that runs out exactly at a closing is due at that closing; with no time left it is due
    at the next opening.

    Args:
        calendar: ``None`` is open around the clock.
        length: not negative.

    Returns:
        ``None`` when the hours never come, or not within 20 years.
    """
    left = length
    for one in _without(_open_after(calendar, start), pauses):
        if left <= one.end - one.start:
            return one.start + left
        left -= one.end - one.start
    return None


def _open_after(calendar: Calendar | None, at: datetime) -> Iterator[Interval]:
    """Yield the open intervals from ``at`` on, in order and apart from each other."""
    reached = at.astimezone(UTC)
    if calendar is None:
        yield Interval(reached, datetime.max.replace(tzinfo=UTC))
        return
    for start, end in _intervals(calendar, at.astimezone(calendar.timezone).date()):
        if end > reached:
            yield Interval(max(start, reached), end)
            reached = end


def _intervals(calendar: Calendar, day: date) -> Iterator[Interval]:
    """Yield every shift around ``day`` and later; they overlap where the local clock is set."""
    for number in range(-_SHIFT_DAYS, _HORIZON_DAYS):
        yield from _intervals_of(calendar, day + timedelta(days=number))


def _intervals_of(calendar: Calendar, day: date) -> list[Interval]:
    shifts = calendar.shifts.get(day.weekday(), ())
    if not shifts or day in calendar.holidays:
        return []
    breaks = calendar.breaks.get(day, ())
    parts = [part for shift in shifts for part in _cut(shift, breaks)]
    found = (
        Interval(_instant(calendar, day, part.opens), _instant(calendar, day, part.closes))
        for part in parts
    )
    return sorted(one for one in found if one.start < one.end)


def _cut(shift: Shift, breaks: Sequence[Shift]) -> Iterator[Shift]:
    opens = shift.opens
    for pause in sorted(breaks):
        if opens < pause.opens < shift.closes:
            yield Shift(opens, pause.opens)
        if pause.opens < shift.closes:
            opens = max(opens, pause.closes)
    if opens < shift.closes:
        yield Shift(opens, shift.closes)


def _instant(calendar: Calendar, day: date, seconds: int) -> datetime:
    # Added without a zone: seconds of the wall clock, whatever happens to it that night.
    local = datetime.combine(day, time()) + timedelta(seconds=seconds)
    return local.replace(tzinfo=calendar.timezone).astimezone(UTC)


def _without(intervals: Iterator[Interval], pauses: Pauses) -> Iterator[Interval]:
    """Yield what the pauses leave of the intervals."""
    for interval in intervals:
        start = interval.start
        for pause in pauses:
            if start < pause.start < interval.end:
                yield Interval(start, pause.start)
            if pause.start < interval.end:
                start = max(start, pause.end)
        if start < interval.end:
            yield Interval(start, interval.end)
