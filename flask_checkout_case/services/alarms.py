"""Cases whose alarm has gone off: clocks to tell of, steps that act, a customer to write to."""

from __future__ import annotations

from typing import Any

from ..data import queries_case, queries_due
from ..data.models import CaseRow, with_values
from ..rules import clocks as rules
from ..rules import lifecycle
from ..rules import outreach as outreach_rules
from ..types import EntryKind, Status
from . import clocks, escalation, outreach
from .entries import entry
from .reading import info
from .runtime import Runtime, Unit
from .sweeping import look_at_due


def sweep_cases(runtime: Runtime) -> int:
    """Fire what is due on cases; on how many of them anything was."""
    return look_at_due(runtime, queries_due.next_due_case, _look, queries_due.postpone_case)


def _look(unit: Unit, row: CaseRow) -> bool:
    if not lifecycle.is_live(Status(row.status)):
        queries_due.set_case_alarm(unit.session, row.id, {"wake_at": None})
        return False
    # The policy may have changed since the case was written; what holds now is looked at.
    policy = unit.runtime.policy
    now = with_values(row, clocks.clock_values(policy, row, unit.now))
    passed = rules.fired_now(
        clocks.promise_of(policy, now), clocks.course_of(now), now.fired, unit.now
    )
    concerned = []
    for one in passed:
        if not one.after and one.percent <= rules.BREACH:
            _tell(unit, row, one)
        if one.steps:
            concerned.append((one, escalation.act(unit, row, one)))
    escalation.write_of(unit, row, concerned)
    considered = outreach.consider(unit, row)
    fired = [*now.fired, *(one.key for one in passed)]
    if considered.settled:
        fired.append(outreach_rules.FIRED_KEY)
    last = {"fired": fired, "revision": now.revision, "pauses": now.pauses}
    clocks.set_alarm(unit, with_values(row, last), outreach_at=considered.again_at)
    return bool(passed or considered.settled)


def _tell(unit: Unit, row: CaseRow, threshold: rules.Threshold) -> None:
    action = "sla_breached" if threshold.breaches else "sla_warned"
    told: dict[str, Any] = {
        "action": action,
        "clock": threshold.clock,
        "percent": threshold.percent,
        "due": threshold.due.isoformat(),
    }
    line = entry(row, EntryKind.ESCALATION, unit.now, data=told, key=f"sla:{threshold.key}")
    queries_case.add_entries(unit.session, [line])
    unit.emit(action, case=info(row), clock=threshold.clock, due=threshold.due)
