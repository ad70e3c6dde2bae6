"""What follows the end of a change: the customer reads of it, and money that was paid goes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flask_checkout_case import Agent, Change, ChangeKind, ChangeState, Money
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.services import changes
from tests.support.due import Clock, entries, outbox, runtime_of
from tests.support.orders import YORK, Orders, Warehouse
from tests.support.shop import Shop

YUSUF = Agent(ref="9", name="Yusuf", teams=["fulfilment"])


@pytest.fixture
def given_back(shop: Shop) -> list[str]:
    """What the shop's hook has given back; changes cost $5, and are paid at once."""
    found: list[str] = []

    def give_back(change: Change) -> None:
        found.append(f"{change.payment_id} {change.state}")

    shop.cases.price_change(lambda _change: Money("5.00", "USD"))
    shop.cases.change_refund(give_back)
    return found


def ask_and_pay(shop: Shop, orders: Orders, key: str = "k-1") -> Change:
    change = orders.ask(ChangeKind.DELIVERY, {"delivery": "express"}, key)
    with shop.app.app_context():
        return shop.cases.change_paid(change.id, f"pi_{key}")


def refuse(shop: Shop, change: Change, text: str) -> None:
    with shop.app.app_context():
        (case,) = shop.cases.find()
        changes.refuse(
            runtime_of(shop),
            case.reference,
            change.id,
            agent=YUSUF,
            text=text,
            version=case.version,
        )


def test_the_customer_reads_that_it_is_done(
    shop: Shop, orders: Orders, warehouse: Warehouse, mails: list[Mail]
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    assert mails == []
    warehouse.answer(shop, change)
    orders.work()
    orders.work()
    (mail,) = mails
    assert (mail.to, mail.purpose) == ("ada@example.com", "service")
    assert mail.subject == "Your order o-1 is changed"
    for body in (mail.text, mail.html):
        assert "Correct the address" in body
        assert "1 Minster Yard, York" in body
        assert "It is done." in body


def test_the_customer_reads_why_an_agent_has_refused_it(
    shop: Shop, orders: Orders, mails: list[Mail]
) -> None:
    orders.place(stage="picking")
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    refuse(shop, change, "York is <closed>")
    orders.work()
    (mail,) = mails
    assert mail.subject == "Your order o-1 could not be changed"
    assert "York is <closed>" in mail.text
    assert "York is &lt;closed&gt;" in mail.html
    assert orders.now(change).explanation == "York is <closed>"


def test_what_the_warehouse_says_is_for_agents(
    shop: Shop, orders: Orders, warehouse: Warehouse, mails: list[Mail]
) -> None:
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    warehouse.answer(shop, change, "rejected", reason="aisle 7 is a mess")
    orders.work()
    (mail,) = mails
    assert "The warehouse could no longer do this." in mail.text
    assert "aisle" not in mail.text + mail.html


def test_who_asks_anew_reads_nothing_about_what_they_have_replaced(
    orders: Orders, mails: list[Mail]
) -> None:
    orders.place(stage="picking")
    orders.ask(ChangeKind.ADDRESS, YORK)
    orders.ask(ChangeKind.CANCEL, {}, "k-2")
    orders.work()
    assert mails == []


@pytest.mark.parametrize("end", ["refused", "replaced", "late"])
def test_what_was_paid_goes_back_once_however_the_change_ends(
    shop: Shop, orders: Orders, clock: Clock, given_back: list[str], end: str
) -> None:
    orders.place(stage="released")
    change = ask_and_pay(shop, orders)
    assert (change.state, given_back) == (ChangeState.PRICED, [])
    if end == "refused":
        refuse(shop, change, "No")
    elif end == "replaced":
        orders.ask(ChangeKind.CANCEL, {}, "k-2")
    else:
        clock.pass_by(timedelta(days=3))
    for _ in range(3):
        orders.work()
        clock.pass_by(timedelta(minutes=1))
    state = {"refused": "rejected", "replaced": "superseded", "late": "expired"}[end]
    assert given_back == [f"pi_k-1 {state}"]
    told = [(line.data or {})["action"] for line in entries(shop, "change")]
    assert told.count("change_refunded") == 1


def test_money_that_could_not_go_back_is_tried_again_and_then_shown(
    shop: Shop, orders: Orders, clock: Clock, given_back: list[str]
) -> None:
    def fail(_change: Change) -> None:
        raise RuntimeError("the gateway is away")

    shop.cases.change_refund(fail)
    orders.place(stage="released")
    change = ask_and_pay(shop, orders)
    orders.ask(ChangeKind.CANCEL, {}, "k-2")
    for _ in range(20):
        orders.work()
        clock.pass_by(timedelta(hours=2))
    (row,) = [one for one in outbox(shop) if one.kind == "change_refund"]
    assert (row.state, row.payload["change"]) == ("gave_up", change.id)


def test_nothing_goes_back_for_what_was_not_paid(
    shop: Shop, orders: Orders, clock: Clock, given_back: list[str]
) -> None:
    orders.place(stage="released")
    orders.ask(ChangeKind.DELIVERY, {"delivery": "express"})
    clock.pass_by(timedelta(days=3))
    orders.work()
    assert given_back == []
    assert not [one for one in outbox(shop) if one.kind == "change_refund"]
