"""What a browser notices of hesitation, with consent; what it never tells; and the quiet line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Response, make_response
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.support.browser import complaints
from tests.support.browsing import observed
from tests.support.due import checkout_row
from tests.support.shop import Shop
from tests.support.visit import CHROME, DESKTOP, PHONE, SMALL, Visit
from tests.support.widget import STRICT_CSP, fail, furnish

pytestmark = pytest.mark.browser

Screenshot = Callable[[Page, str], None]
SECRET = "4242424242424242"
TYPES = """addEventListener("DOMContentLoaded", () => {
  const field = document.querySelector("[name=email]");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
});"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<title>Delivery</title><link rel="stylesheet" href="/shop.css"></head><body>
<header>Atelier Nord</header><main><h1>Delivery</h1><form action="/form">
<label>E-mail <input name="email" type="email" autocomplete="email" required></label>
<label>Coupon <input name="promo_code" autocomplete="off"></label>
<label>Card <input name="card" autocomplete="section-a cc-number" inputmode="numeric"></label>
<button id="go">Continue</button></form>
<p><button type="button" id="stuck">Use my address</button>
<button type="button" id="works" aria-pressed="false">More</button>
<a href="#terms" data-checkout-case-policy>Returns</a></p>
<p>A long story.</p></main></body></html>"""


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    shop = observed(furnish(make_sqlite_app(CHECKOUT_CASE_RATE_LIMIT="1000 per minute")))

    @shop.app.get("/form", endpoint="checkout.form")
    def form() -> Response:
        page = make_response(PAGE)
        page.headers["Content-Security-Policy"] = STRICT_CSP
        return page

    return shop


class Watched(Visit):
    """Somebody on the page with the form; what their browser has told."""

    def __init__(self, shop: Shop, address: str, context: BrowserContext) -> None:
        super().__init__(shop, address, context)
        self.bodies: list[str] = []
        self.asked: list[str] = []
        self.page.on("request", self._keep)

    def _keep(self, request: Request) -> None:
        if "/checkout-case/s" in request.url and "/static/" not in request.url:
            self.asked.append(f"{request.method} {request.resource_type}")
            if request.method == "POST":
                self.bodies.append(request.post_data or "")

    def come(self, ref: str = "c-1", *, frozen: bool = True) -> Page:
        self.page.goto(f"{self.address}/enter/{ref}")
        if frozen:
            self.page.clock.install()
        with self.page.expect_response("**/checkout-case/state*"):
            self.page.goto(f"{self.address}/form")
        self.page.wait_for_load_state("networkidle")
        return self.page

    def told(self) -> list[Any]:
        """Return what was told, after what has not been sent yet has been."""
        self.page.clock.run_for(1_500)
        hide(self.page, hidden=True)
        self.page.wait_for_load_state("networkidle")
        return [one for body in self.bodies for one in json.loads(body)["signals"]]

    def kinds(self) -> list[str]:
        return [one[0] for one in self.told()]


@pytest.fixture
def watch(
    shop: Shop, chromium: Browser, live_server: Callable[[Any], str]
) -> Iterator[Callable[..., Watched]]:
    address = live_server(shop.app)
    contexts: list[BrowserContext] = []

    def come(**given: Any) -> Watched:
        options = {"viewport": DESKTOP, "locale": "en", "user_agent": CHROME, **given}
        contexts.append(chromium.new_context(**options))
        return Watched(shop, address, contexts[-1])

    yield come
    for context in contexts:
        context.close()


Come = Callable[..., Watched]


# --- what is noticed -----------------------------------------------------------------------------


def test_who_shops_calmly_tells_nothing(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("Card").fill(SECRET)
    page.get_by_role("button", name="More").evaluate(
        "(it) => it.addEventListener('click', () => it.setAttribute('aria-pressed', 'true'))"
    )
    page.get_by_role("button", name="More").click()
    page.mouse.move(300, 300)
    page.clock.run_for(20_000)
    page.click("#go")
    page.wait_for_load_state("networkidle")
    assert ada.bodies == []
    assert ada.complaints == []
    assert ada.broken == []


def test_a_long_pause_is_told_once_and_not_while_hidden(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    page.clock.run_for(100_000)
    page.mouse.move(200, 200)
    page.clock.run_for(100_000)
    assert ada.bodies == [], "120 seconds at the payment, begun anew by a move"
    page.clock.run_for(21_000)
    page.clock.run_for(300_000)
    assert ada.kinds() == ["idle"]


def test_rage_and_a_click_in_vain(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    for _ in range(3):
        page.click("#stuck")
    page.clock.run_for(2_000)
    kinds = ada.kinds()
    assert kinds[0] == "rage"
    assert "dead" in kinds
    other = watch()
    page = other.come("c-2")
    page.click("text=A long story.")
    page.get_by_label("E-mail").click()
    assert other.kinds() == []


def test_mistakes_are_told_once_a_submit_with_the_kind_of_field(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    page.get_by_label("E-mail").fill("ada at example")
    for _ in range(2):
        page.click("#go")
        page.clock.run_for(50)
    assert [(one[0], one[3]) for one in ada.told()] == [("error", "email"), ("error", "email")]


def test_a_field_filled_in_again_and_again(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    for text in ("4111", "4112", SECRET):
        page.get_by_label("Card").fill(text)
        page.get_by_label("E-mail").focus()
    assert [one[0:1] + one[3:] for one in ada.told()] == [["reentry", "cc-number"]]


def test_staying_in_one_field(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    page.get_by_label("E-mail").focus()
    page.clock.run_for(21_000)
    assert ada.kinds() == ["dwell"]


def hide(page: Page, *, hidden: bool) -> None:
    page.evaluate(
        """(hidden) => {
          Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }""",
        hidden,
    )


@pytest.mark.parametrize(("coupon", "kind"), [(False, "away"), (True, "coupon_away")])
def test_looking_elsewhere_and_back(watch: Come, coupon: bool, kind: str) -> None:
    ada = watch()
    page = ada.come()
    if coupon:
        page.get_by_label("Coupon").focus()
    hide(page, hidden=True)
    page.clock.run_for(400_000)
    hide(page, hidden=False)
    page.clock.run_for(1_000)
    assert ada.kinds() == [kind], "no idleness while hidden"


def test_a_short_look_and_another_page_are_none(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    hide(page, hidden=True)
    page.clock.run_for(4_000)
    hide(page, hidden=False)
    assert ada.kinds() == []


def test_the_pointer_leaves_at_the_top_and_terms_are_opened(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    leave = "document.dispatchEvent(new MouseEvent('mouseout', { clientY: -1, bubbles: true }))"
    for _ in range(3):
        page.evaluate(leave)
    page.get_by_role("link", name="Returns").click()
    assert ada.kinds() == ["exit", "policy"]


def test_coming_back_by_history(watch: Come) -> None:
    ada = watch()
    # A clock that is set knows nothing of how the page was come to.
    page = ada.come(frozen=False)
    page.goto(f"{ada.address}/checkout")
    page.go_back()
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(300)
    hide(page, hidden=True)
    page.wait_for_load_state("networkidle")
    assert [json.loads(body)["signals"][0][0] for body in ada.bodies] == ["back"]


# --- how it is told ------------------------------------------------------------------------------


def test_at_most_three_requests_a_page_of_at_most_512_bytes(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    page.get_by_label("E-mail").fill("nobody")
    for _ in range(60):
        page.click("#go")
        page.clock.run_for(2_000)
    assert ada.asked.count("GET fetch") == 1
    fetched = [kind for kind in ada.asked if kind.endswith(" fetch")]
    assert len(fetched) == 3, ada.asked
    assert len([one for one in ada.told() if one[0] == "error"]) == 60
    assert max(map(len, ada.bodies)) <= 512


def test_what_is_told_arrives(watch: Come, shop: Shop) -> None:
    ada = watch()
    page = ada.come()
    page.get_by_label("E-mail").fill("nobody")
    page.click("#go")
    page.clock.run_for(100)
    hide(page, hidden=True)
    page.wait_for_load_state("networkidle")
    ada.page.wait_for_timeout(300)
    with shop.app.app_context():
        shop.cases.flush()
    found = checkout_row(shop).signs
    assert found is not None
    assert list(found) == ["validation"]


def test_no_value_ever_leaves_the_page(watch: Come) -> None:
    ada = watch()
    page = ada.come()
    for field in ("E-mail", "Coupon", "Card"):
        for text in ("secret-one", "secret-two", SECRET):
            page.get_by_label(field).press_sequentially(text)
            page.get_by_label(field).blur()
    page.click("#go")
    page.get_by_label("Coupon").focus()
    hide(page, hidden=True)
    page.clock.run_for(6_000)
    hide(page, hidden=False)
    assert len(ada.told()) > 3
    everything = " ".join([*ada.bodies, *ada.requests])
    for word in ("secret", SECRET, "promo_code", "ada@"):
        assert word not in everything.replace("/form?", "").partition("email=")[0]
    assert "secret" not in " ".join(ada.bodies)


def test_without_consent_nothing_is_even_loaded(watch: Come, shop: Shop) -> None:
    shop.cases.consent_loader(lambda: False)
    ada = watch()
    page = ada.come()
    page.clock.run_for(400_000)
    assert ada.kinds() == []
    assert not any("signals.js" in url for url in ada.requests)


@pytest.mark.parametrize("header", [{"Sec-GPC": "1"}, {"DNT": "1"}])
def test_who_objects_is_not_observed(watch: Come, header: dict[str, str]) -> None:
    ada = watch(extra_http_headers=header)
    page = ada.come()
    page.clock.run_for(400_000)
    assert ada.kinds() == []
    assert not any("signals.js" in url for url in ada.requests)


# --- the quiet line ------------------------------------------------------------------------------


def waver(ada: Watched, ref: str = "c-1") -> Page:
    """Make enough mistakes, look for a coupon, and pause."""
    page = ada.come(ref)
    page.get_by_label("E-mail").fill("nobody")
    for _ in range(3):
        page.click("#go")
        page.clock.run_for(1_500)
    page.get_by_label("Coupon").focus()
    hide(page, hidden=True)
    page.clock.run_for(6_000)
    hide(page, hidden=False)
    page.evaluate("document.activeElement.blur()")
    page.clock.run_for(20_000)
    page.wait_for_timeout(300)
    page.wait_for_load_state("networkidle")
    with ada.shop.app.app_context():
        # The page's two minutes are a moment here: what was told before is written now.
        ada.shop.cases.flush()
    page.clock.run_for(101_000)
    return page


def line(page: Page) -> Any:
    return page.locator("#checkout-case-offer")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("desktop", {}),
        ("dark", {"color_scheme": "dark"}),
        ("phone", {"viewport": PHONE, "has_touch": True}),
        ("small-arabic", {"viewport": SMALL, "locale": "ar", "color_scheme": "dark"}),
    ],
)
def test_the_line_is_quiet_readable_and_accessible(
    watch: Come, screenshot: Screenshot, name: str, options: dict[str, Any]
) -> None:
    ada = watch(**options, bypass_csp=True)
    page = waver(ada)
    expect(line(page).locator("span")).not_to_be_empty()
    assert page.evaluate("document.activeElement === document.body"), "it takes no focus"
    expect(ada.panel).to_have_count(0)
    assert complaints(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert ada.broken == []
    screenshot(page, f"offer-{name}")


def test_the_line_leads_to_the_panel_with_its_subject(watch: Come) -> None:
    page = waver(watch())
    expect(line(page)).to_have_attribute("role", "status")
    line(page).locator("span").click()
    panel = page.get_by_role("dialog")
    expect(panel.locator("textarea")).to_be_visible()
    expect(line(page)).to_have_count(0)


def test_sent_away_it_stays_away(watch: Come) -> None:
    ada = watch()
    page = waver(ada)
    button = line(page).get_by_role("button", name="No, thank you")
    button.focus()
    page.keyboard.press("Enter")
    expect(line(page)).to_be_hidden()
    expect(ada.launcher).to_be_focused()
    assert "dismissed" in ada.kinds()
    page.goto(f"{ada.address}/form")
    page.wait_for_load_state("networkidle")
    expect(line(page)).to_have_count(0)


def test_nobody_is_spoken_to_while_typing(watch: Come) -> None:
    ada = watch()
    page = waver(ada)
    expect(line(page).locator("span")).not_to_be_empty()
    page.add_init_script(TYPES)
    with page.expect_response("**/checkout-case/state*") as answer:
        page.goto(f"{ada.address}/form")
    assert "offer" in answer.value.json()
    page.wait_for_load_state("networkidle")
    expect(line(page)).to_be_hidden()
    page.clock.run_for(5_000)
    expect(line(page)).to_be_visible()


def test_a_failed_payment_says_its_own_words_instead(watch: Come, shop: Shop) -> None:
    ada = watch()
    page = waver(ada)
    expect(line(page).locator("span")).not_to_be_empty()
    fail(shop, "c-1", "insufficient_funds")
    page.goto(f"{ada.address}/form")
    expect(ada.launcher).to_contain_text("We can help")
    expect(line(page)).to_be_hidden()
