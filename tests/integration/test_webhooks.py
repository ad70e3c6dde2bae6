"""Signed webhooks: verified on the raw bytes, durable before they are answered."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from stripe import WebhookSignature
from webtest import TestApp

from flask_checkout_case import Checkout, Money, signals
from flask_checkout_case.errors import SignatureError
from flask_checkout_case.types import Status
from tests.support.due import MINUTE, set_clock, work
from tests.support.shop import Shop

SECRETS = ["whsec_new", "whsec_old"]
URL = "/checkout-case/webhooks/stripe"


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(CHECKOUT_CASE_WEBHOOK_SECRETS={"stripe": SECRETS})


@pytest.fixture
def client(shop: Shop) -> TestApp:
    return TestApp(shop.app)


def failed(charge: str = "ch_1", **changes: Any) -> dict[str, Any]:
    intent = {
        "id": "pi_1",
        "amount": 12000,
        "currency": "usd",
        "metadata": {"checkout_ref": "c-1"},
        "last_payment_error": {
            "code": "card_declined",
            "decline_code": "insufficient_funds",
            "charge": charge,
        },
    }
    body = {
        "id": f"evt_{charge}",
        "type": "payment_intent.payment_failed",
        "created": int(time.time()),
        "data": {"object": intent},
    }
    return {**body, **changes}


def signed(body: bytes, secret: str = SECRETS[0]) -> dict[str, str]:
    stamp = int(time.time())
    payload = f"{stamp}.{body.decode('utf-8', 'replace')}"
    signature = WebhookSignature._compute_signature(payload, secret)
    return {"Stripe-Signature": f"t={stamp},v1={signature}", "Content-Type": "application/json"}


def post(client: TestApp, event: Mapping[str, Any], secret: str = SECRETS[0]) -> None:
    raw = json.dumps(event).encode()
    client.post(URL, raw, headers=signed(raw, secret), status=200)


def found(shop: Shop) -> list[Any]:
    with shop.app.app_context():
        return list(shop.cases.find())


@pytest.mark.parametrize("secret", SECRETS)
def test_a_failed_payment_becomes_a_case(shop: Shop, client: TestApp, secret: str) -> None:
    post(client, failed(), secret)
    (case,) = found(shop)
    assert (case.checkout_ref, case.failure_class, case.team) == ("c-1", "funds", "payments")


def test_a_redelivery_changes_nothing(shop: Shop, client: TestApp) -> None:
    for _ in range(3):
        post(client, failed())
    assert found(shop)[0].occurrences == 1


def test_webhook_and_signal_of_one_attempt_are_one(shop: Shop, client: TestApp) -> None:
    with shop.app.app_context():
        signals.payment_failed.send(
            shop.app,
            checkout=Checkout(ref="c-1", value=Money("120.00", "USD")),
            provider="stripe",
            failure_code="card_declined",
            decline_code="insufficient_funds",
            attempt_id="ch_1",
        )
        shop.cases.flush()
    post(client, failed("ch_1"))
    assert found(shop)[0].occurrences == 1
    post(client, failed("ch_2"))
    assert found(shop)[0].occurrences == 2


def test_a_success_closes_the_case_and_a_late_failure_leaves_it(
    shop: Shop, client: TestApp
) -> None:
    post(client, failed())
    success = failed(type="payment_intent.succeeded", id="evt_ok")
    success["data"]["object"]["latest_charge"] = "ch_ok"
    post(client, success)
    post(client, failed("ch_late"))
    (case,) = found(shop)
    assert case.status is Status.CLOSED


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", lambda _: {}),
        (b"{}", lambda _: {"Stripe-Signature": "t=1,v1=0"}),
        (b"{}", lambda _: {"Stripe-Signature": "\x80"}),
        (b"\xff", signed),
        (b"[]", signed),
        (b"not json", signed),
        (b"[" * 50_000, signed),
    ],
)
def test_what_is_not_stripes_is_a_400(
    shop: Shop, client: TestApp, body: bytes, headers: Callable[[bytes], dict[str, str]]
) -> None:
    sent = {"Content-Type": "application/json", **headers(body)}
    client.post(URL, body, headers=sent, status=400)
    assert found(shop) == []


def test_a_megabyte_is_too_much(client: TestApp) -> None:
    client.post(URL, b"x" * 2**20, headers=signed(b"x"), status=413)


def test_gateways_without_a_secret_are_unknown(client: TestApp) -> None:
    client.post("/checkout-case/webhooks/adyen", b"{}", status=404)


def test_a_gateway_of_the_shops_own(shop: Shop, client: TestApp) -> None:
    @shop.cases.gateway("paystack")
    def read(body: bytes, headers: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
        if headers.get("X-Signature") != "good":
            raise SignatureError("no")
        return [("payment_failed", {"checkout_ref": "c-7", "failure_code": "expired_card"})]

    url = "/checkout-case/webhooks/paystack"
    client.post(url, b"{}", headers={"x-signature": "bad"}, status=400)
    client.post(url, b"{}", headers={"x-signature": "good"}, status=200)
    (case,) = found(shop)
    assert (case.checkout_ref, case.failure_class) == ("c-7", "expired")


def test_a_reader_that_breaks_is_a_400(shop: Shop, client: TestApp) -> None:
    @shop.cases.gateway("paystack")
    def read(body: bytes, headers: Mapping[str, str]) -> list[tuple[str, dict[str, Any]]]:
        raise KeyError("signature")

    client.post("/checkout-case/webhooks/paystack", b"{}", status=400)


def test_a_confirmation_that_is_asked_for_is_no_failure_until_it_never_came(
    shop: Shop, client: TestApp
) -> None:
    clock = set_clock(shop)
    post(client, failed(id="evt_asked", type="payment_intent.requires_action"))
    clock.pass_by(9 * MINUTE)
    work(shop)
    assert found(shop) == []
    clock.pass_by(2 * MINUTE)
    work(shop)
    (case,) = found(shop)
    assert (case.failure_class, case.occurrences) == ("auth", 1)
