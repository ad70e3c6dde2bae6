"""Cases and checkouts that want to be looked at now."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.orm import Session

from .models import CaseRow, CheckoutRow, EventRow

_UNSYNCHRONISED = {"synchronize_session": False}
_AFRESH = {"populate_existing": True}


def due_case(now: datetime) -> Select[Any]:
    """Select the case that has waited longest to be looked at."""
    return (
        select(CaseRow)
        .where(CaseRow.wake_at <= now)
        .order_by(CaseRow.wake_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def due_checkout(now: datetime) -> Select[Any]:
    """Select the checkout that has waited longest to be looked at."""
    return (
        select(CheckoutRow)
        .where(CheckoutRow.wake_at <= now)
        .order_by(CheckoutRow.wake_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    )


def next_due_case(session: Session, now: datetime) -> CaseRow | None:
    """Return the longest due case, locked until the transaction ends; locked ones are skipped."""
    found: CaseRow | None = session.scalar(due_case(now), execution_options=_AFRESH)
    return found


def next_due_checkout(session: Session, now: datetime) -> CheckoutRow | None:
    """Return the longest due checkout, locked; locked ones are skipped."""
    found: CheckoutRow | None = session.scalar(due_checkout(now), execution_options=_AFRESH)
    return found


def case_by_id(session: Session, case_id: int) -> CaseRow | None:
    return session.scalar(select(CaseRow).where(CaseRow.id == case_id))


def cases_by_ids(session: Session, case_ids: Collection[int]) -> Sequence[CaseRow]:
    """Return these cases."""
    return session.scalars(select(CaseRow).where(CaseRow.id.in_(case_ids))).all()


def set_case_alarm(session: Session, case_id: int, values: Mapping[str, Any]) -> None:
    """Write what has fired, what is due, and when to look again; the version stays."""
    statement = update(CaseRow).where(CaseRow.id == case_id)
    session.execute(statement.values(**values), execution_options=_UNSYNCHRONISED)


def postpone_case(session: Session, case_id: int, until: datetime) -> None:
    """Look at a case later: what it wants fails."""
    session.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id, CaseRow.wake_at.is_not(None))
        .values(wake_at=until),
        execution_options=_UNSYNCHRONISED,
    )


def postpone_checkout(session: Session, checkout_id: int, until: datetime) -> None:
    """Look at a checkout later: what it wants fails."""
    session.execute(
        update(CheckoutRow)
        .where(CheckoutRow.id == checkout_id, CheckoutRow.wake_at.is_not(None))
        .values(wake_at=until),
        execution_options=_UNSYNCHRONISED,
    )


def set_checkout_alarm(
    session: Session,
    checkout_id: int,
    *,
    wake_at: datetime | None,
    hesitated_at: datetime | None = None,
) -> None:
    """Write when to look at a checkout again, and since when it hesitates."""
    session.execute(
        update(CheckoutRow)
        .where(CheckoutRow.id == checkout_id)
        .values(
            wake_at=wake_at,
            hesitated_at=func.coalesce(CheckoutRow.hesitated_at, hesitated_at),
        ),
        execution_options=_UNSYNCHRONISED,
    )


def last_event_at(session: Session, checkout_ref: str, name: str) -> datetime | None:
    """Return when a checkout last sent the signal ``name``."""
    return session.scalar(
        select(func.max(EventRow.at)).where(
            EventRow.checkout_ref == checkout_ref, EventRow.name == name
        )
    )
