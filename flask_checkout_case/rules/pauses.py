"""When a case's clocks stand still, derived from the history of its status.

The history is stored with the case as spans ``[from, to]`` of ISO instants, ``to`` empty while it
lasts: of waiting for the customer, and, marked ``ended``, of having been solved or closed, or,
marked ``folded``, of having been left to an incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from ..types import Status
from .calendars import Interval
from .lifecycle import is_live

Span: TypeAlias = Sequence[str | None]

WAITING_MOST: Final = timedelta(hours=72)
"""So long in sum, by the wall clock, a case waits for its customer at no cost to its clocks."""

_ENDED: Final = "ended"
FOLDED: Final = "folded"
_SHUT: Final = (_ENDED, FOLDED)
_FOREVER: Final = datetime.max.replace(tzinfo=UTC)


def follow_status(
    spans: Sequence[Span], status: Status, at: datetime, *, folded: bool = False
) -> list[list[str | None]]:
    """Return the history after the case has become ``status`` at this instant.

    Staying what it was changes nothing.

    Args:
        folded: an incident stands for the case.
    """
    told = [list(span) for span in spans]
    wanted = FOLDED if folded and is_live(status) else _kind_of(status)
    if told and told[-1][1] is None:
        if _kind(told[-1]) == wanted:
            return told
        told[-1][1] = max(at, _start(told[-1])).isoformat()
    if wanted is not None:
        began = max([at, *(datetime.fromisoformat(end) for _, end, *_ in told[-1:] if end)])
        told.append([began.isoformat(), None, *([wanted] if wanted in _SHUT else [])])
    return told


def standing(spans: Sequence[Span], first_response_at: datetime | None) -> list[Interval]:
    """Return when a clock stands still: while the case had ended or was folded, while it waited.

    Waiting counts from the first response on, and 72 hours in sum. One that lasts is taken to last
    so long: nothing fires early, and an answer of the customer brings the due time forward.

    Args:
        first_response_at: ``None`` counts no waiting.
    """
    left, found = WAITING_MOST, list[Interval]()
    for span in spans:
        start = _start(span)
        end = datetime.fromisoformat(span[1]) if span[1] else _FOREVER
        if _kind(span) not in _SHUT:
            if first_response_at is None:
                continue
            start = max(start, first_response_at)
            end = min(end, start + left)
            left -= max(end - start, timedelta(0))
        if start < end:
            found.append(Interval(start, end))
    return found


def _kind_of(status: Status) -> str | None:
    if status is Status.WAITING:
        return str(Status.WAITING)
    return None if is_live(status) else _ENDED


def _kind(span: Span) -> str:
    return span[2] or "" if len(span) > 2 else str(Status.WAITING)


def _start(span: Span) -> datetime:
    return datetime.fromisoformat(span[0] or "")
