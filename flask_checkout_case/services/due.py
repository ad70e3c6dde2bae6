"""A case's running clocks as people see them: what is due next, and how pressing it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

SOON_SHARE: Final = 0.25
"""The last quarter of a clock's time is "soon"; the policy warns at that moment, or, where it is
counted in working hours, about then."""


class HasClocks(Protocol):
    """What a case's row and its line in the queue have in common."""

    @property
    def opened_at(self) -> datetime: ...
    @property
    def unanswered_since(self) -> datetime | None: ...
    @property
    def first_response_at(self) -> datetime | None: ...
    @property
    def first_response_due(self) -> datetime | None: ...
    @property
    def next_response_due(self) -> datetime | None: ...
    @property
    def resolution_due(self) -> datetime | None: ...
    @property
    def checkout_due(self) -> datetime | None: ...
    @property
    def due_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class Clock:
    """One running clock.

    Args:
        name: ``first_response``, ``next_response``, ``resolution`` or ``checkout``.
        due: when it runs out, UTC.
        soon: from when on it is pressing, UTC.
    """

    name: str
    due: datetime
    soon: datetime

    def state(self, now: datetime) -> str:
        """Return ``overdue``, ``soon`` or ``fine``; exactly at the due time is still in time."""
        if now > self.due:
            return "overdue"
        return "soon" if now >= self.soon else "fine"


def running_clocks(case: HasClocks) -> list[Clock]:
    """Return the clocks that still run, the next due first; none when the case has ended."""
    if case.due_at is None:
        return []
    dues = (
        ("first_response", case.first_response_due, case.opened_at),
        ("next_response", case.next_response_due, case.unanswered_since or case.opened_at),
        ("resolution", case.resolution_due, case.opened_at),
        ("checkout", _checkout_due(case), case.opened_at),
    )
    found = [
        Clock(name, due, due - (due - start) * SOON_SHARE)
        for name, due, start in dues
        if due is not None
    ]
    return sorted(found, key=lambda clock: clock.due)


def _checkout_due(case: HasClocks) -> datetime | None:
    """Return when the checkout runs out of time, unless something else is due sooner, or it has."""
    return case.checkout_due if case.checkout_due == case.due_at else None


def next_clock(case: HasClocks) -> Clock | None:
    """Return the clock that runs out first."""
    return next(iter(running_clocks(case)), None)
