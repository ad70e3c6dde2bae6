"""Changing an order on its page, without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import render_template_string
from webtest import TestApp

from flask_checkout_case import Change, Customer
from flask_checkout_case.web.widget.change_places import change_url, seal
from tests.support.due import Clock, cases
from tests.support.orders import YORK, Orders, Warehouse
from tests.support.shop import Shop


@pytest.fixture
def page(shop: Shop, orders: Orders) -> Callable[..., Any]:
    """Open the page by the link that the shop's own page of the order has."""
    orders.place()
    client = TestApp(shop.app)

    def opened(**query: str) -> Any:
        with shop.app.test_request_context():
            url = render_template_string("{{ checkout_case_change_url('o-1') }}")
        return client.get(url, query)

    return opened


def choose(page: Callable[..., Any], kind: str, **typed: str) -> Any:
    form = page(kind=kind).forms[0]
    for name, value in typed.items():
        form[name] = value
    return form.submit("do", value="look", status="*")


def agree(answer: Any) -> Any:
    return answer.forms[0].submit("do", value="agree", status="*")


def test_a_wrong_address_is_corrected(
    shop: Shop, orders: Orders, warehouse: Warehouse, page: Callable[..., Any]
) -> None:
    looked = choose(page, "address", **YORK)
    assert "It costs nothing." in looked
    assert "Different: Street and number, Town or city, Postcode" in looked
    done = agree(looked).follow()
    assert "On its way to the warehouse" in done
    orders.work()
    (change,) = _changes(shop)
    warehouse.answer(shop, change)
    assert "The warehouse has it" in page()
    orders.work()
    assert "Done" in page()
    assert orders.data()["address"] == YORK


def test_nothing_is_asked_for_before_the_customer_agrees(
    shop: Shop, page: Callable[..., Any]
) -> None:
    choose(page, "address", **YORK)
    assert not _changes(shop)
    assert not cases(shop)


def test_what_an_address_lacks_is_said_beside_it_and_nothing_typed_is_lost(
    page: Callable[..., Any],
) -> None:
    answer = choose(page, "address", **{**YORK, "postcode": "", "line1": "1 Minster Yard"})
    assert answer.status_int == 400
    assert answer.html.find(id="wrong-postcode").text == "Please fill this in."
    assert answer.forms[0]["line1"].value == "1 Minster Yard"


def test_after_the_warehouse_has_packed_it_the_reason_is_told(
    orders: Orders, page: Callable[..., Any]
) -> None:
    orders.update(stage="shipped")
    answer = page()
    assert "The parcel has left" in answer
    assert not answer.html.find_all("input")


def test_the_price_is_told_before_and_an_agreement_to_another_one_is_void(
    shop: Shop, orders: Orders, page: Callable[..., Any]
) -> None:
    looked = choose(page, "quantity", quantity="3")
    assert "You pay $120.00 more." in looked
    orders.update(gift_note="changed meanwhile")
    again = agree(looked)
    assert again.status_int == 409
    assert "Please look again" in again
    assert not _changes(shop)
    assert agree(again).status_int == 303
    assert [one.state for one in _changes(shop)] == ["awaiting_payment"]


def test_who_has_to_pay_is_sent_to_the_shops_page(
    shop: Shop, orders: Orders, page: Callable[..., Any]
) -> None:
    shop.cases.change_payment(lambda change: f"/pay/{change.id}")
    answer = agree(choose(page, "quantity", quantity="3"))
    (change,) = _changes(shop)
    assert answer.location.endswith(f"/pay/{change.id}")
    with shop.app.app_context():
        shop.cases.change_paid(change.id, "pi_1")
    assert "On its way to the warehouse" in page()
    orders.work()
    assert orders.now(change).payment_id == "pi_1"


def test_a_double_click_is_one_request(shop: Shop, page: Callable[..., Any]) -> None:
    looked = choose(page, "gift_note", gift_note="For Ada")
    agree(looked)
    agree(looked)
    assert len(_changes(shop)) == 1


def test_what_is_out_of_stock_is_refused(orders: Orders, page: Callable[..., Any]) -> None:
    orders.stock["BAG-1"] = 0
    answer = choose(page, "quantity", quantity="3")
    assert answer.status_int == 409
    assert "There isn&#39;t enough of it left." in answer


def test_until_when_it_is_done_at_once_is_told(
    page: Callable[..., Any], orders: Orders, clock: Clock
) -> None:
    assert "Changes are done at once until" in page()
    clock.pass_by(timedelta(minutes=31))
    assert "Changes are done at once until" not in page()
    orders.update(delivery_fee=0)
    looked = choose(page, "quantity", quantity="1")
    assert "Somebody of us looks at it first." in looked
    assert "You get $120.00 back when the warehouse has confirmed it." in looked


@pytest.mark.parametrize("token", ["nonsense", "..", "a" * 600])
def test_a_forged_link_is_a_404(shop: Shop, orders: Orders, token: str) -> None:
    orders.place()
    TestApp(shop.app).get(f"/checkout-case/change/{token}", status=404)


def test_a_link_is_of_no_use_to_somebody_else_who_is_logged_in(
    shop: Shop, page: Callable[..., Any]
) -> None:
    shop.cases.customer_loader(lambda ref=None: Customer(ref=ref or "77"))
    with pytest.raises(Exception, match="404"):
        page()


def test_a_link_ends_after_a_day(
    shop: Shop, orders: Orders, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders.place()
    with shop.app.test_request_context():
        token = seal("o-1")
    import time

    later = time.time() + 24 * 3600 + 5
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    TestApp(shop.app).get(f"/checkout-case/change/{token}", status=404)


def test_without_anybody_to_apply_changes_there_is_no_link(
    make_sqlite_app: Callable[..., Shop],
) -> None:
    shop = make_sqlite_app()
    with shop.app.test_request_context():
        assert change_url("o-1") == ""


@pytest.mark.parametrize("kind", ["nonsense", "ADD", ""])
def test_an_unknown_kind_is_a_404(page: Callable[..., Any], kind: str, shop: Shop) -> None:
    url = page().request.path
    TestApp(shop.app).post(url, {"kind": kind, "do": "look"}, status=404)


def test_a_form_of_another_site_changes_nothing(shop: Shop, page: Callable[..., Any]) -> None:
    url = page().request.path
    answer = TestApp(shop.app).post(url, {"kind": "cancel", "do": "agree"}, status=403)
    assert not _changes(shop)
    assert answer.html.find(role="alert")


def _changes(shop: Shop) -> list[Change]:
    with shop.app.app_context():
        return shop.cases.changes_of("o-1")
