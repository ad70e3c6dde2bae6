"""Statements about what reports are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from .models import CaseRow
from .report_models import TallyDayRow, TallyRow

_AT_ONCE: Final = 2_000
_QUIET: Final = {"synchronize_session": False}
DIMENSIONS: Final = {
    "team": TallyRow.team,
    "category": TallyRow.category,
    "failure_class": TallyRow.failure_class,
    "provider": TallyRow.provider,
    "band": TallyRow.band,
    "day": TallyRow.day,
}
_SUMS: Final = ("cases", "value_minor", "due", "in_time", "answered", "answer_seconds")


def cases_opened(session: Session, since: datetime, until: datetime) -> Iterator[Row[Any]]:
    """Return what is counted of the cases that were opened in this time."""
    found = session.execute(
        select(
            CaseRow.id,
            CaseRow.checkout_ref,
            CaseRow.team,
            CaseRow.category,
            CaseRow.failure_class,
            CaseRow.attempt,
            CaseRow.value_minor,
            CaseRow.currency,
            CaseRow.ended_at,
            CaseRow.outcome,
            CaseRow.opened_at,
            CaseRow.first_response_at,
            CaseRow.sla,
            CaseRow.pauses,
            CaseRow.folded_into,
        )
        .where(CaseRow.opened_at >= since, CaseRow.opened_at < until)
        .order_by(CaseRow.opened_at),
        execution_options={"yield_per": _AT_ONCE},
    )
    return iter(found)


def days_counted(session: Session, since: str) -> dict[str, datetime]:
    """Return when each day from this one on was counted last."""
    rows = session.scalars(select(TallyDayRow).where(TallyDayRow.day >= since))
    return {row.day: row.counted_at for row in rows}


def claim_day(session: Session, day: str, before: datetime | None, now: datetime) -> bool:
    """Take a day for counting, unless somebody else has since ``before``.

    Raises:
        sqlalchemy.exc.IntegrityError: somebody else counts it for the first time, too.
    """
    if before is None:
        session.execute(insert(TallyDayRow).values(day=day, counted_at=now))
        return True
    changed = session.execute(
        update(TallyDayRow)
        .where(TallyDayRow.day == day, TallyDayRow.counted_at == before)
        .values(counted_at=now)
        .returning(TallyDayRow.day),
        execution_options=_QUIET,
    )
    return changed.first() is not None


def replace_tally(session: Session, day: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what a day has come to."""
    session.execute(delete(TallyRow).where(TallyRow.day == day), execution_options=_QUIET)
    if rows:
        session.execute(insert(TallyRow), [{"day": day, **row} for row in rows])


def sums_by(session: Session, dimension: str, since: str) -> Sequence[Row[Any]]:
    """Return the sums of the days from this one on, by a dimension and by what became of them."""
    column = DIMENSIONS[dimension]
    sums = [func.sum(getattr(TallyRow, name)).label(name) for name in _SUMS]
    return session.execute(
        select(column.label("name"), TallyRow.state, *sums)
        .where(TallyRow.day >= since)
        .group_by(column, TallyRow.state)
    ).all()
