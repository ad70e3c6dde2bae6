"""What a change of an order costs more: paid by card, on the shop's own page."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import time_machine
from flask import Flask
from webtest import TestApp

from example_store import payments
from example_store.changes import of_number, to_pay
from example_store.extensions import db
from example_store.support import cases
from tests.support.store import LocalStripe

from .steps import add, fill_contact, fill_shipping, pay
from .test_store_webhooks import send


def work(app: Flask) -> None:
    """Do what the worker does in two rounds."""
    for _ in range(2):
        done = app.test_cli_runner().invoke(args=["checkout-case", "worker", "--once"])
        assert done.exit_code == 0, done.output


def bought(visitor: TestApp, delivery: str = "standard") -> str:
    add(visitor, "ines-tote")
    fill_contact(visitor)
    thanks = pay(fill_shipping(visitor, shipping_method=delivery).follow()).follow()
    return str(thanks.html.find(id="order-number").text)


def order_of(app: Flask, number: str) -> dict[str, Any]:
    with app.app_context():
        order = of_number(number)
        assert order is not None
        return {
            "shipping": order.shipping,
            "shipping_minor": order.shipping_minor,
            "total": order.total_minor,
            "extra": list(order.extra_payments),
        }


def at_stage(app: Flask, number: str, stage: str) -> str:
    """Move an order on; returns what it was paid with."""
    with app.app_context():
        order = of_number(number)
        assert order is not None
        order.stage = stage
        db.session.commit()
        return str(order.payment_intent)


def ask_for(visitor: TestApp, number: str, delivery: str) -> Any:
    """Ask for another delivery on the page of the order's change, as far as agreeing to it."""
    page = visitor.get(f"/checkout/confirmation/{number}").click("Change this order")
    form = page.click("Choose another delivery").forms[0]
    form["delivery"] = delivery
    looked = form.submit("do", value="look")
    return looked, looked.forms[0].submit("do", value="agree")


def test_a_faster_delivery_is_paid_and_then_made(
    app: Flask, visitor: TestApp, local_stripe: LocalStripe
) -> None:
    number = bought(visitor)
    before = order_of(app, number)
    looked, agreed = ask_for(visitor, number, "express")
    more = 3500 - before["shipping_minor"]
    assert f"You pay ${more / 100:.2f} more." in looked
    page = agreed.follow()
    assert "Pay for your change" in page
    declined = pay(page, "pm_card_chargeDeclined")
    assert declined.status_code == 402
    assert "approve this payment, and you have not been charged" in declined
    work(app)
    assert order_of(app, number) == before, "nothing is made that isn't paid"
    thanks = pay(declined).follow()
    assert "your change goes to the warehouse" in thanks
    work(app)
    after = order_of(app, number)
    assert (after["shipping"], after["total"]) == ("Express delivery", before["total"] + more)
    (intent,) = after["extra"]
    paid = local_stripe.client().v1.payment_intents.retrieve(intent)
    assert (paid.status, paid.amount, paid.metadata["order"]) == ("succeeded", more, number)
    # The page of what is paid leads back, and nobody pays twice.
    again = visitor.get(agreed.headers["Location"])
    assert again.status_code == 303


def test_what_is_not_paid_in_time_can_no_longer_be_paid(
    app: Flask, visitor: TestApp, local_stripe: LocalStripe
) -> None:
    number = bought(visitor)
    _looked, agreed = ask_for(visitor, number, "express")
    page = agreed.follow()
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3), tick=True):
        work(app)
    assert visitor.get(agreed.headers["Location"]).status_code == 303
    with app.app_context():
        (change,) = cases.changes_of(number)
    assert change.state == "expired"
    assert pay(page).status_code == 303
    intents = local_stripe.client().v1.payment_intents.list().data
    assert not [one for one in intents if one.to_dict()["metadata"].get("change") == change.id]


