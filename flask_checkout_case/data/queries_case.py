"""Statements on cases, their entries, checkouts and events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Executable,
    and_,
    case,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from ..rules.lifecycle import dedupe_key
from ..types import LIVE
from .base import Base
from .models import AgentRow, CaseRow, CheckoutRow, EntryRow, EventRow
from .queries_assignment import held, keep_in_step

_ANEW = {"populate_existing": True}
_ENTRIES: Any = EntryRow.__table__
_ADD_ENTRIES = insert(_ENTRIES)
MOST_STEPS: Final = 1000
"""Characters of the steps that are remembered of one checkout."""
_LIVE_WORDS = tuple(str(status) for status in LIVE)


# What every failure writes is made once for each database, of tables: making it anew, or letting
# the mapper insert it, costs more than running it.


def _upsert(dialect: str, row: type[Base]) -> postgresql.Insert | sqlite.Insert:
    table: Any = row.__table__
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def _returning(row: type[Base], statement: postgresql.Insert | sqlite.Insert) -> Executable:
    columns = row.__table__.columns
    return select(row).from_statement(statement.returning(*columns))


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name


@cache
def _add_event(dialect: str) -> Executable:
    return _upsert(dialect, EventRow).on_conflict_do_nothing().returning(EventRow.id)


def add_event(session: Session, values: Mapping[str, Any]) -> bool:
    """Keep an event once; ``False`` when one of that id is there already."""
    return session.scalar(_add_event(_dialect(session)), dict(values)) is not None


def tell_client(session: Session, event_id: str, client: str) -> None:
    """Add to an event from where it came, where that isn't known yet."""
    row = session.get(EventRow, event_id)
    if row is not None and not row.data.get("client"):
        session.execute(
            update(EventRow)
            .where(EventRow.id == event_id)
            .values(data={**row.data, "client": client}),
            execution_options={"synchronize_session": False},
        )


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an event says about its checkout beside what is in it.

    Args:
        progress: the customer has gone on.
        look: the hesitation rule has to look at once.
        settles: no payment is under way any more.
    """

    progress: bool = False
    look: bool = False
    settles: bool = False


def put_checkout(session: Session, values: Mapping[str, Any], meaning: Meaning) -> CheckoutRow:
    """Insert or update the checkout's row and return it as it is now.

    What an older event says never overwrites what a newer one said; what an event leaves out stays.
    ``paid_at`` and ``ordered_at`` keep their first value, and end the watch for hesitation. Coming
    back to a step, or another total, has the hesitation rule look at once.
    """
    statement = _put_checkout(_dialect(session), meaning)
    row: CheckoutRow = session.scalars(statement, dict(values), execution_options=_ANEW).one()
    return row


@cache
def _put_checkout(dialect: str, meaning: Meaning) -> Executable:
    statement = _upsert(dialect, CheckoutRow)
    new, old = statement.excluded, CheckoutRow
    newer = new.seen_at >= old.seen_at

    def latest(name: str) -> Any:
        given, kept = getattr(new, name), getattr(old, name)
        return case((and_(newer, given.is_not(None)), given), else_=func.coalesce(kept, given))

    changed_step = and_(newer, new.step.is_not(None), new.step.is_distinct_from(old.step))
    moved = newer if meaning.progress else changed_step
    over = or_(
        func.coalesce(old.paid_at, new.paid_at).is_not(None),
        func.coalesce(old.ordered_at, new.ordered_at).is_not(None),
    )
    place = func.strpos if dialect == "postgresql" else func.instr
    barred = literal("|").concat(new.step).concat("|")
    known = func.coalesce(place(old.steps, barred), 0) > 0
    came_back = and_(changed_step, known)
    other_total = new.value_minor != old.value_minor
    looks = true() if meaning.look else or_(came_back, other_total)
    settled = {
        name: latest(name)
        for name in ("customer_ref", "order_ref", "step", "value_minor", "currency", "snapshot")
    }
    statement = statement.on_conflict_do_update(
        index_elements=[CheckoutRow.ref],
        set_={
            **settled,
            "started_at": case((newer, old.started_at), else_=new.started_at),
            "seen_at": case((newer, new.seen_at), else_=old.seen_at),
            "progressed_at": case((moved, new.progressed_at), else_=old.progressed_at),
            "failed_at": func.coalesce(new.failed_at, old.failed_at),
            "paid_at": func.coalesce(old.paid_at, new.paid_at),
            "ordered_at": func.coalesce(old.ordered_at, new.ordered_at),
            "wake_at": case(
                (over, None),
                (looks, new.seen_at),
                # A look that is still to come stays: a sign may lie just behind it.
                (old.hesitated_at.is_not(None), old.wake_at),
                (moved, new.wake_at),
                else_=func.coalesce(old.wake_at, new.wake_at),
            ),
            "steps": case(
                (or_(new.step.is_(None), known), old.steps),
                (func.length(old.steps) > MOST_STEPS, old.steps),
                else_=func.coalesce(old.steps, "|").concat(new.step).concat("|"),
            ),
            "paying_at": _paying(old.paying_at, new, newer, settles=meaning.settles),
            "prompt": case((over, None), else_=old.prompt),
            "check_at": _earlier(old.check_at, new.check_at),
        },
    )
    return _returning(CheckoutRow, statement)


def _paying(old: Any, new: Any, newer: Any, *, settles: bool) -> Any:
    if settles:
        return case((newer, None), else_=old)
    return case((newer, func.coalesce(new.paying_at, old)), else_=old)


def _earlier(old: Any, new: Any) -> Any:
    return case((old.is_(None), new), (new.is_(None), old), (new < old, new), else_=old)


def mark_ordered(session: Session, order_ref: str, at: datetime) -> Sequence[str]:
    """Note that the order of these checkouts is complete; returns the checkouts' refs."""
    statement = (
        update(CheckoutRow)
        .where(CheckoutRow.order_ref == order_ref)
        .values(ordered_at=func.coalesce(CheckoutRow.ordered_at, at), wake_at=None, prompt=null())
        .returning(CheckoutRow.ref)
    )
    return session.scalars(statement, execution_options={"synchronize_session": False}).all()


