"""Changes of orders as agents see and decide on them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flask_checkout_case import Change, ChangeKind, ChangeState
from flask_checkout_case.types import Outcome, Status
from tests.support.desk import Desk, know_agents, seat_agents
from tests.support.due import Clock, cases
from tests.support.orders import PARIS, YORK, Orders, Warehouse
from tests.support.shop import Shop

State = ChangeState


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """Eve works in the team that the default policy sends changes of orders to."""
    seat_agents(shop)
    know_agents(shop)
    return Desk(shop, "eve")


def page_of(shop: Shop, desk: Desk) -> str:
    return str(desk.get(f"cases/{cases(shop)[0].reference}").text)


def decide(
    shop: Shop, desk: Desk, deed: str, change: Change, status: int = 303, **more: str
) -> str:
    reference = cases(shop)[0].reference
    content = more.get("content") or _content(desk.get(f"cases/{reference}").text, change)
    fields = {"change": f"{deed} {change.id} {content}", f"why {change.id}": more.get("why", "")}
    return str(desk.do(reference, "change", answers=status, **fields).text)


def _content(page: str, change: Change) -> str:
    _before, found, after = page.partition(f"approve {change.id} ")
    return after[:64] if found else "0" * 64


def test_an_agent_sees_both_sides_and_approves(
    shop: Shop, orders: Orders, desk: Desk, warehouse: Warehouse, clock: Clock
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    assert change.state is State.PRICED
    orders.work()
    assert [one["type"] for one in warehouse.posted] == ["order.hold"]
    page = page_of(shop, desk)
    for shown in ("<del>London</del>", "<ins>York</ins>", "Costs nothing", "Needs your leave"):
        assert shown in page
    decide(shop, desk, "approve", change)
    assert orders.now(change).state is State.APPROVED
    orders.work()
    warehouse.answer(shop, change)
    orders.work()
    page = page_of(shop, desk)
    assert "Received by the warehouse" in page
    assert "The warehouse accepts" in page
    assert orders.data()["address"]["city"] == "York"


def test_a_refusal_is_told_to_the_customer_and_the_hold_is_released(
    shop: Shop, orders: Orders, desk: Desk, warehouse: Warehouse
) -> None:
    orders.place(stage="packed")
    change = orders.ask(ChangeKind.CANCEL, {})
    assert "Say why" in decide(shop, desk, "refuse", change, status=400)
    decide(shop, desk, "refuse", change, why="It leaves in ten minutes.")
    orders.work()
    assert [one["type"] for one in warehouse.posted] == ["order.hold", "order.release"]
    (case,) = cases(shop)
    assert (case.status, case.outcome) == (Status.SOLVED, Outcome.REFUSED)
    assert "It leaves in ten minutes." in page_of(shop, desk)


def test_a_new_country_is_a_supervisors_to_decide(shop: Shop, orders: Orders, desk: Desk) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, PARIS)
    page = page_of(shop, desk)
    assert "Needs a supervisor" in page
    assert "approve CH-" not in page
    boss = Desk(shop, "boss")
    content = _content(page_of(shop, boss), change)
    decide(shop, desk, "approve", change, status=409, content=content)
    assert orders.now(change).state is State.PRICED
    decide(shop, boss, "approve", change)
    assert orders.now(change).state is State.APPROVED


def test_an_expensive_order_soon_after_a_new_password_waits_for_a_supervisor(
    shop: Shop, orders: Orders, desk: Desk
) -> None:
    orders.place("o-1", "5200.00", secured_hours_ago=2)
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    assert change.state is State.PRICED
    assert "Needs a supervisor" in page_of(shop, Desk(shop, "boss"))


def test_what_has_shipped_is_refused_at_the_approval(
    shop: Shop, orders: Orders, desk: Desk
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.update(stage="shipped")
    told = decide(shop, desk, "approve", change, status=409)
    assert "the parcel has left" in told
    assert orders.now(change).state is State.REJECTED


def test_another_content_than_was_seen_is_not_approved(
    shop: Shop, orders: Orders, desk: Desk
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    decide(shop, desk, "approve", change, status=409, content="f" * 64)
    assert orders.now(change).state is State.PRICED


def test_a_newer_request_takes_the_place_of_an_undecided_one(
    shop: Shop, orders: Orders, desk: Desk
) -> None:
    orders.place(stage="picking")
    first = orders.ask(ChangeKind.ADDRESS, YORK, "k-1")
    second = orders.ask(ChangeKind.ADDRESS, {**YORK, "line2": "Flat 2"}, "k-2")
    assert (orders.now(first).state, second.state) == (State.SUPERSEDED, State.PRICED)
    assert len(cases(shop)) == 1
    page = page_of(shop, desk)
    assert "replaced by a newer one" in page
    assert page.index(second.id) < page.index(first.id)


def test_one_that_comes_after_an_approved_one_waits_and_is_looked_at_anew(
    shop: Shop, orders: Orders, desk: Desk, warehouse: Warehouse
) -> None:
    orders.place()
    first = orders.ask(ChangeKind.ADDRESS, YORK, "k-1")
    orders.work()
    second = orders.ask(ChangeKind.GIFT_NOTE, {"gift_note": "For Ada"}, "k-2")
    assert second.state is State.PRICED
    assert "Waits until the approved change is done" in page_of(shop, desk)
    warehouse.answer(shop, first)
    for _ in range(2):
        orders.work()
    assert orders.now(first).state is State.APPLIED
    assert orders.now(second).state is State.SENT, "at the order's new version, without a question"
    warehouse.answer(shop, second)
    orders.work()
    assert orders.data()["applied"] == [first.id, second.id]


def test_what_nobody_decides_expires_and_says_so(
    shop: Shop, orders: Orders, desk: Desk, clock: Clock
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    clock.pass_by(timedelta(days=2, minutes=1))
    orders.work()
    assert (orders.now(change).state, orders.now(change).reason) == (State.EXPIRED, "not_decided")


def test_who_is_not_of_the_team_neither_sees_nor_decides(
    shop: Shop, orders: Orders, desk: Desk
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    reference = cases(shop)[0].reference
    Desk(shop, "sam").get(f"cases/{reference}", status=404)
    assert orders.now(change).state is State.PRICED


def test_an_agent_asks_with_one_click_and_the_change_stays_open(
    shop: Shop, orders: Orders, desk: Desk
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    asked = "Before we change your order: is everything right as you wrote it?"
    assert page_of(shop, desk).count(asked) == 1
    reference = cases(shop)[0].reference
    fields: dict[str, Any] = {f"question {change.id}": asked}
    desk.do(reference, "change", change=f"ask {change.id}", **fields)
    (case,) = cases(shop)
    assert case.status == Status.WAITING
    assert orders.now(change).state is State.PRICED
    assert page_of(shop, desk).count(asked) == 2
    empty = desk.do(reference, "change", answers=400, change=f"ask {change.id}")
    assert "Write something first" in empty.text


def test_who_may_only_answer_can_ask_and_cannot_decide(
    shop: Shop, orders: Orders, desk: Desk
) -> None:
    shop.cases.permission(lambda _agent, action, _case: action != "change")
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    page = page_of(shop, desk)
    assert f"ask {change.id}" in page
    assert f"refuse {change.id}" not in page
    assert f"approve {change.id}" not in page


def test_an_agent_sees_the_stock_and_what_is_left_of_the_window(
    shop: Shop, orders: Orders, desk: Desk, clock: Clock
) -> None:
    orders.place(cut_off=2)
    clock.now += timedelta(minutes=31)
    orders.ask(ChangeKind.QUANTITY, {"sku": "BAG-1", "quantity": 1})
    orders.stock["BAG-1"] = 1
    page = page_of(shop, desk)
    assert "1 in stock" in page
    assert "1h 29m left" in " ".join(page.split())

    def breaks(_sku: str) -> int:
        raise RuntimeError("the stock is away")

    shop.cases.inventory_loader(breaks)
    assert "Nobody could say how many there are" in page_of(shop, desk)


def test_an_order_that_has_changed_is_looked_at_anew_before_the_approval(
    shop: Shop, orders: Orders, desk: Desk, warehouse: Warehouse
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.update(gift_note="For Ada")
    told = decide(shop, desk, "approve", change, status=409)
    assert "The order has changed meanwhile" in told
    assert orders.now(change).state is State.PRICED
    decide(shop, desk, "approve", change)
    orders.work()
    (posted,) = [one for one in warehouse.posted if one["type"] == "order.change"]
    assert posted["data"]["order_version"] == "2"


def test_an_order_that_has_changed_after_the_approval_is_decided_on_anew(
    shop: Shop, orders: Orders, desk: Desk, warehouse: Warehouse
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    decide(shop, desk, "approve", change)
    orders.update(gift_note="For Ada")
    orders.work()
    assert not [one for one in warehouse.posted if one["type"] == "order.change"]
    assert orders.now(change).state is State.PRICED
    assert "has to be decided anew" in page_of(shop, desk)
    decide(shop, desk, "approve", change)
    orders.work()
    assert orders.now(change).state is State.SENT


def test_what_needs_nobodys_leave_goes_on_at_the_orders_new_version(
    orders: Orders, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.GIFT_NOTE, {"gift_note": "For Ada"})
    orders.update(instructions="Ring twice")
    orders.work()
    assert orders.now(change).state is State.SENT
    (posted,) = warehouse.posted
    assert posted["data"]["order_version"] == "2"
