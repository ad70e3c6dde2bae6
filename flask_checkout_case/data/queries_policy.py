"""Statements of the stored versions of the policy."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session, load_only

from .models import PolicyRow

_UNSYNCHRONISED = {"synchronize_session": False}
_TOLD = [column for column in PolicyRow.__mapper__.column_attrs if column.key != "text"]


def active_mark(session: Session) -> tuple[int, datetime | None] | None:
    """Return what changes with each activation; ``None`` while none is active. Reads no text."""
    found = session.execute(
        select(PolicyRow.id, PolicyRow.activated_at).where(PolicyRow.active)
    ).first()
    return (found[0], found[1]) if found is not None else None


def active(session: Session, *, lock: bool = False) -> PolicyRow | None:
    """Return the version in force, locked until the transaction ends if that is wanted."""
    statement = select(PolicyRow).where(PolicyRow.active)
    return session.scalar(statement.with_for_update() if lock else statement)


def by_id(session: Session, policy_id: int) -> PolicyRow | None:
    return session.get(PolicyRow, policy_id)


def latest_of(session: Session, version: str) -> PolicyRow | None:
    """Return the newest stored row of this text."""
    statement = select(PolicyRow).where(PolicyRow.version == version)
    return session.scalar(statement.order_by(PolicyRow.id.desc()).limit(1))


def history(session: Session, limit: int) -> Sequence[PolicyRow]:
    """Return the newest versions first, without their texts."""
    statement = select(PolicyRow).options(load_only(*[item.class_attribute for item in _TOLD]))
    return session.scalars(statement.order_by(PolicyRow.id.desc()).limit(limit)).all()


def count(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(PolicyRow)) or 0


def add(session: Session, values: dict[str, Any]) -> PolicyRow:
    row = PolicyRow(**values)
    session.add(row)
    session.flush()
    return row


def set_inactive(session: Session, policy_id: int) -> None:
    session.execute(
        update(PolicyRow)
        .where(PolicyRow.id == policy_id)
        .values(active=False)
        .execution_options(**_UNSYNCHRONISED)
    )


def set_active(session: Session, policy_id: int, values: dict[str, Any]) -> None:
    """Activate a version; ``values`` say who and when."""
    session.execute(
        update(PolicyRow)
        .where(PolicyRow.id == policy_id)
        .values(active=True, **values)
        .execution_options(**_UNSYNCHRONISED)
    )
