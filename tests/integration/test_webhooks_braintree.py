"""Braintree's notifications: from the signed form to the case, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import func, select
from webtest import TestApp

from flask_checkout_case.data.models import EventRow
from flask_checkout_case.types import Status
from tests.support.braintree import (
    BRAINTREE_KEYS,
    FORM,
    notification,
    payment,
    posted,
    settlement,
)
from tests.support.due import cases, checkout, runtime_of, send
from tests.support.shop import Shop

URL = "/checkout-case/webhooks/braintree"


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(CHECKOUT_CASE_WEBHOOK_SECRETS={"braintree": list(BRAINTREE_KEYS)})


@pytest.fixture
def client(shop: Shop) -> TestApp:
    return TestApp(shop.app)


def post(client: TestApp, raw: bytes, status: int = 200) -> Any:
    return client.post(URL, raw, headers=FORM, status=status)


@pytest.mark.parametrize("keys", BRAINTREE_KEYS, ids=["new", "old"])
def test_a_declined_settlement_becomes_a_case(
    shop: Shop, client: TestApp, keys: Mapping[str, str]
) -> None:
    post(client, posted(settlement(processor_settlement_response_code="4005"), keys))
    (case,) = cases(shop)
    assert (case.checkout_ref, case.failure_class, str(case.team)) == ("c-1", "fraud", "risk")


def test_a_replay_changes_nothing(shop: Shop, client: TestApp) -> None:
    raws = [
        posted(settlement()),
        posted(notification("local_payment_expired", {"local_payment_expired": {"x": "1"}})),
    ]
    for raw in raws * 3:
        post(client, raw)
    assert [case.occurrences for case in cases(shop)] == [1]
    with runtime_of(shop).read() as session:
        assert session.scalar(select(func.count()).select_from(EventRow)) == 2


def test_what_is_forged_leaves_nothing(shop: Shop, client: TestApp) -> None:
    forged = {**BRAINTREE_KEYS[0], "private_key": "guessed"}
    post(client, posted(settlement(), forged), status=400)
    assert cases(shop) == []


def test_a_key_that_was_taken_out_verifies_no_more(make_app: Callable[..., Shop]) -> None:
    new, old = BRAINTREE_KEYS
    shop = make_app(CHECKOUT_CASE_WEBHOOK_SECRETS={"braintree": new})
    client = TestApp(shop.app)
    post(client, posted(settlement(), old), status=400)
    post(client, posted(settlement(), new))
    assert len(cases(shop)) == 1


def test_a_check_is_answered(shop: Shop, client: TestApp) -> None:
    post(client, posted(notification("check", {"check": "true"})))
    assert cases(shop) == []


def test_the_shops_report_and_the_webhook_are_one(shop: Shop, client: TestApp) -> None:
    told = {"provider": "braintree", "attempt_id": "tx1", "failure_code": "settlement_declined"}
    post(client, posted(settlement()))
    send(shop, "payment_failed", runtime_of(shop).clock(), checkout=checkout(), **told)
    (case,) = cases(shop)
    assert (case.occurrences, case.customer_ref, str(case.value)) == (1, "42", "120.00 USD")


def test_a_settlement_closes_the_case_and_a_late_failure_does_not_reopen_it(
    shop: Shop, client: TestApp
) -> None:
    post(client, posted(settlement()))
    post(client, posted(settlement("transaction_settled", id="tx2")))
    post(client, posted(settlement(id="tx0")))
    (case,) = cases(shop)
    assert (case.status, case.occurrences) == (Status.CLOSED, 1)


def test_a_settled_refund_pays_nothing(shop: Shop, client: TestApp) -> None:
    post(client, posted(settlement()))
    post(client, posted(settlement("transaction_settled", id="tx2", type="credit")))
    assert [case.status for case in cases(shop)] == [Status.NEW]


@pytest.mark.parametrize("ref", ["c-7", None])
def test_a_failure_without_a_checkout_opens_nothing(
    shop: Shop, client: TestApp, ref: str | None
) -> None:
    about = {"payment_id": "p1", "transaction": payment(order_id=ref, status="processor_declined")}
    post(client, posted(notification("local_payment_completed", {"local_payment": about})))
    assert [case.checkout_ref for case in cases(shop)] == ([ref] if ref else [])
