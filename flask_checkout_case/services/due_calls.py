"""Calls that are to be made soon: whoever has the case hears of it, once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ..data import queries_assignment, queries_due
from ..data import queries_callback as queries
from ..data.callback_models import CallbackRow
from ..errors import NotFoundError
from ..rules import lifecycle
from ..rules.callbacks import DUE_BEFORE
from ..types import EntryKind, Status
from . import escalation
from .runtime import Runtime, Unit
from .sweeping import look_at_due
from .work import Work


def sweep_callbacks(runtime: Runtime) -> int:
    """Tell of each call that is to be made within ten minutes; how many were told of."""
    return look_at_due(runtime, _find, _look, _postpone)


def _find(session: Session, now: datetime) -> CallbackRow | None:
    return queries.next_due_callback(session, now + DUE_BEFORE)


def _look(unit: Unit, call: CallbackRow) -> bool:
    row = queries_due.case_by_id(unit.session, call.case_id)
    if row is None:
        raise NotFoundError(f"there is no case {call.case_id}")
    if not queries.set_callback(unit.session, call.id, {"told_at": unit.now}):
        return False
    if not lifecycle.is_live(Status(row.status)):
        return False
    wanted = {"assignee" if row.assignee_ref is not None else "team"}
    people = escalation.people(unit, row, wanted, queries_assignment.all_agents(unit.session))
    due = call.start_at.isoformat()
    told = {"action": "callback_due", "due": due, "people": [one.name for one in people]}
    key = f"callback:{call.id}"
    Work(unit, row, unit.now).append(EntryKind.ESCALATION, data=told, key=key)
    news = {"clock": escalation.CALL, "callback_id": call.id, "due": due}
    escalation.write(unit, row, news, key, people)
    return True


def _postpone(session: Session, call_id: int, until: datetime) -> None:
    # There is no time to try again later: whoever looks at the case sees the call all the same.
    queries.set_callback(session, call_id, {"told_at": until})
