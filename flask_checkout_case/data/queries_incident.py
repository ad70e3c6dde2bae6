"""Statements on incidents: how payments go, what is open, whom it hit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    String,
    and_,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, load_only

from ..types import LIVE, IncidentInfo
from .base import BIG_ID
from .incident_models import IncidentRow, MemberRow, StreamRow
from .models import CaseRow, EventRow

KINDS: Final = ("outage", "silence")
_WATCHING: Final = 0x0CA5E_5E46E
"""The name of the lock under which streams are written, on PostgreSQL."""
_PAGE: Final = 2_000
_QUIET: Final = {"synchronize_session": False}
_PAYMENTS: Final = text("checkout_case_event.name IN ('payment_failed', 'payment_succeeded')")
_UNFINISHED: Final = text("checkout_case_incident.finished_at IS NULL")
_REF: Final = func.coalesce(EventRow.checkout_ref, literal_column("''"))
"""No index answers this: SQLite begins with what was stored lately, never with all cases."""
_OPEN: Final = "resolved_at IS NULL"
_LIVE: Final = CaseRow.status.in_([literal_column(f"'{status}'") for status in LIVE])


@dataclass(frozen=True, slots=True)
class Report:
    """One stored event about how a payment ended."""

    id: str
    name: str
    at: datetime
    stored_at: datetime
    checkout_ref: str | None
    customer_ref: str | None
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Hit:
    """Whom an incident may hold.

    Args:
        gateway, method: ``""`` for those that name none.
        classes: failure classes of its group.
        individual: per currency, above how many minor units a case is never folded.
        is_over: nobody new is held, but for those that are folded already.
    """

    incident_id: int
    gateway: str
    method: str
    classes: Collection[str]
    individual: Mapping[str, int]
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """A checkout of an incident and its case."""

    id: int
    at: datetime
    invited_at: datetime | None
    case: CaseRow


def lock_watching(session: Session) -> bool:
    """Take the lock under which streams are written, unless another sweep has it.

    On SQLite the transaction has begun IMMEDIATE, and is the only one that writes.
    """
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(session.scalar(select(func.pg_try_advisory_xact_lock(_WATCHING))))


def streams(session: Session) -> Sequence[StreamRow]:
    return session.scalars(select(StreamRow).order_by(StreamRow.id)).all()


def stream(session: Session, gateway: str, method: str) -> StreamRow | None:
    return session.scalar(
        select(StreamRow).where(StreamRow.gateway == gateway, StreamRow.method == method)
    )


def read_until(session: Session) -> datetime | None:
    """Return until when payments have been counted."""
    return session.scalar(select(func.max(StreamRow.read_until)))


def put_streams(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write streams as they are now."""
    known = [dict(row) for row in rows if row["id"] is not None]
    if known:
        session.execute(update(StreamRow), known)
    new = [{name: row[name] for name in row if name != "id"} for row in rows if row["id"] is None]
    if new:
        session.execute(insert(StreamRow), new)


def payment_reports(
    session: Session, after: datetime, until: datetime, *, most: int | None = None
) -> list[Report]:
    """Return how payments ended of which we came to know in ``(after, until]``, in that order.

    Args:
        most: when there are more, none are returned.
    """
    columns = [getattr(EventRow, name) for name in Report.__slots__]
    found: list[Report] = []
    place = tuple_(EventRow.stored_at, EventRow.id)
    statement = (
        select(*columns)
        .where(_PAYMENTS, EventRow.stored_at > after, EventRow.stored_at <= until)
        .order_by(EventRow.stored_at, EventRow.id)
        .limit(_PAGE)
    )
    page = [Report(*row) for row in session.execute(statement)]
    found += page
    while len(page) == _PAGE:
        if most is not None and len(found) >= most:
            return []
        last = tuple_(
            literal(page[-1].stored_at, EventRow.stored_at.type), literal(page[-1].id, String)
        )
        page = [Report(*row) for row in session.execute(statement.where(place > last))]
        found += page
    return found


