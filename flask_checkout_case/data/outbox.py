"""Things to send, written in the transaction that decides them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import CursorResult, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .claims import CANCELLED, DUE
from .models import OutboxRow

_GIVEN_UP: Final = text("checkout_case_outbox.state = 'gave_up'")
"""Written out: neither database proves a partial index's condition from a bound value."""


def put(
    session: Session,
    kind: str,
    key: str,
    payload: Mapping[str, Any],
    *,
    now: datetime,
    due_at: datetime | None = None,
    case_id: int | None = None,
) -> bool:
    """Write something to be sent once this transaction has committed.

    Args:
        kind: which of the deliverers takes it, see ``jobs.deliver``.
        key: makes it once: a second one of the same key is ignored, whatever became of the first.
        payload: plain JSON; what the deliverer can look up doesn't belong here.
        due_at: not before this, UTC; at once when ``None``.

    Returns:
        Whether it was new.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        insert(OutboxRow)
        .values(
            key=key,
            kind=kind,
            case_id=case_id,
            payload=dict(payload),
            state=DUE,
            due_at=due_at or now,
            attempts=0,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=[OutboxRow.key])
    )
    return session.scalar(statement.returning(OutboxRow.id)) is not None


def given_up(session: Session, limit: int) -> Sequence[OutboxRow]:
    """Return what could not be sent, the newest first."""
    return session.scalars(
        select(OutboxRow)
        .where(_GIVEN_UP)
        .order_by(OutboxRow.done_at.desc(), OutboxRow.id.desc())
        .limit(limit)
    ).all()


def given_up_by_id(session: Session, row_id: int) -> OutboxRow | None:
    """Return one thing that could not be sent."""
    return session.scalar(select(OutboxRow).where(_GIVEN_UP, OutboxRow.id == row_id))


def again(session: Session, key: str, now: datetime) -> bool:
    """Send a settled thing once more, as if it had never been tried; false if there is none."""
    values = {"state": DUE, "due_at": now, "attempts": 0, "done_at": None}
    return _settled(session, key, OutboxRow.state != DUE, values)


def put_away(session: Session, key: str, now: datetime) -> bool:
    """Let a thing that could not be sent be; false if there is none."""
    return _settled(session, key, _GIVEN_UP, {"state": CANCELLED, "done_at": now})


def _settled(session: Session, key: str, where: Any, values: Mapping[str, Any]) -> bool:
    done = session.execute(
        update(OutboxRow).where(OutboxRow.key == key, where).values(**values),
        execution_options={"synchronize_session": False},
    )
    return isinstance(done, CursorResult) and done.rowcount == 1


def count_by_state(session: Session) -> Mapping[str, int]:
    """Return how many things there are in each state."""
    counted = select(OutboxRow.state, func.count()).group_by(OutboxRow.state)
    return {row[0]: row[1] for row in session.execute(counted)}
