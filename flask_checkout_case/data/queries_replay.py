"""Statements that read cases as they were, in portions: of all there are, a few in memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from .models import CaseRow, EntryRow

AT_ONCE: Final = 500

_COLUMNS: Final = (
    CaseRow.id,
    CaseRow.reference,
    CaseRow.category,
    CaseRow.origin,
    CaseRow.failure_class,
    CaseRow.language,
    CaseRow.value_minor,
    CaseRow.currency,
    CaseRow.snapshot,
    CaseRow.attempt,
    CaseRow.opened_at,
    CaseRow.first_response_at,
    CaseRow.ended_at,
    CaseRow.pauses,
)


def opened_since(session: Session, since: datetime) -> Iterator[Sequence[Row[Any]]]:
    """Yield portions of the cases opened since then, the newest first."""
    before: int | None = None
    while True:
        statement = select(*_COLUMNS).where(CaseRow.opened_at >= since)
        if before is not None:
            statement = statement.where(CaseRow.id < before)
        rows = session.execute(statement.order_by(CaseRow.id.desc()).limit(AT_ONCE)).all()
        if not rows:
            return
        yield rows
        before = rows[-1].id


def messages_of(
    session: Session, case_ids: Sequence[int]
) -> Sequence[Row[int, datetime, str, str | None]]:
    """Return what customers and agents wrote to each other in these cases, oldest first."""
    statement = (
        select(EntryRow.case_id, EntryRow.at, EntryRow.author, EntryRow.text)
        .where(EntryRow.case_id.in_(case_ids))
        .where(EntryRow.kind == "message")
        .where(EntryRow.public)
        .order_by(EntryRow.case_id, EntryRow.id)
    )
    return session.execute(statement).all()


def first_signals_of(
    session: Session, case_ids: Sequence[int]
) -> Sequence[Row[int, datetime, dict[str, Any] | None]]:
    """Return the first signal in the timeline of each of these cases that has one."""
    first = (
        select(func.min(EntryRow.id))
        .where(EntryRow.case_id.in_(case_ids))
        .where(EntryRow.kind == "signal")
        .group_by(EntryRow.case_id)
    )
    statement = select(EntryRow.case_id, EntryRow.at, EntryRow.data).where(EntryRow.id.in_(first))
    return session.execute(statement).all()


def cases_named(session: Session, references: Sequence[str]) -> Sequence[CaseRow]:
    """Return the cases of these references."""
    return session.scalars(select(CaseRow).where(CaseRow.reference.in_(references))).all()
