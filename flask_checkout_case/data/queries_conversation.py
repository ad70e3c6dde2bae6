"""Statements on what a customer may read: cases in short, and their public messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, bindparam, func, or_, select, true
from sqlalchemy.orm import Session

from .base import BIG_ID
from .callback_models import CallbackRow
from .models import AgentRow, CaseRow, EntryRow

MOST_CASES: Final = 20
MOST_LINES: Final = 200


@dataclass(frozen=True, slots=True)
class ReachedCase:
    """A case as its customer's pages need it.

    Args:
        assignee_name: of whoever has it.
        call_start, call_end, call_zone, call_phone: of the call that the customer has asked for.
        last_line: the id of its newest public message, 0 without one.
    """

    id: int
    reference: str
    family: str
    status: str
    checkout_ref: str | None
    customer_ref: str | None
    customer_email: str | None
    category: str
    failure_class: str | None
    high_value: bool
    attempt: dict[str, Any] | None
    revocations: int
    ended_at: datetime | None
    assignee_name: str | None
    call_start: datetime | None
    call_end: datetime | None
    call_zone: str | None
    call_phone: str | None
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


# Built once: these run every few seconds for each open panel, and building costs more than that.
_case: Final = CaseRow.__table__.c
_entry: Final = EntryRow.__table__.c
_call: Final = CallbackRow.__table__.c
_agent: Final = AgentRow.__table__.c
_IS_PUBLIC: Final = and_(
    _entry.kind == "message", _entry.public.is_(true()), _entry.text.is_not(None)
)
_OF_CASES: Final = _entry.case_id.in_(bindparam("case_ids", expanding=True))
_OF_CHECKOUT: Final = _case.checkout_ref == bindparam("checkout_ref")
_OF_REFERENCES: Final = _case.reference.in_(bindparam("references", expanding=True))

_REACHED: Final = (
    select(
        *(_case[item.name] for item in fields(ReachedCase)[:-6]),
        _agent.name,
        *(_call.start_at, _call.end_at, _call.zone, _call.phone),
        select(func.coalesce(func.max(_entry.id), 0))
        .where(_entry.case_id == _case.id, _IS_PUBLIC)
        .scalar_subquery(),
    )
    .select_from(
        CaseRow.__table__.outerjoin(AgentRow.__table__, _agent.ref == _case.assignee_ref).outerjoin(
            CallbackRow.__table__,
            and_(_call.case_id == _case.id, _call.done_at.is_(None), _call.cancelled_at.is_(None)),
        )
    )
    .order_by(_case.id.desc())
    .limit(MOST_CASES)
)
_REACHED_BY: Final = {
    (True, False): _REACHED.where(_OF_CHECKOUT),
    (False, True): _REACHED.where(_OF_REFERENCES),
    (True, True): _REACHED.where(or_(_OF_CHECKOUT, _OF_REFERENCES)),
}
_LINES: Final = (
    select(*(_entry[item.name] for item in fields(PublicLine)))
    .where(_OF_CASES, _entry.id > bindparam("after"), _IS_PUBLIC)
    .order_by(_entry.id.desc())
    .limit(MOST_LINES)
)
_own: Final = EntryRow.__table__.alias().c
_LAST_OWN: Final = (
    select(func.coalesce(func.max(_own.id), 0))
    .where(
        _own.case_id.in_(bindparam("case_ids", expanding=True)),
        _own.author == "customer",
        _own.kind == "message",
        _own.public.is_(true()),
    )
    .scalar_subquery()
)
_ANSWERS: Final = (
    select(_entry.author_name)
    .where(
        _OF_CASES,
        _entry.id > func.coalesce(bindparam("seen", type_=BIG_ID), _LAST_OWN),
        _entry.author == "agent",
        _IS_PUBLIC,
    )
    .order_by(_entry.id.desc())
    .limit(100)
)


def reached_cases(
    session: Session, checkout_ref: str | None, references: Sequence[str]
) -> list[ReachedCase]:
    """Return the newest cases of a checkout and of these references, oldest first."""
    statement = _REACHED_BY.get((checkout_ref is not None, bool(references)))
    if statement is None:
        return []
    given = {"checkout_ref": checkout_ref, "references": list(references)}
    used = {name: value for name, value in given.items() if value}
    return [ReachedCase(*row) for row in reversed(session.execute(statement, used).all())]


def public_lines(session: Session, case_ids: Sequence[int], after: int) -> list[PublicLine]:
    """Return the newest public messages of these cases behind the id ``after``, oldest first."""
    if not case_ids:
        return []
    rows = session.execute(_LINES, {"case_ids": list(case_ids), "after": after}).all()
    return [PublicLine(*row) for row in reversed(rows)]


def answers_after(
    session: Session, case_ids: Sequence[int], seen: int | None
) -> tuple[int, str | None]:
    """Return how many agents' messages are new, and who wrote the newest.

    Args:
        seen: the id behind which they are new; ``None`` is the customer's own last message.
    """
    if not case_ids:
        return 0, None
    rows = session.execute(_ANSWERS, {"case_ids": list(case_ids), "seen": seen}).all()
    return len(rows), rows[0][0] if rows else None
