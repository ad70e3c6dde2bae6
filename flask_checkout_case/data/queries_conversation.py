"""Statements on what a customer may read: cases in short, and their public messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from .models import CaseRow, EntryRow

MOST_CASES = 20
MOST_LINES = 200


@dataclass(frozen=True, slots=True)
class ReachedCase:
    """A case as its customer's pages need it.

    Args:
        last_line: the id of its newest public message, 0 without one.
    """

    id: int
    reference: str
    family: str
    status: str
    checkout_ref: str | None
    customer_ref: str | None
    customer_email: str | None
    failure_class: str | None
    attempt: dict[str, Any] | None
    revocations: int
    ended_at: datetime | None
    last_line: int


@dataclass(frozen=True, slots=True)
class PublicLine:
    """A message that both the customer and the agents see."""

    id: int
    case_id: int
    at: datetime
    author: str
    author_name: str | None
    text: str
    key: str | None


def _is_public_message() -> ColumnElement[bool]:
    return (EntryRow.kind == "message") & EntryRow.public.is_(True)


def reached_cases(
    session: Session, checkout_ref: str | None, references: Sequence[str]
) -> list[ReachedCase]:
    """Return the newest cases of a checkout and of these references, oldest first."""
    whose: list[ColumnElement[bool]] = []
    if checkout_ref is not None:
        whose.append(CaseRow.checkout_ref == checkout_ref)
    if references:
        whose.append(CaseRow.reference.in_(references))
    if not whose:
        return []
    last_line = (
        select(func.coalesce(func.max(EntryRow.id), 0))
        .where(EntryRow.case_id == CaseRow.id, _is_public_message())
        .scalar_subquery()
    )
    statement = (
        select(
            CaseRow.id,
            CaseRow.reference,
            CaseRow.family,
            CaseRow.status,
            CaseRow.checkout_ref,
            CaseRow.customer_ref,
            CaseRow.customer_email,
            CaseRow.failure_class,
            CaseRow.attempt,
            CaseRow.revocations,
            CaseRow.ended_at,
            last_line,
        )
        .where(or_(*whose))
        .order_by(CaseRow.id.desc())
        .limit(MOST_CASES)
    )
    return [ReachedCase(*row) for row in reversed(session.execute(statement).all())]


def public_lines(session: Session, case_ids: Sequence[int], after: int) -> list[PublicLine]:
    """Return the newest public messages of these cases behind the id ``after``, oldest first."""
    if not case_ids:
        return []
    statement = (
        select(
            EntryRow.id,
            EntryRow.case_id,
            EntryRow.at,
            EntryRow.author,
            EntryRow.author_name,
            func.coalesce(EntryRow.text, ""),
            EntryRow.key,
        )
        .where(EntryRow.case_id.in_(case_ids), EntryRow.id > after, _is_public_message())
        .order_by(EntryRow.id.desc())
        .limit(MOST_LINES)
    )
    return [PublicLine(*row) for row in reversed(session.execute(statement).all())]


def answers_after(session: Session, case_ids: Sequence[int], after: int) -> tuple[int, str | None]:
    """Return how many agents' messages lie behind the id ``after``, and who wrote the newest."""
    if not case_ids:
        return 0, None
    rows = session.execute(
        select(EntryRow.author_name)
        .where(
            EntryRow.case_id.in_(case_ids),
            EntryRow.id > after,
            EntryRow.author == "agent",
            _is_public_message(),
        )
        .order_by(EntryRow.id.desc())
        .limit(100)
    ).all()
    return len(rows), rows[0][0] if rows else None


def last_own_line(session: Session, case_ids: Sequence[int]) -> int:
    """Return the id of the customer's newest message, 0 without one."""
    if not case_ids:
        return 0
    statement = select(func.coalesce(func.max(EntryRow.id), 0)).where(
        EntryRow.case_id.in_(case_ids), EntryRow.author == "customer", _is_public_message()
    )
    return session.scalar(statement) or 0
