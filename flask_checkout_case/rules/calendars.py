"""Opening hours: when a clock of a case runs. Pure; instants are aware UTC, days are local."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

DAY: Final = 86_400


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
    """

    key: str
    timezone: ZoneInfo
    shifts: Mapping[int, tuple[Shift, ...]]
    holidays: frozenset[date] = field(default=frozenset())


ALWAYS: Final = "always"
