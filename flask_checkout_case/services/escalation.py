"""What the steps of an escalation do: raise a case, move it, add a protocol, tell people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ..data import outbox, queries_assignment, queries_case, queries_due
from ..data.models import AgentRow, CaseRow, with_values
from ..rules import lifecycle
from ..rules.assignment import belongs
from ..rules.clocks import BREACH, Threshold
from ..rules.policy import Policy, Step
from ..types import EntryKind, Priority, Status
from . import protocols
from .entries import entry
from .outreach import can_send
from .reading import info
from .runtime import Runtime, Unit

KIND: Final = "escalation_mail"
SEEN_WITHIN: Final = timedelta(days=60)
"""Who hasn't been seen for longer is not written to: they may have left the shop."""

_RANK: Final = {priority: rank for rank, priority in enumerate(Priority)}


def act(unit: Unit, row: CaseRow, threshold: Threshold) -> None:
    """Let the steps of a threshold act, in the policy's order.

    Args:
        row: the case, locked; it is changed and its version grows where a step changes it.
    """
    staff = queries_assignment.all_agents(unit.session)
    before = {"priority": row.priority, "team": row.team}
    changed: dict[str, Any] = {}
    for step in threshold.steps:
        draft = with_values(row, changed) if changed else row
        changed |= _changes(unit.runtime.policy, draft, step, staff)
    if changed:
        queries_case.change_case(unit.session, row, {**changed, "changed_at": unit.now})
    for step in threshold.steps:
        protocols.attach(unit, row, step.protocol)
    wanted = {whom for step in threshold.steps for whom in step.notify}
    people = [one for one in staff if _is_told(unit, row, one, wanted)]
    told = {"notify": sorted(wanted), "people": [one.name for one in people]}
    _note(unit, before, row, threshold, told)
    _write(unit, row, threshold, people)
    unit.emit("case_escalated", case=info(row), reason=threshold.key.rsplit(":", 1)[0])


def _changes(policy: Policy, row: CaseRow, step: Step, staff: Iterable[AgentRow]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if step.priority is not None and _RANK[step.priority] > _RANK[Priority(row.priority)]:
        found["priority"] = step.priority
    if step.team is not None and step.team in policy.teams and step.team != row.team:
        found["team"] = step.team
        stays = any(
            one.ref == row.assignee_ref and belongs(policy, step.team, one.ref, one.teams)
            for one in staff
        )
        if row.assignee_ref is not None and not stays:
            found["assignee_ref"] = None
    if step.protocol in policy.protocols and row.protocol is None:
        found["protocol"] = step.protocol
    return found


def _is_told(unit: Unit, row: CaseRow, agent: AgentRow, wanted: set[str]) -> bool:
    if unit.now - agent.seen_at > SEEN_WITHIN:
        return False
    policy = unit.runtime.policy
    return (
        ("assignee" in wanted and agent.ref == row.assignee_ref)
        or ("supervisors" in wanted and agent.role == "supervisor")
        or ("team" in wanted and belongs(policy, row.team, agent.ref, agent.teams))
    )


def _note(
    unit: Unit, before: dict[str, str], row: CaseRow, threshold: Threshold, told: dict[str, Any]
) -> None:
    told = {
        "action": "escalated",
        "clock": threshold.clock,
        "percent": threshold.percent,
        "after": int(threshold.after.total_seconds()),
        "due": threshold.due.isoformat(),
        **told,
    }
    told |= {
        name: {"from": old, "to": getattr(row, name)}
        for name, old in before.items()
        if getattr(row, name) != old
    }
    line = entry(row, EntryKind.ESCALATION, unit.now, data=told, key=f"step:{threshold.key}")
    queries_case.add_entries(unit.session, [line])


def _write(unit: Unit, row: CaseRow, threshold: Threshold, people: Iterable[AgentRow]) -> None:
    if not can_send(unit.runtime):
        return
    payload = {
        "clock": threshold.clock,
        "percent": threshold.percent,
        "due": threshold.due.isoformat(),
    }
    for one in people:
        if one.email:
            key = f"escalation:{row.reference}:{threshold.key}:{one.id}"
            told = {**payload, "agent": one.ref}
            outbox.put(unit.session, KIND, key, told, now=unit.now, case_id=row.id)


def why_not_now(
    runtime: Runtime, case_id: int | None, payload: Mapping[str, Any]
) -> tuple[CaseRow | None, AgentRow | None, str | None]:
    """Look at everything once more, right before a mail to an agent is sent.

    Returns:
        The case, the agent, and why not to send: what was due may have been done by now.
    """
    with runtime.read() as session:
        row = queries_due.case_by_id(session, case_id) if case_id is not None else None
        agent = queries_case.agent_by_ref(session, str(payload.get("agent")))
    if row is None or agent is None or not agent.email:
        return None, None, "the case or the agent is gone"
    if not lifecycle.is_live(Status(row.status)):
        return row, agent, f"the case is {row.status}"
    due: datetime | None = getattr(row, f"{payload.get('clock')}_due", None)
    if due is None:
        return row, agent, "the clock has stopped"
    late = int(payload.get("percent") or 0) >= BREACH
    return row, agent, "there is time again" if late and due > runtime.clock() else None
