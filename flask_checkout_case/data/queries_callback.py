"""Statements on the calls that customers have asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.orm import Session

from .callback_models import CallbackRow
from .models import CaseRow

_UNSYNCHRONISED = {"synchronize_session": False}
# The condition of the indexes, which are partial.
OPEN = and_(CallbackRow.done_at.is_(None), CallbackRow.cancelled_at.is_(None))


def open_callback(session: Session, case_id: int) -> CallbackRow | None:
    """Return the call that is to be made about a case, if there is one."""
    return session.scalar(select(CallbackRow).where(CallbackRow.case_id == case_id, OPEN))


def open_callbacks_of(session: Session, case_ids: Sequence[int]) -> dict[int, CallbackRow]:
    """Return the calls that are to be made about these cases."""
    if not case_ids:
        return {}
    found = session.scalars(select(CallbackRow).where(CallbackRow.case_id.in_(case_ids), OPEN))
    return {row.case_id: row for row in found}


def promised(session: Session, since: datetime) -> Sequence[CallbackRow]:
    """Return all calls that are to be made from then on."""
    statement = select(CallbackRow).where(CallbackRow.start_at >= since, OPEN)
    return session.scalars(statement).all()


def add_callback(session: Session, values: Mapping[str, Any]) -> None:
    """Promise a call.

    Raises:
        sqlalchemy.exc.IntegrityError: its place has been taken a moment ago, or the case has one.
    """
    session.execute(insert(CallbackRow).values(**values))


def set_callback(session: Session, callback_id: int, values: Mapping[str, Any]) -> bool:
    """Write on a call that is still to be made; ``False`` when it is no longer."""
    statement = update(CallbackRow).where(CallbackRow.id == callback_id, OPEN).values(**values)
    changed = session.scalar(statement.returning(CallbackRow.id), execution_options=_UNSYNCHRONISED)
    return changed is not None


def next_due_callback(session: Session, until: datetime) -> CallbackRow | None:
    """Return the first call until then of which nobody has been told, locked with its case."""
    statement = (
        select(CallbackRow)
        .join(CaseRow, CaseRow.id == CallbackRow.case_id)
        .where(OPEN, CallbackRow.told_at.is_(None), CallbackRow.start_at <= until)
        .order_by(CallbackRow.start_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    return session.scalar(statement)
