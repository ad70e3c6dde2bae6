"""Agents at work in Chromium: by keyboard, live, at the same time, without a connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Route, expect
from sqlalchemy import update

from flask_checkout_case import CaseInfo
from flask_checkout_case.data.models import CaseRow
from flask_checkout_case.services import cases
from tests.support.bad_input import bad_texts
from tests.support.desk import (
    AGENT_PAGES,
    BOSS,
    COOKIE,
    LIN,
    ago,
    decline,
    open_desk,
    runtime_of,
)
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, LISTEN

pytestmark = pytest.mark.browser

LIVE = 12_000
"""Milliseconds in which what others do has to appear: some polls, on a busy machine."""
ASKED = re.compile(r"/agent/queue(\?|$)")
TURN = """hidden => {
  Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
"""Puts the page into the background, or brings it back."""


class Worker:
    """An agent's browser, and what went wrong in it."""

    def __init__(self, address: str, context: BrowserContext, who: str) -> None:
        context.add_init_script(LISTEN)
        context.add_cookies([{"name": COOKIE, "value": who, "url": address}])
        self.address = address
        self.context = context
        self.page = context.new_page()
        self.errors: list[str] = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))

    def go(self, path: str = "/") -> Page:
        self.page.goto(f"{self.address}{AGENT_PAGES}{path}")
        return self.page

    def open(self, case: CaseInfo) -> Page:
        return self.go(f"/cases/{case.reference}")

    def is_content(self) -> bool:
        """Whether no script failed and no policy was broken."""
        return self.errors == [] and self.page.evaluate("window.broken") == []


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return open_desk(make_sqlite_app)


@pytest.fixture
def worker(
    shop: Shop, chromium: Browser, live_server: Callable[[Any], str]
) -> Iterator[Callable[..., Worker]]:
    address = live_server(shop.app)
    made: list[Worker] = []

    def make(who: str, **options: Any) -> Worker:
        context = chromium.new_context(**{"viewport": DESKTOP, "locale": "en-US", **options})
        made.append(Worker(address, context, who))
        return made[-1]

    yield make
    for one in made:
        one.context.close()


@pytest.fixture
def lin(worker: Callable[..., Worker]) -> Worker:
    return worker("lin")


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.textContent.trim()"))


def test_the_queue_by_keyboard(shop: Shop, lin: Worker) -> None:
    made = [decline(shop, f"c-{number}", at=ago(minutes=9 - number)) for number in range(4)]
    page = lin.go()
    page.keyboard.press("j")
    assert focused(page) == made[0].subject
    page.keyboard.press("j")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.getAttribute('href')").endswith(made[2].reference)
    page.keyboard.press("k")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(made[1].reference))
    page.wait_for_load_state("load")
    page.keyboard.press("n")
    page.keyboard.type("rjkt?/n")
    expect(page.locator("#note-text")).to_have_value("rjkt?/n")
    page.locator("h1").click()
    page.keyboard.press("r")
    expect(page.locator("#reply-text")).to_be_focused()
    page.locator("h1").click()
    page.keyboard.press("t")
    expect(page.locator(".props [data-key=assignee]")).to_contain_text("Lin Okafor")
    page.keyboard.press("u")
    expect(page.locator(".row")).to_have_count(4)
    page.wait_for_load_state("load")
    page.keyboard.press("/")
    assert focused(page).startswith("Status")
    assert lin.is_content()


def test_single_keys_can_be_switched_off(shop: Shop, lin: Worker) -> None:
    decline(shop, "c-1")
    page = lin.go()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_hidden()
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Use single-key shortcuts").check()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("j")
    assert focused(page).startswith("Insufficient funds")


def test_everything_is_reached_by_tab(shop: Shop, lin: Worker) -> None:
    page = lin.open(decline(shop, "c-1"))
    wanted = set(
        page.eval_on_selector_all(
            "a[href], button, summary, textarea, input:not([type=hidden])",
            "all => all.filter(e => e.checkVisibility() && (e.type !== 'radio' || e.checked))"
            ".map((e, i) => e.dataset.tab = String(i))",
        )
    )
    found: set[str] = set()
    for _ in range(len(wanted) + 12):
        page.keyboard.press("Tab")
        found.add(str(page.evaluate("document.activeElement.dataset.tab")))
    assert wanted <= found
    page.reload()
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the content"


