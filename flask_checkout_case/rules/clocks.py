"""When a case is due, and which of its thresholds have passed. The calendar is ``always``, 24×7.

Everything is computed from what the case has stored, never from when a job happened to look: a
scheduler that was down catches up, and each threshold still fires once.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .policy import Sla

WARNING: Final = 75
BREACH: Final = 100
PERCENTS: Final = (WARNING, BREACH)


@dataclass(frozen=True, slots=True)
class Dues:
    """Due times that are still running, UTC; ``None`` where none is."""

    first_response: datetime | None = None
    next_response: datetime | None = None
    resolution: datetime | None = None

    @property
    def earliest(self) -> datetime | None:
        """The next due time of the three."""
        dues = (self.first_response, self.next_response, self.resolution)
        return min((due for due in dues if due is not None), default=None)


@dataclass(frozen=True, slots=True, order=True)
class Threshold:
    """A moment on a clock: ``percent`` of the way to ``due`` is reached at ``at``."""

    at: datetime
    percent: int
    clock: str
    due: datetime

    @property
    def key(self) -> str:
        """What is stored when it has fired; another due time is another threshold."""
        return f"{self.clock}:{self.percent}:{self.due.isoformat()}"


def first_dues(sla: Sla | None, opened_at: datetime) -> Dues:
    """Return the due times of a case that has just been opened."""
    return recompute(sla, opened_at, None, None)


def recompute(
    sla: Sla | None,
    opened_at: datetime,
    first_response_at: datetime | None,
    unanswered_since: datetime | None,
    ended: bool = False,
) -> Dues:
    """Return the due times that are still running, from the case's origin.

    Args:
        sla: the service level; ``None`` promises nothing.
        first_response_at: when a human first answered in public.
        unanswered_since: the first message of the customer that nobody has answered.
        ended: the case is solved or closed; nothing runs any more.
    """
    if sla is None or ended:
        return Dues()
    answered = first_response_at is not None
    return Dues(
        first_response=None if answered else _after(opened_at, sla.first_response),
        next_response=_after(unanswered_since, sla.next_response) if answered else None,
        resolution=_after(opened_at, sla.resolution),
    )


def _after(start: datetime | None, target: timedelta | None) -> datetime | None:
    return start + target if start is not None and target is not None else None


def thresholds(
    dues: Dues, opened_at: datetime, unanswered_since: datetime | None = None
) -> Iterator[Threshold]:
    """Yield every threshold of the clocks that run, fired or not."""
    clocks = (
        ("first_response", opened_at, dues.first_response),
        ("next_response", unanswered_since, dues.next_response),
        ("resolution", opened_at, dues.resolution),
    )
    for clock, start, due in clocks:
        if start is None or due is None:
            continue
        for percent in PERCENTS:
            yield Threshold(start + (due - start) * percent / 100, percent, clock, due)


def fired_now(
    dues: Dues,
    opened_at: datetime,
    fired: Collection[str],
    now: datetime,
    unanswered_since: datetime | None = None,
) -> list[Threshold]:
    """Return the thresholds reached by ``now`` that haven't fired, in the order they passed.

    Args:
        fired: the keys of those that have.
    """
    reached = thresholds(dues, opened_at, unanswered_since)
    return sorted(one for one in reached if one.at <= now and one.key not in fired)


def wake_at(
    dues: Dues,
    opened_at: datetime,
    fired: Collection[str],
    unanswered_since: datetime | None = None,
) -> datetime | None:
    """Return when the next threshold fires, which may be in the past; ``None`` when all have."""
    waiting = thresholds(dues, opened_at, unanswered_since)
    return min((one.at for one in waiting if one.key not in fired), default=None)
