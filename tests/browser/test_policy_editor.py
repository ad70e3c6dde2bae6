"""The policy's editor in Chromium: mistakes while typing, activation, replay, and axe."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from flask_checkout_case.rules.policy import read_policy_text
from flask_checkout_case.services import policies
from tests.support.desk import (
    AGENT_PAGES,
    BOSS,
    COOKIE,
    ago,
    decline,
    know_agents,
    open_desk,
    runtime_of,
)
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, LISTEN, PHONE

pytestmark = pytest.mark.browser

TEXT, _ = read_policy_text(None)
OVER = 'total_over = "5000 USD"'
WAYS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"},
    "dark": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "de"},
    "phone": {"viewport": PHONE, "color_scheme": "light", "locale": "en-US"},
    "phone-dark-rtl": {"viewport": PHONE, "color_scheme": "dark", "locale": "ar"},
}


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    made = open_desk(
        make_sqlite_app,
        CHECKOUT_CASE_POLICY_EDITABLE=True,
        CHECKOUT_CASE_SHOP_NAME="Atelier Nord",
    )
    know_agents(made)
    return made


@pytest.fixture
def visit(
    shop: Shop, chromium: Browser, live_server: Callable[[Any], str]
) -> Iterator[Callable[..., tuple[Page, str]]]:
    address = live_server(shop.app)
    contexts: list[BrowserContext] = []

    def sit_down(**options: Any) -> tuple[Page, str]:
        context = chromium.new_context(**options, reduced_motion="reduce")
        context.add_init_script(LISTEN)
        context.add_cookies([{"name": COOKIE, "value": "boss", "url": address}])
        contexts.append(context)
        return context.new_page(), f"{address}{AGENT_PAGES}"

    yield sit_down
    for context in contexts:
        context.close()


def test_a_mistake_is_shown_while_typing_then_mended_activated_and_rolled_back(
    visit: Callable[..., tuple[Page, str]], shop: Shop
) -> None:
    page, desk = visit(viewport=DESKTOP)
    page.goto(f"{desk}/policy")
    area = page.get_by_label("Edit", exact=True)
    expect(page.locator("form[data-ready]")).to_be_visible()

    wrong = TEXT.replace(OVER, 'total_over = "100 dollars"')
    line = wrong[: wrong.index('"100 dollars"')].count("\n") + 1
    area.fill(wrong)
    link = page.get_by_role("link", name=f"Line {line}")
    expect(link).to_be_visible()
    expect(page.locator("[data-verdict]")).to_have_text("1 mistake")
    link.click()
    selected = area.evaluate("(area) => area.value.slice(area.selectionStart, area.selectionEnd)")
    assert selected == 'when = { total_over = "100 dollars" }'

    area.fill(TEXT.replace(OVER, 'total_over = "100 USD"'))
    expect(page.locator("[data-verdict]")).to_have_text("No mistakes")
    page.get_by_role("button", name="Save as draft").click()
    expect(page.get_by_text("Route “High-value checkout”: changed")).to_be_visible()
    page.get_by_role("button", name="Activate this version").click()
    expect(page.get_by_text("Activated by Noor Haddad")).to_be_visible()
    assert decline(shop, "after", value="120.00").team == "concierge"

    page.get_by_role("link", name="default_policy.toml").click()
    page.get_by_role("button", name="Roll back to this version").click()
    expect(page.get_by_role("heading", name="Versions")).to_be_visible()
    assert decline(shop, "back", value="120.00").team == "payments"
    assert page.evaluate("window.broken") == []


def test_tab_indents_and_escape_lets_it_leave(visit: Callable[..., tuple[Page, str]]) -> None:
    page, desk = visit(viewport=DESKTOP)
    page.goto(f"{desk}/policy")
    area = page.get_by_label("Edit", exact=True)
    expect(page.locator("form[data-ready]")).to_be_visible()
    area.fill("")
    area.press("Tab")
    expect(area).to_have_value("  ")
    expect(area).to_be_focused()
    area.press("Control+z")
    expect(area).to_have_value("")
    area.press("Escape")
    area.press("Tab")
    expect(area).not_to_be_focused()


def test_a_text_that_is_too_long_is_not_sent_and_stays(
    visit: Callable[..., tuple[Page, str]],
) -> None:
    page, desk = visit(viewport=DESKTOP)
    page.goto(f"{desk}/policy")
    area = page.get_by_label("Edit", exact=True)
    expect(page.locator("form[data-ready]")).to_be_visible()
    text = TEXT + "#" * policies.TEXT_LIMIT
    area.fill(text)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.get_by_role("button", name="Save as draft").click()
    expect(page.locator("[data-verdict]")).to_have_text(
        "That is too long: at most 60,000 characters."
    )
    expect(area).to_be_focused()
    expect(area).to_have_value(text)
    assert [url for url in sent if "/policy" in url] == []
    area.fill(TEXT)
    expect(page.locator("[data-verdict]")).to_have_text("No mistakes")


def test_without_script_going_back_from_a_refusal_brings_the_text_back(
    visit: Callable[..., tuple[Page, str]],
) -> None:
    page, desk = visit(viewport=DESKTOP, java_script_enabled=False)
    page.goto(f"{desk}/policy")
    text = "#" * policies.BODY_LIMIT
    page.locator("#policy-text").fill(text)
    page.get_by_role("button", name="Save as draft").click()
    expect(page.get_by_text("what you typed is still there")).to_be_visible()
    page.go_back()
    expect(page.locator("#policy-text")).to_have_value(text)


def test_hours_are_counted_where_the_reader_is(
    visit: Callable[..., tuple[Page, str]], shop: Shop
) -> None:
    runtime = runtime_of(shop)
    policies.note_file(runtime)
    draft = policies.save_draft(runtime, TEXT.replace(OVER, "orders_over = 1"), agent=BOSS)
    decline(shop, "c-1")
    page, desk = visit(viewport=DESKTOP, timezone_id="Europe/Athens")
    page.goto(f"{desk}/policy/replay")
    expect(page.get_by_label("Time zone")).to_have_value("Europe/Athens")
    page.goto(f"{desk}/policy/versions/{draft.id}")
    page.get_by_role("link", name="Replay the last 30 days").click()
    expect(page.get_by_text("in the time zone Europe/Athens.")).to_be_visible()
    page.get_by_label("Time zone").select_option("UTC")
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_text("in the time zone UTC.")).to_be_visible()
    assert page.evaluate("window.broken") == []


@pytest.mark.parametrize("way", WAYS)
def test_axe_finds_nothing_and_nothing_is_wider_than_its_window(
    way: str,
    visit: Callable[..., tuple[Page, str]],
    shop: Shop,
    screenshot: Callable[[Page, str], None],
) -> None:
    runtime = runtime_of(shop)
    policies.note_file(runtime)
    values = ("80", "240", "900", "1400", "6200")
    codes = ("insufficient_funds", "stolen_card", "expired_card")
    for number in range(24):
        value, code = values[number % 5], codes[number % 3]
        decline(shop, f"c-{number}", value=f"{value}.00", code=code, at=ago(hours=7 * number + 1))
    text = TEXT.replace(OVER, 'total_over = "1000 USD"')
    draft = policies.save_draft(runtime, text, agent=BOSS)
    long_line = f'\n# {"a long remark " * 60}\nno_key = "{"x" * 300}"\n'
    faulty = policies.save_draft(runtime, text + long_line, agent=BOSS)
    # axe brings its own script along, which the pages' policy would rightly refuse.
    page, desk = visit(**WAYS[way], bypass_csp=True)
    found: dict[str, list[str]] = {}

    def look(state: str) -> None:
        told = Axe().run(page).response["violations"]
        found[state] = [f"{rule['id']}: {rule['nodes'][0]['target']}" for rule in told]
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        found[state] += [f"wider by {wider}"] if wider > 0 else []
        if way == "desktop" and state in ("editor", "difference", "replay"):
            screenshot(page, f"policy-{state}-{way}")

    page.goto(f"{desk}/policy")
    expect(page.locator("form[data-ready]")).to_be_visible()
    page.locator("#policy-text").fill(text.replace('team = "risk"', 'team = "rusk"'))
    expect(page.locator("[data-list] a")).to_be_visible()
    page.locator("[data-list] a").click()
    look("editor")
    page.goto(f"{desk}/policy/versions/{draft.id}")
    look("difference")
    page.goto(f"{desk}/policy/versions/{faulty.id}")
    look("faulty")
    page.goto(f"{desk}/policy/replay")
    look("before a replay")
    page.goto(f"{desk}/policy/replay?version={draft.id}&days=30")
    look("replay")
    page.locator(".passed summary").click()
    look("table")
    assert {state: told for state, told in found.items() if told} == {}
