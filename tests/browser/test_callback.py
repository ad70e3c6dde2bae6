"""Asking to be called, in Chromium: in one's own time zone, by keyboard, without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, expect
from sqlalchemy import select

from flask_checkout_case.data.callback_models import CallbackRow
from tests.support.browser import complaints
from tests.support.desk import runtime_of
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, PHONE, SMALL, Visit
from tests.support.widget import furnish

pytestmark = pytest.mark.browser

NUMBER = "+1 212 555 0142"
Come = Callable[..., Visit]


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return furnish(
        make_sqlite_app(
            CHECKOUT_CASE_RATE_LIMIT="1000 per minute", CHECKOUT_CASE_SHOP_NAME="Atelier Nord"
        )
    )


@pytest.fixture
def visit(shop: Shop, chromium: Browser, live_server: Callable[[Any], str]) -> Iterator[Come]:
    address = live_server(shop.app)
    contexts: list[BrowserContext] = []

    def come(**given: Any) -> Visit:
        zone = {"viewport": DESKTOP, "locale": "en", "timezone_id": "America/New_York"}
        contexts.append(chromium.new_context(**{**zone, **given}))
        return Visit(shop, address, contexts[-1])

    yield come
    for context in contexts:
        context.close()


def calls(shop: Shop) -> list[CallbackRow]:
    with runtime_of(shop).read() as session:
        return list(session.scalars(select(CallbackRow).order_by(CallbackRow.id)))


def choose(panel: Locator, place: int = -1) -> None:
    panel.get_by_role("radio", name=re.compile("[AP]M")).nth(place).check(force=True)


def test_a_call_is_asked_for_moved_and_cancelled(visit: Come, shop: Shop) -> None:
    ada = visit()
    ada.enter()
    panel = ada.open()
    panel.get_by_role("button", name="Ask us to call you").click()
    expect(panel).to_contain_text("All times: New York · Eastern Time")
    panel.get_by_role("button", name="Ask for this call").click()
    expect(panel.get_by_role("alert")).to_have_text("Please choose a time.")
    choose(panel)
    panel.get_by_label("Your phone number").fill("12")
    panel.get_by_role("button", name="Ask for this call").click()
    expect(panel.get_by_role("alert")).to_have_text("This phone number can't be right.")
    expect(panel.get_by_label("Your phone number")).to_be_focused()
    panel.get_by_label("Your phone number").fill(NUMBER)
    panel.get_by_label("What is it about?").fill("The bag, please.")
    panel.get_by_role("button", name="Ask for this call").click()
    expect(panel.get_by_role("heading", name="We will call you")).to_be_visible()
    expect(panel).to_contain_text(NUMBER)
    expect(panel.get_by_role("log")).to_contain_text("We will call you:")
    (row,) = calls(shop)
    assert (row.zone, row.phone, row.about) == ("America/New_York", NUMBER, "The bag, please.")

    panel.get_by_role("button", name="Choose another time").click()
    expect(panel.get_by_label("Your phone number")).to_have_value(NUMBER)
    panel.get_by_role("button", name="Back").click()
    expect(panel.get_by_role("heading", name="We will call you")).to_be_visible()
    panel.get_by_role("button", name="Choose another time").click()
    choose(panel, -2)
    panel.get_by_role("button", name="Ask for this call").click()
    expect(panel.get_by_role("heading", name="We will call you")).to_be_visible()
    assert [one.cancelled_at is None for one in calls(shop)] == [False, True]

    panel.get_by_role("button", name="Cancel the call").click()
    expect(panel.get_by_role("button", name="Ask us to call you")).to_be_visible()
    expect(panel.get_by_role("log")).to_contain_text("The call is cancelled.")
    assert all(one.cancelled_at for one in calls(shop))
    assert ada.broken == []
    assert all("400 (BAD REQUEST)" in told for told in ada.complaints)


def test_a_time_that_has_gone_is_said_and_the_others_are_shown(visit: Come, shop: Shop) -> None:
    ada = visit()
    ada.enter()
    panel = ada.open()
    panel.get_by_role("button", name="Ask us to call you").click()
    choose(panel, 0)
    panel.get_by_label("Your phone number").fill(NUMBER)
    taken = panel.get_by_role("radio", name=re.compile("[AP]M")).nth(0).get_attribute("value")
    later = runtime_of(shop).clock() + timedelta(hours=1)
    runtime_of(shop).clock = lambda: later
    panel.get_by_role("button", name="Ask for this call").click()
    expect(panel.get_by_role("alert")).to_contain_text("This time is no longer free.")
    assert panel.locator(f'[value="{taken}"]').count() == 0
    expect(panel.get_by_label("Your phone number")).to_have_value(NUMBER)
    choose(panel, 0)
    panel.get_by_role("button", name="Ask for this call").click()
    expect(panel.get_by_role("heading", name="We will call you")).to_be_visible()


def test_it_is_asked_for_by_keyboard_alone(visit: Come, shop: Shop) -> None:
    ada = visit()
    page = ada.enter()
    panel = ada.open()
    panel.get_by_role("button", name="Ask us to call you").focus()
    page.keyboard.press("Enter")
    expect(panel.get_by_role("radio").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type(NUMBER)
    page.keyboard.press("Enter")
    expect(panel.get_by_role("heading", name="We will call you")).to_be_visible()
    assert calls(shop)[0].phone == NUMBER


def test_without_scripts_the_page_does_it(visit: Come, shop: Shop) -> None:
    ada = visit(java_script_enabled=False)
    page = ada.enter()
    page.goto(f"{ada.address}/checkout-case/help")
    page.get_by_label("Your phone number").fill(NUMBER)
    page.get_by_role("button", name="Ask for this call").click()
    expect(page.get_by_role("heading", name="We will call you")).to_be_visible()
    page.get_by_role("button", name="Cancel the call").click()
    expect(page.get_by_role("heading", name="We will call you")).to_be_hidden()
    assert calls(shop)[0].zone == "UTC"


LOOKS: list[dict[str, Any]] = [
    {},
    {"viewport": PHONE, "color_scheme": "dark"},
    {"viewport": SMALL, "locale": "ar", "timezone_id": "Africa/Cairo"},
]


@pytest.mark.parametrize("look", LOOKS, ids=["wide", "phone, dark", "small, arabic"])
def test_the_form_and_the_promise_are_accessible(visit: Come, look: dict[str, Any]) -> None:
    # axe brings its own script along, which the shop's policy would rightly refuse.
    ada = visit(bypass_csp=True, reduced_motion="reduce", **look)
    page = ada.enter()
    panel = ada.open()
    panel.locator(".want").click()
    expect(panel.locator("[name=phone]")).to_be_visible()
    assert complaints(page) == []
    panel.locator("[name=slot]").last.check(force=True)
    panel.locator("[name=phone]").fill(NUMBER)
    panel.locator(".send").click()
    expect(panel.locator(".call")).to_be_visible()
    assert complaints(page) == []
    page.goto(f"{ada.address}/checkout-case/help")
    assert complaints(page) == []
