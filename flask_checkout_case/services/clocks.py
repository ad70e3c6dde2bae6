"""The clocks of cases: when to look at one again, and what fires when somebody looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ..data import queries_case, queries_due
from ..data.models import CaseRow, with_values
from ..rules import clocks, lifecycle, outreach, urgency
from ..rules.policy import Policy
from ..types import EntryKind, FailureClass, Priority, Status
from .entries import entry
from .reading import info, value_of
from .runtime import Unit


def next_wake(policy: Policy, row: CaseRow, fired: Sequence[str] | None = None) -> datetime | None:
    """Return when the sweep has to look at this case again; ``None`` for never.

    Written with each change of a case, so that a sweep reads only what is due.

    Args:
        fired: the keys that have fired, where they are not the row's.
    """
    if not lifecycle.is_live(Status(row.status)):
        return None
    done = row.fired if fired is None else fired
    waking = (
        clocks.wake_at(dues_of(row), row.opened_at, done, row.unanswered_since),
        outreach_at(policy, row, done),
    )
    return min((at for at in waking if at is not None), default=None)


def clock_values(policy: Policy, row: CaseRow) -> dict[str, Any]:
    """Return the columns that follow from the rest of ``row``: due times, urgency, alarm."""
    dues = clocks.recompute(
        policy.sla.get(row.sla or ""), row.opened_at, row.first_response_at, row.unanswered_since
    )
    computed = {
        "first_response_due": dues.first_response,
        "next_response_due": dues.next_response,
        "resolution_due": dues.resolution,
        "due_at": dues.earliest,
        "urgency_at": urgency.urgency_at(
            dues.earliest,
            row.opened_at,
            policy.in_base(value_of(row)),
            FailureClass(row.failure_class) if row.failure_class else None,
            Priority(row.priority),
        ),
    }
    return {**computed, "wake_at": next_wake(policy, with_values(row, computed))}


def dues_of(row: CaseRow) -> clocks.Dues:
    return clocks.Dues(row.first_response_due, row.next_response_due, row.resolution_due)


def outreach_at(
    policy: Policy, row: CaseRow, fired: Sequence[str] | None = None
) -> datetime | None:
    """Return when the customer is written to about the failed payment, if ever."""
    return outreach.wake_at(
        policy,
        failure_class=FailureClass(row.failure_class) if row.failure_class else None,
        outcome=(row.attempt or {}).get("outcome"),
        failed_at=row.last_failed_at,
        answered=row.first_response_at is not None,
        address=row.customer_email,
        fired=row.fired if fired is None else fired,
    )


def fire(unit: Unit, row: CaseRow) -> list[str]:
    """Tell of every threshold that has passed; returns the keys of those that fired.

    The caller has locked the row, and stores the keys.
    """
    passed = clocks.fired_now(
        dues_of(row), row.opened_at, row.fired, unit.now, row.unanswered_since
    )
    lines = []
    for one in passed:
        breached = one.percent >= clocks.BREACH
        told: dict[str, Any] = {
            "action": "sla_breached" if breached else "sla_warned",
            "clock": one.clock,
            "percent": one.percent,
            "due": one.due.isoformat(),
        }
        key = _entry_key(one)
        lines.append(entry(row, EntryKind.ESCALATION, unit.now, data=told, key=key))
        unit.emit(told["action"], case=info(row), clock=one.clock, due=one.due)
    queries_case.add_entries(unit.session, lines)
    return [one.key for one in passed]


def set_alarm(
    unit: Unit, row: CaseRow, fired: Sequence[str], *, outreach_at: datetime | None = None
) -> None:
    """Store what has fired, and when to look at the case again.

    Args:
        outreach_at: when the customer may be written to, where that was put off.
    """
    policy = unit.runtime.policy
    wake_at = next_wake(policy, row, fired)
    if outreach_at is not None:
        clock = clocks.wake_at(dues_of(row), row.opened_at, fired, row.unanswered_since)
        wake_at = min(clock or outreach_at, outreach_at)
    queries_due.set_case_alarm(unit.session, row.id, fired=fired, wake_at=wake_at)


def _entry_key(threshold: clocks.Threshold) -> str:
    return f"sla:{threshold.clock}:{threshold.percent}:{threshold.due:%Y%m%dT%H%M%S.%f}"
