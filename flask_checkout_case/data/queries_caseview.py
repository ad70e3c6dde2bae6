"""Statements of the case page: everything about one case, in as few looks as there are tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import Session, defer

from .callback_models import CallbackRow
from .models import CaseRow, CheckoutRow, EntryRow, EventRow
from .queries_callback import OPEN


def case_and_checkout(
    session: Session, reference: str
) -> tuple[CaseRow, CheckoutRow | None, CallbackRow | None] | None:
    """Return a case with its checkout as last heard of and the call that is to be made, if any."""
    statement = (
        select(CaseRow, CheckoutRow, CallbackRow)
        .outerjoin(CheckoutRow, CheckoutRow.ref == CaseRow.checkout_ref)
        .outerjoin(CallbackRow, and_(CallbackRow.case_id == CaseRow.id, OPEN))
        .where(CaseRow.reference == reference)
    )
    found = session.execute(statement).one_or_none()
    return (found[0], found[1], found[2]) if found is not None else None


# Made once: every open case page asks it every few seconds.
_NEWEST = (
    select(func.coalesce(func.max(EntryRow.id), 0))
    .where(EntryRow.case_id == CaseRow.id)
    .scalar_subquery()
)
_MARK = (
    select(CaseRow, CheckoutRow.seen_at, _NEWEST)
    .outerjoin(CheckoutRow, CheckoutRow.ref == CaseRow.checkout_ref)
    .where(CaseRow.reference == bindparam("reference"))
    .options(defer(CaseRow.snapshot), defer(CaseRow.attempt), defer(CaseRow.reasons))
)


def case_mark(session: Session, reference: str) -> tuple[CaseRow, datetime | None, int] | None:
    """Return a case without its large columns, when its checkout was last seen, its newest entry.

    What a page shows changes only when one of these does.
    """
    found = session.execute(_MARK, {"reference": reference}).one_or_none()
    return (found[0], found[1], found[2]) if found is not None else None


def newest_entries(
    session: Session, case_id: int, limit: int, before: int | None = None
) -> list[EntryRow]:
    """Return the newest entries of a case (older than the entry ``before``), oldest first."""
    statement = select(EntryRow).where(EntryRow.case_id == case_id)
    if before is not None:
        statement = statement.where(EntryRow.id < before)
    found = session.scalars(statement.order_by(EntryRow.id.desc()).limit(limit)).all()
    return list(reversed(found))


def events_of(session: Session, checkout_ref: str, limit: int) -> list[EventRow]:
    """Return the newest events of a checkout, oldest first."""
    statement = (
        select(EventRow)
        .where(EventRow.checkout_ref == checkout_ref)
        .order_by(EventRow.at.desc(), EventRow.id)
        .limit(limit)
    )
    return list(reversed(session.scalars(statement).all()))


def other_cases(session: Session, row: CaseRow, limit: int) -> Sequence[CaseRow]:
    """Return other cases of the same customer or checkout, the newest first."""
    whose = []
    if row.customer_ref is not None:
        whose.append(CaseRow.customer_ref == row.customer_ref)
    if row.checkout_ref is not None:
        whose.append(CaseRow.checkout_ref == row.checkout_ref)
    if not whose:
        return []
    statement = (
        select(CaseRow)
        .where(and_(or_(*whose), CaseRow.id != row.id))
        .order_by(CaseRow.id.desc())
        .limit(limit)
    )
    return session.scalars(statement).all()
