"""More, fewer and other things: in a bag, and in an order that is paid."""

from __future__ import annotations

from typing import Any

from flask import Flask
from webtest import TestApp

from example_store.changes import of_number
from example_store.extensions import db
from example_store.models import Basket, Product
from example_store.support import cases
from tests.support.store import LocalStripe

from .steps import pay, to_payment
from .test_extra import work


def product(app: Flask, sku: str) -> int:
    with app.app_context():
        found = db.session.query(Product).filter_by(sku=sku).one()
        return found.stock


def look(page: Any, kind: str, **typed: str) -> Any:
    form = page.click(kind).forms[0]
    for name, value in typed.items():
        form[name] = value
    return form.submit("do", value="look", status="*")


def agree(looked: Any) -> Any:
    return looked.forms[0].submit("do", value="agree", status="*")


def order_page(visitor: TestApp, number: str) -> Any:
    return visitor.get(f"/checkout/confirmation/{number}").click("Change this order")


def lines(app: Flask, number: str) -> dict[str, int]:
    with app.app_context():
        order = of_number(number)
        assert order is not None
        assert (
            order.total_minor == order.subtotal_minor - order.discount_minor + order.shipping_minor
        )
        return {line["sku"]: line["quantity"] for line in order.lines}


def total(app: Flask, number: str) -> int:
    with app.app_context():
        order = of_number(number)
        assert order is not None
        return order.total_minor


def test_what_is_added_is_paid_and_what_is_left_out_goes_back(
    app: Flask, visitor: TestApp, local_stripe: LocalStripe
) -> None:
    refunds = local_stripe.client().v1.refunds
    others = {one.id for one in refunds.list({"limit": 100}).data}

    def given() -> list[int]:
        found = refunds.list({"limit": 100}).data
        return sorted(one.amount for one in found if one.id not in others)

    thanks = pay(to_payment(visitor)).follow()
    number = thanks.html.find(id="order-number").text
    paid, stock = total(app, number), product(app, "LTH-510")
    looked = look(order_page(visitor, number), "Add something", sku="LTH-510", quantity="2")
    assert "You pay $380.00 more." in looked
    page = agree(looked).follow()
    assert "2 × Arlo card holder" in page
    pay(page)
    work(app)
    assert lines(app, number)["LTH-510"] == 2
    assert (total(app, number), product(app, "LTH-510")) == (paid + 38_000, stock - 2)
    page = order_page(visitor, number)
    assert "You get $190.00 back" in agree_to(page, "Change a quantity", "LTH-510", quantity="1")
    work(app)
    page = order_page(visitor, number)
    assert "You get $190.00 back" in agree_to(page, "Leave something out", "LTH-510")
    work(app)
    assert "LTH-510" not in lines(app, number)
    assert (total(app, number), product(app, "LTH-510")) == (paid, stock)
    assert given() == [19_000, 19_000]
    # Both went back to the card that had paid for it, and all of the rest still can.
    agree(look(order_page(visitor, number), "Cancel the order"))
    work(app)
    assert sum(given()) == paid + 38_000


def agree_to(page: Any, kind: str, sku: str, **typed: str) -> Any:
    looked = look(page, kind, sku=sku, **typed)
    agree(looked)
    return looked


def test_more_than_there_is_can_not_be_had(app: Flask, visitor: TestApp) -> None:
    thanks = pay(to_payment(visitor)).follow()
    number = thanks.html.find(id="order-number").text
    looked = look(order_page(visitor, number), "Add something", sku="LTH-540", quantity="2")
    assert looked.status_int == 409
    assert "enough of it left" in looked


def test_a_bag_changes_before_it_is_paid(app: Flask, visitor: TestApp) -> None:
    to_payment(visitor)
    page = visitor.get("/checkout-case/help").click("Change what I'm ordering")
    looked = look(page, "Add something", sku="LTH-510")
    assert "Your total rises by $190.00." in looked
    assert len(basket(app)["lines"]) == 1, "looking changes nothing"
    done = agree(looked).follow()
    assert "Done" in done
    done = agree(look(done, "Correct the address", line1="8 Water Street", region="MA")).follow()
    done = agree(look(done, "Choose another delivery", delivery="express")).follow()
    done = agree(look(done, "Write a gift note", gift_note="Happy birthday")).follow()
    agree(look(done, "Change a quantity", sku="LTH-510", quantity="3"))
    kept = basket(app)
    assert kept["lines"]["LTH-510"] == 3
    assert (kept["line1"], kept["delivery"]) == ("8 Water Street", "express")
    thanks = pay(visitor.get("/checkout/payment")).follow()
    number = thanks.html.find(id="order-number").text
    with app.app_context():
        order = of_number(number)
        assert order is not None
        assert (order.gift_note, order.shipping) == ("Happy birthday", "Express delivery")
        assert order.destination is not None
        assert order.destination["line1"] == "8 Water Street"
        assert {one.outcome for one in cases.find(checkout_ref=order.basket_ref)} == {
            "saved_change"
        }


def test_nobody_delivers_a_bag_to_greenland_by_a_change_either(
    app: Flask, visitor: TestApp
) -> None:
    to_payment(visitor)
    page = visitor.get("/checkout-case/change")
    answer = agree(look(page, "Correct the address", country="GL", postcode="3900"))
    assert answer.status_int == 409
    assert "We could not do this." in answer
    assert basket(app)["line1"] == "12 Mill Lane"


def basket(app: Flask) -> dict[str, Any]:
    with app.app_context():
        found = db.session.query(Basket).order_by(Basket.id.desc()).first()
        assert found is not None
        return {
            "lines": {line.product.sku: line.quantity for line in found.lines},
            "line1": found.line1,
            "delivery": found.shipping_method,
        }
