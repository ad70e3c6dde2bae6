"""Times as somebody's own clocks show them: the day, from when to when, in which zone."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import (
    format_skeleton,
    format_time,
    get_timezone_gmt,
    get_timezone_location,
    get_timezone_name,
)

from ..i18n import current_locale

_NOWHERE: Final = frozenset({"UTC", "UCT", "GMT", "Zulu", "Universal", "Greenwich", "GMT0"})
"""Zones without a place of their own."""


def day_of(at: datetime, zone: tzinfo) -> str:
    """Write the day: ``Tue, Nov 24``."""
    return str(format_skeleton("MMMEd", at, tzinfo=zone, locale=_locale()))


def from_to(start: datetime, end: datetime, zone: tzinfo) -> str:
    """Write from when to when: ``10:00 AM – 10:30 AM``."""
    times = (format_time(at, "short", tzinfo=zone, locale=_locale()) for at in (start, end))
    return " – ".join(times)


def offset(at: datetime, zone: tzinfo) -> str:
    """Write by how much the clocks of a zone are ahead of UTC then: ``GMT+02:00``."""
    return str(get_timezone_gmt(at.astimezone(zone), width="long", locale=_locale()))


def zone_name(key: str) -> str:
    """Write a time zone by its place and its name: ``New York · Eastern Time``."""
    if key.rpartition("/")[2] in _NOWHERE:
        return "UTC"
    zone = ZoneInfo(key)
    place = str(get_timezone_location(zone, locale=_locale(), return_city=True))
    name = str(get_timezone_name(zone, locale=_locale()))
    return f"{place} · {name}"


def _locale() -> str:
    return current_locale.get().replace("-", "_")
