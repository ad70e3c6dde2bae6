"""Changes of orders that somebody has to decide on, in Chromium: too late, supervised, lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import BrowserContext, Page, expect

from flask_checkout_case import ChangeKind, ChangeState
from flask_checkout_case.web.widget.change_places import change_url
from tests.support.desk import AGENT_PAGES, COOKIE, know_agents, seat_agents
from tests.support.due import cases
from tests.support.orders import PARIS, SECRET, YORK, Orders, Warehouse
from tests.support.shop import Shop
from tests.support.visit import DESKTOP, PHONE

pytestmark = pytest.mark.browser

WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"

Person = Callable[..., BrowserContext]
Screenshot = Callable[[Page, str], None]


class Wall:
    """The clock on the wall."""

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
def warehouse() -> Warehouse:
    return Warehouse()


@pytest.fixture
def shop(
    make_sqlite_app: Callable[..., Shop],
    live_server: Callable[[Flask], str],
    warehouse: Warehouse,
) -> Shop:
    made = make_sqlite_app(
        CHECKOUT_CASE_SHOP_NAME="Atelier Nord",
        CHECKOUT_CASE_FULFILMENT_URL=f"{live_server(warehouse.app())}/changes",
        CHECKOUT_CASE_FULFILMENT_SECRETS=[SECRET],
        CHECKOUT_CASE_EGRESS_ALLOW=["127.0.0.0/8"],
    )
    seat_agents(made)
    know_agents(made)
    return made


@pytest.fixture
def orders(shop: Shop) -> Orders:
    return Orders(shop, Wall())


@pytest.fixture
def address(shop: Shop, orders: Orders, live_server: Callable[[Flask], str]) -> str:
    return live_server(shop.app)


def customers_page(shop: Shop, address: str) -> str:
    with shop.app.test_request_context():
        return f"{address}{change_url('o-1')}"


def at_desk(person: Person, address: str, shop: Shop, who: str, **options: Any) -> Page:
    context = person(**options)
    context.add_cookies([{"name": COOKIE, "value": who, "url": address}])
    page = context.new_page()
    page.goto(f"{address}{AGENT_PAGES}/cases/{cases(shop)[0].reference}")
    return page


def complaints(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']}" for rule in found for node in rule["nodes"]]


def ask_for(page: Page, wanted: dict[str, str]) -> None:
    page.get_by_role("link", name="Correct the address").click()
    labels = {"line1": "Street and number", "city": "Town or city", "postcode": "Postcode"}
    labels["country"] = "Country (two letters)"
    for name, label in labels.items():
        page.get_by_label(label).fill(wanted[name])
    page.get_by_role("button", name="Look at it first").click()


def test_after_the_cut_off_it_is_refused_with_the_reason(
    shop: Shop, orders: Orders, address: str, person: Person, screenshot: Screenshot
) -> None:
    orders.place(cut_off=1)
    page = person().new_page()
    page.goto(customers_page(shop, address))
    page.get_by_role("link", name="Correct the address").click()
    # The parcel is closed while the customer types.
    orders.update(cut_off=0)
    page.get_by_label("Town or city").fill("York")
    page.get_by_role("button", name="Look at it first").click()
    expect(page.get_by_text("it is too late for this")).to_have_count(1)
    screenshot(page, "change-too-late")
    page.goto(customers_page(shop, address))
    expect(page.get_by_text("it is too late for this")).to_be_visible()
    expect(page.get_by_role("link", name="Correct the address")).to_have_count(0)
    assert cases(shop) == []
    assert orders.data()["address"]["city"] == "London"


def test_an_expensive_order_to_a_new_country_after_a_new_password(
    shop: Shop,
    orders: Orders,
    warehouse: Warehouse,
    address: str,
    person: Person,
    *,
    screenshot: Screenshot,
) -> None:
    orders.place(value="5200.00", secured_hours_ago=3)
    customer = person(viewport=PHONE).new_page()
    customer.goto(customers_page(shop, address))
    ask_for(customer, PARIS)
    expect(customer.get_by_text("Somebody of us looks at it first.")).to_be_visible()
    customer.get_by_role("button", name="Yes, change it").click()
    expect(customer.get_by_text("We look at it", exact=True)).to_be_visible()

    agent = at_desk(person, address, shop, "eve")
    expect(agent.get_by_text("Needs a supervisor")).to_be_visible()
    expect(agent.get_by_role("button", name="Approve")).to_have_count(0)
    agent.locator(".change summary", has_text="Ask").click()
    question = agent.get_by_label("Ask the customer")
    expect(question).to_have_value("Was it you who asked for this change of your order?")
    screenshot(agent, "change-ask")
    agent.locator(".change").get_by_role("button", name="Send").click()
    expect(agent.locator(".timeline")).to_contain_text("Was it you who asked")

    boss = at_desk(person, address, shop, "boss", viewport=DESKTOP)
    assert complaints(boss) == []
    boss.get_by_role("button", name="Approve").click()
    expect(boss.locator(".change .chip").first).to_have_text("approved")
    orders.work()
    (posted,) = [one for one in warehouse.posted if one["type"] == "order.change"]
    assert posted["data"]["after"]["country"] == "FR"
    with shop.app.app_context():
        (change,) = shop.cases.changes_of("o-1")
    warehouse.answer(shop, change)
    orders.work()
    customer.reload()
    expect(customer.get_by_text("Done", exact=True)).to_be_visible()
    screenshot(customer, "change-done-phone")
    assert orders.data()["address"]["city"] == "Paris"


def look_at_what_is_lost(page: Page, name: str, screenshot: Screenshot) -> None:
    """From the case, with the form open, to the page of all that was not sent."""
    page.locator(".change summary", has_text="Correct it").click()
    assert complaints(page) == []
    assert not page.evaluate(WIDER)
    screenshot(page, f"change-lost-{name}")
    page.goto(f"{page.url.partition('/cases/')[0]}/not-sent")
    expect(page.get_by_role("heading", name="Not sent")).to_be_visible()
    assert complaints(page) == []
    assert not page.evaluate(WIDER)
    screenshot(page, f"not-sent-{name}")


def test_a_lost_change_is_found_corrected_and_arrives(
    shop: Shop,
    orders: Orders,
    warehouse: Warehouse,
    address: str,
    person: Person,
    *,
    screenshot: Screenshot,
) -> None:
    warehouse.statuses = [410]
    orders.place()
    change = orders.ask(ChangeKind.ADDRESS, YORK)
    orders.work()
    look_at_what_is_lost(at_desk(person, address, shop, "boss"), "desktop", screenshot)
    boss = at_desk(person, address, shop, "boss", viewport=PHONE, color_scheme="dark")
    look_at_what_is_lost(boss, "phone-dark", screenshot)
    boss.get_by_role("link", name="Correct it").click()
    boss.locator(".change summary", has_text="Correct it").click()
    boss.get_by_label("Flat, floor, building").fill("Flat 2")
    boss.get_by_role("button", name="Send it corrected").click()
    expect(boss.locator(".change ins", has_text="Flat 2")).to_be_visible()
    assert orders.now(change).state is ChangeState.SUPERSEDED
    orders.work()
    (posted,) = warehouse.posted
    assert posted["data"]["after"]["line2"] == "Flat 2"
    boss.goto(f"{address}{AGENT_PAGES}/not-sent")
    expect(boss.get_by_text("Everything has arrived")).to_be_visible()
    screenshot(boss, "not-sent-empty")