def test_new_cases_appear_and_nothing_jumps(shop: Shop, lin: Worker) -> None:
    calm = decline(shop, "c-calm")
    page = lin.go("/?view=teams")
    page.locator(".row-link").focus()
    page.locator("summary", has_text="Category").click()
    page.get_by_label("Stock").check()
    page.locator(".row-link").focus()
    page.locator("summary", has_text="Priority").evaluate("e => e.parentElement.open = true")
    decline(shop, "c-urgent", at=ago(minutes=30), value="900.00")
    expect(page.locator(".row")).to_have_count(2, timeout=LIVE)
    expect(page.locator(".row").first).to_contain_text("$900.00")
    assert page.evaluate("document.activeElement.getAttribute('href')").endswith(calm.reference)
    expect(page.locator("summary", has_text="Priority").locator("..")).to_have_attribute("open", "")
    expect(page.locator("#views")).to_contain_text("2")
    assert page.get_by_label("Stock").is_checked()
    assert lin.is_content()


def test_a_conversation_grows_while_one_types(shop: Shop, lin: Worker) -> None:
    case = decline(shop, "c-1")
    page = lin.open(case)
    page.locator("#reply-text").press_sequentially("Dear A")
    cases.customer_message(runtime_of(shop), case.reference, "Are you there?", name="Ada Lovelace")
    expect(page.locator(".timeline")).to_contain_text("Are you there?", timeout=LIVE)
    page.keyboard.type("da")
    expect(page.locator("#reply-text")).to_have_value("Dear Ada")
    expect(page.locator("#reply-text")).to_be_focused()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".line.agent")).to_contain_text("Dear Ada")
    expect(page.locator("#reply-text")).to_have_value("")
    expect(page.locator("#said")).to_have_text("Sent")
    expect(page.locator(".facts")).to_contain_text("Waiting for customer")
    assert lin.is_content()


def test_a_stale_write_keeps_what_is_typed(shop: Shop, lin: Worker) -> None:
    case = decline(shop, "c-1")
    page = lin.open(case)
    page.route("**/live", lambda route: route.abort())
    page.fill("#reply-text", "Half a sentence")
    cases.set_priority(runtime_of(shop), case.reference, "urgent", agent=BOSS, version=case.version)
    page.get_by_role("button", name="Take").click()
    banner = page.get_by_role("alert")
    expect(banner).to_contain_text("Noor Haddad changed the priority from High to Urgent")
    expect(banner).to_be_focused()
    expect(page.locator("#reply-text")).to_have_value("Half a sentence")
    expect(page.locator(".props [data-key=priority]")).to_contain_text("Urgent")
    page.get_by_role("button", name="Take").click()
    expect(page.locator(".props [data-key=assignee]")).to_contain_text("Lin Okafor")
    expect(page.locator("#reply-text")).to_have_value("Half a sentence")
    expect(banner).to_have_count(0)
    assert lin.is_content()


def test_what_is_kept_when_the_connection_is_lost(shop: Shop, lin: Worker) -> None:
    case = decline(shop, "c-1")
    page = lin.open(case)
    page.fill("#reply-text", "I am on my way")
    lin.context.set_offline(True)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("Your text is still here")
    expect(page.locator("#reply-text")).to_have_value("I am on my way")
    expect(page.locator("[data-live-status]")).to_contain_text("Connection lost", timeout=LIVE)
    lin.context.set_offline(False)
    expect(page.locator("[data-live-status]")).to_have_text("Live", timeout=LIVE)
    page.reload()
    expect(page.locator("#reply-text")).to_have_value("I am on my way")
    page.focus("#reply-text")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".line.agent")).to_have_count(1)
    page.reload()
    expect(page.locator("#reply-text")).to_have_value("")


def test_an_answer_that_got_lost_is_not_sent_twice(shop: Shop, lin: Worker) -> None:
    page = lin.open(decline(shop, "c-1"))

    def lose_the_answer(route: Route) -> None:
        route.fetch(max_redirects=0)
        route.abort()

    page.route("**/reply", lose_the_answer)
    page.fill("#reply-text", "Only once, please")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("Not sent")
    page.unroute("**/reply")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_have_text("Sent")
    expect(page.locator(".line.agent")).to_have_count(1)


def test_a_page_in_the_background_asks_each_minute_and_says_so(shop: Shop, lin: Worker) -> None:
    lin.page.clock.install()
    page = lin.go()
    shown: list[str | None] = []

    def note(request: Request) -> None:
        if ASKED.search(request.url):
            shown.append(request.headers.get("x-checkout-case-tab"))

    page.on("request", note)
    page.evaluate(TURN, True)
    with page.expect_response(ASKED):
        page.clock.fast_forward(70_000)
    assert shown[-1] == "hidden"
    with page.expect_response(ASKED):
        page.evaluate(TURN, False)
    assert shown[-1] is None
    assert lin.is_content()