def add_incident(session: Session, values: Mapping[str, Any]) -> int | None:
    """Open an incident; ``None`` when one of its fingerprint is open."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = (
        make(IncidentRow)
        .values(**values)
        .on_conflict_do_nothing(
            # Spelled out: a prepared statement can't tell the partial index by a parameter.
            index_elements=[IncidentRow.fingerprint],
            index_where=text(_OPEN),
        )
    )
    return session.scalar(statement.returning(IncidentRow.id))


def set_incident(session: Session, incident_id: int, values: Mapping[str, Any]) -> None:
    session.execute(
        update(IncidentRow).where(IncidentRow.id == incident_id).values(**values),
        execution_options=_QUIET,
    )


def unfinished(session: Session, kinds: Sequence[str] = KINDS) -> Sequence[int]:
    """Return the incidents about which there is something left to do, the oldest first."""
    statement = select(IncidentRow.id).where(_UNFINISHED, IncidentRow.kind.in_(kinds))
    return session.scalars(statement.order_by(IncidentRow.id)).all()


def locked(session: Session, incident_id: int) -> IncidentRow | None:
    """Return an incident, locked and fresh; ``None`` while another sweep has it."""
    statement = select(IncidentRow).where(IncidentRow.id == incident_id, _UNFINISHED)
    found: IncidentRow | None = session.scalar(
        statement.with_for_update(skip_locked=True), execution_options={"populate_existing": True}
    )
    return found


def open_fingerprints(session: Session, kind: str) -> frozenset[str]:
    """Return the fingerprints of the open incidents of a kind."""
    statement = select(IncidentRow.fingerprint).where(
        _UNFINISHED, IncidentRow.resolved_at.is_(None), IncidentRow.kind == kind
    )
    return frozenset(session.scalars(statement))


def is_open(session: Session, fingerprint: str) -> bool:
    """Whether an incident of this fingerprint is open."""
    return open_one(session, fingerprint) is not None


def open_one(session: Session, fingerprint: str) -> int | None:
    """Return the incident of this fingerprint that is open."""
    statement = select(IncidentRow.id).where(
        IncidentRow.fingerprint == fingerprint, IncidentRow.resolved_at.is_(None)
    )
    return session.scalar(statement.limit(1))


def open_incidents(session: Session) -> list[IncidentInfo]:
    """Return the incidents that are open, the oldest first."""
    statement = _told().where(_UNFINISHED, IncidentRow.resolved_at.is_(None))
    return [_info(row) for row in session.execute(statement.order_by(IncidentRow.id))]


def incident_by_id(session: Session, incident_id: int) -> IncidentInfo | None:
    row = session.execute(_told().where(IncidentRow.id == incident_id)).first()
    return _info(row) if row is not None else None


def incident_of_case(session: Session, case_id: int) -> IncidentInfo | None:
    """Return the newest incident that this case stands for, or that holds it."""
    held = select(MemberRow.incident_id).where(MemberRow.case_id == case_id)
    statement = _told().where(or_(IncidentRow.case_id == case_id, IncidentRow.id.in_(held)))
    row = session.execute(statement.order_by(IncidentRow.id.desc()).limit(1)).first()
    return _info(row) if row is not None else None


def _told() -> Any:
    names = [name for name in IncidentInfo.__slots__ if name != "case"]
    columns = [getattr(IncidentRow, name) for name in names]
    return select(*columns, CaseRow.reference).outerjoin(CaseRow, CaseRow.id == IncidentRow.case_id)


def _info(row: Any) -> IncidentInfo:
    names = [name for name in IncidentInfo.__slots__ if name != "case"]
    return IncidentInfo(**dict(zip(names, row, strict=False)), case=row[-1])


def attach(session: Session, hit: Hit, since: datetime, limit: int) -> int:
    """Make members of checkouts whose payments failed since then; how many are new."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    known = select(MemberRow.id).where(
        MemberRow.incident_id == hit.incident_id, MemberRow.checkout_ref == _REF
    )
    failed = (
        select(
            literal(hit.incident_id, BIG_ID),
            _REF,
            func.max(CaseRow.id),
            func.min(EventRow.at),
        )
        .join(CaseRow, CaseRow.checkout_ref == _REF)
        .where(
            _PAYMENTS,
            EventRow.name == "payment_failed",
            EventRow.stored_at > since,
            _said("provider") == hit.gateway,
            _said("method").in_({hit.method, ""}),
            CaseRow.family == "payment",
            CaseRow.failure_class.in_(hit.classes),
            CaseRow.folded_into == hit.incident_id if hit.is_over else text("1 = 1"),
            ~known.exists(),
        )
        .group_by(_REF)
        .limit(limit)
    )
    statement = (
        make(MemberRow)
        .from_select(["incident_id", "checkout_ref", "case_id", "at"], failed)
        .on_conflict_do_nothing(index_elements=[MemberRow.incident_id, MemberRow.checkout_ref])
        .returning(MemberRow.id)
    )
    return len(session.scalars(statement).all())


def is_member(session: Session, incident_ids: Sequence[int], checkout_ref: str) -> bool:
    """Whether any of these incidents holds a checkout."""
    if not incident_ids:
        return False
    statement = select(MemberRow.id).where(
        MemberRow.incident_id.in_(incident_ids), MemberRow.checkout_ref == checkout_ref
    )
    return session.scalar(statement.limit(1)) is not None


def attach_checkouts(session: Session, incident_id: int, refs: Sequence[str], now: datetime) -> int:
    """Make members of these checkouts, as far as they have a case; how many are new."""
    make = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    theirs = (
        select(
            literal(incident_id, BIG_ID),
            CaseRow.checkout_ref,
            func.max(CaseRow.id),
            literal(now, MemberRow.at.type),
        )
        .where(CaseRow.checkout_ref.in_(refs), CaseRow.family == "payment")
        .group_by(CaseRow.checkout_ref)
    )
    statement = (
        make(MemberRow)
        .from_select(["incident_id", "checkout_ref", "case_id", "at"], theirs)
        .on_conflict_do_nothing(index_elements=[MemberRow.incident_id, MemberRow.checkout_ref])
        .returning(MemberRow.id)
    )
    return len(session.scalars(statement).all())


