"""What the shop's loaders add to the case page, and that none of them can break it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from flask_checkout_case import Customer, Money, Order, signals
from flask_checkout_case.data import queries_case
from tests.support.desk import Desk, body, checkout, decline, open_desk
from tests.support.shop import Shop


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_sqlite_app)


def ordered(shop: Shop) -> str:
    """Let a declined checkout become an order; return its case's reference."""
    case = decline(shop, "c-1")
    with shop.app.app_context():
        signals.order_completed.send(shop.app, checkout=checkout("c-1"), order_ref="MC-7")
        shop.cases.flush()
    return case.reference


def page_of(shop: Shop, reference: str) -> str:
    return str(Desk(shop, "lin").get(f"cases/{reference}").text)


def test_without_loaders_the_order_is_named(shop: Shop) -> None:
    page = page_of(shop, ordered(shop))
    assert "Order MC-7" in page
    assert "/orders/MC-7" not in page


def test_the_order_loader_adds_status_and_link(shop: Shop) -> None:
    @shop.cases.order_loader
    def load_order(ref: str) -> Order:
        return Order(ref=ref, status="packed", url=f"/orders/{ref}")

    page = page_of(shop, ordered(shop))
    assert 'href="/orders/MC-7"' in page
    assert "packed" in page


def test_the_customer_loader_tells_who_it_is_now(shop: Shop) -> None:
    @shop.cases.customer_loader
    def load_customer(ref: str) -> Customer:
        return Customer(ref=ref, tags=["gold member"], orders=41)

    page = body(page_of(shop, decline(shop, "c-1").reference))
    assert "gold member" in page
    assert "Orders 41" in page
    assert "Ada Lovelace" in page


@pytest.mark.parametrize("hostile", ["javascript:alert(1)", "//evil.test", "data:text/html,x"])
def test_an_orders_link_leads_nowhere_else(shop: Shop, hostile: str) -> None:
    shop.cases.order_loader(lambda ref: Order(ref=ref, url=hostile))
    page = page_of(shop, ordered(shop))
    assert hostile not in page
    assert "Order MC-7" in page


def test_a_guessed_category_is_said_to_be_one(shop: Shop) -> None:
    with shop.app.app_context():
        sure = shop.cases.open(subject="Sure", checkout_ref="c-8")
        signals.payment_failed.send(shop.app, checkout=checkout("c-9"))
        shop.cases.flush()
    runtime = shop.app.extensions["checkout_case"]
    with runtime.write() as unit:
        guess = queries_case.case_by_reference(unit.session, sure.reference)
        assert guess is not None
        changed = {"confidence": 0.3, "second_category": "invoice", "team": "payments"}
        queries_case.change_case(unit.session, guess, changed)
    assert "a guess from the message. It could also be: Invoice" in page_of(shop, sure.reference)
    (other,) = _found(shop, "c-9")
    assert "a guess" not in page_of(shop, other)


def _found(shop: Shop, checkout_ref: str) -> list[str]:
    with shop.app.app_context():
        return [case.reference for case in shop.cases.find(checkout_ref=checkout_ref)]


def test_loaders_that_break_or_lie_are_as_none(shop: Shop) -> None:
    @shop.cases.order_loader
    def load_order(ref: str) -> Order:
        raise RuntimeError("order system is down")

    shop.cases.customer_loader(lambda ref: {"name": "not a Customer"})
    page = page_of(shop, ordered(shop))
    assert "Order MC-7" in page
    assert "Ada Lovelace" in page
    assert "The shop's customer record could not be read." in body(page)


def test_the_customers_history_is_told(shop: Shop) -> None:
    @shop.cases.customer_loader
    def load_customer(ref: str) -> Customer:
        return Customer(
            ref=ref,
            orders=12,
            lifetime_value=Money("48250.00", "USD"),
            since=datetime(2019, 3, 5, tzinfo=UTC),
            note="Prefers to be called.\n<b>Never</b> on Mondays.",
            phone="+1 212 555 0142",
            timezone="America/New_York",
        )

    page = page_of(shop, decline(shop, "c-1").reference)
    told = body(page)
    for fact in (
        "Customer since Mar 5, 2019",
        "Lifetime value $48,250.00",
        "Phone +1 212 555 0142",
        "Prefers to be called.",
    ):
        assert fact in told
    assert "<b>Never" not in page


@pytest.mark.parametrize(
    "odd",
    [
        {"since": datetime(2019, 3, 5)},  # noqa: DTZ001 - what a shop may keep
        {"since": "2019"},
        {"lifetime_value": "a lot"},
        {"lifetime_value": 7},
        {"note": 7, "phone": 5},
    ],
)
def test_odd_facts_break_no_page(shop: Shop, odd: dict[str, Any]) -> None:
    shop.cases.customer_loader(lambda ref: Customer(ref=ref, name="Ada Byron", **odd))
    assert "Ada" in page_of(shop, decline(shop, "c-1").reference)


def test_the_record_is_read_when_the_page_is_shown_and_by_whom_it_may(shop: Shop) -> None:
    asked: list[str] = []

    @shop.cases.customer_loader
    def load_customer(ref: str) -> Customer:
        asked.append(ref)
        return Customer(ref=ref, note="A regular.")

    case = decline(shop, "c-1")
    assert asked == []
    Desk(shop, "eve").get(f"cases/{case.reference}", status=404)
    assert asked == []
    Desk(shop, "lin").get()
    assert asked == []
    assert "A regular." in page_of(shop, case.reference)
    assert len(asked) == 1

    @shop.cases.permission
    def all_but_customers(_agent: object, action: str, _case: object) -> bool:
        return action != "customer"

    assert "A regular." not in page_of(shop, case.reference)
    assert len(asked) == 1


def test_the_newest_five_other_cases_are_linked(shop: Shop) -> None:
    found = [decline(shop, f"c-{number}").reference for number in range(7)]
    page = page_of(shop, found[-1])
    links = re.findall(r'data-key="(CC-[0-9A-Z]+)"><a href=', page)
    assert links == found[-2:0:-1]
