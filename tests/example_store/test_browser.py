"""Buying in a real browser, with card fields in Stripe's frame."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, ViewportSize, expect

from tests.support.store import RunningStore, fill_bag, go_to_payment, pay_with, running_store

pytestmark = pytest.mark.browser
DESKTOP = ViewportSize(width=1280, height=900)
PHONE = ViewportSize(width=390, height=844)
CHALLENGE = 'iframe[title="3-D Secure authentication"]'


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    with running_store(tmp_path_factory.mktemp("store")) as running:
        yield running


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def visitor(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = chromium.new_context(viewport=request.param)
    context.set_default_timeout(15_000)
    yield context
    context.close()


def complaints_of(page: Page) -> list[str]:
    """Collect what the browser complains about; answers with an error status are meant here."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on(
        "console",
        lambda said: (
            found.append(said.text)
            if said.type == "error" and "status of 4" not in said.text
            else None
        ),
    )
    return found


def test_a_declined_card_then_another_one(
    visitor: BrowserContext, store: RunningStore, screenshot: Callable[[Page, str], None]
) -> None:
    page = visitor.new_page()
    size = "phone" if (page.viewport_size or PHONE)["width"] == 390 else "desktop"
    complaints, sent = complaints_of(page), list[Request]()
    page.on("request", lambda request: sent.append(request))  # noqa: PLW0108 - a method of list can't be wrapped
    page.goto(store.url)
    if size == "desktop":
        screenshot(page, "store-home-desktop")
    fill_bag(page, store.url, "marlow-weekender", "arlo-wallet")
    go_to_payment(page)
    pay_with(page, "4000000000009995")
    expect(page.locator("#payment-problem")).to_contain_text("Your bank didn't approve")
    page.locator("#checkout-case").scroll_into_view_if_needed()
    screenshot(page, f"store-declined-{size}")
    pay_with(page, "4242424242424242")
    expect(page.locator("h1")).to_have_text("Thank you, Ada.")
    assert complaints == []
    to_the_shop = [request for request in sent if request.url.startswith(store.url)]
    assert to_the_shop
    for request in to_the_shop:
        assert "9995" not in (request.post_data or "")
        assert "4242" not in (request.post_data or "")


def test_the_bank_asks_first(visitor: BrowserContext, store: RunningStore) -> None:
    page = visitor.new_page()
    complaints = complaints_of(page)
    fill_bag(page, store.url, "ines-tote")
    go_to_payment(page)
    pay_with(page, "4000002760003184")
    page.frame_locator(CHALLENGE).get_by_role("button", name="Fail").click()
    expect(page.locator("#payment-problem")).to_contain_text("could not confirm that it's you")
    pay_with(page, "4000002760003184")
    page.frame_locator(CHALLENGE).get_by_role("button", name="Complete").click()
    expect(page.locator("h1")).to_have_text("Thank you, Ada.")
    assert complaints == []


@pytest.mark.parametrize(
    ("number", "word"), [("4242424242424241", "invalid"), ("4242", "incomplete")]
)
def test_typing_errors_stay_in_the_page(
    visitor: BrowserContext, store: RunningStore, number: str, word: str
) -> None:
    page = visitor.new_page()
    fill_bag(page, store.url, "ash-vase")
    go_to_payment(page)
    pay_with(page, number)
    expect(page.locator("#card-error")).to_contain_text(word)
    expect(page.locator("#pay")).to_be_enabled()


def test_no_page_scrolls_sideways(visitor: BrowserContext, store: RunningStore) -> None:
    page = visitor.new_page()
    fill_bag(page, store.url, "perpetua-chronograph")
    for path in (
        "/",
        "/collection",
        "/product/tide-diver",
        "/bag",
        "/checkout/contact",
        "/service",
    ):
        page.goto(f"{store.url}{path}")
        widths = page.evaluate(
            "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        )
        assert widths[0] <= widths[1], path


def test_pages_are_accessible(chromium: Browser, store: RunningStore) -> None:
    from axe_playwright_python.sync_playwright import Axe

    context = chromium.new_context(viewport=DESKTOP, bypass_csp=True)
    page = context.new_page()
    fill_bag(page, store.url, "ember-bowl")
    go_to_payment(page)
    pay_with(page, "4000000000000002")
    expect(page.locator("#payment-problem")).to_be_visible()
    problems = {}
    for path in (None, "/", "/collection", "/product/ember-bowl", "/bag", "/account/login"):
        if path is not None:
            page.goto(f"{store.url}{path}")
        found = Axe().run(page)
        if found.violations_count:
            problems[path] = found.generate_report()
    context.close()
    assert problems == {}
