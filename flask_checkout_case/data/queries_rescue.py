"""Statements about links back to a checkout."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, select, update
from sqlalchemy.orm import Session

from .rescue_models import RescueRow


def add_rescue(session: Session, row: RescueRow) -> None:
    """Insert a link."""
    session.add(row)
    session.flush()


def rescue_by_id(session: Session, public_id: str) -> RescueRow | None:
    return session.scalar(select(RescueRow).where(RescueRow.public_id == public_id))


def claim_rescue(session: Session, public_id: str, now: datetime) -> bool:
    """Note that a link is used; whether it was still unused and in time."""
    fresh = (RescueRow.used_at.is_(None), RescueRow.expires_at > now)
    return _set_used(session, public_id, now, *fresh)


def release_rescue(session: Session, public_id: str, used_at: datetime) -> bool:
    """Give back the use that was claimed at ``used_at``."""
    return _set_used(session, public_id, None, RescueRow.used_at == used_at)


def _set_used(
    session: Session, public_id: str, used_at: datetime | None, *where: ColumnElement[bool]
) -> bool:
    changed = session.execute(
        update(RescueRow)
        .where(RescueRow.public_id == public_id, *where)
        .values(used_at=used_at)
        .returning(RescueRow.id),
        execution_options={"synchronize_session": False},
    )
    return changed.first() is not None


def was_rescued(session: Session, case_id: int, since: datetime, until: datetime) -> bool:
    """Whether a link of this case has led somebody back in this time."""
    used = RescueRow.used_at.between(since, until)
    return bool(session.scalar(select(exists().where(RescueRow.case_id == case_id, used))))
