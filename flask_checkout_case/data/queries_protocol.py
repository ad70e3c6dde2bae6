"""Statements on the tasks of protocols."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Select, and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .models import CaseRow, TaskRow

_UNSYNCHRONISED = {"synchronize_session": False}
# The condition of the index, which is partial: a database uses it only for a statement that has it.
_WATCHED = and_(TaskRow.due_at.is_not(None), TaskRow.done_at.is_(None), TaskRow.late_at.is_(None))


def add_tasks(session: Session, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert tasks of a protocol unless the case has them; the number of those inserted."""
    if not rows:
        return 0
    on_postgresql = session.get_bind().dialect.name == "postgresql"
    insert = postgresql.insert if on_postgresql else sqlite.insert
    statement = insert(TaskRow).values([dict(row) for row in rows])
    added = session.scalars(statement.on_conflict_do_nothing().returning(TaskRow.id)).all()
    return len(added)


def drop_open_tasks(session: Session, case_id: int, protocol: str) -> int:
    """Take the tasks of a protocol off a case that nobody has done; how many there were."""
    statement = (
        delete(TaskRow)
        .where(TaskRow.case_id == case_id, TaskRow.protocol == protocol, TaskRow.done_at.is_(None))
        .returning(TaskRow.id)
    )
    return len(session.scalars(statement, execution_options=_UNSYNCHRONISED).all())


def tasks_of(session: Session, case_id: int) -> Sequence[TaskRow]:
    """Return a case's tasks: protocols in the order they were added, each in its own order."""
    rows = session.scalars(select(TaskRow).where(TaskRow.case_id == case_id)).all()
    first: dict[str, int] = {}
    for row in rows:
        first[row.protocol] = min(row.id, first.get(row.protocol, row.id))
    return sorted(rows, key=lambda row: (first[row.protocol], row.position))


class Progress(NamedTuple):
    """How much of its protocols a case has behind it."""

    done: int
    all: int


def progress_of(session: Session, case_ids: Sequence[int]) -> dict[int, Progress]:
    """Return how far these cases are; those without a task are left out."""
    if not case_ids:
        return {}
    statement = (
        select(TaskRow.case_id, func.count(TaskRow.done_at), func.count())
        .where(TaskRow.case_id.in_(case_ids))
        .group_by(TaskRow.case_id)
    )
    return {case_id: Progress(done, every) for case_id, done, every in session.execute(statement)}


def task_of(session: Session, case_id: int, task_id: int) -> TaskRow | None:
    return session.scalar(select(TaskRow).where(TaskRow.case_id == case_id, TaskRow.id == task_id))


def set_done(
    session: Session, task_id: int, *, at: datetime | None, by: str | None, name: str | None
) -> bool:
    """Tick a task (``at``) or untick it (``None``), unless it is so already."""
    statement = update(TaskRow).where(
        TaskRow.id == task_id,
        TaskRow.done_at.is_not(None) if at is None else TaskRow.done_at.is_(None),
    )
    changed = session.scalar(
        statement.values(done_at=at, done_by=by, done_by_name=name).returning(TaskRow.id),
        execution_options=_UNSYNCHRONISED,
    )
    return changed is not None


def overdue_task(now: datetime) -> Select[Any]:
    """Select the open task that has been due longest and of which nobody has been told."""
    return (
        select(TaskRow)
        .join(CaseRow, CaseRow.id == TaskRow.case_id)
        .where(_WATCHED, TaskRow.due_at <= now)
        .order_by(TaskRow.due_at)
        .limit(1)
        # With its case: whoever works on that holds it already, and is not waited for.
        .with_for_update(skip_locked=True)
    )


def next_overdue_task(session: Session, now: datetime) -> TaskRow | None:
    """Return the longest overdue task, locked with its case; locked ones are skipped."""
    found: TaskRow | None = session.scalar(overdue_task(now))
    return found


def mark_late(session: Session, task_id: int, at: datetime) -> bool:
    """Note that a task is overdue, once; ``False`` when that is known or it has been done."""
    statement = update(TaskRow).where(
        TaskRow.id == task_id, TaskRow.done_at.is_(None), TaskRow.late_at.is_(None)
    )
    changed = session.scalar(
        statement.values(late_at=at).returning(TaskRow.id), execution_options=_UNSYNCHRONISED
    )
    return changed is not None


def postpone_task(session: Session, task_id: int, until: datetime) -> None:
    """Look at a task later: telling that it is overdue fails."""
    session.execute(
        update(TaskRow)
        .where(TaskRow.id == task_id, TaskRow.late_at.is_(None))
        .values(due_at=until),
        execution_options=_UNSYNCHRONISED,
    )
