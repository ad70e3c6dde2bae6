"""The clocks of cases: each threshold fires once, never early, however late somebody looks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from flask_checkout_case import Agent, signals
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import cases as services
from tests.support.due import (
    MINUTE,
    Clock,
    Statements,
    decline,
    entries,
    runtime_of,
    send,
)
from tests.support.shop import Shop

LIN = Agent(ref="7", name="Lin", teams=["payments"])


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


@contextmanager
def heard(shop: Shop) -> Iterator[list[tuple[str, str, datetime]]]:
    """Listen to the warnings and breaches that are told to the shop."""
    told: list[tuple[str, str, datetime]] = []

    def on_warned(_sender: Any, clock: str, due: datetime, **_more: Any) -> None:
        told.append(("warned", clock, due))

    def on_breached(_sender: Any, clock: str, due: datetime, **_more: Any) -> None:
        told.append(("breached", clock, due))

    with (
        signals.sla_warned.connected_to(on_warned, shop.app),
        signals.sla_breached.connected_to(on_breached, shop.app),
    ):
        yield told


def told_on_the_timeline(shop: Shop) -> list[str]:
    """Return which warnings and breaches were written down, beside what the steps did."""
    actions = [str((line.data or {})["action"]) for line in entries(shop, "escalation")]
    return [action for action in actions if action.startswith("sla_")]


def row(shop: Shop) -> CaseRow:
    with runtime_of(shop).read() as session:
        return session.scalars(select(CaseRow)).one()


def test_a_clock_warns_and_breaches_once(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    due = case.first_response_due
    assert due == clock.now + 15 * MINUTE
    with heard(shop) as told:
        for _ in range(20):
            sweep(runtime_of(shop))
            expected = [
                ("warned", "first_response", due) if clock.now >= due - 3.75 * MINUTE else None,
                ("breached", "first_response", due) if clock.now >= due else None,
            ]
            assert told == [one for one in expected if one]
            clock.pass_by(MINUTE)
    assert told_on_the_timeline(shop) == ["sla_warned", "sla_breached"]


def test_not_one_microsecond_early(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    assert case.first_response_due is not None
    clock.now = case.first_response_due - 4 * MINUTE
    sweep(runtime_of(shop))  # the mail to the customer
    clock.now = case.first_response_due - 3.75 * MINUTE - timedelta(microseconds=1)
    assert sweep(runtime_of(shop)).cases == 0
    clock.pass_by(timedelta(microseconds=1))
    assert sweep(runtime_of(shop)).cases == 1


def test_a_worker_that_was_down_fires_each_once(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    clock.pass_by(timedelta(days=9))
    with heard(shop) as told:
        sweep(runtime_of(shop))
        sweep(runtime_of(shop))
    assert sorted((word, name) for word, name, _ in told) == [
        ("breached", "first_response"),
        ("breached", "resolution"),
        ("warned", "first_response"),
        ("warned", "resolution"),
    ]
    assert row(shop).wake_at is None


def test_a_clock_does_not_touch_the_version(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    clock.pass_by(12 * MINUTE)
    assert sweep(runtime_of(shop)).cases == 1
    with shop.app.app_context():
        assert shop.cases.get(case.reference).version == case.version
        taken = services.take(runtime_of(shop), case.reference, agent=LIN, version=case.version)
    assert taken.assignee == "7"


def test_an_answer_stops_the_first_clock(shop: Shop, clock: Clock) -> None:
    case = decline(shop, clock.now)
    services.reply(runtime_of(shop), case.reference, "Try again, please.", agent=LIN)
    clock.pass_by(timedelta(minutes=20))
    with heard(shop) as told:
        sweep(runtime_of(shop))
    assert told == []
    services.customer_message(runtime_of(shop), case.reference, "It fails again.")
    asked = clock.now
    clock.pass_by(timedelta(minutes=30))
    with heard(shop) as told:
        sweep(runtime_of(shop))
    assert [(word, name) for word, name, _ in told] == [
        ("warned", "next_response"),
        ("breached", "next_response"),
    ]
    assert told[0][2] == asked + 30 * MINUTE


def test_an_ended_case_is_left_alone(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    send(shop, "payment_succeeded", clock.now + MINUTE, checkout_ref="c-1")
    clock.pass_by(timedelta(days=2))
    with heard(shop) as told:
        assert sweep(runtime_of(shop)).cases == 0
    assert told == []


def test_a_receiver_that_raises_stops_no_clock(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    clock.pass_by(timedelta(hours=1))

    def raises(_sender: Any, **_more: Any) -> None:
        raise RuntimeError("the shop's own")

    with signals.sla_warned.connected_to(raises, shop.app):
        sweep(runtime_of(shop))
    assert len(told_on_the_timeline(shop)) == 2


def test_a_row_that_cannot_be_looked_at_stops_no_other(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    bad = row(shop).id
    decline(shop, clock.now + MINUTE, checkout_ref="c-2", checkout=None)
    with runtime_of(shop).write() as unit:
        # Written by a hand that didn't know what belongs there.
        unit.session.execute(
            text("UPDATE checkout_case_case SET status = 'odd' WHERE id = :id"), {"id": bad}
        )
    clock.pass_by(timedelta(hours=1))
    sweep(runtime_of(shop))
    with runtime_of(shop).read() as session:
        found = {one.id: one for one in session.scalars(select(CaseRow))}
    assert found.pop(bad).wake_at == clock.now + 5 * MINUTE
    (other,) = found.values()
    assert any("first_response:100" in key for key in other.fired)


def test_two_workers_fire_nothing_twice(shop: Shop, clock: Clock) -> None:
    for number in range(12):
        decline(shop, clock.now, checkout_ref=f"c-{number}", checkout=None)
    clock.pass_by(timedelta(hours=1))
    together = threading.Barrier(2)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            together.wait()
            with shop.app.app_context():
                sweep(runtime_of(shop))
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            failed.append(error)

    workers = [threading.Thread(target=work) for _ in range(2)]
    with heard(shop) as told:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join(60)
    assert not failed
    assert len(told) == 24
    assert len(told_on_the_timeline(shop)) == 24


def test_a_sweep_touches_what_is_due_and_finds_it_by_its_index(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    original = row(shop)
    columns = [item.key for item in CaseRow.__mapper__.column_attrs if item.key != "id"]
    copied = {name: getattr(original, name) for name in columns}
    later = clock.now + timedelta(days=1)
    with runtime_of(shop).write() as unit:
        unit.session.execute(
            insert(CaseRow),
            [
                {**copied, "reference": f"CC-{n}", "dedupe_key": f"k{n}", "wake_at": later}
                for n in range(3000)
            ],
        )
    with runtime_of(shop).database.engine.begin() as connection:
        connection.exec_driver_sql("ANALYZE")
    clock.pass_by(timedelta(hours=1))
    with Statements(shop) as statements:
        sweep(runtime_of(shop))
    written = [told for told, _ in statements.seen if told.startswith("UPDATE checkout_case_case ")]
    assert written
    assert all("WHERE checkout_case_case.id =" in told for told in written)
    with runtime_of(shop).read() as session:
        untouched = select(CaseRow.id).where(CaseRow.wake_at == later, CaseRow.version == 1)
        assert len(session.scalars(untouched).all()) == 3000
    for table, index in (
        ("checkout_case_case", "ix_checkout_case_case_wake"),
        ("checkout_case_checkout", "ix_checkout_case_checkout_wake"),
    ):
        plans = statements.plans(f"WHERE {table}.wake_at <=")
        assert plans
        # A table of one row is read as it lies, whatever index there is.
        if table == "checkout_case_case" or "sqlite" in shop.database_url:
            assert all(index in plan for plan in plans), plans