def test_a_slower_delivery_gives_the_difference_back(
    app: Flask, visitor: TestApp, local_stripe: LocalStripe
) -> None:
    number = bought(visitor, "express")
    before = order_of(app, number)
    looked, _agreed = ask_for(visitor, number, "standard")
    assert "back when the warehouse has confirmed it" in looked
    work(app)
    after = order_of(app, number)
    assert after["shipping"] == "Standard delivery"
    with app.app_context():
        order = of_number(number)
        assert order is not None
        intent = str(order.payment_intent)
    (refund,) = local_stripe.client().v1.refunds.list({"payment_intent": intent}).data
    assert refund.amount == before["total"] - after["total"] > 0


def test_nobody_else_sees_what_is_to_pay(app: Flask, visitor: TestApp) -> None:
    number = bought(visitor)
    _looked, agreed = ask_for(visitor, number, "express")
    stranger = TestApp(app)
    stranger.get(agreed.headers["Location"], status=404)
    stranger.get("/checkout/change/CH-0000000000/pay", status=404)


def test_a_payment_of_which_only_the_webhook_tells_counts(
    app: Flask, visitor: TestApp, local_stripe: LocalStripe
) -> None:
    number = bought(visitor)
    _looked, agreed = ask_for(visitor, number, "express")
    with app.app_context():
        (change,) = cases.changes_of(number)
        order = of_number(number)
        assert order is not None
        _order, extra = to_pay(change.id)
        assert extra is not None
        assert payments.charge_extra(order, extra, "pm_card_visa").status == "paid"
    # The browser has died before the shop has answered.
    (event,) = [
        one
        for one in local_stripe.client().v1.events.list({"limit": 20}).data
        if one.type == "payment_intent.succeeded"
        and one.data.object["metadata"].to_dict().get("change") == change.id
    ]
    for _ in range(2):
        send(visitor, app, event.to_dict(), status=200)
    with app.app_context():
        assert cases.get_change(change.id).state != "awaiting_payment"
    back = visitor.get(f"/checkout/change/{change.id}/paid").follow()
    assert "your change goes to the warehouse" in back
    assert visitor.get(agreed.headers["Location"]).status_code == 303


def test_a_payment_that_comes_after_the_end_of_the_change_goes_back(
    app: Flask, visitor: TestApp, local_stripe: LocalStripe
) -> None:
    number = bought(visitor)
    ask_for(visitor, number, "express")
    with app.app_context():
        (change,) = cases.changes_of(number)
        order, extra = to_pay(change.id)
        assert order is not None
        assert extra is not None
        # The customer's bank asks for so long that nobody waits for the payment any more.
        result = payments.charge_extra(order, extra, "pm_card_visa")
    with time_machine.travel(datetime.now(UTC) + timedelta(days=3), tick=True):
        work(app)
    metadata = {"change": change.id}
    told = {"id": result.intent, "object": "payment_intent", "metadata": metadata}
    event = {"id": "evt_9", "object": "event", "type": "payment_intent.succeeded"}
    for _ in range(2):
        send(visitor, app, {**event, "data": {"object": told}}, status=200)
    given = local_stripe.client().v1.refunds.list({"payment_intent": result.intent}).data
    assert [one.amount for one in given] == [extra.amount]
    assert order_of(app, number)["extra"] == []


def test_a_cancellation_gives_all_back_after_a_paid_change_was_refused(
    app: Flask, visitor: TestApp, local_stripe: LocalStripe
) -> None:
    number = bought(visitor)
    _looked, agreed = ask_for(visitor, number, "express")
    pay(agreed.follow())
    (extra,) = order_of(app, number)["extra"]
    at_stage(app, number, "shipped")
    work(app)
    assert order_of(app, number)["extra"] == []
    bought_with = at_stage(app, number, "placed")
    page = visitor.get(f"/checkout/confirmation/{number}").click("Change this order")
    looked = page.click("Cancel the order").forms[0].submit("do", value="look")
    looked.forms[0].submit("do", value="agree")
    work(app)
    with app.app_context():
        cancelled = of_number(number)
        assert cancelled is not None
        assert cancelled.status == "cancelled"
    for intent in (bought_with, extra):
        assert len(local_stripe.client().v1.refunds.list({"payment_intent": intent}).data) == 1
