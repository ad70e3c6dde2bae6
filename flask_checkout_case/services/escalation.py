"""What the steps of an escalation do: raise a case, move it, add a protocol, tell people."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from ..data import (
    outbox,
    queries_assignment,
    queries_callback,
    queries_case,
    queries_due,
    queries_protocol,
)
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
ALERT: Final = "escalation_webhook"
WEBHOOK: Final = "webhook"
"""What a step notifies that is nobody of the staff."""
TASK: Final = "task"
"""In the place of a clock: what is overdue is a task of a protocol."""
INCIDENT: Final = "incident"
"""In the place of a clock: an incident has been opened."""
CALL: Final = "call"
"""In the place of a clock: a customer is to be called."""
SEEN_WITHIN: Final = timedelta(days=60)
"""Who hasn't been seen for longer is not written to: they may have left the shop."""

_RANK: Final = {priority: rank for rank, priority in enumerate(Priority)}


def act(unit: Unit, row: CaseRow, threshold: Threshold) -> list[AgentRow]:
    """Let the steps of a threshold act, in the policy's order.

    Args:
        row: the case, locked; it is changed and its version grows where a step changes it.

    Returns:
        Who has to hear of it; see :func:`write_of`.
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
    found = people(unit, row, wanted, staff)
    told = {"notify": sorted(wanted), "people": [one.name for one in found]}
    _note(unit, before, row, threshold, told)
    if WEBHOOK in wanted:
        post(unit, row, _news(threshold), threshold.key)
    unit.emit("case_escalated", case=info(row), reason=threshold.key.rsplit(":", 1)[0])
    return found


def people(
    unit: Unit,
    row: CaseRow,
    wanted: Collection[str],
    staff: Iterable[AgentRow],
    *,
    team: str | None = None,
) -> list[AgentRow]:
    """Return which of the staff hear of something about a case.

    Args:
        wanted: any of ``assignee``, ``team`` (the case's), ``supervisors`` and ``owners``.
        team: the key of the team that ``owners`` are.
    """
    teams = {"team": row.team, "owners": team}
    asked = [key for word, key in teams.items() if word in wanted and key is not None]
    policy = unit.runtime.policy
    return [
        one
        for one in staff
        if unit.now - one.seen_at <= SEEN_WITHIN
        and (
            ("assignee" in wanted and one.ref == row.assignee_ref)
            or ("supervisors" in wanted and one.role == "supervisor")
            or any(belongs(policy, key, one.ref, one.teams) for key in asked)
        )
    ]


def write_of(
    unit: Unit, row: CaseRow, told: Sequence[tuple[Threshold, Sequence[AgentRow]]]
) -> None:
    """Write to whom thresholds concern; who would hear of several at once hears of one alone.

    That is the last, and of something overdue rather than of what is due soon on another clock.

    Args:
        told: thresholds that have passed, in this order, and who has to hear of each.
    """
    rising = sorted(told, key=lambda one: one[0].percent >= BREACH)
    highest = {one.id: threshold for threshold, concerned in rising for one in concerned}
    for threshold, concerned in told:
        hearing = [one for one in concerned if highest[one.id] is threshold]
        write(unit, row, _news(threshold), threshold.key, hearing)


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


def _note(
    unit: Unit, before: dict[str, str], row: CaseRow, threshold: Threshold, told: dict[str, Any]
) -> None:
    told = {"action": "escalated", **_news(threshold), **told}
    told |= {
        name: {"from": old, "to": getattr(row, name)}
        for name, old in before.items()
        if getattr(row, name) != old
    }
    line = entry(row, EntryKind.ESCALATION, unit.now, data=told, key=f"step:{threshold.key}")
    queries_case.add_entries(unit.session, [line])


def write(
    unit: Unit, row: CaseRow, news: Mapping[str, Any], key: str, concerned: Iterable[AgentRow]
) -> None:
    """Leave a mail to each of these agents in the outbox, once.

    Args:
        news: the ``clock`` (or :data:`TASK`), its ``due`` time, and what the letter needs besides.
        key: what is told of; with the case and the agent it makes the mail's key.
    """
    if not can_send(unit.runtime):
        return
    for one in concerned:
        if one.email:
            named = f"escalation:{row.reference}:{key}:{one.id}"
            told = {**news, "agent": one.ref}
            outbox.put(unit.session, KIND, named, told, now=unit.now, case_id=row.id)


def post(unit: Unit, row: CaseRow, news: Mapping[str, Any], key: str) -> None:
    """Leave a webhook to each of the shop's own systems in the outbox, once.

    Args:
        news, key: as for :func:`write`.
    """
    for place, url in enumerate(unit.runtime.settings.alert_urls):
        named = f"alert:{row.reference}:{key}:{place}"
        told = {**news, "at": unit.now.isoformat(), "url": url}
        outbox.put(unit.session, ALERT, named, told, now=unit.now, case_id=row.id)


def posts(policy: Policy, row: CaseRow) -> bool:
    """Whether the case's service level tells the shop's own systems of anything."""
    sla = policy.sla.get(row.sla or "")
    return sla is not None and any(WEBHOOK in step.notify for step in sla.escalate)


def _news(threshold: Threshold) -> dict[str, Any]:
    return {
        "clock": threshold.clock,
        "percent": threshold.percent,
        "after": int(threshold.after.total_seconds()),
        "due": threshold.due.isoformat(),
    }


def case_of(runtime: Runtime, case_id: int | None) -> CaseRow | None:
    """Return the case that something in the outbox is about."""
    with runtime.read() as session:
        return queries_due.case_by_id(session, case_id) if case_id is not None else None


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
    if payload.get("clock") == INCIDENT:
        return row, agent, None
    if payload.get("clock") in (TASK, CALL):
        why_not = _why_no_task if payload["clock"] == TASK else _why_no_call
        return row, agent, why_not(runtime, row, payload)
    due: datetime | None = getattr(row, f"{payload.get('clock')}_due", None)
    if due is None:
        return row, agent, "the clock has stopped"
    late = int(payload.get("percent") or 0) >= BREACH
    return row, agent, "there is time again" if late and due > runtime.clock() else None


def _why_no_task(runtime: Runtime, row: CaseRow, payload: Mapping[str, Any]) -> str | None:
    with runtime.read() as session:
        task = queries_protocol.task_of(session, row.id, int(payload["task_id"]))
    return "the task is done or gone" if task is None or task.done_at is not None else None


def _why_no_call(runtime: Runtime, row: CaseRow, payload: Mapping[str, Any]) -> str | None:
    with runtime.read() as session:
        call = queries_callback.open_callback(session, row.id)
    return None if call is not None and call.id == payload["callback_id"] else "the call is off"
