"""Tasks of protocols that are overdue: the case is raised, and whose task it is hears of it."""

from __future__ import annotations

from ..data import queries_assignment, queries_due
from ..data import queries_protocol as queries
from ..data.models import CaseRow, TaskRow
from ..errors import NotFoundError
from ..rules import lifecycle
from ..rules import protocols as rules
from ..types import EntryKind, Priority, Status
from . import escalation
from .protocols import about
from .reading import info
from .runtime import Runtime, Unit
from .sweeping import look_at_due
from .work import Work


def sweep_overdue(runtime: Runtime) -> int:
    """Tell of each overdue task, once; how many were told of."""
    return look_at_due(runtime, queries.next_overdue_task, _look, queries.postpone_task)


def _look(unit: Unit, task: TaskRow) -> bool:
    row = queries_due.case_by_id(unit.session, task.case_id)
    if row is None:
        raise NotFoundError(f"there is no case {task.case_id}")
    if not queries.mark_late(unit.session, task.id, unit.now):
        return False
    if not lifecycle.is_live(Status(row.status)):
        return False
    work = Work(unit, row, unit.now)
    before = Priority(row.priority)
    after = rules.raised(before)
    if after is not before:
        work.change({"priority": after})
    due = (task.due_at or unit.now).isoformat()
    wanted = _whom(unit, row, task)
    people = escalation.people(
        unit, row, wanted, queries_assignment.all_agents(unit.session), team=task.owner
    )
    told = {"action": "task_overdue", **about(task), "from": before, "to": after, "due": due}
    told |= {"notify": sorted(wanted), "people": [one.name for one in people]}
    work.append(EntryKind.ESCALATION, data=told, key=f"task:{task.id}")
    news = {"clock": escalation.TASK, **about(task), "task_id": task.id, "due": due}
    escalation.write(unit, row, news, f"task:{task.id}", people)
    if escalation.WEBHOOK in wanted:
        escalation.post(unit, row, news, f"task:{task.id}")
    unit.emit("case_escalated", case=info(row), reason="task_overdue", task=task.title)
    return True


def _whom(unit: Unit, row: CaseRow, task: TaskRow) -> set[str]:
    """Return who hears of it: whose task it is, and the supervisors when it has to be done.

    The shop's own systems hear of it where the case's service level tells them of anything.
    """
    wanted = {"supervisors"} if task.required else set()
    if escalation.posts(unit.runtime.policy, row):
        wanted.add(escalation.WEBHOOK)
    if task.owner in ("assignee", "supervisors"):
        # Nobody has the case: then it is its team's.
        nobody = task.owner == "assignee" and row.assignee_ref is None
        return wanted | {"team" if nobody else task.owner}
    return wanted | {"owners"}
