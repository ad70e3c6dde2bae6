"""Fraud, lost and stolen cards: no byte of page, answer or mail tells them from a decline."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from flask_checkout_case import Customer, signals
from flask_checkout_case.gateways import GATEWAYS, read_failure
from flask_checkout_case.jobs.mail import Mail
from flask_checkout_case.rules.failures import FAILURES, next_actions
from flask_checkout_case.types import FailureClass
from tests.support.due import MINUTE, set_clock, work
from tests.support.shop import Shop
from tests.support.widget import Person, checkout, furnish

DECLINED = FAILURES[FailureClass.SOFT].text
ALIKE = [
    (gateway.NAME, code)
    for gateway in GATEWAYS.values()
    for code, failure_class in gateway.CODES.items()
    if FAILURES[failure_class].text == DECLINED
]
WORDS = ("fraud", "stolen", "lost", "suspect", "risk", "pickup", "blacklist", "security")


@pytest.fixture
def shop(make_sqlite_app: Callable[..., Shop]) -> Shop:
    return furnish(make_sqlite_app(CHECKOUT_CASE_PUBLIC_URL="https://shop.example.com"))


def fail(shop: Shop, gateway: str, code: str) -> str:
    ref = f"c-{gateway}-{code}"
    with shop.app.app_context():
        given = replace(checkout(ref), customer=Customer(name="Ada", email="ada@example.com"))
        signals.payment_failed.send(
            shop.app,
            checkout=given,
            provider=gateway,
            failure_code=code,
            message=f"{gateway} says why: {code}",
        )
        shop.cases.flush()
    return ref


def shown(shop: Shop, ref: str) -> tuple[bytes, ...]:
    """Return every byte about the failure that a browser gets, as a page and by the script."""
    ada = Person(shop.app, ref)
    panel = ada.get("panel").json
    # It changes with each line of each case.
    panel.pop("mark")
    page = ada.get("help").text
    about = page[page.index("<main>") : page.index("<form")]
    return (json.dumps(panel, sort_keys=True).encode(), ada.get("state").body, about.encode())


def test_there_is_something_to_tell_apart() -> None:
    classes = {read_failure({"provider": name, "failure_code": code}, None) for name, code in ALIKE}
    assert {failure.failure_class for failure in classes} == {
        FailureClass.SOFT,
        FailureClass.HARD,
        FailureClass.FUNDS,
        FailureClass.LIMIT,
        FailureClass.FRAUD,
    }
    assert {next_actions(failure.failure_class) for failure in classes} == {
        ("other_method", "call_bank")
    }


def test_page_and_answers_are_the_same_bytes_for_all_codes(shop: Shop) -> None:
    told = {(name, code): shown(shop, fail(shop, name, code)) for name, code in ALIKE}
    usual = told["stripe", "generic_decline"]
    assert b"approve this payment" in usual[2]
    assert {which for which, answers in told.items() if answers != usual} == set()
    assert not any(word.encode() in usual[2].lower() for word in WORDS)


def test_mails_are_the_same_bytes_for_all_codes(shop: Shop) -> None:
    mails: list[Mail] = []
    shop.cases.mailer(mails.append)
    clock = set_clock(shop)
    refs = {fail(shop, name, code): (name, code) for name, code in ALIKE}
    clock.pass_by(31 * MINUTE)
    sent = -1
    while sent < len(mails):
        sent = len(mails)
        work(shop)
    expected = [
        ref
        for ref, (name, code) in refs.items()
        if GATEWAYS[name].CODES[code] is not FailureClass.FRAUD
    ]
    assert len(mails) == len(expected), "suspected fraud gets none"
    told = {
        part.replace(mail.reference or "", "")
        for mail in mails
        for part in (f"subject {mail.subject}", f"text {mail.text}", f"html {mail.html}")
    }
    assert len(told) == 3
    assert not any(word in part.lower() for part in told for word in WORDS)
