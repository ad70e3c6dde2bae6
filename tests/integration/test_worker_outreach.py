"""One service e-mail for a declined payment that nobody tried again; none for anybody else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flask_checkout_case import Agent, Customer, Order, signals
from flask_checkout_case.jobs.deliver import deliver
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.rules.policy import read_policy_text
from flask_checkout_case.rules.policy_hesitation import HeldOut
from flask_checkout_case.rules.prompts import HELD_OUT, arm_of
from flask_checkout_case.services import cases as services
from tests.support.due import (
    MINUTE,
    Clock,
    cases,
    checkout,
    checkout_row,
    decline,
    entries,
    outbox,
    runtime_of,
    send,
    set_clock,
    work,
)
from tests.support.shop import Shop

LIN = Agent(ref="7", name="Lin", teams=["payments", "supervisors"])
AFTER = 10 * MINUTE


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(
        CHECKOUT_CASE_PUBLIC_URL="https://shop.example.com", CHECKOUT_CASE_SHOP_NAME="Atelier Nord"
    )


def test_one_mail_goes_out_after_the_policys_time(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    case = decline(shop, clock.now)
    clock.pass_by(AFTER - timedelta(seconds=1))
    work(shop)
    assert mails == []
    clock.pass_by(timedelta(seconds=1))
    for _ in range(3):
        work(shop)
        clock.pass_by(timedelta(hours=3))
    (mail,) = mails
    assert (mail.to, mail.to_name, mail.language) == ("ada@example.com", "Ada", "en")
    assert mail.purpose == "service"
    assert mail.reference == case.reference
    assert mail.subject == "Your payment at Atelier Nord didn't go through"
    assert "Hello Ada," in mail.text
    assert "$120.00" in mail.text
    assert "Your bank didn't approve this payment." in mail.text
    assert "https://shop.example.com/checkout/pay" in mail.text
    assert case.reference in mail.text
    (line,) = entries(shop, "mail")
    assert line.data is not None
    assert line.data["text"] == mail.text


def test_the_mail_speaks_the_customers_language(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    customer = Customer(ref="1", name="Leila", email="leila@example.com", language="ar-EG")
    decline(shop, clock.now, checkout=checkout(customer=customer))
    clock.pass_by(AFTER)
    work(shop)
    (mail,) = mails
    assert mail.language == "ar"
    assert 'lang="ar" dir="rtl"' in mail.html
    assert "Hello" not in mail.text
    assert "payment" not in mail.subject


def test_what_a_customer_is_called_cannot_become_markup(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    customer = Customer(ref="1", name="<b onclick=x>Bob</b>", email="bob@example.com")
    decline(shop, clock.now, checkout=checkout(customer=customer))
    clock.pass_by(AFTER)
    work(shop)
    assert "<b onclick" not in mails[0].html
    assert "&lt;b onclick" in mails[0].html


@pytest.mark.parametrize(
    ("url", "link"),
    [
        ("/checkout/pay?c=1", "https://shop.example.com/checkout/pay?c=1"),
        ("checkout", "https://shop.example.com/checkout"),
        ("https://shop.example.com/x", "https://shop.example.com/x"),
        ("https://evil.example/x", None),
        ("//evil.example/x", None),
        ("/\\evil.example", None),
        ("javascript:alert(1)", None),
        ("/a\nb", None),
        (None, None),
    ],
)
def test_the_link_stays_within_the_shop(
    shop: Shop, clock: Clock, mails: list[Mail], url: str | None, link: str | None
) -> None:
    decline(shop, clock.now, checkout=checkout(url=url))
    clock.pass_by(AFTER)
    work(shop)
    (mail,) = mails
    if link:
        assert link in mail.text
        assert f'href="{link}"' in mail.html
    else:
        assert "href" not in mail.html
        assert "://" not in mail.text


def pay(shop: Shop, clock: Clock) -> None:
    send(shop, "payment_succeeded", clock.now, checkout_ref="c-1")


def order(shop: Shop, clock: Clock) -> None:
    send(shop, "order_completed", clock.now, checkout_ref="c-1", order_ref="O-1")


def answer(shop: Shop, clock: Clock) -> None:
    (case,) = cases(shop)
    services.reply(runtime_of(shop), case.reference, "Try another card.", agent=LIN)


def solve(shop: Shop, clock: Clock) -> None:
    (case,) = cases(shop)
    services.solve(runtime_of(shop), case.reference, outcome="lost")


def retry(shop: Shop, clock: Clock) -> None:
    send(shop, "payment_started", clock.now, checkout=checkout())


SETTLED = pytest.mark.parametrize("settle", [pay, order, answer, solve])


@SETTLED
def test_who_needs_it_no_more_gets_none(
    shop: Shop, clock: Clock, mails: list[Mail], settle: Callable[[Shop, Clock], None]
) -> None:
    decline(shop, clock.now)
    clock.pass_by(AFTER - MINUTE)
    settle(shop, clock)
    clock.pass_by(AFTER)
    work(shop)
    assert mails == []
    assert outbox(shop) == []


@pytest.mark.parametrize("settle", [pay, order, answer, solve, retry])
def test_it_is_looked_at_once_more_right_before_sending(
    shop: Shop, clock: Clock, mails: list[Mail], settle: Callable[[Shop, Clock], None]
) -> None:
    decline(shop, clock.now)
    clock.pass_by(AFTER)
    sweep(runtime_of(shop))
    assert [row.state for row in outbox(shop)] == ["due"]
    settle(shop, clock)
    with shop.app.app_context():
        deliver(runtime_of(shop))
    assert mails == []
    (row,) = outbox(shop)
    assert row.state == "cancelled"
    assert entries(shop, "mail") == []


def test_a_purchase_that_lies_in_the_spool_counts(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    clock.pass_by(AFTER)
    sweep(runtime_of(shop))
    with shop.app.test_request_context():
        signals.payment_succeeded.send(shop.app, checkout_ref="c-1", at=clock.now)
    work(shop)
    assert mails == []


def test_a_retry_puts_it_off(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    decline(shop, clock.now)
    clock.pass_by(6 * MINUTE)
    retry(shop, clock)
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert mails == []
    clock.pass_by(MINUTE)
    work(shop)
    assert len(mails) == 1


def test_a_second_decline_starts_the_time_anew(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    decline(shop, clock.now)
    clock.pass_by(6 * MINUTE)
    decline(shop, clock.now)
    clock.pass_by(6 * MINUTE)
    work(shop)
    assert mails == []
    clock.pass_by(4 * MINUTE)
    work(shop)
    assert len(mails) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"decline_code": "fraudulent"},
        {"decline_code": "stolen_card"},
        {"outcome": "unknown"},
        {"failure_class": "duplicate"},
        {"checkout": checkout(customer=Customer(ref="1", name="No Address"))},
        {"checkout": checkout(customer=None)},
    ],
)
def test_these_are_never_written_to(
    shop: Shop, clock: Clock, mails: list[Mail], arguments: dict[str, Any]
) -> None:
    decline(shop, clock.now, **arguments)
    clock.pass_by(AFTER)
    work(shop)
    clock.pass_by(timedelta(hours=5))
    work(shop)
    assert mails == []
    assert outbox(shop) == []


def test_after_an_outage_of_days_nobody_is_surprised(
    shop: Shop, clock: Clock, mails: list[Mail]
) -> None:
    decline(shop, clock.now)
    clock.pass_by(timedelta(days=3))
    work(shop)
    assert mails == []


def test_the_shop_is_asked_for_an_order_too(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    statuses = {"c-1": "paid", "c-2": "pending"}

    @shop.cases.order_for_checkout
    def find(ref: str) -> Order:
        return Order(ref=f"O-{ref}", status=statuses[ref])

    for ref in statuses:
        customer = Customer(ref=ref, email=f"{ref}@example.com")
        decline(shop, clock.now, checkout=checkout(ref, customer=customer))
    clock.pass_by(AFTER)
    work(shop)
    assert [mail.to for mail in mails] == ["c-2@example.com"]


def test_a_shop_that_cannot_say_is_asked_again(shop: Shop, clock: Clock, mails: list[Mail]) -> None:
    @shop.cases.order_for_checkout
    def find(_ref: str) -> None:
        raise RuntimeError("the shop's own")

    decline(shop, clock.now)
    clock.pass_by(AFTER)
    work(shop)
    assert mails == []
    shop.cases.order_for_checkout(lambda _ref: None)
    clock.pass_by(MINUTE)
    work(shop)
    assert len(mails) == 1


@pytest.mark.parametrize(("share", "sent"), [("0%", 1), ("90%", 0)])
def test_the_share_without_help_gets_none_and_agents_see_why(
    make_app: Callable[..., Shop], tmp_path: Path, share: str, sent: int
) -> None:
    policy = tmp_path / "policy.toml"
    text, _ = read_policy_text(None)
    salt = next(str(n) for n in range(99) if arm_of(HeldOut(0.9, str(n)), "42") == HELD_OUT)
    told = f'share = "{share}"\nsalt = "{salt}"'
    policy.write_text(text.replace('share = "0%"', told), encoding="utf-8")
    shop = make_app(CHECKOUT_CASE_POLICY=str(policy))
    mails: list[Mail] = []
    shop.cases.mailer(mails.append)
    clock = set_clock(shop)
    decline(shop, clock.now)
    clock.pass_by(AFTER)
    work(shop)
    assert len(mails) == sent
    assert [(line.data or {})["state"] for line in entries(shop, "mail")] == [
        "sent" if sent else "withheld"
    ]
    row = checkout_row(shop)
    assert (row.arm, row.eligible_for) == ((None, None) if sent else ("held_out", "payment"))


def test_without_any_mailer_nothing_is_queued(shop: Shop, clock: Clock) -> None:
    decline(shop, clock.now)
    clock.pass_by(AFTER)
    work(shop)
    assert outbox(shop) == []