def test_a_countdown_turns_to_overdue_by_itself(shop: Shop, lin: Worker) -> None:
    case = decline(shop, "c-1")
    due = ago(seconds=-4)
    with runtime_of(shop).write() as unit:
        unit.session.execute(
            update(CaseRow)
            .where(CaseRow.reference == case.reference)
            .values(first_response_due=due, due_at=due, opened_at=due - timedelta(minutes=15))
        )
    page = lin.go()
    countdown = page.locator(".row .due")
    expect(countdown).to_contain_text("left")
    expect(countdown).to_have_class(re.compile("is-soon"))
    expect(countdown).to_contain_text("over", timeout=LIVE)
    expect(countdown).to_have_class(re.compile("is-overdue"))
    expect(countdown.locator("[data-state]")).to_have_text("Overdue")


def test_reply_and_note_are_not_mistaken(shop: Shop, lin: Worker) -> None:
    page = lin.open(decline(shop, "c-1"))
    page.fill("#reply-text", "For Ada")
    page.locator("#mode-note").click()
    expect(page.locator("#reply-text")).to_be_hidden()
    expect(page.locator("#note-text")).to_be_focused()
    page.keyboard.type("For us")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".line.note")).to_contain_text("For us")
    expect(page.locator(".line.agent")).to_have_count(0)
    page.locator("#mode-reply").check()
    expect(page.locator("#reply-text")).to_have_value("For Ada")


def test_menus_by_keyboard(shop: Shop, lin: Worker) -> None:
    page = lin.open(decline(shop, "c-1"))
    summary = page.locator(".props [data-key=priority] summary")
    summary.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert focused(page) == "Urgent"
    page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowUp")
    assert focused(page) == "Low"
    page.keyboard.press("Enter")
    expect(page.locator(".facts .priority")).to_have_text("Low")
    expect(page.locator("details[open]")).to_have_count(0)


def test_bad_texts_are_inert(shop: Shop, lin: Worker) -> None:
    texts = [text for text in bad_texts() if "<" in text or "javascript" in text][:60]
    case = decline(shop, "c-1", name=texts[0])
    page = lin.open(case)
    for text in texts:
        cases.customer_message(runtime_of(shop), case.reference, text)
    expect(page.locator(".line.customer")).to_have_count(len(texts), timeout=LIVE)
    page.locator("#reply-text").fill(texts[0])
    page.keyboard.press("Control+Enter")
    expect(page.locator(".line.agent .say")).to_have_text(texts[0])
    lin.go()
    assert lin.is_content()


def test_without_a_script(shop: Shop, worker: Callable[..., Worker]) -> None:
    case = decline(shop, "c-1")
    plain = worker("lin", java_script_enabled=False)
    page = plain.go()
    page.locator("summary", has_text="Priority").click()
    page.get_by_label("High").check()
    page.get_by_role("button", name="Apply").locator("visible=true").click()
    expect(page.locator(".row")).to_have_count(1)
    page.locator(".row-link").click()
    page.get_by_role("button", name="Take").click()
    page.locator(".modes label", has_text="Internal note").click()
    page.fill("#note-text", "By hand.")
    page.get_by_role("button", name="Save the note").click()
    expect(page.locator(".line.note")).to_contain_text("By hand.")
    page.fill("#reply-text", "Solved by hand.")
    page.get_by_role("button", name="Send and solve").click()
    expect(page.locator(".facts")).to_contain_text("Saved with our help")
    with shop.app.app_context():
        assert shop.cases.get(case.reference).assignee == str(LIN.ref)


def test_what_the_pages_weigh(shop: Shop, lin: Worker) -> None:
    import gzip
    from importlib.resources import files

    static = files("flask_checkout_case.web.agent") / "static"
    code = [item.read_bytes() for item in static.iterdir() if item.name.endswith((".js", ".css"))]
    assert sum(len(gzip.compress(part, 9)) for part in code) <= 40 * 1024
    asked: list[str] = []
    lin.page.on("request", lambda request: asked.append(request.url))
    lin.open(decline(shop, "c-1"))
    expect(lin.page.locator("[data-live-status]")).to_have_text("Live")
    assert all(url.startswith(lin.address) for url in asked), asked
