"""A clock that tests set, and a shop's words for what happens at its checkout."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Self

from sqlalchemy import Connection, event, select

from flask_checkout_case import CaseInfo, Checkout, Customer, Money, signals
from flask_checkout_case.data.models import CheckoutRow, EntryRow, OutboxRow
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services.runtime import Runtime
from flask_checkout_case.types import utc_now

from .shop import Shop

MINUTE = timedelta(minutes=1)


class Clock:
    """Tells the time that it was set to, for everything that runs beside the requests."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, length: timedelta) -> None:
        self.now += length


def runtime_of(shop: Shop) -> Runtime:
    found: Runtime = shop.app.extensions["checkout_case"]
    return found


def set_clock(shop: Shop, now: datetime | None = None) -> Clock:
    """Let the shop's extension ask this clock from now on."""
    clock = Clock(now or utc_now().replace(microsecond=0))
    runtime_of(shop).clock = clock
    return clock


def checkout(ref: str = "c-1", value: str = "120.00", **changes: Any) -> Checkout:
    given: dict[str, Any] = {
        "ref": ref,
        "value": Money(value, "USD"),
        "step": "payment",
        "customer": Customer(ref="42", name="Ada", email="ada@example.com", language="en"),
        "url": "/checkout/pay",
        **changes,
    }
    return Checkout(**given)


def work(shop: Shop) -> None:
    """Do what the background does in one round: what is due, then what is to be sent."""
    with shop.app.app_context():
        sweep(runtime_of(shop))
        deliver(runtime_of(shop))


def send(shop: Shop, name: str, at: datetime, **arguments: Any) -> None:
    """Send a signal of the shop's, and wait until the database has it."""
    with shop.app.app_context():
        signals.FROM_SHOP[name].send(shop.app, at=at, **arguments)
        shop.cases.flush()


def decline(shop: Shop, at: datetime, **arguments: Any) -> CaseInfo:
    """Report a declined payment; the case that it opened or joined."""
    given: dict[str, Any] = {
        "checkout": checkout(),
        "provider": "stripe",
        "failure_code": "card_declined",
        "decline_code": "insufficient_funds",
        **arguments,
    }
    send(shop, "payment_failed", at, **given)
    return cases(shop)[0]


def cases(shop: Shop, **wanted: Any) -> list[CaseInfo]:
    """Return the newest cases first."""
    with shop.app.app_context():
        return shop.cases.find(**wanted)


def entries(shop: Shop, kind: str | None = None) -> list[EntryRow]:
    with runtime_of(shop).read() as session:
        lines = session.scalars(select(EntryRow).order_by(EntryRow.id)).all()
    return [line for line in lines if kind is None or line.kind == kind]


def outbox(shop: Shop) -> list[OutboxRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(OutboxRow).order_by(OutboxRow.id)))


def checkout_row(shop: Shop, ref: str = "c-1") -> CheckoutRow:
    with runtime_of(shop).read() as session:
        return session.scalars(select(CheckoutRow).where(CheckoutRow.ref == ref)).one()


class Statements:
    """What is sent to the database while it watches, to be explained afterwards."""

    def __init__(self, shop: Shop) -> None:
        self.engine = runtime_of(shop).database.engine
        self.seen: list[tuple[str, Any]] = []

    def __enter__(self) -> Self:
        event.listen(self.engine, "before_cursor_execute", self._note)
        return self

    def __exit__(self, *_exc: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._note)

    def _note(
        self, _conn: Connection, _cursor: Any, statement: str, parameters: Any, *_more: Any
    ) -> None:
        self.seen.append((statement, parameters))

    def plans(self, part: str) -> Sequence[str]:
        """Return the plans of the statements that contain ``part``."""
        how = "EXPLAIN" if self.engine.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
        with self.engine.connect() as connection:
            return [
                "\n".join(
                    " ".join(map(str, row))
                    for row in connection.exec_driver_sql(f"{how} {statement}", parameters)
                )
                for statement, parameters in self.seen
                if part in statement
            ]
