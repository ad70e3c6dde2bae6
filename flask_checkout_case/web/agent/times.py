"""Instants and lengths of time as the pages first show them; the script takes over from there.

Both use the same words, so that nothing jumps when the script begins to count.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from babel.dates import format_datetime

from ...i18n import N_, current_locale, gettext
from ...services.due import Clock

_UNITS: Final = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))

# CLDR's narrow units are too wide for a column in many languages ("12 Min. 3 Sek.").
_TEXTS: Final = {
    "day": N_("%(num)sd"),
    "hour": N_("%(num)sh"),
    "minute": N_("%(num)sm"),
    "second": N_("%(num)ss"),
}


def span(time: timedelta) -> str:
    """Write a length of time with its two largest units: ``2d 4h``, ``12m 3s``."""
    seconds = abs(int(time.total_seconds()))
    for place, (unit, size) in enumerate(_UNITS):
        if seconds >= size or unit == "second":
            parts = [_unit(seconds // size, unit)]
            if place + 1 < len(_UNITS):
                smaller, part = _UNITS[place + 1]
                parts.append(_unit(seconds % size // part, smaller))
            return " ".join(parts)
    raise AssertionError("a second is the last unit")


def age(time: timedelta) -> str:
    """Write how long something has been, with its largest unit: ``4h``."""
    seconds = max(0, int(time.total_seconds()))
    if seconds < 60:
        return gettext("now")
    unit, size = next((unit, size) for unit, size in _UNITS if seconds >= size)
    return _unit(seconds // size, unit)


def countdown(clock: Clock, now: datetime) -> str:
    """Write what is left of a clock, or by how much it has run out."""
    time = span(clock.due - now)
    if clock.state(now) == "overdue":
        return gettext("%(time)s over", time=time)
    return gettext("%(time)s left", time=time)


def instant(at: datetime) -> str:
    """Write a moment, in UTC: the reader's own time zone is known to the script alone."""
    return _written(at.replace(second=0, microsecond=0), _locale())


@lru_cache(maxsize=4096)
def _written(at: datetime, locale: str) -> str:
    return str(format_datetime(at, "d MMM, HH:mm 'UTC'", locale=locale))


def units() -> dict[str, str]:
    """Return how each unit is written after a number, ``{}`` standing for it: for the script."""
    return {unit: _unit("{}", unit) for unit, _ in _UNITS}


def _unit(number: object, unit: str) -> str:
    return gettext(_TEXTS[unit], num=number)


def _locale() -> str:
    return current_locale.get().replace("-", "_")
