"""Changing what is about to be bought, on its page and without a script."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from webtest import TestApp

from flask_checkout_case import (
    Change,
    ChangeKind,
    ChangeState,
    Checkout,
    Customer,
    Line,
    Money,
    Order,
)
from flask_checkout_case.services import changes as asking
from flask_checkout_case.services.change_terms import order_now, order_to_be, terms_of
from tests.support.desk import Desk, seat_agents
from tests.support.due import Clock, cases, runtime_of, set_clock, work
from tests.support.orders import LONDON, PARIS, STRAP
from tests.support.shop import Shop


class Basket:
    """One customer's checkout; each change is applied once by its id."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.checkout: Checkout | None = Checkout(
            ref="c-1",
            value=Money("240.00", "USD"),
            customer=Customer(ref="42", name="Ada Byron", email="ada@example.com"),
            lines=[Line("BAG-1", "Ines tote", 2, Money("120.00", "USD"))],
            url="/checkout/payment",
            version=1,
            address=LONDON,
            delivery="standard",
            deliveries={"standard": "Standard", "express": "Express"},
            addons=[STRAP],
        )
        self.applied: list[Change] = []
        self.fails = False
        shop.cases.checkout_loader(self.load)
        shop.cases.checkout_applier(self.apply)

    def load(self) -> Checkout | None:
        return self.checkout

    @property
    def now(self) -> Checkout:
        assert self.checkout is not None
        return self.checkout

    def apply(self, change: Change) -> None:
        if self.fails:
            raise RuntimeError("the shop's database is away")
        assert (change.order_ref, change.checkout_ref) == (None, "c-1")
        if change.id in [one.id for one in self.applied]:
            return
        self.applied.append(change)
        values: dict[str, Any] = dict(change.asked)
        if change.kind == "address":
            values = {"address": values}
        elif "sku" in values:
            values = {"lines": self._lines(values)}
        self.checkout = replace(self.now, version=len(self.applied) + 1, **values)

    def _lines(self, asked: dict[str, Any]) -> list[Line]:
        known = {line.sku: line for line in (*self.now.addons, *self.now.lines)}
        counts = {line.sku: line.quantity for line in self.now.lines}
        counts[asked["sku"]] = asked["quantity"]
        return [replace(known[sku], quantity=count) for sku, count in counts.items() if count]


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app()


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


@pytest.fixture
def basket(shop: Shop) -> Basket:
    return Basket(shop)


@pytest.fixture
def client(shop: Shop) -> TestApp:
    return TestApp(shop.app)


def look(client: TestApp, kind: str, **typed: str) -> Any:
    form = client.get("/checkout-case/change", {"kind": kind}).forms[0]
    for name, value in typed.items():
        form[name] = value
    return form.submit("do", value="look", status="*")


def agree(answer: Any) -> Any:
    return answer.forms[0].submit("do", value="agree", status="*")


def asked_and_died(shop: Shop, basket: Basket, clock: Clock) -> Change:
    """Ask as a request does that is killed before it has called the shop's hook."""
    with shop.app.app_context():
        runtime, order, given = runtime_of(shop), order_to_be(basket.now), {"gift_note": "For Ada"}
        terms = terms_of(runtime, order, ChangeKind.GIFT_NOTE, given, clock.now)
        return asking.ask(runtime, order, terms.kind, given, agreed=terms.content, key="k-1")


def test_the_help_leads_to_it_and_back_to_the_checkout(client: TestApp, basket: Basket) -> None:
    page = client.get("/checkout-case/help").click("Change what I'm ordering")
    assert {link.text for link in page.html.select(".kinds a")} == {
        "Correct the address",
        "Choose another delivery",
        "Say something to the driver",
        "Add something",
        "Change a quantity",
        "Write a gift note",
    }
    assert page.html.select_one("header a")["href"] == "/checkout/payment"
    assert client.get("/checkout-case/panel").json["change"] == "/checkout-case/change"


def test_an_address_is_another_one_at_once(shop: Shop, client: TestApp, basket: Basket) -> None:
    looked = look(client, "address", **PARIS)
    assert "It is done at once." in looked
    assert basket.now.address == LONDON
    done = agree(looked).follow()
    assert "Done" in done
    assert basket.now.address == PARIS
    (case,) = cases(shop)
    assert (case.category, case.status) == ("address_change", "solved")
    assert (case.checkout_ref, case.order_ref) == ("c-1", None)


