"""A customer who has bought with a wrong address, and corrects it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from example_store.ports import free_port
from example_store.seed import PASSWORD
from example_store.support import cases
from flask_checkout_case import ChangeState
from flask_checkout_case.types import Outcome
from tests.support.store import (
    RunningStore,
    fill_bag,
    go_to_payment,
    of_warehouse,
    pay_with,
    running_store,
    running_warehouse,
    running_worker,
    sign_in,
)
from tests.support.visit import PHONE
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
SUPERVISOR = "ines.castellan@corvane.example"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    port = free_port()
    with (
        running_store(tmp_path, **of_warehouse(port)) as running,
        running_warehouse(running, port),
        running_worker(running),
    ):
        yield running


@pytest.fixture
def store_alone(tmp_path: Path) -> Iterator[RunningStore]:
    """A store whose worker never runs."""
    with running_store(tmp_path) as running:
        yield running


def test_a_wrong_address_is_corrected_before_the_parcel_leaves(
    store: RunningStore,
    person: Callable[..., BrowserContext],
    screenshot: Callable[[Page, str], None],
) -> None:
    customer, agent = person().new_page(), person().new_page()
    fill_bag(customer, store.url, "ines-tote")
    go_to_payment(customer)
    pay_with(customer, "4242424242424242")
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    thanks = customer.url

    customer.get_by_role("link", name="Change this order").click()
    screenshot(customer, "change-kinds")
    customer.get_by_role("link", name="Correct the address").click()
    customer.get_by_label("Street and number").fill("1 Minster Yard")
    customer.get_by_label("State or region").fill("MA")
    customer.get_by_role("button", name="Look at it first").click()
    expect(customer.get_by_text("It costs nothing.")).to_be_visible()
    screenshot(customer, "change-look")
    customer.get_by_role("button", name="Yes, change it").click()
    expect(customer.get_by_text("Your requests")).to_be_visible()

    def done() -> Any:
        customer.reload()
        return customer.get_by_text("Done", exact=True).is_visible()

    wait_until(done, what="the change")
    screenshot(customer, "change-done")
    customer.goto(thanks)
    expect(customer.locator("address")).to_contain_text("1 Minster Yard")

    with store.app.app_context():
        (case,) = cases.find()
        (change,) = cases.changes_of(case.order_ref or "")
    assert (change.state, case.outcome) == (ChangeState.APPLIED, Outcome.SAVED_CHANGE)
    sign_in(agent, store.url, SUPERVISOR, PASSWORD)
    agent.goto(f"{store.url}/checkout-case/agent/cases/{case.reference}")
    expect(agent.locator(".timeline")).to_contain_text("The warehouse has taken it")
    warehouse = agent.context.new_page()
    warehouse.goto(str(store.app.config["CHECKOUT_CASE_FULFILMENT_URL"]).removesuffix("changes"))
    expect(warehouse.get_by_role("row", name=change.id)).to_contain_text("accepted")
    screenshot(warehouse, "warehouse")
    expect(agent.locator(".change ins").first).to_have_text("1 Minster Yard")
    screenshot(agent, "change-case")


def test_a_faster_delivery_is_paid_while_the_customer_is_there(
    store: RunningStore,
    person: Callable[..., BrowserContext],
    screenshot: Callable[[Page, str], None],
) -> None:
    customer = person(viewport=PHONE).new_page()
    fill_bag(customer, store.url, "ines-tote")
    go_to_payment(customer)
    pay_with(customer, "4242424242424242")
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    customer.get_by_role("link", name="Change this order").click()
    customer.get_by_role("link", name="Choose another delivery").click()
    customer.get_by_label("Express delivery").check()
    customer.get_by_role("button", name="Look at it first").click()
    expect(customer.get_by_text("You pay $35.00 more.")).to_be_visible()
    customer.get_by_role("button", name="Yes, change it").click()
    expect(customer.get_by_role("heading", name="Pay for your change")).to_be_visible()
    screenshot(customer, "change-pay-phone")
    pay_with(customer, "4000000000009995")
    expect(customer.get_by_text("You have not been charged").first).to_be_visible()
    # The bank wants to know that it is the customer.
    pay_with(customer, "4000002760003184")
    customer.frame_locator("iframe").last.get_by_role("button", name="Complete").click()
    expect(customer.get_by_text("your change goes to the warehouse")).to_be_visible()
    screenshot(customer, "change-paid-phone")

    def done() -> Any:
        customer.reload()
        return customer.get_by_text("Express delivery").is_visible()

    wait_until(done, what="the faster delivery")


@pytest.mark.parametrize("name", ["desktop", "phone-dark"])
def test_a_bag_is_changed_from_the_widget(
    store_alone: RunningStore,
    person: Callable[..., BrowserContext],
    screenshot: Callable[[Page, str], None],
    name: str,
) -> None:
    options = {"viewport": PHONE, "color_scheme": "dark"} if name == "phone-dark" else {}
    customer = person(**options).new_page()
    fill_bag(customer, store_alone.url, "ines-tote")
    go_to_payment(customer)
    customer.locator("#checkout-case").click()
    link = customer.get_by_role("link", name="Change what I'm ordering")
    expect(link).to_be_visible()
    screenshot(customer, f"checkout-change-panel-{name}")
    link.click()
    screenshot(customer, f"checkout-change-kinds-{name}")
    customer.get_by_role("link", name="Add something").click()
    customer.get_by_label("Item").select_option(label="Arlo card holder · $190.00")
    screenshot(customer, f"checkout-change-add-{name}")
    customer.get_by_role("button", name="Look at it first").click()
    expect(customer.get_by_text("Your total rises by $190.00.")).to_be_visible()
    screenshot(customer, f"checkout-change-look-{name}")
    customer.get_by_role("button", name="Yes, change it").click()
    expect(customer.get_by_text("Done", exact=True)).to_be_visible()
    screenshot(customer, f"checkout-change-done-{name}")
    customer.get_by_role("link", name="Back to the checkout").click()
    expect(customer.get_by_role("heading", name="Payment")).to_be_visible()
    expect(customer.get_by_text("Arlo card holder").first).to_be_visible()
