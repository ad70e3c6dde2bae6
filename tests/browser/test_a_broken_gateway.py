"""A gateway breaks while many pay: one incident for the staff, the truth for the customers."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from example_store.crowd import come
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
from tests.support.visit import PHONE

pytestmark = pytest.mark.browser
SUPERVISOR = "ines.castellan@corvane.example"
SOME_SWEEPS = 60_000
CUSTOMERS = 24

Screenshot = Callable[[Page, str], None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path) as running, running_worker(running):
        yield running


def test_what_breaks_for_everybody_is_one_case(
    store: RunningStore, person: Callable[..., BrowserContext], screenshot: Screenshot
) -> None:
    operator, agent, customer = (person().new_page() for _ in range(3))
    operator.goto(store.stripe.url)
    operator.get_by_role("button", name="Let every charge fail").click()
    expect(operator.get_by_role("status")).to_have_text(
        "Every charge fails with a processing error."
    )
    assert come(store.url, CUSTOMERS, random.Random(7)) == 0

    sign_in(agent, store.url, SUPERVISOR, PASSWORD)
    agent.goto(f"{store.url}/checkout-case/agent/?view=all")
    banner = agent.get_by_role("region", name="Incident")
    expect(banner).to_contain_text("through Stripe fail", timeout=SOME_SWEEPS)
    expect(agent.locator("tr.row")).to_have_count(1, timeout=SOME_SWEEPS)
    expect(banner).to_contain_text(f"{CUSTOMERS} checkouts were hit")
    screenshot(agent, "outage-queue-desktop")
    agent.locator("tr.row").get_by_role("link").first.click()
    expect(agent.get_by_role("region", name="Incident")).to_contain_text("Whom it has hit")
    screenshot(agent, "outage-case-desktop")

    fill_bag(customer, store.url, "ines-tote")
    go_to_payment(customer)
    pay_with(customer, "4242424242424242")
    # The refusal is a page of its own: a panel of the page before would go with it.
    expect(customer.locator("#payment-problem")).to_be_visible()
    customer.locator("#checkout-case").click()
    panel = customer.get_by_role("dialog")
    expect(panel).to_contain_text("Nothing is wrong with your card")
    screenshot(customer, "outage-widget-desktop")

    phone = person(viewport=PHONE).new_page()
    sign_in(phone, store.url, SUPERVISOR, PASSWORD)
    phone.goto(f"{store.url}/checkout-case/agent/?view=all")
    expect(phone.get_by_role("region", name="Incident")).to_be_visible()
    screenshot(phone, "outage-queue-phone")
    operator.get_by_role("button", name="Let it work again").click()
    customer.get_by_role("dialog").get_by_role("button", name="Close").click()
    pay_with(customer, "4242424242424242")
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()


def test_klarna_refuses_and_the_agent_sees_another_gateway(
    store: RunningStore, person: Callable[..., BrowserContext], screenshot: Screenshot
) -> None:
    agent, customer = person().new_page(), person().new_page()
    complaints: list[str] = []
    customer.on("pageerror", lambda error: complaints.append(str(error)))
    fill_bag(customer, store.url, "ines-tote")
    go_to_payment(customer)
    screenshot(customer, "store-payment-desktop")
    pay_with(customer, "4000000000009995")
    expect(customer.locator("#payment-problem")).to_contain_text("Your bank didn't approve")
    customer.get_by_role("button", name="Pay in 30 days with Klarna").click()
    customer.get_by_role("button", name="fraud is suspected").click()
    expect(customer.locator("#payment-problem")).to_contain_text("Klarna didn't approve")

    sign_in(agent, store.url, SUPERVISOR, PASSWORD)
    agent.goto(f"{store.url}/checkout-case/agent/?view=all")
    agent.locator("tr.row").get_by_role("link").first.click()
    attempts = agent.locator('[data-key="attempts"]')
    expect(attempts.locator(".attempts > li")).to_have_count(2)
    expect(attempts).to_contain_text("Adyen · klarna")
    expect(attempts).to_contain_text("tell no more")
    expect(attempts.get_by_role("link", name="Open at Stripe")).to_be_visible()
    # Only what is beside the conversation scrolls, never the page.
    assert agent.evaluate("document.documentElement.scrollHeight - innerHeight") == 0
    attempts.scroll_into_view_if_needed()
    screenshot(agent, "attempts-desktop")
    customer.get_by_role("button", name="Pay in 30 days with Klarna").click()
    customer.get_by_role("button", name="Agree, and pay in 30 days").click()
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    expect(attempts).to_contain_text("Paid", timeout=10_000)
    assert complaints == []