@pytest.mark.parametrize(
    ("typed", "price", "lines"),
    [
        (
            {"kind": "add", "sku": "STRAP-1"},
            "Your total rises by $35.00.",
            {"BAG-1": 2, "STRAP-1": 1},
        ),
        ({"kind": "quantity", "quantity": "1"}, "Your total falls by $120.00.", {"BAG-1": 1}),
    ],
)
def test_what_it_does_to_the_total_is_said_before(
    client: TestApp, basket: Basket, typed: dict[str, str], price: str, lines: dict[str, int]
) -> None:
    looked = look(client, **typed)
    assert price in looked
    # Nothing is paid apart: it goes with the rest.
    assert agree(looked).location.endswith("/checkout-case/change#requests")
    assert {line.sku: line.quantity for line in basket.now.lines} == lines


def test_a_price_that_nobody_knows_waits_for_no_agent(client: TestApp, basket: Basket) -> None:
    looked = look(client, "delivery", delivery="express")
    assert "You see the new total before you pay." in looked
    agree(looked)
    assert basket.now.delivery == "express"


def test_what_the_shop_can_not_do_is_refused_in_words(
    shop: Shop, clock: Clock, client: TestApp, basket: Basket
) -> None:
    basket.fails = True
    answer = agree(look(client, "gift_note", gift_note="For Ada"))
    assert answer.status_int == 409
    assert "We could not do this." in answer.html.select_one("[role=alert]").text
    (case,) = cases(shop)
    assert (case.status, case.outcome) == ("solved", "refused")
    basket.fails = False
    clock.pass_by(timedelta(hours=1))
    work(shop)
    assert basket.applied == []


def test_what_a_request_that_died_has_left_is_done_by_the_worker_once(
    shop: Shop, clock: Clock, client: TestApp, basket: Basket
) -> None:
    change = asked_and_died(shop, basket, clock)
    assert change.state is ChangeState.APPROVED
    work(shop)
    assert basket.applied == []
    clock.pass_by(timedelta(seconds=31))
    work(shop)
    work(shop)
    assert [one.id for one in basket.applied] == [change.id]
    assert "Done" in client.get("/checkout-case/change")


def test_a_checkout_that_was_bought_meanwhile_is_left_alone(
    shop: Shop, clock: Clock, basket: Basket
) -> None:
    shop.cases.order_for_checkout(lambda _ref: Order(ref="o-1"))
    change = asked_and_died(shop, basket, clock)
    clock.pass_by(timedelta(seconds=31))
    work(shop)
    with shop.app.app_context():
        assert shop.cases.get_change(change.id).state is ChangeState.REJECTED
    assert basket.applied == []


def test_what_was_shown_is_what_is_done(client: TestApp, basket: Basket) -> None:
    looked = look(client, "gift_note", gift_note="For Ada")
    basket.checkout = replace(basket.now, version=2)
    answer = agree(looked)
    assert answer.status_int == 409
    assert "has changed meanwhile" in answer
    assert basket.applied == []
    agree(answer)
    assert basket.now.gift_note == "For Ada"


@pytest.mark.parametrize("kind", ["cancel", "add"])
def test_what_is_not_offered_is_refused(client: TestApp, basket: Basket, kind: str) -> None:
    form = client.get("/checkout-case/change", {"kind": "gift_note"}).forms[0]
    form["kind"].force_value(kind)
    answer = form.submit("do", value="look", status="*")
    assert answer.status_int in (400, 409)
    assert basket.applied == []


def test_without_a_checkout_there_is_no_page(client: TestApp, basket: Basket) -> None:
    basket.checkout = None
    client.get("/checkout-case/change", status=404)
    client.post("/checkout-case/change", {"kind": "cancel"}, status=404)
    assert client.get("/checkout-case/panel").json["change"] is None


def test_without_the_hook_nothing_is_offered(shop: Shop, client: TestApp) -> None:
    shop.cases.checkout_loader(lambda: Checkout(ref="c-1", lines=[STRAP]))
    client.get("/checkout-case/change", status=404)
    assert "Change what" not in client.get("/checkout-case/help")


def test_an_order_called_checkout_by_its_shop_is_no_checkout(shop: Shop, basket: Basket) -> None:
    shop.cases.order_loader(lambda ref: Order(ref=ref, stage="checkout", version=1))
    shop.cases.change_applier(lambda change: None)
    with shop.app.app_context():
        runtime = runtime_of(shop)
        order = order_now(runtime, "o-1")
        terms = terms_of(runtime, order, ChangeKind.CANCEL, {}, runtime.clock())
    assert (terms.in_checkout, terms.leave) == (False, "agent")


def test_agents_see_what_the_customer_has_changed_before_paying(
    shop: Shop, client: TestApp, basket: Basket
) -> None:
    agree(look(client, "add", sku="STRAP-1"))
    (case,) = cases(shop)
    seat_agents(shop)
    page = Desk(shop, "boss").get(f"cases/{case.reference}")
    assert "0 × Long strap" in page.text
    assert "$35.00 more in the checkout" in page.text