def put_case(session: Session, values: Mapping[str, Any]) -> CaseRow:
    """Open a case, or count an occurrence on the live one of the same dedupe key.

    The row's ``occurrences`` tell which: 1 is a new case.
    """
    statement = _put_case(_dialect(session))
    row: CaseRow = session.scalars(statement, dict(values), execution_options=_ANEW).one()
    return row


@cache
def _put_case(dialect: str) -> Executable:
    statement = _upsert(dialect, CaseRow)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[CaseRow.dedupe_key],
        # Spelled out: with parameters PostgreSQL can't tell the partial index once it has prepared.
        index_where=text("status IN ('new', 'open', 'waiting')"),
        set_={
            "occurrences": CaseRow.occurrences + 1,
            "status": case((CaseRow.status == "waiting", "open"), else_=CaseRow.status),
            # Once suspected of fraud, a card that is merely declined next doesn't clear it.
            "failure_class": case(
                (CaseRow.failure_class == "fraud", "fraud"),
                else_=func.coalesce(new.failure_class, CaseRow.failure_class),
            ),
            "unmapped": new.unmapped,
            "attempt": func.coalesce(new.attempt, CaseRow.attempt),
            "last_failed_at": func.coalesce(new.last_failed_at, CaseRow.last_failed_at),
            "wake_at": _earlier(CaseRow.wake_at, new.wake_at),
            "changed_at": new.changed_at,
            "version": CaseRow.version + 1,
        },
    )
    return _returning(CaseRow, statement)


