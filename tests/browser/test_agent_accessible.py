"""axe on every state of the workspace: light, dark, right to left, narrow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from flask import send_from_directory
from playwright.sync_api import Browser, BrowserContext, Page, expect

from flask_checkout_case import CaseInfo, Line, Money, signals
from flask_checkout_case.services import cases
from tests.support.browser import complaints
from tests.support.desk import (
    AGENT_PAGES,
    BOSS,
    COOKIE,
    LIN,
    ago,
    checkout,
    decline,
    open_desk,
    runtime_of,
)
from tests.support.protocols import promise_call
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, PHONE, SMALL

pytestmark = pytest.mark.browser

WAYS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "de"},
    "rtl": {"viewport": DESKTOP, "color_scheme": "light", "locale": "ar"},
    "between": {"viewport": {"width": 1100, "height": 800}, "locale": "de"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "locale": "en-US"},
    "phone-dark-rtl": {"viewport": PHONE, "color_scheme": "dark", "locale": "ar"},
    "narrow": {"viewport": SMALL, "color_scheme": "light", "locale": "de"},
}


PICTURES = {
    *("queue-desktop", "case-desktop", "note-desktop", "conflict-desktop"),
    *("case-dark", "queue-rtl", "queue-phone", "case-phone"),
}
"""Those that the documentation shows."""
PRODUCTS = Path(__file__).parents[2] / "example_store" / "static" / "products"


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    made = open_desk(make_sqlite_app, CHECKOUT_CASE_SHOP_NAME="Atelier Nord")
    made.app.add_url_rule("/products/<path>", "product", partial(send_from_directory, PRODUCTS))
    return made


def line(sku: str, title: str, price: str, quantity: int = 1) -> Line:
    picture = f"/products/{title.lower().replace(' ', '-')}.svg"
    return Line(
        sku,
        title,
        quantity=quantity,
        unit_price=Money(price, "USD"),
        image_url=picture,
        url=picture,
    )


@pytest.fixture
def story(shop: Shop) -> CaseInfo:
    """A case in which much has happened, in a queue with others."""
    names = ("Grace Hopper", "Mary Jackson", "Hedy Lamarr", "Radia Perlman", "Alan Turing")
    codes = ("expired_card", "authentication_required", "incorrect_cvc", "processing_error")
    for number, name in enumerate(names):
        decline(
            shop,
            f"c-{number}",
            name=name,
            code=codes[number % len(codes)],
            value=f"{184 + number * 137}.00",
            at=ago(minutes=2 + number * 3.6),
        )
    lines = [
        line("MOON-1", "Meridian Moonphase", "5400.00"),
        line("ROLL-2", "Dorian Watch Roll", "420.00", 2),
    ]
    start = ago(minutes=24)
    given: dict[str, Any] = {
        "value": "6240.00",
        "name": "Ines de Castro",
        "lines": lines,
        "country": "PT",
    }
    with shop.app.app_context():
        for minute, step in enumerate(("contact", "shipping", "payment")):
            signals.checkout_step_viewed.send(
                shop.app,
                checkout=checkout("c-big", **{**given, "step": step}),
                at=start + timedelta(minutes=minute),
            )
        signals.coupon_rejected.send(
            shop.app,
            checkout=checkout("c-big", **given),
            code="WELCOME10",
            reason="expired",
            at=start + timedelta(minutes=3),
        )
    for attempt, code in enumerate(("do_not_honor", "insufficient_funds")):
        tried = start + timedelta(minutes=5 + attempt)
        given |= {"attempt_id": f"ch_{attempt}", "method": "card", "at": tried}
        decline(shop, "c-big", code=code, **given)
    with shop.app.app_context():
        (case,) = shop.cases.find(checkout_ref="c-big")
    runtime, reference = runtime_of(shop), case.reference
    cases.customer_message(
        runtime,
        reference,
        "Hello, my card was declined twice, but there is enough on it. "
        "I would love to have the watch for Saturday.",
        at=start + timedelta(minutes=8),
    )
    cases.note(
        runtime,
        reference,
        "The bank's daily limit is 5,000. Offer two cards, or a transfer.",
        agent=BOSS,
        at=start + timedelta(minutes=9),
    )
    cases.reply(
        runtime,
        reference,
        "Good evening Ines,\n\nyour bank seems to have a daily limit. You can pay with another "
        "card, or I split the amount for you.\n\nLin",
        agent=LIN,
        at=start + timedelta(minutes=10),
    )
    return cases.customer_message(
        runtime, reference, "Splitting would be perfect!", at=start + timedelta(minutes=21)
    )


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def agent(
    way: str, shop: Shop, chromium: Browser, live_server: Callable[[Any], str]
) -> Iterator[tuple[Page, str]]:
    # axe brings its own script along, which the pages' policy would rightly refuse.
    context = chromium.new_context(**WAYS[way], bypass_csp=True, reduced_motion="reduce")
    address = live_server(shop.app)
    sit_down(context, address, "lin")
    yield context.new_page(), f"{address}{AGENT_PAGES}"
    context.close()


def sit_down(context: BrowserContext, address: str, who: str) -> None:
    context.clear_cookies()
    context.add_cookies([{"name": COOKIE, "value": who, "url": address}])


def test_every_state(
    agent: tuple[Page, str],
    way: str,
    shop: Shop,
    story: CaseInfo,
    screenshot: Callable[[Page, str], None],
) -> None:
    page, desk = agent
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        found[state] = complaints(page)
        if f"{state}-{way}" in PICTURES:
            screenshot(page, f"workspace-{state}-{way}")

    page.goto(f"{desk}/")
    expect(page.locator("[data-live-status]")).to_be_visible()
    look("queue")
    promise_call(shop, story)
    page.goto(f"{desk}/?view=concierge")
    look("concierge")
    page.goto(f"{desk}/cases/{story.reference}")
    look("call")
    page.goto(f"{desk}/")
    page.locator("[data-filters] summary").nth(2).click()
    look("filter")
    page.goto(f"{desk}/?view=all&category=stock")
    look("nothing")
    page.goto(f"{desk}/?view=mine&priority=low")
    page.goto(f"{desk}/cases/{story.reference}")
    expect(page.locator("[data-live-status]")).to_be_visible()
    look("case")
    page.locator(".props [data-key=assignee] summary").click()
    look("menu")
    page.keyboard.press("Escape")
    page.locator("#mode-note").check()
    page.fill("#note-text", "Bank called back.")
    look("note")
    page.route("**/live", lambda route: route.abort())
    cases.note(runtime_of(shop), story.reference, "Somebody else's.", agent=BOSS)
    page.locator(".props [data-key=priority] summary").click()
    page.locator(".props [data-key=priority] .pick").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    look("conflict")
    page.evaluate("document.getElementById('help').showModal()")
    look("help")
    with shop.app.app_context():
        shop.cases.solve(story.reference, agent=LIN, outcome="assisted", reason="By phone.")
    page.goto(f"{desk}/cases/{story.reference}")
    look("solved")
    page.goto(f"{desk}/?view=all&status=solved")
    look("ended")
    page.goto(f"{desk}/cases/CC-NONE")
    look("missing")
    page.context.clear_cookies()
    page.goto(f"{desk}/")
    look("refused")
    assert {state: told for state, told in found.items() if told} == {}
