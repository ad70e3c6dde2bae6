"""What nobody answered: seen, sent again, settled and corrected by a supervisor."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from flask_checkout_case import Change, ChangeKind, ChangeState, signals
from flask_checkout_case.types import Outcome, Status
from tests.support.desk import ORIGIN, Desk, body, know_agents, seat_agents
from tests.support.due import Clock, cases, entries, outbox
from tests.support.orders import YORK, Orders, Warehouse
from tests.support.shop import Shop

State = ChangeState
FLAT = {**YORK, "line2": "Flat 2"}


@pytest.fixture
def boss(shop: Shop) -> Desk:
    seat_agents(shop)
    know_agents(shop)
    return Desk(shop, "boss")


@pytest.fixture
def lost(orders: Orders, warehouse: Warehouse) -> Change:
    """A change that the warehouse will have nothing of."""
    warehouse.statuses = [410]
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    assert orders.now(change).state is State.CONFLICT
    return change


def decide(
    shop: Shop, desk: Desk, deed: str, change: Change, status: int = 303, **more: Any
) -> str:
    fields: dict[str, Any] = {"change": f"{deed} {change.id}", **more}
    return str(desk.do(cases(shop)[0].reference, "change", answers=status, **fields).text)


def test_it_is_listed_and_sent_again_under_its_id(
    shop: Shop, orders: Orders, boss: Desk, warehouse: Warehouse, lost: Change
) -> None:
    page = boss.get("not-sent")
    reference = cases(shop)[0].reference
    for told in ("A change of an order, to the warehouse", reference, "410", "1 try"):
        assert told in body(page.text)
    forms = [form for form in page.forms.values() if "/not-sent/" in form.action]
    forms[0].submit("do", value="again", headers=ORIGIN, status=303)
    assert "Everything has arrived" in boss.get("not-sent").text
    orders.work()
    assert [one["data"]["change_id"] for one in warehouse.posted] == [lost.id]
    assert len(set(warehouse.ids)) == 1
    warehouse.answer(shop, lost)
    orders.work()
    assert orders.now(lost).state is State.APPLIED
    (case,) = cases(shop)
    assert (case.status, case.outcome) == (Status.SOLVED, Outcome.SAVED_CHANGE)
    assert "Handed over once more" in boss.get(f"cases/{reference}").text


def test_who_has_asked_the_warehouse_says_that_it_was_done(
    shop: Shop, orders: Orders, boss: Desk, lost: Change
) -> None:
    decide(shop, boss, "done", lost)
    orders.work()
    assert orders.now(lost).state is State.APPLIED
    assert orders.data()["address"]["city"] == "York"
    assert [row.state for row in outbox(shop)] == ["cancelled", "done"]


def test_or_that_it_was_not_and_why(shop: Shop, orders: Orders, boss: Desk, lost: Change) -> None:
    refused: list[Any] = []

    def note(_sender: object, **told: Any) -> None:
        refused.append(told["reason"])

    with signals.change_refused.connected_to(note):
        assert "Say why" in decide(shop, boss, "undone", lost, status=400)
        why: dict[str, Any] = {f"why {lost.id}": "It had left."}
        decide(shop, boss, "undone", lost, **why)
    assert orders.now(lost).state is State.REJECTED
    assert refused == [], "it was told when it was given up"
    (case,) = cases(shop)
    assert (case.status, case.outcome) == (Status.SOLVED, Outcome.REFUSED)
    assert "It had left." in boss.get(f"cases/{case.reference}").text
    assert "Everything has arrived" in boss.get("not-sent").text


def test_corrected_it_is_another_change_with_its_own_approval(
    shop: Shop, orders: Orders, boss: Desk, warehouse: Warehouse, lost: Change
) -> None:
    fields: dict[str, Any] = {f"edit {lost.id} line2": "Flat 2"}
    decide(shop, boss, "correct", lost, **fields)
    assert orders.now(lost).state is State.SUPERSEDED
    orders.work()
    (posted,) = warehouse.posted
    assert posted["data"]["change_id"] != lost.id
    assert posted["data"]["after"] == FLAT
    with shop.app.app_context():
        fresh = shop.cases.get_change(posted["data"]["change_id"])
    # What the warehouse says about the first one is not about this one.
    assert warehouse.answer(shop, lost).json == {"state": "superseded"}
    assert orders.now(fresh).state is State.SENT
    warehouse.answer(shop, fresh)
    orders.work()
    assert orders.data()["applied"] == [fresh.id]
    assert orders.data()["address"]["line2"] == "Flat 2"


@pytest.mark.parametrize("field", ["city", "country"])
def test_a_correction_that_makes_it_worse_is_refused(
    shop: Shop, orders: Orders, boss: Desk, lost: Change, field: str
) -> None:
    fields = {f"edit {lost.id} {field}": "", f"edit {lost.id} line2": "Flat 2, as typed"}
    told = decide(shop, boss, "correct", lost, status=400, **fields)
    assert 'value="Flat 2, as typed"' in told, "nothing typed is lost"
    assert '<details class="change-correct" open>' in told
    assert orders.now(lost).state is State.CONFLICT


@pytest.mark.parametrize("deed", ["again", "done", "undone", "correct"])
def test_only_supervisors_settle_it(
    shop: Shop, orders: Orders, boss: Desk, lost: Change, deed: str
) -> None:
    eve = Desk(shop, "eve")
    assert f"{deed} {lost.id}" in boss.get(f"cases/{cases(shop)[0].reference}").text
    assert f"{deed} {lost.id}" not in eve.get(f"cases/{cases(shop)[0].reference}").text
    decide(shop, eve, deed, lost, status=403, **{f"why {lost.id}": "No."})
    assert orders.now(lost).state is State.CONFLICT
    eve.get("not-sent", status=403)


@pytest.mark.parametrize("deed", ["again", "done", "correct"])
def test_while_another_change_of_the_order_is_open_it_stays_as_it_is(
    shop: Shop, orders: Orders, boss: Desk, lost: Change, deed: str
) -> None:
    orders.ask(ChangeKind.GIFT_NOTE, {"gift_note": "For Ada"}, "k-2")
    fields = {f"edit {lost.id} line2": "Flat 2"}
    decide(shop, boss, deed, lost, status=409, **fields)
    assert orders.now(lost).state is State.CONFLICT


def test_a_late_answer_still_counts(
    shop: Shop, orders: Orders, clock: Clock, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    clock.pass_by(timedelta(minutes=31))
    orders.work()
    assert orders.now(change).state is State.CONFLICT
    assert warehouse.answer(shop, change).json == {"state": "acknowledged"}
    orders.work()
    assert orders.data()["applied"] == [change.id]
    assert cases(shop)[0].status == Status.SOLVED


def test_a_late_answer_to_what_is_paid_back_is_somebodys_to_look_at(
    shop: Shop, orders: Orders, clock: Clock, warehouse: Warehouse
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.QUANTITY, {"sku": "BAG-1", "quantity": 3})
    with shop.app.app_context():
        shop.cases.change_paid(change.id, "pi_1")
    orders.work()
    clock.pass_by(timedelta(minutes=31))
    orders.work()
    assert warehouse.answer(shop, change).json == {"state": "conflict"}
    assert entries(shop, "escalation")
    orders.work()
    assert orders.data()["applied"] == []


def test_what_the_shop_cannot_apply_is_told_and_tried_again_when_it_can(
    shop: Shop, orders: Orders, boss: Desk, clock: Clock, warehouse: Warehouse
) -> None:
    orders.place()
    orders.fails = 12
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    warehouse.answer(shop, change)
    for _ in range(13):
        orders.work()
        clock.pass_by(timedelta(hours=1))
    (case,) = cases(shop)
    assert case.priority == "urgent"
    assert "the shop can’t apply it" in boss.get(f"cases/{case.reference}").text
    page = boss.get("not-sent")
    (form,) = [form for form in page.forms.values() if "/not-sent/" in form.action]
    form.submit("do", value="again", headers=ORIGIN, status=303)
    orders.work()
    assert orders.now(change).state is State.APPLIED
    assert orders.data()["applied"] == [change.id]


def test_what_is_let_be_is_tried_no_more(
    shop: Shop, orders: Orders, boss: Desk, clock: Clock, warehouse: Warehouse
) -> None:
    warehouse.statuses = [410]
    orders.place(stage="picking")
    orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    page = boss.get("not-sent")
    assert "hold an order" in page.text
    (form,) = [form for form in page.forms.values() if "/not-sent/" in form.action]
    form.submit("do", value="leave", headers=ORIGIN, status=303)
    assert "Everything has arrived" in boss.get("not-sent").text
    clock.pass_by(timedelta(days=3))
    orders.work()
    assert not [one for one in warehouse.posted if one["type"] == "order.hold"]
    form.submit("do", value="again", headers=ORIGIN, status=404)


def test_who_may_not_decide_on_changes_sends_none_again(
    shop: Shop, boss: Desk, lost: Change
) -> None:
    page = boss.get("not-sent")
    (form,) = [form for form in page.forms.values() if "/not-sent/" in form.action]
    shop.cases.permission(lambda _agent, action, _case: action != "change")
    form.submit("do", value="again", headers=ORIGIN, status=403)
    assert [row.state for row in outbox(shop)] == ["gave_up"]
