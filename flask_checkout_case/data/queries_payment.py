"""Statements about payments: checkouts whose money has to be judged, and what was told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, exists, select, update
from sqlalchemy.orm import Session

from .models import CaseRow, CheckoutRow, EventRow

_UNSYNCHRONISED = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class DueCheckout:
    """A checkout whose payments are to be judged; ``leased_until`` is its alarm meanwhile."""

    id: int
    ref: str
    leased_until: datetime


def due_checkouts(now: datetime, limit: int) -> Select[Any]:
    """Select the checkouts whose payments have waited longest to be judged."""
    return (
        select(CheckoutRow.id)
        .where(CheckoutRow.check_at <= now)
        .order_by(CheckoutRow.check_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


def lease_checkouts(
    session: Session, now: datetime, until: datetime, limit: int
) -> list[DueCheckout]:
    """Take checkouts that are due, so that nobody else does before ``until``."""
    statement = (
        update(CheckoutRow)
        .where(CheckoutRow.id.in_(due_checkouts(now, limit)))
        .values(check_at=until)
        .returning(CheckoutRow.id, CheckoutRow.ref)
    )
    found = session.execute(statement, execution_options=_UNSYNCHRONISED).all()
    return [DueCheckout(id_, ref, until) for id_, ref in found]


def set_check(session: Session, taken: DueCheckout, at: datetime | None) -> None:
    """Write when to judge again, unless something has been told meanwhile that wants it sooner."""
    session.execute(
        update(CheckoutRow)
        .where(CheckoutRow.id == taken.id, CheckoutRow.check_at == taken.leased_until)
        .values(check_at=at),
        execution_options=_UNSYNCHRONISED,
    )


def payment_events(session: Session, checkout_ref: str, names: Sequence[str]) -> Sequence[EventRow]:
    """Return what was told of this checkout's payments, oldest first."""
    return session.scalars(
        select(EventRow)
        .where(EventRow.checkout_ref == checkout_ref, EventRow.name.in_(names))
        .order_by(EventRow.at, EventRow.id)
    ).all()


def has_any_order(session: Session) -> bool:
    """Whether the shop has ever told of an order."""
    told = exists().where(CheckoutRow.ordered_at.is_not(None))
    return bool(session.scalar(select(told)))


def had_case(session: Session, checkout_ref: str, dedupe_key: str) -> bool:
    """Whether there is a case of this key, or has been one."""
    found = exists().where(CaseRow.checkout_ref == checkout_ref, CaseRow.dedupe_key == dedupe_key)
    return bool(session.scalar(select(found)))