def add_entries(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Append to timelines, in this order."""
    if rows:
        session.execute(_ADD_ENTRIES, [dict(row) for row in rows])


def entry_id(session: Session, case_id: int, key: str) -> int | None:
    """Return the entry that was posted under ``key``, if any."""
    return session.scalar(
        select(EntryRow.id).where(EntryRow.case_id == case_id, EntryRow.key == key)
    )


def case_by_reference(session: Session, reference: str, *, lock: bool = False) -> CaseRow | None:
    statement = select(CaseRow).where(CaseRow.reference == reference)
    return session.scalar(statement.with_for_update() if lock else statement)


def live_case_by_key(session: Session, dedupe_key: str) -> CaseRow | None:
    """Return the live case of this dedupe key, locked."""
    return session.scalar(
        select(CaseRow)
        .where(CaseRow.dedupe_key == dedupe_key, CaseRow.status.in_(_LIVE_WORDS))
        .with_for_update()
    )


def live_case(session: Session, checkout_ref: str, family: str) -> CaseRow | None:
    """Return the live case of this checkout and family, locked."""
    return live_case_by_key(session, dedupe_key(family, checkout_ref=checkout_ref))


def live_cases_of(
    session: Session, checkout_refs: Sequence[str], order_ref: str | None, families: Sequence[str]
) -> Sequence[CaseRow]:
    """Return the live cases of these checkouts or this order, locked, in a fixed order."""
    whose: list[ColumnElement[bool]] = [CaseRow.checkout_ref.in_(checkout_refs)]
    if order_ref is not None:
        whose.append(CaseRow.order_ref == order_ref)
    return session.scalars(
        select(CaseRow)
        .where(or_(*whose), CaseRow.family.in_(families), CaseRow.status.in_(_LIVE_WORDS))
        .order_by(CaseRow.id)
        .with_for_update()
    ).all()


def cases_without_order(session: Session, checkout_refs: Sequence[str]) -> Sequence[CaseRow]:
    """Return the cases of these checkouts that name no order yet, locked, in a fixed order."""
    return session.scalars(
        select(CaseRow)
        .where(CaseRow.checkout_ref.in_(checkout_refs), CaseRow.order_ref.is_(None))
        .order_by(CaseRow.id)
        .with_for_update()
    ).all()


def change_case(
    session: Session, row: CaseRow, values: Mapping[str, Any], *, how: str = "taken"
) -> bool:
    """Write ``values`` if nobody has written since ``row`` was read; ``row`` is updated too.

    Assignments follow: whoever gets the case has it from now on, whoever loses it has room again.

    Args:
        how: in which way a new assignee came by the case.
    """
    before, at = held(row), values.get("changed_at", row.changed_at)
    given = values.get("assignee_ref", row.assignee_ref)
    if given != row.assignee_ref:
        values = {"assigned_at": at if given else None, "touched_at": None, **values}
    statement = (
        update(CaseRow)
        .where(CaseRow.id == row.id, CaseRow.version == row.version)
        .values(**values, version=CaseRow.version + 1)
        .returning(CaseRow)
    )
    options = {"populate_existing": True, "synchronize_session": False}
    if session.scalar(statement, execution_options=options) is None:
        return False
    keep_in_step(session, row, before, at, how)
    return True


def entries_after_version(session: Session, case_id: int, version: int) -> Sequence[EntryRow]:
    """Return what happened to a case after ``version``, oldest first."""
    return session.scalars(
        select(EntryRow)
        .where(EntryRow.case_id == case_id, EntryRow.case_version > version)
        .order_by(EntryRow.id)
    ).all()


def find_cases(
    session: Session, wanted: Mapping[str, str | None], statuses: Sequence[str], limit: int
) -> Sequence[CaseRow]:
    """Return the newest cases whose columns equal ``wanted`` (``None`` means any)."""
    fits = [
        getattr(CaseRow, column) == value for column, value in wanted.items() if value is not None
    ]
    if statuses:
        fits.append(CaseRow.status.in_(statuses))
    statement = select(CaseRow).where(*fits).order_by(CaseRow.id.desc()).limit(limit)
    return session.scalars(statement).all()


def checkout_by_ref(session: Session, ref: str, *, lock: bool = False) -> CheckoutRow | None:
    statement = select(CheckoutRow).where(CheckoutRow.ref == ref)
    return session.scalar(statement.with_for_update() if lock else statement)


def put_agent(session: Session, values: Mapping[str, Any]) -> None:
    """Remember an agent as the shop's loader has just described them; their presence stays."""
    statement = _upsert(_dialect(session), AgentRow).values(**values)
    told = values.keys() - {"ref", "presence"}
    kept = {name: getattr(statement.excluded, name) for name in told}
    session.execute(statement.on_conflict_do_update(index_elements=[AgentRow.ref], set_=kept))


def agent_by_ref(session: Session, ref: str) -> AgentRow | None:
    return session.scalar(select(AgentRow).where(AgentRow.ref == ref))
