"""When a customer may be called, and what is a phone number. Pure: the clock is an argument."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from .calendars import Calendar, Interval, openings
from .policy import Callbacks
from .redact import mask_text

FEWEST_DIGITS: Final = 7
MOST_DIGITS: Final = 15
"""As many as E.164 allows."""
DUE_BEFORE: Final = timedelta(minutes=10)
"""So long before a call its agent is told of it."""

_HORIZON: Final = timedelta(days=30)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_BETWEEN: Final = frozenset(" -./()\N{NO-BREAK SPACE}\N{NON-BREAKING HYPHEN}\N{EN DASH}")


def open_slots(
    plan: Callbacks, calendar: Calendar | None, now: datetime, taken: Iterable[Interval] = ()
) -> list[Interval]:
    """Return when a customer may be called, the earliest first; UTC.

    Args:
        calendar: ``None`` is open around the clock.
        taken: calls that are promised to others; at most ``plan.per_slot`` are at one time.
    """
    promised = list(taken)
    zone: tzinfo = calendar.timezone if calendar is not None else UTC
    found: list[Interval] = []
    days: set[date] = set()
    for slot in _slots(plan, calendar, now):
        days.add(slot.start.astimezone(zone).date())
        if len(days) > plan.days or slot.start > now + _HORIZON:
            break
        if sum(_overlap(slot, call) for call in promised) < plan.per_slot:
            found.append(slot)
    return found


def _slots(plan: Callbacks, calendar: Calendar | None, now: datetime) -> Iterator[Interval]:
    """Yield slots from now on, each within the hours, beginning where the hours do."""
    earliest = now.astimezone(UTC) + plan.lead
    for hours in openings(calendar, earliest):
        begin = _EPOCH if calendar is None else hours.start
        passed = max(-((begin - earliest) // plan.slot), 0)
        start = begin + passed * plan.slot
        while start + plan.slot <= hours.end:
            yield Interval(start, start + plan.slot)
            start += plan.slot


def _overlap(one: Interval, other: Interval) -> bool:
    return one.start < other.end and other.start < one.end


def read_phone(given: str) -> str | None:
    """Return a phone number with its digits in ASCII; ``None`` for what can't be one.

    A card number is none: whoever types it here has taken the field for another.
    """
    text = "".join(str(int(char)) if char.isdecimal() else char for char in given.strip())
    plain = text.removeprefix("+")
    digits = "".join(char for char in plain if char.isdecimal())
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS or len(text) > 2 * MOST_DIGITS:
        return None
    if not all(char in _BETWEEN or char.isdecimal() for char in plain):
        return None
    return text if mask_text(text) == text and mask_text(digits) == digits else None
