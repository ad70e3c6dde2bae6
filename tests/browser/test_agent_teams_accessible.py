"""The teams' page and the presence menu: live, by keyboard, without scripts, looked at by axe."""

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
from tests.support.visit import DESKTOP, LISTEN, PHONE, SMALL

pytestmark = pytest.mark.browser

LIVE = 12_000
"""Milliseconds in which what others do has to appear: some polls, on a busy machine."""

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


def sit_down(page: Page, address: str, who: str, path: str = "/teams") -> None:
    page.context.clear_cookies()
    page.context.add_cookies([{"name": COOKIE, "value": who, "url": address}])
    page.goto(f"{address}{AGENT_PAGES}{path}")


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


def test_what_others_choose_appears_by_itself(address: str, shop: Shop, chromium: Browser) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    context.add_init_script(LISTEN)
    page = context.new_page()
    sit_down(page, address, "boss")
    expect(page.locator("[data-live-status]")).to_have_text("Live")
    menu = page.locator(".crew li", has_text="Mateo Ruiz").first.locator("details")
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    set_presence(runtime_of(shop), LIN, "away")
    lin = page.locator(".crew li", has_text=LIN.name).first
    expect(lin.locator("summary .presence")).to_have_text("Away", timeout=LIVE)
    expect(menu).to_have_attribute("open", "")
    expect(menu.get_by_role("button", name="Available")).to_be_focused()
    set_presence(runtime_of(shop), BOSS, "busy")
    expect(page.locator("#desk summary .presence")).to_have_text("Busy", timeout=LIVE)
    page.route("**/teams/live", lambda route: route.abort())
    expect(page.locator("[data-live-status]")).to_contain_text("Connection lost", timeout=LIVE)
    assert page.evaluate("window.broken") == []
    context.close()


@pytest.mark.parametrize("way", ["phone-dark", "narrow", "phone-rtl"])
def test_ones_presence_is_chosen_on_a_case_on_a_phone(
    way: str, address: str, shop: Shop, chromium: Browser
) -> None:
    rtl = {"viewport": PHONE, "locale": "ar"}
    options: dict[str, Any] = {**WAYS.get(way, rtl), "reduced_motion": "reduce"}
    context = chromium.new_context(**options, bypass_csp=True)
    page = context.new_page()
    with shop.app.app_context():
        case = shop.cases.find(team="payments")[0].reference
    sit_down(page, address, "lin", f"/cases/{case}")
    desk = page.locator(".desk")
    desk.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(desk.locator(".menu-box")).to_be_in_viewport(ratio=1)
    assert complaints(page) == []
    desk.locator("[value=away]").click()
    expect(page).to_have_url(f"{address}{AGENT_PAGES}/cases/{case}")
    expect(desk.locator(".presence").first).to_have_class("presence is-away")
    page.route("**/live", lambda route: route.abort())
    expect(page.locator("[data-live-status]")).to_have_class("live is-stale", timeout=LIVE)
    assert complaints(page) == []
    assert not overlap(page, "#desk summary", "[data-live-status]")
    context.close()


def overlap(page: Page, one: str, other: str) -> bool:
    boxes = [page.locator(selector).bounding_box() for selector in (one, other)]
    (a, b) = [box for box in boxes if box is not None]
    return (
        a["x"] < b["x"] + b["width"]
        and b["x"] < a["x"] + a["width"]
        and a["y"] < b["y"] + b["height"]
        and b["y"] < a["y"] + a["height"]
    )
