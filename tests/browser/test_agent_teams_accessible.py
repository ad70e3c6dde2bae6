"""axe on the teams' page and the presence menu; both work with the keyboard and without scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import request
from playwright.sync_api import Browser, Page, expect

from flask_checkout_case import Agent
from flask_checkout_case.services.assignment import place_waiting
from flask_checkout_case.services.staff import remember_agent, set_presence
from tests.support.desk import (
    AGENT_PAGES,
    AGENTS,
    BOSS,
    COOKIE,
    LIN,
    SAM,
    ago,
    decline,
    know_agents,
    runtime_of,
)
from tests.support.giving import giving_shop
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, PHONE, SMALL

pytestmark = pytest.mark.browser

WAYS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP, "color_scheme": "light", "locale": "en-US"},
    "dark-rtl": {"viewport": DESKTOP, "color_scheme": "dark", "locale": "ar"},
    "between": {"viewport": {"width": 1100, "height": 800}, "locale": "de"},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark", "locale": "de"},
    "narrow": {"viewport": SMALL, "color_scheme": "light", "locale": "de"},
}


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    settings = 'assignment = "balanced"\nmember_limit = 4\nteam_limit = 20'
    made = giving_shop(make_sqlite_app, tmp_path, settings, CHECKOUT_CASE_SHOP_NAME="Atelier Nord")
    made.cases.agent_loader(lambda: AGENTS.get(request.cookies.get(COOKIE, "")))
    know_agents(made)
    runtime = runtime_of(made)
    for ref, name in (("11", "Mateo Ruiz"), ("12", "Aiko Tanaka"), ("13", "Priya Raman")):
        remember_agent(runtime, Agent(ref=ref, name=name, teams=["payments"]))
    set_presence(runtime, BOSS, "away", of="11")
    set_presence(runtime, BOSS, "gone", of="13")
    set_presence(runtime, SAM, "busy")
    people = ("Grace Hopper", "Mary Jackson", "Hedy Lamarr", "Radia Perlman", "Alan Turing")
    for number in range(9):
        name = people[number % len(people)]
        decline(made, f"c-{number}", name=name, at=ago(minutes=24 - 2 * number))
    place_waiting(runtime)
    return made


@pytest.fixture
def address(shop: Shop, live_server: Callable[[Any], str]) -> str:
    return live_server(shop.app)


def sit_down(page: Page, address: str, who: str) -> None:
    page.context.clear_cookies()
    page.context.add_cookies([{"name": COOKIE, "value": who, "url": address}])
    page.goto(f"{address}{AGENT_PAGES}/teams")


def complaints(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    told = [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]
    wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [*told, f"wider by {wider}"] if wider > 0 else told


@pytest.mark.parametrize("way", WAYS)
def test_every_state(
    way: str, address: str, chromium: Browser, screenshot: Callable[[Page, str], None]
) -> None:
    context = chromium.new_context(**WAYS[way], bypass_csp=True, reduced_motion="reduce")
    page = context.new_page()
    found = {}
    sit_down(page, address, "lin")
    found["agent"] = complaints(page)
    page.locator(".desk summary").click()
    expect(page.locator(".desk .menu-box")).to_be_visible()
    found["menu"] = complaints(page)
    if way == "desktop":
        screenshot(page, "workspace-teams-desktop")
    sit_down(page, address, "boss")
    page.locator(".crew summary").first.click()
    found["supervisor"] = complaints(page)
    page.goto(f"{address}{AGENT_PAGES}/")
    found["queue"] = complaints(page)
    context.close()
    assert {state: told for state, told in found.items() if told} == {}


@pytest.mark.parametrize("scripts", [True, False])
def test_one_says_how_present_one_is(
    scripts: bool, address: str, shop: Shop, chromium: Browser
) -> None:
    way: dict[str, Any] = {"viewport": DESKTOP, "java_script_enabled": scripts}
    context = chromium.new_context(**way)
    page = context.new_page()
    sit_down(page, address, "lin")
    page.locator(".desk summary").focus()
    page.keyboard.press("Enter")
    page.locator(".desk").get_by_role("button", name="Away").click()
    expect(page.locator(".desk summary .presence")).to_have_text("Away")
    expect(page.locator(".crew li", has_text=LIN.name)).to_contain_text("Away")
    context.close()
