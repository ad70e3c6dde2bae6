"""To whom an escalation is mailed, how often, and what the mail says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_checkout_case import Agent
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import cases as services
from tests.support.due import MINUTE, Clock, checkout, decline, outbox, runtime_of, set_clock, work
from tests.support.escalation import LIN, OFFICE, actions, assign, escalating_shop
from tests.support.mail import Mailbox
from tests.support.shop import Shop

LADDER = """
currency = "USD"

[teams.payments]
name = "Payments"

[sla.payment]
first_response = "15m"
resolution = "4h"
escalate = [
  { at = "75%", notify = ["assignee"] },
  { at = "100%", notify = ["team"] },
  { after = "15m", notify = ["team"] },
  { after = "30m", notify = ["team", "supervisors"] },
  { clock = "resolution", at = "75%", notify = ["team", "supervisors"] },
]

[[routes]]
name = "Everything"
team = "payments"
sla = "payment"
"""


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


def test_a_worker_that_was_down_writes_each_person_one_mail_that_tells_the_highest(
    make_app: Callable[..., Shop], tmp_path: Path, smtp: Mailbox
) -> None:
    shop = mailing_shop(make_app, tmp_path, smtp, LADDER)
    clock = set_clock(shop)
    case = decline(shop, clock.now, checkout=checkout(customer=None))
    assign(shop, LIN)
    clock.pass_by(200 * MINUTE)
    work(shop)
    work(shop)
    told = {str(mail["To"]): str(mail["Subject"]) for mail in smtp.wait_for(3)}
    overdue = f"{case.reference}: The first response is overdue"
    assert told == {
        "Lin <lin@example.com>": overdue,
        "Oda <oda@example.com>": overdue,
        "Noor <noor@example.com>": overdue,
    }
    assert len(smtp.messages) == len(told)
    assert actions(shop) == [
        ("sla_warned", "first_response", 75, 0),
        ("escalated", "first_response", 75, 0),
        ("sla_breached", "first_response", 100, 0),
        ("escalated", "first_response", 100, 0),
        ("escalated", "first_response", 100, 900),
        ("escalated", "first_response", 100, 1800),
        ("sla_warned", "resolution", 75, 0),
        ("escalated", "resolution", 75, 0),
    ]


def test_a_late_task_is_mailed_once_to_its_owner_and_the_supervisors_after_any_silence(
    make_app: Callable[..., Shop], tmp_path: Path, smtp: Mailbox
) -> None:
    policy = OFFICE + 'protocol = "rescue"'
    shop = mailing_shop(make_app, tmp_path, smtp, policy)
    clock = set_clock(shop)
    case = decline(shop, clock.now, checkout=checkout(customer=None))
    assign(shop, LIN)
    clock.pass_by(timedelta(days=5))
    for _ in range(3):
        work(shop)
        clock.pass_by(timedelta(days=1))
    told = {str(mail["To"]): str(mail["Subject"]) for mail in smtp.wait_for(2)}
    late = f"{case.reference}: A task of the protocol is overdue: Ring the customer"
    assert told == {"Lin <lin@example.com>": late, "Noor <noor@example.com>": late}
    assert len(smtp.messages) == len(told)


def mailing_shop(
    make_app: Callable[..., Shop], home: Path, smtp: Mailbox, policy: str, **config: Any
) -> Shop:
    mail = {"CHECKOUT_CASE_MAIL_URL": smtp.url, "CHECKOUT_CASE_MAIL_SENDER": "help@example.com"}
    return escalating_shop(make_app, home, policy, **mail, **config)
