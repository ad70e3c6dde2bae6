"""To whom an escalation is mailed, how often, and what the mail says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from flask_checkout_case import Agent
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import cases as services
from tests.support.due import MINUTE, Clock, decline, outbox, runtime_of, work
from tests.support.escalation import LIN, actions, assign, escalating_shop
from tests.support.shop import Shop


@pytest.fixture
def shop(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    return escalating_shop(make_app, tmp_path)


def test_who_would_hear_of_several_steps_at_once_gets_the_last_alone(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    assign(shop, LIN)
    clock.pass_by(20 * MINUTE)
    work(shop)
    to_lin = [mail.subject for mail in mails if mail.to == LIN.email]
    assert [subject.partition(": ")[2] for subject in to_lin] == ["The first response is overdue"]
    assert len([one for one in actions(shop) if one[0] == "escalated"]) == 2


def test_the_mail_says_what_is_overdue_and_leads_to_the_case(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    case = decline(shop, clock.now)
    clock.pass_by(15 * MINUTE)
    work(shop)
    (mail,) = [mail for mail in mails if mail.to == "lin@example.com"]
    assert mail.subject == f"{case.reference}: The first response is overdue"
    assert case.subject in mail.text
    link = f"https://shop.example.com/checkout-case/agent/cases/{case.reference}"
    assert link in mail.text
    assert link in mail.html
    assert "(UTC)" in mail.text

    @shop.cases.agent_loader
    def load_agent() -> Agent | None:
        return LIN

    page = shop.app.test_client().get(link.removeprefix("https://shop.example.com"))
    assert page.status_code == 200
    assert "Escalated: First response is overdue" in page.text
    assert "priority raised to Urgent" in page.text
    assert "told: Gone, Lin, Oda" in page.text


def test_what_was_answered_meanwhile_is_not_mailed(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    case = decline(shop, clock.now)
    clock.pass_by(15 * MINUTE)
    with shop.app.app_context():
        sweep(runtime_of(shop))
        services.reply(runtime_of(shop), case.reference, "Here I am.", agent=LIN)
        deliver(runtime_of(shop))
    assert mails == []
    assert {one.state for one in outbox(shop)} == {"cancelled"}
