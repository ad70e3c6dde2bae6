"""The checklist of a case in Chromium: ticked by keyboard, asked for a reason, looked at by axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import update

from flask_checkout_case import CaseInfo
from flask_checkout_case.data.models import TaskRow
from flask_checkout_case.services import cases as services
from flask_checkout_case.services import overdue, protocols
from tests.support.desk import (
    AGENT_PAGES,
    BOSS,
    COOKIE,
    LIN,
    ago,
    decline,
    know_agents,
    open_desk,
    runtime_of,
)
from tests.support.protocols import LARGE, tasks, write_policy
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, LISTEN, PHONE

pytestmark = pytest.mark.browser

LIVE = 12_000
"""Milliseconds in which what others do has to appear: some polls, on a busy machine."""
WAYS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "de"},
    "rtl": {"viewport": DESKTOP, "color_scheme": "light", "locale": "ar"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "locale": "de"},
    "phone-dark-rtl": {"viewport": PHONE, "color_scheme": "dark", "locale": "ar"},
}
PICTURES = {"protocol-desktop", "reason-desktop", "why-desktop"}
"""Those that the documentation shows."""


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    policy = str(write_policy(tmp_path))
    made = open_desk(
        make_sqlite_app, CHECKOUT_CASE_POLICY=policy, CHECKOUT_CASE_SHOP_NAME="Atelier Nord"
    )
    know_agents(made)
    return made


@pytest.fixture
def case(shop: Shop) -> CaseInfo:
    """A case of which one task is done, one overdue, one due soon."""
    opened = decline(shop, "c-1", value=LARGE, name="Ines de Castro", at=ago(minutes=52))
    runtime = runtime_of(shop)
    overdue.sweep_overdue(runtime)
    now = shop_case(shop, opened)
    services.take(runtime, opened.reference, agent=LIN, version=now.version)
    now = shop_case(shop, opened)
    offer = tasks(shop)[2].id
    protocols.tick(runtime, opened.reference, offer, agent=BOSS, version=now.version)
    return shop_case(shop, opened)


def shop_case(shop: Shop, case: CaseInfo) -> CaseInfo:
    with shop.app.app_context():
        return shop.cases.get(case.reference)


@pytest.fixture
def desk(
    shop: Shop, chromium: Browser, live_server: Callable[[Any], str]
) -> Iterator[Callable[..., Page]]:
    address = live_server(shop.app)
    contexts: list[BrowserContext] = []

    def sit_down(who: str, path: str = "/", **options: Any) -> Page:
        context = chromium.new_context(**{**WAYS["desktop"], **options})
        contexts.append(context)
        context.add_init_script(LISTEN)
        context.add_cookies([{"name": COOKIE, "value": who, "url": address}])
        page = context.new_page()
        page.goto(f"{address}{AGENT_PAGES}{path}")
        return page

    yield sit_down
    for context in contexts:
        context.close()


def complaints(page: Page) -> list[str]:
    """Return what axe finds, and whether the page is wider than its window."""
    found = Axe().run(page).response["violations"]
    told = [
        f"{rule['id']}: {node['target']} {node.get('failureSummary', '')}"
        for rule in found
        for node in rule["nodes"]
    ]
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*told, f"wider by {wider}"] if wider > 0 else told


@pytest.mark.parametrize("way", WAYS)
def test_every_state(
    desk: Callable[..., Page],
    way: str,
    shop: Shop,
    case: CaseInfo,
    screenshot: Callable[[Page, str], None],
) -> None:
    # axe brings its own script along, which the pages' policy would rightly refuse.
    page = desk(
        "lin", f"/cases/{case.reference}", **WAYS[way], bypass_csp=True, reduced_motion="reduce"
    )
    found: dict[str, list[str]] = {}

    def look(state: str, part: str | None = None) -> None:
        found[state] = complaints(page)
        if part is not None:
            page.locator(part).first.scroll_into_view_if_needed()
        if f"{state}-{way}" in PICTURES:
            screenshot(page, f"workspace-{state}-{way}")

    expect(page.locator(".protocol .is-overdue")).to_be_visible()
    look("protocol", ".protocol")
    for part in ("passed", "place"):
        page.locator(f"[data-key={part}] summary").click()
    look("why", "[data-key=place]")
    page.fill("#reply-text", "It has been arranged on the telephone.")
    page.locator("button[name=then]").click()
    expect(page.locator("#reason")).to_be_focused()
    look("reason", "#reason")
    page.goto(page.url.rpartition("/cases/")[0] + "/?view=all")
    look("queue")
    assert {state: told for state, told in found.items() if told} == {}


@pytest.mark.parametrize("width", [320, 390])
def test_long_words_stay_inside(
    desk: Callable[..., Page], shop: Shop, case: CaseInfo, width: int
) -> None:
    runtime = runtime_of(shop)
    with runtime.write() as unit:
        unit.session.execute(update(TaskRow).values(title="Zahlungsdienstleister" * 9))
    size = {"width": width, "height": 844}
    page = desk("lin", f"/cases/{case.reference}", viewport=size, bypass_csp=True)
    page.locator(".deeds summary").click()
    expect(page.locator(".menu-hint")).to_be_visible()
    assert complaints(page) == []
    page.locator(".deeds .pick").first.click()
    page.locator(".ask-ways .primary").evaluate(
        "button => button.textContent = 'Mit dieser ausführlichen Begründung senden und lösen'"
    )
    assert complaints(page) == []


def test_a_task_is_ticked_by_keyboard(
    desk: Callable[..., Page], shop: Shop, case: CaseInfo
) -> None:
    page = desk("lin", f"/cases/{case.reference}")
    page.fill("#reply-text", "Half a sentence")
    first = page.get_by_role("button", name="Call the customer")
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(first).to_be_focused()
    expect(page.locator(".protocol .count")).to_have_text("2 of 4")
    expect(page.locator("#reply-text")).to_have_value("Half a sentence")
    page.keyboard.press("Enter")
    expect(first).to_have_attribute("aria-pressed", "false")
    assert page.evaluate("window.broken") == []


def test_what_a_colleague_ticks_appears_by_itself(
    desk: Callable[..., Page], shop: Shop, case: CaseInfo
) -> None:
    page = desk("lin", f"/cases/{case.reference}")
    task = tasks(shop)[1].id
    protocols.tick(runtime_of(shop), case.reference, task, agent=BOSS, version=case.version)
    done = page.get_by_role("button", name="Hold the stock")
    expect(done).to_have_attribute("aria-pressed", "true", timeout=LIVE)
    expect(page.locator(".protocol .task").nth(1)).to_contain_text("Noor Haddad")


def test_a_case_is_solved_with_a_reason(
    desk: Callable[..., Page], shop: Shop, case: CaseInfo
) -> None:
    page = desk("lin", f"/cases/{case.reference}")
    page.fill("#reply-text", "It has been arranged.")
    page.get_by_role("button", name="Send and solve").click()
    expect(page.locator("#reason")).to_be_focused()
    expect(page.locator("#reply-text")).to_have_value("It has been arranged.")
    page.keyboard.type("She paid by bank transfer.")
    with page.expect_response("**/live"):
        pass
    expect(page.locator("#reason")).to_have_value("She paid by bank transfer.")
    page.get_by_role("button", name="Send and solve with this reason").click()
    expect(page.locator(".facts .status")).to_have_text("Solved")
    expect(page.locator("#reason")).to_have_count(0)
    expect(page.locator("#reply-text")).to_have_value("")
    expect(page.locator(".timeline")).to_contain_text("Reason: “She paid by bank transfer.”")
    assert page.evaluate("window.broken") == []


def test_without_scripts_a_reason_is_asked_for_too(
    desk: Callable[..., Page], shop: Shop, case: CaseInfo
) -> None:
    page = desk("lin", f"/cases/{case.reference}", java_script_enabled=False)
    page.get_by_role("button", name="Call the customer").click()
    expect(page.locator(".protocol .count")).to_have_text("2 of 4")
    page.locator("summary", has_text="Solve").click()
    page.get_by_role("button", name="Saved with our help").click()
    page.fill("#reason", "Settled in the shop.")
    page.get_by_role("button", name="Solve with this reason").click()
    expect(page.locator(".facts .status")).to_have_text("Solved")
