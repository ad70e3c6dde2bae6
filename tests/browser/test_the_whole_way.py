"""Two people at once: a customer whose card is declined, and the agent who helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from example_store.seed import PASSWORD
from example_store.support import cases
from flask_checkout_case import CaseInfo
from flask_checkout_case.types import Category, Outcome, Status
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
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser

PHONE: Final = {"width": 390, "height": 844}
SOON: Final = 5_000
INSUFFICIENT_FUNDS: Final = "4000000000009995"
GOOD_CARD: Final = "4242424242424242"
AGENT: Final = "lin.okafor@corvane.example"
CONCIERGE: Final = "greta.lindqvist@corvane.example"

Screenshot = Callable[[Page, str], None]


@pytest.fixture(params=[False, True], ids=["shop commits", "shop rolls back"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path, STORE_ROLLBACK_ON_DECLINE=request.param) as running:
        yield running


def cases_of(store: RunningStore) -> list[CaseInfo]:
    with store.app.app_context():
        return cases.find()


def decline(customer: Page, store: RunningStore) -> None:
    fill_bag(customer, store.url, "ines-tote")
    go_to_payment(customer)
    pay_with(customer, INSUFFICIENT_FUNDS)
    expect(customer.get_by_role("alert")).to_contain_text("The payment didn't go through")


def enter_workspace(agent: Page, store: RunningStore, email: str) -> None:
    sign_in(agent, store.url, email, PASSWORD)
    agent.goto(f"{store.url}/checkout-case/agent/?view=unassigned")


def test_a_declined_card_is_saved_by_an_agent(
    store: RunningStore, person: Callable[..., BrowserContext], screenshot: Screenshot
) -> None:
    agent, customer = person().new_page(), person().new_page()
    enter_workspace(agent, store, AGENT)
    expect(agent.get_by_role("heading", name="All caught up")).to_be_visible()

    decline(customer, store)
    launcher = customer.locator("#checkout-case")
    expect(launcher).to_contain_text("Payment didn't go through? We can help")
    screenshot(customer, "way-1-declined")
    launcher.click()
    panel = customer.get_by_role("dialog")
    expect(panel).to_contain_text("Your bank didn't approve this payment.")
    expect(panel).not_to_contain_text("insufficient")
    panel.get_by_role("textbox").fill("My card was refused, what can I do?")
    panel.get_by_role("button", name="Send").click()
    expect(panel.get_by_text("My card was refused, what can I do?")).to_be_visible()
    screenshot(customer, "way-2-asked")

    row = agent.locator("tr.row", has_text="Insufficient funds")
    expect(row).to_be_visible(timeout=SOON)
    expect(row).to_contain_text("Ada Byron")
    expect(row).to_contain_text("$1,480")
    expect(row.locator("[data-due]")).to_be_visible()
    screenshot(agent, "way-3-queue")
    row.get_by_role("link").click()
    expect(agent.get_by_text("My card was refused, what can I do?")).to_be_visible()
    about = agent.get_by_role("complementary")
    expect(about).to_contain_text("Ines tote")
    expect(about).to_contain_text("Payment declined")
    expect(about).to_contain_text("insufficient_funds")

    agent.get_by_label("Reply to customer", exact=True).last.fill(
        "Your bank refused it. Another card works at once, and your bag is kept."
    )
    agent.get_by_role("button", name="Send", exact=True).click()
    answer = panel.get_by_role("listitem").filter(has_text="Another card works at once")
    expect(answer).to_be_visible(timeout=SOON)
    expect(panel).to_contain_text("Lin")
    screenshot(customer, "way-4-answered")
    screenshot(agent, "way-5-case")

    panel.get_by_role("button", name="Close").click()
    pay_with(customer, GOOD_CARD)
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    screenshot(customer, "way-6-ordered")
    expect(agent.locator(".facts")).to_contain_text("Saved with our help", timeout=SOON)
    screenshot(agent, "way-7-solved")

    def with_its_order() -> CaseInfo | None:
        (case,) = cases_of(store)
        return case if case.order_ref else None

    # The payment solves the case; the order is told after it.
    case = wait_until(with_its_order, what="the case to know its order")
    assert (case.status, case.outcome) == (Status.SOLVED, Outcome.ASSISTED)
    assert case.occurrences == 1


def test_a_customer_who_finds_a_way_alone_needs_nobody(
    store: RunningStore, person: Callable[..., BrowserContext]
) -> None:
    customer = person().new_page()
    decline(customer, store)
    wait_until(lambda: cases_of(store), what="the case")
    pay_with(customer, GOOD_CARD)
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()

    def closed() -> CaseInfo | None:
        (case,) = cases_of(store)
        return case if case.status is Status.CLOSED else None

    assert wait_until(closed, what="the case to close").outcome is Outcome.SELF_RECOVERED


def test_the_same_on_a_phone(
    tmp_path: Path, person: Callable[..., BrowserContext], screenshot: Screenshot
) -> None:
    with running_store(tmp_path) as store:
        customer = person(viewport=PHONE, has_touch=True, is_mobile=True).new_page()
        decline(customer, store)
        screenshot(customer, "way-phone-1-declined")
        launcher = customer.locator("#checkout-case")
        expect(launcher).to_contain_text("We can help")
        launcher.click()
        panel = customer.get_by_role("dialog")
        expect(panel).to_contain_text("Your bank didn't approve this payment.")
        panel.get_by_role("textbox").fill("What now?")
        panel.get_by_role("button", name="Send").click()
        expect(panel.get_by_text("What now?")).to_be_visible()
        screenshot(customer, "way-phone-2-asked")

        agent = person(viewport=PHONE).new_page()
        enter_workspace(agent, store, AGENT)
        expect(agent.get_by_text("Insufficient funds").first).to_be_visible()
        screenshot(agent, "way-phone-3-queue")
        agent.get_by_role("link", name="Insufficient funds").click()
        expect(agent.get_by_text("What now?")).to_be_visible()
        screenshot(agent, "way-phone-4-case")


def impatient_policy(folder: Path) -> Path:
    """The policy that is shipped, but for how long it watches somebody think."""
    shipped = files("flask_checkout_case.rules").joinpath("default_policy.toml").read_text()
    path = folder / "policy.toml"
    path.write_text(shipped.replace('after = "10m"', 'after = "2s"'))
    return path


def test_hesitation_over_a_high_value_reaches_the_concierges(
    tmp_path: Path, person: Callable[..., BrowserContext], screenshot: Screenshot
) -> None:
    policy = impatient_policy(tmp_path)
    with (
        running_store(tmp_path, CHECKOUT_CASE_POLICY=str(policy)) as store,
        running_worker(store),
    ):
        agent, customer = person().new_page(), person(user_agent=CHROME).new_page()
        enter_workspace(agent, store, CONCIERGE)
        fill_bag(customer, store.url, "marlow-weekender")
        row = agent.locator("tr.row", has_text="$5,200")
        expect(row).to_be_visible(timeout=30_000)
        screenshot(agent, "way-8-hesitation")
        (case,) = cases_of(store)
        assert (case.category, case.team) == (Category.HESITATION, "concierge")

        go_to_payment(customer)
        pay_with(customer, GOOD_CARD)
        expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
        wait_until(
            lambda: [one for one in cases_of(store) if one.status is Status.CLOSED],
            what="the case to close",
        )
        assert len(cases_of(store)) == 1
