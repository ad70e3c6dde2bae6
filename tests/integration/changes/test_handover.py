"""An approved change on its way to the warehouse, and what it answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flask_checkout_case import ChangeKind, ChangeState
from flask_checkout_case.types import Outcome, Status
from tests.support.due import Clock, cases, entries, outbox
from tests.support.orders import YORK, Orders, Warehouse
from tests.support.shop import Shop

pytestmark = pytest.mark.usefixtures("clock")
State = ChangeState


def test_a_change_is_applied_when_the_warehouse_has_taken_it(
    shop: Shop, orders: Orders, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    assert change.state is State.APPROVED
    orders.work()
    (posted,) = warehouse.posted
    assert (posted["type"], posted["version"]) == ("order.change", 1)
    assert posted["data"]["after"]["city"] == "York"
    assert orders.now(change).state is State.SENT
    assert orders.data()["address"]["city"] == "London", "nobody has taken it yet"

    assert warehouse.answer(shop, change).json == {"state": "acknowledged"}
    orders.work()
    assert orders.now(change).state is State.APPLIED
    assert orders.data()["address"]["city"] == "York"
    (case,) = cases(shop)
    assert (case.status, case.outcome) == (Status.SOLVED, Outcome.SAVED_CHANGE)


def test_an_answer_twice_is_as_once(shop: Shop, orders: Orders, warehouse: Warehouse) -> None:
    orders.place()
    change = orders.ask(ChangeKind.GIFT_NOTE, {"gift_note": "For Ada"})
    orders.work()
    for _ in range(3):
        assert warehouse.answer(shop, change).status_code == 200
        orders.work()
    assert orders.data()["applied"] == [change.id]
    assert orders.data()["version"] == 2


def test_a_refusal_of_the_warehouse_is_told(
    shop: Shop, orders: Orders, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    warehouse.answer(shop, change, "rejected", reason="already on the lorry")
    assert orders.now(change).state is State.REJECTED
    assert orders.now(change).reason == "warehouse"
    assert any(line.text == "already on the lorry" for line in entries(shop))
    orders.work()
    assert orders.data()["address"]["city"] == "London"


def test_an_answer_that_contradicts_an_earlier_one_is_escalated(
    shop: Shop, orders: Orders, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    warehouse.answer(shop, change, "rejected", reason="no")
    assert warehouse.answer(shop, change, "accepted").json == {"state": "rejected"}
    (told,) = entries(shop, "escalation")
    assert told.data is not None
    assert told.data["action"] == "change_contradiction"


def test_no_answer_is_a_conflict_for_somebody_to_look_at(
    shop: Shop, orders: Orders, clock: Clock, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    clock.pass_by(timedelta(minutes=31))
    orders.work()
    assert orders.now(change).state is State.CONFLICT
    (case,) = cases(shop)
    assert (case.status, case.priority) == (Status.NEW, "urgent")


def test_a_warehouse_that_fails_is_asked_again_under_the_same_id(
    orders: Orders, clock: Clock, warehouse: Warehouse
) -> None:
    warehouse.statuses = [500, 503]
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    for pause in (0, 6, 6 * 60):
        clock.pass_by(timedelta(seconds=pause))
        orders.work()
    assert len(warehouse.posted) == 1
    assert len(warehouse.ids) == 3
    assert len(set(warehouse.ids)) == 1
    assert orders.now(change).state is State.SENT


def test_it_is_left_alone_as_long_as_it_asks(
    orders: Orders, clock: Clock, warehouse: Warehouse
) -> None:
    warehouse.statuses, warehouse.headers = [503], {"Retry-After": "900"}
    orders.place()
    orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    clock.pass_by(timedelta(minutes=14))
    orders.work()
    assert not warehouse.posted
    clock.pass_by(timedelta(minutes=2))
    orders.work()
    assert len(warehouse.posted) == 1


def test_one_that_is_gone_for_good_is_a_conflict_at_once(
    shop: Shop, orders: Orders, warehouse: Warehouse
) -> None:
    warehouse.statuses = [410]
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    assert orders.now(change).state is State.CONFLICT
    assert [row.state for row in outbox(shop)] == ["gave_up"]


def test_past_the_cut_off_nothing_is_tried_any_more(
    shop: Shop, orders: Orders, clock: Clock, warehouse: Warehouse
) -> None:
    warehouse.statuses = [500] * 9
    orders.place(cut_off=1)
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    clock.pass_by(timedelta(minutes=61))
    orders.work()
    assert orders.now(change).state is State.CONFLICT
    asked = len(warehouse.ids)
    clock.pass_by(timedelta(days=1))
    orders.work()
    assert len(warehouse.ids) == asked
    assert cases(shop)[0].priority == "urgent"


def test_what_has_shipped_meanwhile_is_refused_and_not_sent(
    orders: Orders, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.update(stage="shipped")
    orders.work()
    assert not warehouse.posted
    assert (orders.now(change).state, orders.now(change).reason) == (State.REJECTED, "shipped")


def test_a_shop_that_fails_to_apply_is_asked_again(
    shop: Shop, orders: Orders, clock: Clock, warehouse: Warehouse
) -> None:
    orders.place()
    orders.fails = 2
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    warehouse.answer(shop, change)
    for _ in range(4):
        orders.work()
        clock.pass_by(timedelta(minutes=3))
    assert orders.now(change).state is State.APPLIED
    assert orders.data()["applied"] == [change.id]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"type":"change.answered"}', b"\xff"])
def test_a_forged_or_bad_answer_changes_nothing(
    shop: Shop, orders: Orders, warehouse: Warehouse, body: bytes
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    client = shop.app.test_client()
    for headers in (
        {},
        {"webhook-id": "a", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"},
        {"webhook-id": "a", "webhook-timestamp": "x", "webhook-signature": "nonsense"},
    ):
        answer = client.post("/checkout-case/fulfilment", data=body, headers=headers)
        assert answer.status_code == 400
    assert orders.now(change).state is State.SENT
