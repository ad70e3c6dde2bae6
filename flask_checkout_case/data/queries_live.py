"""Statements on checkouts that are going on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from ..types import LIVE
from .models import CaseRow, CheckoutRow

_LIVE_WORDS = tuple(str(status) for status in LIVE)


def _going_on(since: datetime, over: Mapping[str, int]) -> list[ColumnElement[bool]]:
    amounts = [
        and_(CheckoutRow.currency == currency, CheckoutRow.value_minor > minor)
        for currency, minor in over.items()
    ]
    return [
        CheckoutRow.seen_at > since,
        CheckoutRow.paid_at.is_(None),
        CheckoutRow.ordered_at.is_(None),
        or_(*amounts),
    ]


def going_on(
    session: Session, since: datetime, over: Mapping[str, int], limit: int
) -> Sequence[CheckoutRow]:
    """Return the checkouts that are watched with consent, the most wavering first.

    Args:
        since: seen later than this.
        over: minor units by currency, strictly.
    """
    return session.scalars(
        select(CheckoutRow)
        .where(*_going_on(since, over), CheckoutRow.consented_at.is_not(None))
        .order_by(CheckoutRow.score.desc(), CheckoutRow.seen_at.desc(), CheckoutRow.id)
        .limit(limit)
    ).all()


def count_unwatched(session: Session, since: datetime, over: Mapping[str, int], limit: int) -> int:
    """Count, up to ``limit``, the checkouts whose customers haven't consented."""
    some = (
        select(CheckoutRow.id)
        .where(*_going_on(since, over), CheckoutRow.consented_at.is_(None))
        .limit(limit)
        .subquery()
    )
    return session.scalar(select(func.count()).select_from(some)) or 0


def live_cases(session: Session, refs: Sequence[str]) -> Sequence[CaseRow]:
    """Return the live cases of these checkouts, oldest first."""
    if not refs:
        return []
    return session.scalars(
        select(CaseRow)
        .where(CaseRow.checkout_ref.in_(refs), CaseRow.status.in_(_LIVE_WORDS))
        .order_by(CaseRow.id)
    ).all()
