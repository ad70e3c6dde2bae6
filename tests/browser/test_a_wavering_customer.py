"""Somebody wavers over a watch for more than 5,000 dollars; the concierges know why, at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from example_store.seed import PASSWORD
from tests.support.store import (
    RunningStore,
    fill_bag,
    go_to_payment,
    pay_with,
    running_store,
    running_worker,
    sign_in,
)
from tests.support.visit import CHROME

pytestmark = pytest.mark.browser
SUPERVISOR = "ines.castellan@corvane.example"
WATCH = "meridian-moonphase"
A_FEW_ROUNDS = 30_000
"""Of the worker, each of which an agent's page asks for a moment later."""

Person = Callable[..., BrowserContext]
Screenshot = Callable[[Page, str], None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path) as running, running_worker(running):
        yield running


def consent(page: Page) -> None:
    page.get_by_role("button", name="Yes, you may").click()
    expect(page.get_by_role("button", name="Yes, you may")).to_have_count(0)


def test_the_concierges_see_a_wavering_buyer_with_the_reasons(
    store: RunningStore, person: Person, screenshot: Screenshot
) -> None:
    agent, customer = person().new_page(), person(user_agent=CHROME).new_page()
    sign_in(agent, store.url, SUPERVISOR, PASSWORD)
    fill_bag(customer, store.url, WATCH)
    go_to_payment(customer)
    screenshot(customer, "store-consent-desktop")
    consent(customer)
    agent.goto(f"{store.url}/checkout-case/agent/live")
    visit = agent.locator("li.visit")
    expect(visit).to_contain_text("Shops calmly", timeout=A_FEW_ROUNDS)

    customer.get_by_role("link", name="Shipping", exact=True).click()
    customer.get_by_role("link", name="Delivery and returns").click()
    customer.goto(f"{store.url}/checkout/payment")
    customer.get_by_text("Have a coupon?").click()
    customer.get_by_label("Coupon code").fill("WELCOME99")
    customer.get_by_role("button", name="Apply").click()
    expect(visit).to_contain_text("a refused coupon", timeout=A_FEW_ROUNDS)
    screenshot(agent, "live-store-desktop")
    agent.goto(f"{store.url}/checkout-case/agent/?view=concierge")
    row = agent.locator("tr.row")
    expect(row).to_have_count(1, timeout=A_FEW_ROUNDS)
    expect(row).to_contain_text("Wavers in the checkout")
    screenshot(agent, "concierge-desktop")
    row.get_by_role("link").first.click()
    expect(agent.get_by_text("Read the terms or about returns", exact=True)).to_be_visible()
    screenshot(agent, "wavering-case-desktop")

    # A purchase closes it.
    customer.goto(f"{store.url}/checkout/payment")
    pay_with(customer, "4242424242424242")
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(agent.locator(".status").first).to_contain_text("Closed", timeout=A_FEW_ROUNDS)


def test_who_shops_calmly_is_left_alone(store: RunningStore, person: Person) -> None:
    agent, customer = person().new_page(), person(user_agent=CHROME).new_page()
    fill_bag(customer, store.url, WATCH)
    go_to_payment(customer)
    consent(customer)
    pay_with(customer, "4242424242424242")
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    sign_in(agent, store.url, SUPERVISOR, PASSWORD)
    # Two rounds of the worker.
    agent.wait_for_timeout(10_000)
    agent.goto(f"{store.url}/checkout-case/agent/?view=all")
    expect(agent.locator("tr.row")).to_have_count(0)
    agent.goto(f"{store.url}/checkout-case/agent/live")
    expect(agent.locator("li.visit")).to_have_count(0)
