"""The clocks of cases: when to look at one again, and what fires when somebody looks."""

from __future__ import annotations

from datetime import datetime

from ..data.models import CaseRow
from ..rules import clocks, lifecycle, outreach
from ..rules.policy import Policy
from ..types import FailureClass, Status


def next_wake(policy: Policy, row: CaseRow) -> datetime | None:
    """Return when the sweep has to look at this case again; ``None`` for never.

    Written with each change of a case, so that a sweep reads only what is due.
    """
    if not lifecycle.is_live(Status(row.status)):
        return None
    waking = (
        clocks.wake_at(dues_of(row), row.opened_at, row.fired, row.unanswered_since),
        outreach_at(policy, row),
    )
    return min((at for at in waking if at is not None), default=None)


def dues_of(row: CaseRow) -> clocks.Dues:
    return clocks.Dues(row.first_response_due, row.next_response_due, row.resolution_due)


def outreach_at(policy: Policy, row: CaseRow) -> datetime | None:
    """Return when the customer is written to about the failed payment, if ever."""
    return outreach.wake_at(
        policy,
        failure_class=FailureClass(row.failure_class) if row.failure_class else None,
        outcome=(row.attempt or {}).get("outcome"),
        failed_at=row.last_failed_at,
        answered=row.first_response_at is not None,
        address=row.customer_email,
        fired=row.fired,
    )
