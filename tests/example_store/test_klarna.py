"""Paying with Klarna: the second gateway, through Adyen's own SDK and its recorded answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask
from sqlalchemy import select
from webtest import TestApp, TestResponse

from example_store.extensions import db
from example_store.local_adyen.payments import ANSWERS
from example_store.models import Basket, Order
from example_store.settings import local_adyen
from example_store.support import cases
from flask_checkout_case import CaseInfo
from flask_checkout_case.data.models import EventRow
from tests.support.store import LocalAdyen, RunningStore, running_adyen, running_store
from tests.support.waiting import wait_until

from .steps import to_payment

CLASSES = {
    "funds": "funds",
    "declined": "soft",
    "fraud": "fraud",
    "blocked": "hard",
    "unavailable": "network",
    "error": "processing",
}


@pytest.fixture(scope="module")
def adyen() -> Iterator[LocalAdyen]:
    with running_adyen() as local:
        yield local


@pytest.fixture
def app(make_shop: Callable[..., Flask], adyen: LocalAdyen) -> Flask:
    return make_shop(**local_adyen(adyen.url))


@pytest.fixture
def visitor(app: Flask) -> TestApp:
    return TestApp(app)


def at_klarna(visitor: TestApp) -> str:
    """Go to Klarna's page; its address."""
    page = to_payment(visitor)
    form = next(form for form in page.forms.values() if "/klarna" in form.action)
    return str(form.submit(status=303).headers["Location"])


def choose(address: str, answer: str) -> str:
    """Press a button on Klarna's page; the address where it leads back."""
    gone = requests.post(address, {"answer": answer}, allow_redirects=False, timeout=10)
    assert gone.status_code == 303
    return str(gone.headers["Location"])


def come_back(visitor: TestApp, address: str) -> TestResponse:
    parts = urlsplit(address)
    return visitor.get(f"{parts.path}?{parts.query}", expect_errors=True)


def cases_of(app: Flask) -> list[CaseInfo]:
    with app.app_context():
        basket = db.session.scalars(select(Basket).order_by(Basket.id.desc())).first()
        assert basket is not None
        ref = basket.ref
        db.session.rollback()
        cases.flush()
        return cases.find(checkout_ref=ref)


@pytest.mark.parametrize("answer", sorted(CLASSES))
def test_each_refusal_of_klarna_is_read(visitor: TestApp, app: Flask, answer: str) -> None:
    page = come_back(visitor, choose(at_klarna(visitor), answer))
    assert page.status_int == 402
    assert page.html.select_one("#payment-problem") is not None
    (case,) = cases_of(app)
    assert case.failure_class == CLASSES[answer]


def test_who_is_refused_for_suspicion_reads_what_everybody_reads(visitor: TestApp) -> None:
    told = set()
    for answer in ("declined", "fraud", "blocked", "funds"):
        page = come_back(visitor, choose(at_klarna(visitor), answer))
        told.add(str(page.html.select_one("#payment-problem")))
    assert len(told) == 1


def test_who_agrees_has_ordered(visitor: TestApp, app: Flask) -> None:
    come_back(visitor, choose(at_klarna(visitor), "funds"))
    page = come_back(visitor, choose(at_klarna(visitor), "authorised"))
    assert page.status_int == 303
    assert "Klarna" in page.follow().text
    (case,) = cases_of(app)
    assert (case.status, case.outcome) == ("closed", "self_recovered")


def test_who_comes_back_without_paying_is_no_case(visitor: TestApp, app: Flask) -> None:
    page = come_back(visitor, choose(at_klarna(visitor), "cancelled"))
    assert "You came back without paying" in page.text
    assert cases_of(app) == []


def test_a_gateway_that_answers_with_errors_harms_no_page(
    visitor: TestApp, app: Flask, adyen: LocalAdyen
) -> None:
    requests.post(f"{adyen.url}/trouble", {"mode": "errors"}, timeout=10)
    try:
        page = to_payment(visitor)
        form = next(form for form in page.forms.values() if "/klarna" in form.action)
        assert "technical problem" in form.submit(status=402).text
    finally:
        requests.post(f"{adyen.url}/trouble", {"mode": "off"}, timeout=10)
    (case,) = cases_of(app)
    assert (case.failure_class, case.category) == ("processing", "payment_error")


def test_without_an_account_klarna_is_not_offered(make_shop: Callable[..., Flask]) -> None:
    visitor = TestApp(make_shop(ADYEN_API_KEY=None))
    assert "Klarna" not in to_payment(visitor).text


def test_a_result_that_nobody_has_pays_nothing(visitor: TestApp, app: Flask) -> None:
    at_klarna(visitor)
    page = come_back(visitor, "http://localhost/checkout/payment/klarna/return?redirectResult=x")
    assert page.status_int == 402
    with app.app_context():
        assert db.session.query(Order).count() == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RunningStore]:
    with running_store(tmp_path) as running:
        yield running


def told_of(store: RunningStore, name: str) -> list[EventRow]:
    with store.app.app_context():
        cases.flush()
    with store.app.extensions["checkout_case"].read() as session:
        return list(session.scalars(select(EventRow).where(EventRow.name == name)))


@pytest.mark.parametrize(
    ("answer", "signal"), [("authorised", "payment_succeeded"), ("funds", "payment_failed")]
)
def test_the_webhook_and_the_way_back_are_one_attempt(
    store: RunningStore, answer: str, signal: str
) -> None:
    visitor = TestApp(store.app)
    back = choose(at_klarna(visitor), answer)
    wait_until(lambda: len(told_of(store, signal)) == 1, what="the webhook")
    come_back(visitor, back)
    (event,) = told_of(store, signal)
    assert event.data["gateway_event"].startswith(event.data["attempt_id"])


def test_every_answer_has_a_button(adyen: LocalAdyen, visitor: TestApp) -> None:
    page = requests.get(at_klarna(visitor), timeout=10).text
    assert all(f'value="{name}"' in page for name in ANSWERS)
    assert set(CLASSES) | {"authorised", "cancelled"} == set(ANSWERS)
