"""A case's running clocks as people see them: what is due next, and how pressing it is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from ..rules import clocks as rules
from ..rules.policy import Policy
from .clocks import HasClocks, course_of, promise_of


@dataclass(frozen=True, slots=True)
class Clock:
    """One running clock.

    Args:
        name: ``first_response``, ``next_response``, ``resolution`` or ``checkout``; a task's is
            ``task``, a promised call's ``call``.
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


def running_clocks(policy: Policy, case: HasClocks) -> Iterator[Clock]:
    """Yield the clocks that still run, the next due first; none when the case has ended.

    A clock is pressing from the moment of its warning on: in the hours and with the pauses by which
    its due time is counted.
    """
    if case.due_at is None:
        return
    promise, course = promise_of(policy, case), course_of(case)
    dues = {
        "first_response": case.first_response_due,
        "next_response": case.next_response_due,
        "resolution": case.resolution_due,
        "checkout": _checkout_due(case),
    }
    for due, name in sorted((due, name) for name, due in dues.items() if due is not None):
        warned = rules.warns_at(promise, course, name)
        # The policy may have changed since the due times were written.
        yield Clock(name, due, min(warned or due, due))


def _checkout_due(case: HasClocks) -> datetime | None:
    """Return when the checkout runs out of time, unless something else is due sooner, or it has."""
    return case.checkout_due if case.checkout_due == case.due_at else None


def next_clock(policy: Policy, case: HasClocks) -> Clock | None:
    """Return the clock that runs out first."""
    return next(running_clocks(policy, case), None)
