"""Working hours as a policy writes them: ``"mon-fri" = ["09:00-12:30", "13:30-18:00"]``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from ..i18n import N_
from .calendars import ALWAYS, DAY, Calendar, Shift
from .policy_toml import Mistake, Path, tables
from .policy_values import expected, nearest
from .saying import said_by, say

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY_YEARS: Final = range(2000, 2101)

_WEEK: Final = 7 * DAY
_HOURS: Final = re.compile(
    r"([01][0-9]|2[0-3]):([0-5][0-9])-(?:([01][0-9]|2[0-3]):([0-5][0-9])|24:00)", re.ASCII
)
_HOURS_TOLD: Final = say(N_("hours such as '09:00-17:30', '22:00-06:00' or '00:00-24:00'"))
_EXAMPLE: Final = "'mon-fri' = ['09:00-17:30']"
_DAYS_TOLD: Final = say(N_("timezone, holidays, or days such as 'mon', 'mon-fri' or 'sat,sun'"))
_ZONE_TOLD: Final = say(N_("a time zone such as 'America/New_York'"))
_HOLIDAYS_TOLD: Final = say(
    N_(
        "a region whose public holidays are known, such as 'DE' or 'US-NY', or dates such as "
        "'2026-12-24'"
    )
)


@dataclass(frozen=True, slots=True)
class _Told:
    """One entry of hours: where it stands, how it was written, the day and the time it means."""

    path: Path
    written: str
    weekday: int
    shift: Shift

    @property
    def begins(self) -> int:
        return self.weekday * DAY + self.shift.opens

    @property
    def ends(self) -> int:
        return self.weekday * DAY + self.shift.closes


def read_calendars(raw: Mapping[str, Any]) -> tuple[dict[str, Calendar], list[Mistake]]:
    """Read every ``[calendars.NAME]``; one with a mistake is left out."""
    calendars: dict[str, Calendar] = {}
    mistakes: list[Mistake] = []
    for key, told in tables(raw.get("calendars")):
        found: list[Mistake] = []
        calendar = _calendar(key, told, found)
        if calendar is not None and not found:
            calendars[key] = calendar
        mistakes += found
    return calendars, mistakes


def _calendar(key: str, told: Mapping[str, Any], mistakes: list[Mistake]) -> Calendar | None:
    path: Path = ("calendars", key)
    if key == ALWAYS:
        mistakes.append(
            Mistake(path, say(N_("expected another name: %(name)s is 24×7"), name=repr(ALWAYS)))
        )
    zone = _timezone(told.get("timezone"), (*path, "timezone"), mistakes)
    holidays = _holidays(told.get("holidays", []), (*path, "holidays"), mistakes)
    before = len(mistakes)
    hours = [
        one
        for name, given in told.items()
        if name not in {"timezone", "holidays"}
        for one in _day(name, given, (*path, name), mistakes)
    ]
    if not hours and len(mistakes) == before:
        message = N_("expected hours such as %(example)s: it is never open")
        mistakes.append(Mistake(path, say(message, example=_EXAMPLE)))
    mistakes += _overlaps(hours)
    if zone is None:
        return None
    shifts = {
        day: tuple(sorted(one.shift for one in hours if one.weekday == day)) for day in range(7)
    }
    return Calendar(
        key, zone, {day: several for day, several in shifts.items() if several}, holidays
    )


def _day(name: str, given: Any, path: Path, mistakes: list[Mistake]) -> Iterator[_Told]:
    weekdays = _weekdays(name)
    if not weekdays:
        known = [*WEEKDAYS, "mon-fri", "timezone", "holidays"]
        message = say(N_("is no key here: expected %(what)s"), what=_DAYS_TOLD) + nearest(
            name, known
        )
        mistakes.append(Mistake(path, message))
        return
    if not isinstance(given, list):
        mistakes.append(Mistake(path, say(N_("expected a list of %(what)s"), what=_HOURS_TOLD)))
        return
    for number, written in enumerate(given):
        shift = _shift(written)
        if shift is None:
            mistakes.append(Mistake((*path, number), expected(_HOURS_TOLD)))
            continue
        for weekday in weekdays:
            yield _Told((*path, number), written, weekday, shift)


def _weekdays(name: str) -> list[int]:
    """Read ``mon``, ``mon-fri``, ``sat,sun`` or ``fri-mon``; empty for anything else."""
    days: dict[int, None] = {}
    for part in name.split(","):
        first, dash, last = part.strip().partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            return []
        begin = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last) - begin) % 7 if dash else 0
        days |= dict.fromkeys((begin + step) % 7 for step in range(length + 1))
    return list(days)


def _shift(written: Any) -> Shift | None:
    found = _HOURS.fullmatch(written) if isinstance(written, str) else None
    if found is None:
        return None
    opens = int(found[1]) * 3600 + int(found[2]) * 60
    closes = int(found[3]) * 3600 + int(found[4]) * 60 if found[3] else DAY
    if opens == closes:
        return None
    return Shift(opens, closes if closes > opens else closes + DAY)


def _overlaps(hours: list[_Told]) -> Iterator[Mistake]:
    ordered = sorted(hours, key=lambda one: one.begins)
    following = [(one, one.begins) for one in ordered[1:]]
    following += [(one, one.begins + _WEEK) for one in ordered[:1] if len(ordered) > 1]
    told: set[Path] = set()
    for earlier, (later, begins) in zip(ordered, following, strict=False):
        if earlier.ends > begins and later.path not in told:
            told.add(later.path)
            day = WEEKDAYS[earlier.weekday]
            message = N_("expected hours apart from others: %(hours)s isn't over yet")
            yield Mistake(later.path, say(message, hours=f"{day} {earlier.written}"))


def zone_of(name: Any) -> ZoneInfo | None:
    """Return the time zone of this name; ``None`` where there is none."""
    try:
        return ZoneInfo(name) if isinstance(name, str) else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _timezone(given: Any, path: Path, mistakes: list[Mistake]) -> ZoneInfo | None:
    zone = zone_of(given)
    if zone is not None:
        return zone
    known = available_timezones()
    none = say(N_("; this system knows none: install tzdata"))
    near = nearest(given, known) if known else none
    mistakes.append(Mistake(path, expected(_ZONE_TOLD) + near))
    return None


def _holidays(given: Any, path: Path, mistakes: list[Mistake]) -> frozenset[date]:
    days: frozenset[date] = frozenset()
    is_list = isinstance(given, list)
    for number, one in enumerate(given if is_list else [given]):
        where = (*path, number) if is_list else path
        try:
            days |= _days_off(one)
        except ValueError as error:
            mistakes.append(Mistake(where, said_by(error)))
    return days


def _days_off(given: Any) -> frozenset[date]:
    if isinstance(given, date) and not isinstance(given, datetime):
        return frozenset({given})
    if not isinstance(given, str):
        raise ValueError(expected(_HOLIDAYS_TOLD))  # noqa: TRY004 - readers raise one kind
    try:
        return frozenset({date.fromisoformat(given)})
    except ValueError:
        return _public_holidays(given)


@lru_cache(maxsize=64)
def _public_holidays(region: str) -> frozenset[date]:
    # Only a policy that asks for public holidays pays for the library's import.
    from holidays import country_holidays, list_supported_countries

    supported = list_supported_countries()
    country, _, part = region.partition("-")
    if country not in supported or ("-" in region and part not in supported[country]):
        known = [f"{one}-{part}" for one, parts in supported.items() for part in parts]
        near = nearest(region.upper(), [*supported, *known])
        raise ValueError(expected(_HOLIDAYS_TOLD) + near)
    return frozenset(country_holidays(country, subdiv=part or None, years=HOLIDAY_YEARS))
