"""Statements on order changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from .change_models import ChangeRow, HandoverRow

_FRESH = {"populate_existing": True}
OPEN = ("requested", "priced", "awaiting_payment", "approved", "sent", "acknowledged")


def open_changes(session: Session, subject: str) -> Sequence[ChangeRow]:
    """Return the open changes of an order or checkout, locked, the one that waits last."""
    return session.scalars(
        select(ChangeRow)
        .where(ChangeRow.subject == subject, ChangeRow.state.in_(OPEN))
        .order_by(ChangeRow.waits, ChangeRow.id)
        .with_for_update(),
        execution_options=_FRESH,
    ).all()


def change_by_id(session: Session, public_id: str, *, lock: bool = False) -> ChangeRow | None:
    """Return a change by the name that the shop and fulfilment know."""
    statement = select(ChangeRow).where(ChangeRow.public_id == public_id)
    if lock:
        statement = statement.with_for_update()
    return session.scalar(statement, execution_options=_FRESH)


def change_by_key(session: Session, key: str) -> ChangeRow | None:
    """Return the change of a request that was posted before."""
    return session.scalar(select(ChangeRow).where(ChangeRow.key == key))


def changes_of(session: Session, subject: str, limit: int = 20) -> Sequence[ChangeRow]:
    """Return the newest changes of an order or checkout, newest first."""
    return session.scalars(
        select(ChangeRow)
        .where(ChangeRow.subject == subject)
        .order_by(ChangeRow.id.desc())
        .limit(limit)
    ).all()


def changes_of_case(session: Session, case_id: int) -> Sequence[ChangeRow]:
    """Return a case's changes, oldest first."""
    return session.scalars(
        select(ChangeRow).where(ChangeRow.case_id == case_id).order_by(ChangeRow.id)
    ).all()


def next_due_change(session: Session, now: datetime) -> ChangeRow | None:
    """Return a change that the sweep has to look at; ``None`` when nothing is due.

    Not locked: its case has to be first.
    """
    return session.scalar(
        select(ChangeRow).where(ChangeRow.wake_at <= now).order_by(ChangeRow.wake_at).limit(1),
        execution_options=_FRESH,
    )


def promoted(session: Session, now: datetime, limit: int = 50) -> Sequence[ChangeRow]:
    """Return changes that wait for no other any more and have not been looked at since."""
    return session.scalars(
        select(ChangeRow)
        .where(ChangeRow.promoted_at <= now)
        .order_by(ChangeRow.promoted_at)
        .limit(limit)
    ).all()


def add_change(session: Session, values: Mapping[str, Any]) -> ChangeRow:
    """Insert a change."""
    row = ChangeRow(**values)
    session.add(row)
    session.flush()
    return row


def set_change(session: Session, row: ChangeRow, values: Mapping[str, Any]) -> None:
    """Write these columns of a change that the caller has locked."""
    for name, value in values.items():
        setattr(row, name, value)
    row.version += 1
    session.flush()


def wake_change(session: Session, change_id: int, at: datetime) -> None:
    """Look at a change again at this time."""
    session.execute(update(ChangeRow).where(ChangeRow.id == change_id).values(wake_at=at))


def add_handover(session: Session, change_id: int, at: datetime, what: str, outcome: str) -> None:
    """Write down a try to hand a change over, or an answer to it."""
    told = {"change_id": change_id, "at": at, "what": what, "outcome": outcome[:255]}
    session.execute(insert(HandoverRow).values(**told))


def handovers_of(session: Session, change_ids: Sequence[int]) -> Sequence[HandoverRow]:
    """Return what happened when these changes were handed over, oldest first."""
    return session.scalars(
        select(HandoverRow).where(HandoverRow.change_id.in_(change_ids)).order_by(HandoverRow.id)
    ).all()
