"""A customer whose card was declined leaves; the link of a mail brings them back, elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from example_store.extensions import db
from example_store.models import Product
from example_store.seed import PASSWORD
from example_store.support import cases
from flask_checkout_case import CaseInfo
from flask_checkout_case.rules.policy import read_policy_text
from tests.support.mail import Mailbox, running_mailbox
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
from tests.support.waiting import wait_until

pytestmark = pytest.mark.browser
Screenshot = Callable[[Page, str], None]


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as found:
        yield found


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    """A store that writes four seconds after a decline."""
    text, _ = read_policy_text(None)
    policy = tmp_path / "policy.toml"
    policy.write_text(
        text.replace('payment_failed_after = "10m"', 'payment_failed_after = "4s"'),
        encoding="utf-8",
    )
    with running_store(tmp_path, CHECKOUT_CASE_POLICY=str(policy)) as running:
        yield running


def writing(store: RunningStore, mailbox: Mailbox) -> dict[str, str]:
    return {
        "CHECKOUT_CASE_MAIL_URL": mailbox.url,
        "CHECKOUT_CASE_MAIL_SENDER": "Maison Corvane <service@corvane.example>",
        "CHECKOUT_CASE_PUBLIC_URL": store.url,
    }


def cases_of(store: RunningStore) -> list[CaseInfo]:
    with store.app.app_context():
        cases.flush()
        return cases.find()


def decline(customer: Page, store: RunningStore) -> None:
    fill_bag(customer, store.url, "ines-tote")
    go_to_payment(customer)
    pay_with(customer, "4000000000009995")
    expect(customer.get_by_role("alert")).to_contain_text("The payment didn't go through")
    # The worker has a spool of its own here: what the shop's still holds, it can't find.
    wait_until(lambda: cases_of(store), what="the case")


def link_in(message: EmailMessage) -> str:
    body = message.get_body(("plain",))
    assert body is not None
    (url,) = [word for word in body.get_content().split() if word.startswith("http")]
    return str(url)


@pytest.mark.parametrize("name", ["desktop", "phone-dark"])
def test_the_mail_of_a_decline_leads_back_in_another_browser(
    store: RunningStore,
    mailbox: Mailbox,
    person: Callable[..., BrowserContext],
    screenshot: Screenshot,
    name: str,
) -> None:
    options = {"viewport": PHONE, "color_scheme": "dark"} if name == "phone-dark" else {}
    first = person()
    with running_worker(store, **writing(store, mailbox)):
        decline(first.new_page(), store)
        first.close()
        (message,) = mailbox.wait_for(1, seconds=60)
    assert message["To"] == "Ada Byron <ada@example.com>"
    html = message.get_body(("html",))
    assert html is not None
    elsewhere = person(**options).new_page()
    elsewhere.set_content(html.get_content())
    screenshot(elsewhere, f"rescue-mail-{name}")
    with store.app.app_context():
        bag = db.session.query(Product).filter_by(slug="ines-tote").one()
        bag.price_minor += 5_000
        db.session.commit()
    elsewhere.goto(link_in(message))
    expect(elsewhere.get_by_role("heading", name="Go on with your purchase")).to_be_visible()
    screenshot(elsewhere, f"rescue-{name}")
    elsewhere.get_by_role("button", name="Go on").click()
    expect(elsewhere.get_by_text("costs $1,530.00 now, it was $1,480.00")).to_be_visible()
    screenshot(elsewhere, f"rescue-changed-{name}")
    elsewhere.get_by_role("link", name="Go on").click()
    expect(elsewhere.get_by_role("heading", name="Payment")).to_be_visible()
    pay_with(elsewhere, "4242424242424242")
    expect(elsewhere.get_by_role("heading", name="Thank you")).to_be_visible()

    wait_until(
        lambda: [case.outcome for case in cases_of(store)] == ["rescued"], what="the case's end"
    )
    elsewhere.goto(link_in(message))
    expect(elsewhere.get_by_text("This has been paid already")).to_be_visible()
    screenshot(elsewhere, f"rescue-paid-{name}")


def test_who_has_paid_meanwhile_reads_nothing(
    store: RunningStore, mailbox: Mailbox, person: Callable[..., BrowserContext]
) -> None:
    customer = person().new_page()
    decline(customer, store)
    pay_with(customer, "4242424242424242")
    expect(customer.get_by_role("heading", name="Thank you")).to_be_visible()
    other = person().new_page()
    with running_worker(store, **writing(store, mailbox)):
        # Somebody else's mail shows that the worker has had the time for the first one, too.
        decline(other, store)
        (message,) = mailbox.wait_for(1, seconds=60)
    found = {case.outcome: case.reference for case in cases_of(store)}
    assert message["X-Checkout-Case"] == found[None]
    assert "self_recovered" in found


@pytest.mark.parametrize("name", ["desktop", "phone-dark"])
def test_an_agent_sends_a_link_with_an_answer(
    tmp_path: Path,
    mailbox: Mailbox,
    person: Callable[..., BrowserContext],
    screenshot: Screenshot,
    name: str,
) -> None:
    options = {"viewport": PHONE, "color_scheme": "dark"} if name == "phone-dark" else {}
    public = "https://corvane.example"
    config = {
        "CHECKOUT_CASE_MAIL_URL": mailbox.url,
        "CHECKOUT_CASE_MAIL_SENDER": "Maison Corvane <service@corvane.example>",
        "CHECKOUT_CASE_PUBLIC_URL": public,
    }
    with running_store(tmp_path, **config) as store:
        customer, agent = person().new_page(), person(**options).new_page()
        decline(customer, store)
        (case,) = cases_of(store)
        sign_in(agent, store.url, "lin.okafor@corvane.example", PASSWORD)
        agent.goto(f"{store.url}/checkout-case/agent/cases/{case.reference}")
        agent.get_by_role("textbox", name="Reply to customer").fill("Try it again, it works now.")
        agent.get_by_label("and by e-mail, with a link back to the checkout").check()
        screenshot(agent, f"agent-link-{name}")
        agent.get_by_role("button", name="Send", exact=True).click()
        expect(agent.locator(".timeline")).to_contain_text("Try it again, it works now.")
        with running_worker(store, **config):
            (message,) = mailbox.wait_for(1, seconds=60)
        elsewhere = person().new_page()
        elsewhere.goto(link_in(message).replace(public, store.url))
        elsewhere.get_by_role("button", name="Go on").click()
        expect(elsewhere.get_by_role("heading", name="Payment")).to_be_visible()
