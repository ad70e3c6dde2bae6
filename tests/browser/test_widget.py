"""The widget in Chromium: opened, written in, answered, without scripts, offline, on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.bad_input import OWN
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, PHONE, SMALL, Visit
from tests.support.widget import LIN, STRICT_CSP, fail, furnish, reply

pytestmark = pytest.mark.browser

Make = Callable[..., Shop]


@pytest.fixture
def shop(make_sqlite_app: Make) -> Shop:
    return furnish(
        make_sqlite_app(
            CHECKOUT_CASE_RATE_LIMIT="1000 per minute", CHECKOUT_CASE_SHOP_NAME="Atelier Nord"
        )
    )


@pytest.fixture
def visit(
    shop: Shop, chromium: Browser, live_server: Callable[[Any], str]
) -> Iterator[Callable[..., Visit]]:
    """Let somebody come in: ``visit(viewport=PHONE, locale="ar")``."""
    address = live_server(shop.app)
    contexts: list[BrowserContext] = []

    def come(**given: Any) -> Visit:
        contexts.append(chromium.new_context(**{"viewport": DESKTOP, "locale": "en", **given}))
        return Visit(shop, address, contexts[-1])

    yield come
    for context in contexts:
        context.close()


Come = Callable[..., Visit]


def test_a_declined_payment_is_met_with_help_and_an_answer(visit: Come, shop: Shop) -> None:
    ada = visit()
    ada.enter()
    expect(ada.panel).to_be_hidden()
    ada.pay()
    expect(ada.launcher).to_contain_text("Payment didn't go through? We can help")
    expect(ada.panel).to_be_hidden()
    panel = ada.open()
    expect(panel).to_contain_text("Your bank didn't approve this payment.")
    expect(panel.get_by_role("link", name="Pay another way")).to_have_attribute("href", "/checkout")
    expect(panel.get_by_role("radio", name="Paying")).to_be_checked()
    ada.write("There is money on it!")
    expect(panel.get_by_role("listitem").filter(has_text="There is money on it!")).to_be_visible()
    expect(panel).to_contain_text("We got your message")
    reply(shop, ada.reference, "Please try again, Ada.")
    expect(panel.get_by_role("listitem").last).to_contain_text("Please try again, Ada.")
    expect(panel.get_by_role("log")).to_contain_text("New message from Lin: Please try again, Ada.")
    expect(panel).to_contain_text("Lin answered")
    with shop.app.app_context():
        shop.cases.solve(ada.reference, agent=LIN, reason="By phone.")
    expect(panel).to_contain_text("Solved")
    assert ada.broken == []
    assert [line for line in ada.complaints if "402" not in line] == []


def test_an_answer_meanwhile_waits_on_the_closed_launcher(visit: Come, shop: Shop) -> None:
    ada = visit()
    ada.enter()
    ada.open()
    ada.write("Are you there?")
    expect(ada.panel).to_contain_text("We got your message")
    ada.page.keyboard.press("Escape")
    reply(shop, ada.reference, "Always.")
    ada.enter()
    expect(ada.launcher).to_contain_text("Lin answered")
    expect(ada.launcher.locator("b")).to_have_text("1")
    expect(ada.open()).to_contain_text("Always.")
    ada.page.keyboard.press("Escape")
    ada.enter()
    expect(ada.launcher.locator("b")).to_have_count(0)


def test_an_agent_may_be_the_first_to_write(visit: Come, shop: Shop) -> None:
    ada = visit()
    ada.enter()
    ada.pay()
    panel = ada.open()
    panel.locator("textarea").fill("I am just wri")
    reply(shop, ada.reference, "Can I help, Ada?")
    expect(panel.get_by_role("listitem").last).to_contain_text("Can I help, Ada?")
    expect(panel.locator("textarea")).to_have_value("I am just wri")
    expect(panel.locator("textarea")).to_be_focused()


def test_the_keyboard_alone_is_enough(visit: Come) -> None:
    ada = visit()
    page = ada.enter()
    ada.launcher.focus()
    expect(ada.launcher).to_have_attribute("aria-expanded", "false")
    page.keyboard.press("Enter")
    expect(ada.panel.get_by_role("heading", name="How can we help?")).to_be_focused()
    expect(ada.launcher).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(ada.panel.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    expect(ada.panel).to_be_hidden()
    expect(ada.launcher).to_be_focused()
    page.keyboard.press("Space")
    expect(ada.panel).to_be_visible()
    ada.panel.locator("textarea").focus()
    for _ in range(4):
        page.keyboard.press("Tab")
    # No trap: going on leads out of the panel, and the panel stays open.
    assert not page.evaluate("document.activeElement.shadowRoot")
    expect(ada.panel).to_be_visible()


def test_a_conversation_by_keyboard(visit: Come) -> None:
    ada = visit()
    page = ada.enter()
    ada.open()
    ada.write("First")
    expect(ada.panel.get_by_role("listitem")).to_have_count(1)
    expect(ada.panel.locator("textarea")).to_be_focused()
    page.keyboard.type("Second")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("line")
    page.keyboard.press("Enter")
    expect(ada.panel.get_by_role("listitem").last).to_contain_text("Second\nline")
    expect(ada.panel.locator(".state")).to_have_count(0)


def test_an_empty_message_and_a_wrong_address_are_said(visit: Come) -> None:
    ada = visit()
    ada.enter()
    panel = ada.open()
    panel.locator(".send").click()
    expect(panel.get_by_role("alert")).to_have_text("Please write a few words first.")
    expect(panel.locator("textarea")).to_be_focused()
    panel.get_by_role("radio", name="Delivery").check()
    panel.get_by_label("Your e-mail").fill("nowhere")
    ada.write("Is it on its way?")
    expect(panel.get_by_role("alert")).to_have_text("This e-mail address can't be right.")
    expect(panel.locator("textarea")).to_have_value("Is it on its way?")
    expect(panel.get_by_role("radio", name="Delivery")).to_be_checked()
    panel.get_by_label("Your e-mail").fill("ada@example.com")
    panel.locator(".send").click()
    expect(panel).to_contain_text("We got your message")


def test_what_is_typed_survives_the_page(visit: Come) -> None:
    ada = visit()
    ada.enter()
    ada.open().locator("textarea").fill("Half a sentence")
    ada.enter()
    expect(ada.open().locator("textarea")).to_have_value("Half a sentence")


def test_a_lost_connection_is_shown_and_nothing_is_lost(visit: Come, shop: Shop) -> None:
    ada = visit()
    ada.enter()
    panel = ada.open()
    ada.write("One")
    expect(panel).to_contain_text("We got your message")
    ada.context.set_offline(True)
    ada.write("Two")
    expect(panel.get_by_text("Not sent")).to_be_visible()
    expect(panel.get_by_text("No connection.")).to_be_visible(timeout=20_000)
    reply(shop, ada.reference, "Meanwhile")
    ada.context.set_offline(False)
    panel.get_by_role("button", name="Try again").click()
    expect(panel.get_by_text("Not sent")).to_have_count(0)
    expect(panel.get_by_text("No connection.")).to_be_hidden(timeout=40_000)
    expect(panel.get_by_role("listitem")).to_have_text(
        [re.compile("One$"), re.compile("Meanwhile$"), re.compile("Two$")]
    )


def test_when_the_panel_cannot_load_the_link_still_leads_to_help(visit: Come) -> None:
    ada = visit()
    page = ada.enter()
    page.route("**/panel.js*", lambda route: route.abort())
    ada.launcher.click()
    page.wait_for_url("**/checkout-case/help")
    expect(page.get_by_role("heading", name="How can we help?")).to_be_visible()


def test_when_the_server_fails_the_panel_says_so(visit: Come) -> None:
    ada = visit()
    page = ada.enter()
    page.route("**/checkout-case/panel", lambda route: route.fulfill(status=500))
    ada.launcher.click()
    expect(ada.panel.get_by_role("alert")).to_have_text("We can't be reached right now.")
    page.unroute("**/checkout-case/panel")
    ada.panel.get_by_role("button", name="Try again").click()
    expect(ada.panel.locator("textarea")).to_be_visible()


def test_the_whole_way_without_javascript(visit: Come, shop: Shop) -> None:
    ada = visit(java_script_enabled=False)
    page = ada.enter()
    page.fill("[name=card]", "insufficient_funds")
    page.click("#pay")
    ada.launcher.click()
    expect(page.get_by_role("heading", name="Your payment didn't go through")).to_be_visible()
    page.get_by_label("Your message").fill("No scripts here.")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("status")).to_have_text("Your message is with us.")
    reply(shop, ada.reference, "None needed.")
    page.get_by_role("link", name="Look for an answer").click()
    expect(page.get_by_text("None needed.")).to_be_visible()
    page.get_by_label("Your message").fill("Thanks")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("listitem").filter(has_text="Thanks")).to_be_visible()


def test_arabic_runs_from_right_to_left(visit: Come, shop: Shop) -> None:
    ada = visit(locale="ar")
    page = ada.enter()
    assert box(ada.launcher)["x"] < 100
    ada.pay()
    panel = ada.open()
    expect(panel).to_have_attribute("dir", "rtl")
    expect(panel).to_contain_text("لم تتم عملية الدفع")
    assert box(panel)["x"] < 100
    close = box(panel.get_by_role("button", name="إغلاق"))
    assert close["x"] < box(panel.get_by_role("heading").first)["x"]
    ada.write("شكرًا")
    expect(panel).to_contain_text("وصلتنا رسالتك")
    reply(shop, ada.reference, "Thank you")
    expect(panel.get_by_role("listitem").last).to_contain_text("Thank you")
    mine, theirs = panel.locator(".mine .text"), panel.locator(".line:not(.mine) .text")
    assert box(mine)["x"] < box(theirs)["x"]
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("viewport", [PHONE, SMALL])
def test_on_a_phone_the_launcher_is_in_the_flow_and_the_panel_a_sheet(
    visit: Come, viewport: dict[str, int]
) -> None:
    ada = visit(viewport=viewport, has_touch=True)
    page = ada.enter()
    ada.pay()
    assert page.evaluate("getComputedStyle(document.querySelector('#checkout-case')).position") == (
        "relative"
    )
    assert box(ada.launcher)["y"] >= bottom(box(page.locator("#pay")))
    ada.open()
    page.evaluate("Promise.all(document.getAnimations({subtree: true}).map((a) => a.finished))")
    sheet = box(ada.panel)
    assert sheet["x"] == 0
    assert sheet["width"] == viewport["width"]
    assert bottom(sheet) == pytest.approx(viewport["height"], abs=26)
    assert sheet["y"] > 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_launcher_never_covers_the_pay_button(visit: Come) -> None:
    ada = visit(viewport={"width": 700, "height": 420})
    page = ada.enter()
    ada.pay()
    page.evaluate("document.querySelector('#pay').style.margin = '260px 0 500px'")
    for top in range(0, 420, 35):
        page.evaluate(f"scrollTo(0, {top})")
        page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 250)))")
        assert not overlap(box(ada.launcher), box(page.locator("#pay"))), f"scrolled to {top}"


def test_nothing_moves_for_those_who_ask_for_it(visit: Come) -> None:
    ada = visit(reduced_motion="reduce")
    ada.enter()
    style = "(node) => getComputedStyle(node).animationName"
    assert ada.open().evaluate(style) == "none"
    assert visit_with_motion(visit) == "rise"


def visit_with_motion(visit: Come) -> str:
    bob = visit()
    bob.enter()
    found: str = bob.open().evaluate("(node) => getComputedStyle(node).animationName")
    return found


def test_a_closed_widget_asks_once_and_a_closed_panel_no_more(visit: Come) -> None:
    ada = visit()
    ada.page.clock.install()
    page = ada.enter()
    ada.page.wait_for_load_state("networkidle")
    ours = [url for url in ada.requests if url.startswith("/checkout-case/")]
    assert sum("/static/" in url for url in ours) == 2
    assert [url for url in ours if "/static/" not in url] == ["/checkout-case/state"]
    page.clock.fast_forward("10:00")
    ada.open()
    ada.write("Hello?")
    expect(ada.panel).to_contain_text("We got your message")
    with expect_poll(ada):
        page.clock.run_for(6000)
    page.keyboard.press("Escape")
    before = len(ada.requests)
    page.clock.run_for(120_000)
    page.wait_for_load_state("networkidle")
    assert ada.requests[before:] == []


@contextmanager
def expect_poll(visitor: Visit) -> Iterator[None]:
    with visitor.page.expect_response(lambda answer: "/poll?" in answer.url) as polled:
        yield
    assert polled.value.status in (200, 304)


def test_a_payment_by_fetch_is_noticed(visit: Come, shop: Shop) -> None:
    ada = visit()
    page = ada.enter()
    page.evaluate(
        """fetch("/pay", {method: "POST", body: new URLSearchParams({card: "expired_card"})})"""
    )
    expect(ada.launcher).to_contain_text("We can help")
    expect(ada.open()).to_contain_text("Check the expiry date or use another card.")
    fail(shop, "c-1", "insufficient_funds")
    page.evaluate("""document.dispatchEvent(new Event("checkout-case:look"))""")
    expect(ada.panel).to_contain_text("Your bank didn't approve this payment.")


def test_bad_texts_are_inert(visit: Come, shop: Shop) -> None:
    ada = visit()
    page = ada.enter()
    ada.open()
    ada.write("A beginning")
    expect(ada.panel).to_contain_text("We got your message")
    for text in OWN:
        reply(shop, ada.reference, text)
    expect(ada.panel.get_by_role("listitem")).to_have_count(len(OWN) + 1)
    inside = "(all) => all.flatMap((one) => [...one.querySelectorAll('*')].map((n) => n.localName))"
    assert set(ada.panel.locator(".text").evaluate_all(inside)) <= {"a"}
    links = ada.panel.locator(".text a").evaluate_all(
        "(nodes) => nodes.map((node) => node.protocol)"
    )
    assert set(links) <= {"https:", "http:"}
    page.goto(f"{ada.address}/checkout-case/help")
    assert set(page.locator(".text").evaluate_all(inside)) <= {"a"}
    assert ada.broken == []


def test_under_a_strict_policy_nothing_is_violated_and_nothing_is_asked_elsewhere(
    visit: Come, shop: Shop
) -> None:
    ada = visit()
    page = ada.enter()
    headers = page.request.get(f"{ada.address}/checkout").headers
    assert headers["content-security-policy"] == STRICT_CSP
    ada.pay()
    ada.open()
    ada.write("Hello?")
    reply(shop, ada.reference, "See https://shop.example/x")
    expect(ada.panel.get_by_role("link", name="https://shop.example/x")).to_be_visible()
    assert ada.broken == []
    assert [line for line in ada.complaints if "402" not in line] == []
    page.goto(f"{ada.address}/checkout-case/help")
    assert ada.broken == []
    assert all(url.startswith("/") for url in ada.requests if not url.startswith("data:"))


def box(element: Locator) -> dict[str, float]:
    found = element.bounding_box()
    assert found is not None
    return dict(found)  # type: ignore[arg-type]


def bottom(place: dict[str, float]) -> float:
    return place["y"] + place["height"]


def overlap(one: dict[str, float], other: dict[str, float]) -> bool:
    return (
        one["x"] < other["x"] + other["width"]
        and other["x"] < one["x"] + one["width"]
        and one["y"] < bottom(other)
        and other["y"] < bottom(one)
    )


SHOWN = (
    "hint-desktop",
    "open-desktop-dark",
    "conversation-desktop",
    "page-desktop",
    "hint-phone",
    "open-phone",
    "conversation-phone-rtl-dark",
)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("desktop", {}),
        ("desktop-dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": PHONE}),
        ("phone-rtl-dark", {"viewport": PHONE, "locale": "ar", "color_scheme": "dark"}),
    ],
)
def test_the_states_that_the_documentation_shows(
    visit: Come,
    shop: Shop,
    screenshot: Callable[[Page, str], None],
    name: str,
    given: dict[str, Any],
) -> None:
    ada = visit(**given, reduced_motion="reduce")
    page = ada.enter()

    def show(state: str) -> None:
        if f"{state}-{name}" in SHOWN:
            screenshot(page, f"widget-{state}-{name}")

    ada.pay()
    show("hint")
    panel = ada.open()
    expect(panel.locator(".failure")).to_be_visible()
    show("open")
    arabic = given.get("locale") == "ar"
    question = "رُفضت بطاقتي مع أن الرصيد كافٍ." if arabic else "But there is money on my card!"
    answer = (
        "أهلًا آدا، اطلبي من مصرفك السماح بالمبلغ، ثم حاولي مرة أخرى. نحتفظ لك بالحقيبة."
        if arabic
        else "Hello Ada, some banks hold back large payments at first. "
        "Ask yours to allow it, then try again. We keep the bag for you until tonight."
    )
    ada.write(question)
    expect(panel.locator(".status.sent")).to_be_visible()
    reply(shop, ada.reference, answer)
    expect(panel.locator(".status.answered")).to_be_visible()
    show("conversation")
    page.goto(f"{ada.address}/checkout-case/help")
    expect(page.locator("#latest")).to_be_visible()
    show("page")
