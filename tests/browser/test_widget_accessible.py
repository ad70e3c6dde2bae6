"""axe on every state of the widget: light, dark, right to left, narrow, with and without script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.browser import complaints
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, SMALL, Visit
from tests.support.widget import LIN, furnish, reply

pytestmark = pytest.mark.browser

Picture = Callable[[Page, str], None]
WAYS = {
    "light": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en"},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "en"},
    "rtl": {"viewport": DESKTOP, "color_scheme": "light", "locale": "ar"},
    "rtl-dark": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "ar"},
    "narrow": {"viewport": SMALL, "color_scheme": "light", "locale": "de"},
    "narrow-dark-rtl": {"viewport": SMALL, "color_scheme": "dark", "locale": "ar"},
}


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return furnish(make_sqlite_app(CHECKOUT_CASE_RATE_LIMIT="1000 per minute"))


@pytest.fixture(params=WAYS)
def ada(
    request: pytest.FixtureRequest,
    shop: Shop,
    chromium: Browser,
    live_server: Callable[[Any], str],
) -> Iterator[Visit]:
    # axe brings its own script along, which the shop's policy would rightly refuse.
    context = chromium.new_context(
        **WAYS[request.param],  # type: ignore[arg-type]
        bypass_csp=True,
        reduced_motion="reduce",
    )
    yield Visit(shop, live_server(shop.app), context)
    context.close()


def test_every_state_of_the_panel(ada: Visit, shop: Shop) -> None:
    found: dict[str, list[str]] = {}
    page = ada.enter()
    found["closed"] = complaints(page)
    ada.pay()
    found["hint"] = complaints(page)
    panel = ada.open()
    found["open"] = complaints(page)
    panel.locator(".send").click()
    found["empty"] = complaints(page)
    ada.write("My card was declined, but there is money on it.")
    expect(panel.locator(".status.sent")).to_be_visible()
    found["sent"] = complaints(page)
    reply(shop, ada.reference, "Please try https://shop.example/pay and write again. " * 12)
    expect(panel.locator(".status.answered")).to_be_visible()
    found["answered"] = complaints(page)
    ada.context.set_offline(True)
    ada.write("One more thing")
    expect(panel.locator(".state.bad")).to_be_visible()
    expect(panel.locator(".lost")).to_be_visible(timeout=20_000)
    found["offline"] = complaints(page)
    ada.context.set_offline(False)
    panel.locator(".state button").click()
    expect(panel.locator(".state")).to_have_count(0)
    with shop.app.app_context():
        shop.cases.solve(ada.reference, agent=LIN, reason="By phone.")
    expect(panel.locator(".status.solved")).to_be_visible(timeout=20_000)
    found["solved"] = complaints(page)
    page.goto(f"{ada.address}/checkout-case/help")
    found["page"] = complaints(page)
    assert {state: rules for state, rules in found.items() if rules} == {}


def test_every_state_of_the_page_without_scripts(ada: Visit, shop: Shop) -> None:
    found: dict[str, list[str]] = {}
    page = ada.enter()
    page.fill("[name=card]", "expired_card")
    page.click("#pay")
    page.goto(f"{ada.address}/checkout-case/help")
    found["form"] = complaints(page)
    page.evaluate("document.querySelector('form').noValidate = true")
    page.locator("form:has(#text) .send").click()
    found["error"] = complaints(page)
    page.locator("#text").fill("What now?")
    page.locator("form:has(#text) .send").click()
    expect(page.get_by_role("status")).to_be_visible()
    found["sent"] = complaints(page)
    reply(shop, ada.reference, "Use another card: https://shop.example/pay")
    page.goto(f"{ada.address}/checkout-case/help")
    found["answered"] = complaints(page)
    ada.context.clear_cookies()
    page.goto(f"{ada.address}/checkout-case/poll")
    expect(page.locator("h1")).to_be_visible()
    found["refused"] = complaints(page)
    assert {state: rules for state, rules in found.items() if rules} == {}
