"""Protocols of cases: added, ticked, told of when they are late, asked about at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ..data import queries_case
from ..data import queries_protocol as queries
from ..data.models import CaseRow, TaskRow
from ..errors import InvalidInputError, InvalidTransitionError
from ..rules import lifecycle
from ..rules import protocols as rules
from ..rules.calendars import add_open
from ..rules.policy import Policy
from ..rules.redact import mask_text
from ..types import Agent, CaseInfo, EntryKind, Status
from .entries import entry
from .runtime import Runtime, Unit
from .work import Work, versioned

REASON_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Checklist:
    """A protocol that a case follows.

    Args:
        name: as the policy calls it, or its key when the policy has it no more.
    """

    key: str
    name: str
    tasks: tuple[TaskRow, ...]

    @property
    def done(self) -> int:
        """How many of its tasks have been done."""
        return sum(task.done_at is not None for task in self.tasks)


def attach(unit: Unit, row: CaseRow, protocol: str | None, *, at: datetime | None = None) -> int:
    """Add a protocol of the policy to a case, unless the case follows it already.

    Args:
        row: the case, which the caller has locked or has just opened.
        protocol: its key; nothing happens for ``None`` and for one that the policy hasn't.
        at: from when on the time for its tasks counts, UTC; now when ``None``.

    Returns:
        How many tasks were added.
    """
    policy = unit.runtime.policy
    found = policy.protocols.get(protocol or "")
    if found is None:
        return 0
    planned = rules.plan(found, at or unit.now, lambda start, time: _add(policy, row, start, time))
    added = queries.add_tasks(
        unit.session,
        [
            {
                "case_id": row.id,
                "protocol": found.key,
                "position": task.position,
                "title": task.title,
                "owner": task.owner,
                "required": task.required,
                "due_at": task.due_at,
            }
            for task in planned
        ],
    )
    if added:
        told = {"action": "protocol_added", "protocol": found.key, "name": found.name}
        _note(unit, row, {**told, "tasks": added}, at)
    return added


def replace(unit: Unit, row: CaseRow, old: str | None) -> None:
    """Let a case that was routed again follow its new route's protocol instead of ``old``.

    What has been done of the old one stays on the case.
    """
    if row.protocol == old:
        return
    dropped = queries.drop_open_tasks(unit.session, row.id, old) if old else 0
    if dropped:
        known = unit.runtime.policy.protocols.get(old or "")
        told = {"action": "protocol_dropped", "protocol": old, "name": known.name if known else old}
        _note(unit, row, {**told, "tasks": dropped})
    attach(unit, row, row.protocol)


def _add(policy: Policy, row: CaseRow, start: datetime, time: timedelta) -> datetime | None:
    """Add time by the calendar of the case's service level; without one every hour counts."""
    sla = policy.sla.get(row.sla or "")
    return add_open(policy.calendars.get(sla.calendar) if sla else None, start, time)


def _note(unit: Unit, row: CaseRow, told: dict[str, Any], at: datetime | None = None) -> None:
    line = entry(row, EntryKind.DECISION, at or unit.now, data=told)
    queries_case.add_entries(unit.session, [line])


def tick(
    runtime: Runtime,
    reference: str,
    task_id: int,
    *,
    agent: Agent,
    version: int | None,
    done: bool = True,
) -> CaseInfo:
    """Note that a task of the case has been done, or that it has not been done after all.

    Raises:
        InvalidInputError: the case has no such task.
        InvalidTransitionError: the case has ended; its tasks stay as they were.
    """
    with versioned(runtime, reference, agent, "tick", version) as work:
        task = queries.task_of(work.unit.session, work.row.id, task_id)
        if task is None:
            raise InvalidInputError("the case has no such task", field="task")
        if not lifecycle.is_live(Status(work.row.status)):
            raise InvalidTransitionError("the tasks of a case that has ended stay as they are")
        who = {"by": str(agent.ref), "name": agent.name} if done else {"by": None, "name": None}
        if queries.set_done(work.unit.session, task.id, at=work.now if done else None, **who):
            work.change({})
            action = "task_done" if done else "task_undone"
            work.append(EntryKind.DECISION, agent=agent, data={"action": action, **about(task)})
        return work.result


def reason_to_end(
    work: Work, new: Status, reason: str | None, agent: Agent | None
) -> dict[str, Any]:
    """Return what the timeline tells of ending the case while required tasks are open.

    Args:
        agent: who ends it. The system ends a case without a reason: a purchase needs none.

    Raises:
        InvalidInputError: there are such tasks, and no reason was given; or it is too long.
    """
    ends = lifecycle.is_live(Status(work.row.status)) and not lifecycle.is_live(new)
    given = " ".join((reason or "").split())
    if len(given) > REASON_LIMIT:
        raise InvalidInputError(f"a reason has at most {REASON_LIMIT} characters", field="reason")
    held = queries.tasks_of(work.unit.session, work.row.id) if ends else ()
    left = [task.title for task in rules.holding(held)]
    if not left:
        return {}
    if not given and agent is not None:
        raise InvalidInputError(
            f"required tasks are open, say why the case is ended: {', '.join(left)}", field="reason"
        )
    return {"reason": mask_text(given) or None, "left": left}


def about(task: TaskRow) -> dict[str, Any]:
    """Return what the timeline tells of a task."""
    return {"task": task.title, "protocol": task.protocol, "owner": task.owner}


def checklists(policy: Policy, tasks: Sequence[TaskRow]) -> list[Checklist]:
    """Return what a case follows, the protocol that was added first before the others.

    Args:
        tasks: all of the case's, in order.
    """
    keys = dict.fromkeys(task.protocol for task in tasks)
    return [
        Checklist(
            key,
            policy.protocols[key].name if key in policy.protocols else key,
            tuple(task for task in tasks if task.protocol == key),
        )
        for key in keys
    ]


def tasks_of(runtime: Runtime, case_id: int) -> Sequence[TaskRow]:
    """Return a case's tasks, in order."""
    with runtime.read() as session:
        return queries.tasks_of(session, case_id)
