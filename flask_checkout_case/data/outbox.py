"""Things to send, written in the transaction that decides them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .claims import DUE
from .models import OutboxRow


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


def count_by_state(session: Session) -> Mapping[str, int]:
    """Return how many things there are in each state."""
    counted = select(OutboxRow.state, func.count()).group_by(OutboxRow.state)
    return {row[0]: row[1] for row in session.execute(counted)}
