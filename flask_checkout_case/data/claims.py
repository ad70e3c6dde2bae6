"""Leased work: one worker has a row for a while, and loses it when it dies."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import CursorResult, Select, Update, select, text, update
from sqlalchemy.orm import Session

from .models import OutboxRow

DUE: Final = "due"
DONE: Final = "done"
CANCELLED: Final = "cancelled"
GAVE_UP: Final = "gave_up"

_IS_DUE: Final = text("checkout_case_outbox.state = 'due'")
"""Written out: neither database proves a partial index's condition from a bound value."""

_UNSYNCHRONISED: Final = {"synchronize_session": False}


def due_ids(now: datetime, limit: int) -> Select[Any]:
    """Select what is due, the longest waiting first; rows that another claims now are skipped."""
    return (
        select(OutboxRow.id)
        .where(_IS_DUE, OutboxRow.due_at <= now)
        .order_by(OutboxRow.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def claiming(now: datetime, owner: str, lease: timedelta, limit: int) -> Update:
    """Make the statement of :func:`claim`."""
    return (
        update(OutboxRow)
        .where(OutboxRow.id.in_(due_ids(now, limit).scalar_subquery()))
        .values(
            leased_by=owner,
            leased_until=now + lease,
            # A leased row is due again when the lease ends, so that one index serves both.
            due_at=now + lease,
            attempts=OutboxRow.attempts + 1,
        )
    )


def claim(
    session: Session, now: datetime, *, owner: str, lease: timedelta, limit: int
) -> Sequence[OutboxRow]:
    """Lease up to ``limit`` due rows to ``owner``, the longest waiting first.

    On PostgreSQL rows that another worker is claiming are skipped; on SQLite the session has to
    have begun IMMEDIATE, then there is one claimer at a time.
    """
    statement = claiming(now, owner, lease, limit).returning(OutboxRow)
    rows = session.scalars(statement, execution_options=_UNSYNCHRONISED).all()
    return sorted(rows, key=lambda row: row.id)


def renew(session: Session, row_id: int, now: datetime, *, owner: str, lease: timedelta) -> bool:
    """Extend a lease; ``False`` when somebody else has the row, or it is settled, by now."""
    return _write(session, row_id, owner, due_at=now + lease, leased_until=now + lease)


def settle(
    session: Session, row_id: int, now: datetime, *, owner: str, state: str, error: str | None
) -> bool:
    """End the work on a row for good; ``False`` when it isn't ``owner``'s any more."""
    return _write(
        session,
        row_id,
        owner,
        state=state,
        done_at=now,
        last_error=error,
        leased_by=None,
        leased_until=None,
    )


def put_back(session: Session, row_id: int, due_at: datetime, *, owner: str, error: str) -> bool:
    """Try a row again at ``due_at``; ``False`` when it isn't ``owner``'s any more."""
    return _write(
        session,
        row_id,
        owner,
        due_at=due_at,
        last_error=error,
        leased_by=None,
        leased_until=None,
    )


def _write(session: Session, row_id: int, owner: str, **values: Any) -> bool:
    statement = (
        update(OutboxRow)
        .where(OutboxRow.id == row_id, OutboxRow.leased_by == owner, _IS_DUE)
        .values(**values)
    )
    result = session.execute(statement, execution_options=_UNSYNCHRONISED)
    return isinstance(result, CursorResult) and result.rowcount == 1
