"""Payments that pass, and payments of many checkouts that fail, through the real capture path."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from flask_checkout_case import CaseInfo, Customer, signals
from flask_checkout_case.data.incident_models import IncidentRow, MemberRow
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.jobs.sweep import sweep

from .due import Clock, checkout, runtime_of
from .shop import Shop

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def pays(shop: Shop, refs: Iterable[str], **told: Any) -> None:
    """Let these checkouts pay."""
    with shop.app.app_context():
        for ref in refs:
            given = {"provider": "stripe", "method": "card", "attempt_id": f"ch-{ref}", **told}
            signals.payment_succeeded.send(shop.app, checkout=buyer(ref), at=_now(shop), **given)
        shop.cases.flush()


def fails(shop: Shop, refs: Iterable[str], value: str = "120.00", **told: Any) -> None:
    """Let these checkouts' payments fail, by the gateway's own fault unless told otherwise."""
    with shop.app.app_context():
        for ref in refs:
            given = {
                "provider": "stripe",
                "method": "card",
                "failure_code": "processing_error",
                **told,
            }
            signals.payment_failed.send(
                shop.app, checkout=buyer(ref, value), at=_now(shop), **given
            )
        shop.cases.flush()


def buyer(ref: str, value: str = "120.00") -> Any:
    customer = Customer(ref=f"k-{ref}", name=ref, email=f"{ref}@example.com", language="en")
    return checkout(ref, value, customer=customer)


def refs(prefix: str, count: int) -> list[str]:
    return [f"{prefix}-{number}" for number in range(count)]


def look(shop: Shop, clock: Clock, after: timedelta = 5 * SECOND) -> None:
    """Let some time pass, and what runs beside the requests look."""
    clock.pass_by(after)
    with shop.app.app_context():
        sweep(runtime_of(shop))


def outage(shop: Shop, clock: Clock, count: int = 40) -> IncidentRow:
    """Break a gateway, after some payments that passed; the incident that it makes."""
    pays(shop, refs("ok", 20))
    fails(shop, refs("hit", count))
    look(shop, clock)
    (found,) = incidents(shop)
    return found


def stand_for_incident(shop: Shop, case: CaseInfo) -> None:
    """Let a case be the one of an incident, the first of the shop."""
    runtime = runtime_of(shop)
    now = runtime.clock()
    with runtime.write() as unit:
        row = unit.session.scalars(select(CaseRow).where(CaseRow.reference == case.reference)).one()
        unit.session.add(
            IncidentRow(
                kind="outage",
                fingerprint="stripe|gateway|card",
                gateway="stripe",
                method="card",
                class_group="gateway",
                case_id=row.id,
                evidence={},
                began_at=now,
                opened_at=now,
                failed_at=now,
            )
        )
        unit.session.flush()


def incidents(shop: Shop) -> list[IncidentRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(IncidentRow).order_by(IncidentRow.id)))


def members(shop: Shop) -> list[MemberRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(MemberRow).order_by(MemberRow.id)))


def case_rows(shop: Shop) -> dict[str, CaseRow]:
    """Return the cases of checkouts, by checkout."""
    with runtime_of(shop).read() as session:
        found = session.scalars(select(CaseRow).where(CaseRow.checkout_ref.is_not(None)))
        return {row.checkout_ref or "": row for row in found}


def queued(shop: Shop) -> list[CaseRow]:
    """Return what stands in the queue."""
    with runtime_of(shop).read() as session:
        return list(
            session.scalars(
                select(CaseRow).where(
                    CaseRow.status.in_(("new", "open", "waiting")), CaseRow.folded_into.is_(None)
                )
            )
        )


def count(shop: Shop, table: Any) -> int:
    with runtime_of(shop).read() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def _now(shop: Shop) -> Any:
    return runtime_of(shop).clock()
