"""Statements on what was seen of checkouts, and on who was spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from .hesitation_models import ContactRow
from .models import CaseRow, CheckoutRow, EventRow

MOST_EVENTS: Final = 120
"""The newest of a checkout's events; what lies before them has lost its weight."""
_UNSYNCHRONISED = {"synchronize_session": False}
_TABLE: Any = CheckoutRow.__table__
_CASES: Any = CaseRow.__table__
_GLANCE = select(
    *(
        _TABLE.c[name]
        for name in (
            "ref",
            "customer_ref",
            "step",
            "value_minor",
            "currency",
            "progressed_at",
            "paid_at",
            "ordered_at",
            "hesitated_at",
            "paying_at",
            "consented_at",
            "signs",
            "prompt",
            "arm",
        )
    ),
    exists().where(_CASES.c.checkout_ref == bindparam("ref")).label("has_cases"),
).where(_TABLE.c.ref == bindparam("ref"))
_SET_SIGNS = (
    update(_TABLE)
    .where(_TABLE.c.id == bindparam("row_id"))
    .values(
        signs=bindparam("signs", type_=_TABLE.c.signs.type),
        score=bindparam("score"),
        score_reasons=bindparam("score_reasons", type_=_TABLE.c.score_reasons.type),
        seen_at=bindparam("seen_at", type_=_TABLE.c.seen_at.type),
    )
)


def glance(reader: Session | Connection, ref: str) -> Any | None:
    """Return what the widget has to know of a checkout, without locking it."""
    return reader.execute(_GLANCE, {"ref": ref}).first()


def events_of(session: Session, ref: str, names: Sequence[str]) -> Sequence[Any]:
    """Return id, name, time, step and data of a checkout's newest events, oldest first."""
    found = session.execute(
        select(EventRow.id, EventRow.name, EventRow.at, EventRow.step, EventRow.data)
        .where(EventRow.checkout_ref == ref, EventRow.name.in_(names))
        .order_by(EventRow.at.desc())
        .limit(MOST_EVENTS)
    ).all()
    return found[::-1]


def lock_checkouts(session: Session, refs: Sequence[str]) -> Sequence[CheckoutRow]:
    """Return these checkouts' rows, locked in a fixed order, as they are now."""
    return session.scalars(
        select(CheckoutRow)
        .where(CheckoutRow.ref.in_(refs))
        .order_by(CheckoutRow.id)
        .with_for_update(),
        execution_options={"populate_existing": True},
    ).all()


def add_checkouts(session: Session, at_of: Mapping[str, datetime]) -> None:
    """Make rows of checkouts of which only a browser has told so far; others stay as they are."""
    kind = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    rows = [
        {"ref": ref, "started_at": at, "seen_at": at, "progressed_at": at, "score": 0}
        for ref, at in sorted(at_of.items())
    ]
    session.execute(kind.insert(_TABLE).on_conflict_do_nothing(), rows)


def set_signs(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what was seen of checkouts, and what it comes to."""
    if rows:
        session.connection().execute(_SET_SIGNS, [dict(row) for row in rows])


def change_checkout(session: Session, checkout_id: int, values: Mapping[str, Any]) -> None:
    """Write these columns of a checkout that the caller has locked."""
    session.execute(
        update(CheckoutRow).where(CheckoutRow.id == checkout_id).values(**values),
        execution_options=_UNSYNCHRONISED,
    )


def contacts(
    session: Session, ref: str, customer_ref: str | None, since: datetime
) -> Sequence[ContactRow]:
    """Return how often this checkout's customer was spoken to since then, and here at all."""
    whose = ContactRow.checkout_ref == ref
    if customer_ref is not None:
        whose = or_(whose, and_(ContactRow.customer_ref == customer_ref, ContactRow.at > since))
    return session.scalars(select(ContactRow).where(whose)).all()


def add_contact(session: Session, values: Mapping[str, Any]) -> None:
    session.execute(insert(ContactRow).values(**values))


def dismiss_contacts(session: Session, ref: str, at: datetime) -> None:
    """Note that the customer of this checkout wants to be left alone."""
    session.execute(
        update(ContactRow)
        .where(ContactRow.checkout_ref == ref, ContactRow.dismissed_at.is_(None))
        .values(dismissed_at=at),
        execution_options=_UNSYNCHRONISED,
    )


def set_consent(session: Session, ref: str, at: datetime | None) -> None:
    """Note since when the customer of a checkout lets the browser tell; ``None``: no longer."""
    since = func.coalesce(CheckoutRow.consented_at, at) if at is not None else None
    session.execute(
        update(CheckoutRow).where(CheckoutRow.ref == ref).values(consented_at=since),
        execution_options=_UNSYNCHRONISED,
    )