def _said(name: str) -> ColumnElement[str]:
    return func.coalesce(func.lower(func.trim(EventRow.data[name].as_string())), "")


def count_members(session: Session, incident_id: int, more: int, now: datetime) -> None:
    """Add to the count, which several sweeps may do at once."""
    statement = update(IncidentRow).where(IncidentRow.id == incident_id)
    session.execute(
        statement.values(members=IncidentRow.members + more, failed_at=now),
        execution_options=_QUIET,
    )


def to_fold(session: Session, hit: Hit, limit: int) -> Sequence[CaseRow]:
    """Return members' cases that nobody works on, locked; locked ones are left for later."""
    too_much = [
        and_(CaseRow.currency == currency, CaseRow.value_minor > minor)
        for currency, minor in hit.individual.items()
    ]
    statement = (
        select(CaseRow)
        .join(MemberRow, MemberRow.case_id == CaseRow.id)
        .where(
            MemberRow.incident_id == hit.incident_id,
            CaseRow.folded_into.is_(None),
            CaseRow.status == "new",
            CaseRow.assignee_ref.is_(None),
            CaseRow.first_response_at.is_(None),
            CaseRow.unanswered_since.is_(None),
            CaseRow.failure_class.in_(hit.classes),
            or_(CaseRow.value_minor.is_(None), ~or_(*too_much)) if too_much else text("1 = 1"),
        )
        .order_by(CaseRow.id)
        .limit(limit)
        .options(load_only(CaseRow.id, CaseRow.version, CaseRow.pauses))
        .with_for_update(of=CaseRow, skip_locked=True)
    )
    return session.scalars(statement).all()


def fold(session: Session, case_ids: Sequence[int], incident_id: int, now: datetime) -> None:
    """Let an incident stand for these cases: nothing of them is due, in one statement.

    Their history of pauses has to be empty; see :func:`fold_one`.
    """
    span = [[now.isoformat(), None, "folded"]]
    session.execute(
        update(CaseRow)
        .where(CaseRow.id.in_(case_ids))
        .values(**_folded(incident_id, now), pauses=span, version=CaseRow.version + 1),
        execution_options=_QUIET,
    )


def fold_one(
    session: Session, case_id: int, spans: Sequence[Any], incident_id: int, now: datetime
) -> None:
    """Do what :func:`fold` does to a case that has stood still before."""
    session.execute(
        update(CaseRow)
        .where(CaseRow.id == case_id)
        .values(**_folded(incident_id, now), pauses=spans, version=CaseRow.version + 1),
        execution_options=_QUIET,
    )


def _folded(incident_id: int, now: datetime) -> dict[str, Any]:
    nothing = ("first_response_due", "next_response_due", "resolution_due", "due_at", "wake_at")
    return {"folded_into": incident_id, "changed_at": now, **dict.fromkeys(nothing)}


def to_invite(
    session: Session, incident_id: int, after: int, limit: int
) -> list[tuple[int, CaseRow]]:
    """Return members whose cases are still folded, behind this one, in order."""
    statement = (
        select(MemberRow.id, CaseRow)
        .join(CaseRow, CaseRow.id == MemberRow.case_id)
        .where(
            MemberRow.incident_id == incident_id,
            MemberRow.id > after,
            CaseRow.folded_into == incident_id,
            _LIVE,
        )
        .order_by(MemberRow.id)
        .limit(limit)
        .with_for_update(of=CaseRow, skip_locked=True)
    )
    return [(row[0], row[1]) for row in session.execute(statement)]


def invited(session: Session, member_id: int, at: datetime) -> None:
    session.execute(
        update(MemberRow).where(MemberRow.id == member_id).values(invited_at=at),
        execution_options=_QUIET,
    )


def still_folded(session: Session, incident_id: int, limit: int) -> Sequence[CaseRow]:
    """Return live cases for which an incident still stands, locked."""
    return session.scalars(
        select(CaseRow)
        .where(CaseRow.folded_into == incident_id, _LIVE)
        .order_by(CaseRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    ).all()


def has_folded(session: Session, incident_id: int) -> bool:
    """Whether an incident stands for any live case."""
    held = select(CaseRow.id).where(CaseRow.folded_into == incident_id, _LIVE)
    return session.scalar(held.limit(1)) is not None


def members_page(session: Session, incident_id: int, limit: int, after: int = 0) -> list[Member]:
    """Return members of an incident behind this one, in the order in which they were attached."""
    statement = (
        select(MemberRow.id, MemberRow.at, MemberRow.invited_at, CaseRow)
        .join(CaseRow, CaseRow.id == MemberRow.case_id)
        .where(MemberRow.incident_id == incident_id, MemberRow.id > after)
        .order_by(MemberRow.id)
        .limit(limit)
    )
    return [Member(*row) for row in session.execute(statement)]
