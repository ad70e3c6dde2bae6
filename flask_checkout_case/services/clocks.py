"""The clocks of cases: what is due when, and when to look at a case again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from ..data import queries_case, queries_due
from ..data.models import CaseRow, with_values
from ..rules import clocks, lifecycle, outreach, pauses, urgency
from ..rules.policy import Policy
from ..types import FailureClass, Priority, Status
from .reading import value_of
from .runtime import Unit


class HasClocks(Protocol):
    """What a case's row and its line in the queue have in common."""

    @property
    def status(self) -> str: ...
    @property
    def sla(self) -> str | None: ...
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
    @property
    def pauses(self) -> list[list[str | None]]: ...
    @property
    def revision(self) -> int: ...
    @property
    def folded_into(self) -> int | None: ...


def promise_of(policy: Policy, row: HasClocks) -> clocks.Promise:
    """Return what the policy in force promises for this case."""
    sla = policy.sla.get(row.sla or "")
    return clocks.Promise(sla, policy.calendars.get(sla.calendar) if sla is not None else None)


def course_of(row: HasClocks) -> clocks.Course:
    """Return what has happened so far to this case's clocks."""
    return clocks.Course(
        opened_at=row.opened_at,
        first_response_at=row.first_response_at,
        unanswered_since=row.unanswered_since,
        spans=row.pauses,
        checkout_due=row.checkout_due,
        revision=row.revision,
        ended=row.folded_into is not None or not lifecycle.is_live(Status(row.status)),
    )


def clock_values(policy: Policy, row: CaseRow, now: datetime | None = None) -> dict[str, Any]:
    """Return the columns that follow from ``row`` and the policy: due times, urgency, alarm.

    Written with each change of a case, so that a sweep reads only what is due.

    Args:
        row: the case as it is to be, its status too.
        now: when it is computed, UTC; when the case was changed, without it.
    """
    at = now or row.changed_at
    spans = _spans(row, at)
    value = value_of(row)
    promise, course = promise_of(policy, row), replace(course_of(row), spans=spans)
    revision, fired = clocks.retarget(promise, course, row.fired, at)
    course = replace(course, revision=revision)
    dues = clocks.recompute(promise, course, fired)
    waking = clocks.wake_at(promise, course, fired), outreach_at(policy, row, fired)
    return {
        "high_value": policy.is_over(value, policy.hesitation.over),
        "pauses": spans,
        "revision": revision,
        "fired": fired,
        "first_response_due": dues.first_response,
        "next_response_due": dues.next_response,
        "resolution_due": dues.resolution,
        "due_at": dues.earliest,
        "urgency_at": urgency.urgency_at(
            dues.earliest,
            row.opened_at,
            policy.in_base(value),
            FailureClass(row.failure_class) if row.failure_class else None,
            Priority(row.priority),
        ),
        "wake_at": min((one for one in waking if one is not None), default=None),
    }


def ended_pauses(row: CaseRow, status: Status, at: datetime) -> list[list[str | None]]:
    """Return the pauses of a case that ends: its clocks stand still until it is reopened."""
    return pauses.follow_status(row.pauses, status, at)


def _spans(row: CaseRow, at: datetime) -> list[list[str | None]]:
    folded = row.folded_into is not None
    return pauses.follow_status(row.pauses, Status(row.status), at, folded=folded)


def joined(unit: Unit, row: CaseRow, checkout_due: datetime | None) -> None:
    """Let the clocks follow another occurrence on a live case: it may wait no more.

    Args:
        row: the case, locked.
        checkout_due: when its checkout runs out of time, where that was told anew.
    """
    told = {} if checkout_due in (None, row.checkout_due) else {"checkout_due": checkout_due}
    spans = _spans(row, row.changed_at)
    if not told and spans == row.pauses:
        return
    values = clock_values(unit.runtime.policy, with_values(row, told))
    changed = {**told, **values, "changed_at": unit.now}
    queries_case.change_case(unit.session, row, changed)


def outreach_at(
    policy: Policy, row: CaseRow, fired: Sequence[str] | None = None
) -> datetime | None:
    """Return when the customer is written to about the failed payment, if ever."""
    if row.folded_into is not None:
        return None
    return outreach.wake_at(
        policy,
        failure_class=FailureClass(row.failure_class) if row.failure_class else None,
        outcome=(row.attempt or {}).get("outcome"),
        failed_at=row.last_failed_at,
        answered=row.first_response_at is not None,
        address=row.customer_email,
        fired=row.fired if fired is None else fired,
    )


def set_alarm(unit: Unit, row: CaseRow, *, outreach_at: datetime | None = None) -> None:
    """Store what has fired, what is due now, and when to look at the case again.

    The version stays: an agent who is writing an answer must not lose it to a clock.

    Args:
        row: the case with what has fired by now.
        outreach_at: when the customer may be written to, where that was put off.
    """
    values: dict[str, Any] = {"fired": row.fired, "wake_at": None}
    if lifecycle.is_live(Status(row.status)):
        values = clock_values(unit.runtime.policy, row, unit.now)
    if outreach_at is not None:
        course = course_of(with_values(row, values))
        clock = clocks.wake_at(promise_of(unit.runtime.policy, row), course, values["fired"])
        values["wake_at"] = min(clock or outreach_at, outreach_at)
    queries_due.set_case_alarm(unit.session, row.id, values)
