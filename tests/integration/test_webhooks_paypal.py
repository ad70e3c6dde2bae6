"""PayPal's webhooks and its official SDK: from what is signed or answered to the case."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
from apimatic_core.exceptions.auth_validation_exception import AuthValidationException
from flask import Flask, Response
from paypalserversdk.configuration import Configuration, Environment, Server
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.http.auth.o_auth_2 import ClientCredentialsAuthCredentials
from paypalserversdk.paypal_serversdk_client import PaypalServersdkClient
from webtest import TestApp

from flask_checkout_case.gateways import describe_result, paypal_certificates
from flask_checkout_case.gateways.paypal_certificates import Certificates
from flask_checkout_case.types import Status, utc_now
from tests.support.due import MINUTE, cases, checkout, send, set_clock, work
from tests.support.paypal import (
    PAYPAL_IDS,
    paypal_capture,
    paypal_event,
    paypal_order,
    paypal_signer,
)
from tests.support.shop import Shop

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

URL = "/checkout-case/webhooks/paypal"
ORDER = "5O190127TN364715T"
DENIED = paypal_event()


@pytest.fixture
def shop(make_app: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(paypal_certificates, "CERTIFICATES", paypal_signer().certificates())
    return make_app(CHECKOUT_CASE_WEBHOOK_SECRETS={"paypal": list(PAYPAL_IDS)})


@pytest.fixture
def client(shop: Shop) -> TestApp:
    return TestApp(shop.app)


def post(client: TestApp, raw: bytes, status: int = 200, **signing: Any) -> Any:
    return client.post(URL, raw, headers=paypal_signer().headers(raw, **signing), status=status)


@pytest.mark.parametrize("webhook_id", PAYPAL_IDS)
def test_a_denied_capture_becomes_a_case(shop: Shop, client: TestApp, webhook_id: str) -> None:
    post(client, paypal_event(), webhook_id=webhook_id)
    (case,) = cases(shop)
    assert (case.checkout_ref, case.failure_class, case.team) == ("c-1", "funds", "payments")


def test_replays_and_redeliveries_change_nothing(shop: Shop, client: TestApp) -> None:
    raw = paypal_event()
    headers = paypal_signer().headers(raw)
    for _ in range(3):
        client.post(URL, raw, headers=headers, status=200)
    post(client, raw, at=utc_now() - timedelta(days=2))
    assert [case.occurrences for case in cases(shop)] == [1]


@pytest.mark.parametrize(
    "forged",
    [
        paypal_signer().headers(DENIED, "4JH86294D6297924H"),
        paypal_signer().headers(DENIED, at=utc_now() + timedelta(hours=1)),
        {"PAYPAL-CERT-URL": "https://evil.example.com/v1/notifications/certs/CERT-1"},
        {"PAYPAL-AUTH-ALGO": "none"},
        {"PAYPAL-TRANSMISSION-SIG": "QUFB"},
        {"PAYPAL-TRANSMISSION-ID": "another"},
    ],
)
def test_what_is_forged_is_a_400(shop: Shop, client: TestApp, forged: dict[str, str]) -> None:
    client.post(URL, DENIED, headers=paypal_signer().headers(DENIED) | forged, status=400)
    assert cases(shop) == []


def test_without_a_certificate_paypal_has_to_send_it_again(
    shop: Shop, client: TestApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(url: str) -> bytes:
        raise OSError("no route to host")

    raw = paypal_event()
    with monkeypatch.context() as patched:
        patched.setattr(paypal_certificates, "CERTIFICATES", Certificates(away))
        post(client, raw, status=503)
    assert cases(shop) == []
    post(client, raw)
    assert len(cases(shop)) == 1


def test_the_shops_report_and_the_webhook_are_one(shop: Shop, client: TestApp) -> None:
    told = {"provider": "paypal", "attempt_id": "42311647XV020574X", "decline_code": "5120"}
    post(client, paypal_event())
    runtime = shop.app.extensions["checkout_case"]
    send(shop, "payment_failed", runtime.clock(), checkout=checkout(), **told)
    (case,) = cases(shop)
    assert (case.occurrences, case.customer_ref, str(case.value)) == (1, "42", "120.00 USD")


def test_a_late_refusal_does_not_reopen_a_paid_checkout(shop: Shop, client: TestApp) -> None:
    paid = paypal_capture(id="B", status="COMPLETED")
    post(client, paypal_event())
    post(client, paypal_event("PAYMENT.CAPTURE.COMPLETED", paid, id="WH-2"))
    post(client, paypal_event("PAYMENT.CAPTURE.DENIED", paypal_capture(id="C"), id="WH-3"))
    (case,) = cases(shop)
    assert (case.status, case.occurrences) == (Status.CLOSED, 1)


@dataclass
class Api:
    """PayPal's API as far as a capture needs it, on this machine."""

    status: int = 201
    body: Any = None
    wait: float = 0
    knows_shop: bool = True
    captured: list[str] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("paypal")

        @app.post("/v1/oauth2/token")
        def token() -> Any:
            if not self.knows_shop:
                return {"error": "invalid_client", "error_description": "It says"}, 401
            return {"access_token": "A21", "token_type": "Bearer", "expires_in": 3600}

        @app.post("/v2/checkout/orders/<order>/capture")
        def capture(order: str) -> Response:
            self.captured.append(order)
            time.sleep(self.wait)
            return Response(json.dumps(self.body), self.status, mimetype="application/json")

        @app.get("/v2/checkout/orders/<order>")
        def read(order: str) -> Response:
            return Response(json.dumps(self.body), 200, mimetype="application/json")

        return app


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def sdk(
    api: Api, live_server: Callable[[WSGIApplication], str], monkeypatch: pytest.MonkeyPatch
) -> PaypalServersdkClient:
    servers = {Server.DEFAULT: live_server(api.app())}
    monkeypatch.setitem(Configuration.environments, Environment.SANDBOX, servers)
    return PaypalServersdkClient(
        client_credentials_auth_credentials=ClientCredentialsAuthCredentials("id", "secret"),
        environment=Environment.SANDBOX,
        timeout=1,
    )


def pay(shop: Shop, sdk: PaypalServersdkClient) -> None:
    """Capture as the documentation says."""
    with (
        shop.app.app_context(),
        shop.cases.payment(checkout(), provider="paypal", payment_id=ORDER) as attempt,
    ):
        order = json.loads(sdk.orders.capture_order({"id": ORDER}).text)
        capture = order["purchase_units"][0]["payments"]["captures"][-1]
        if capture["status"] == "COMPLETED":
            attempt.succeeded(attempt_id=capture["id"])
        elif capture["status"] in {"DECLINED", "FAILED"}:
            processor = capture.get("processor_response", {})
            attempt.failed(
                capture["status"],
                decline_code=processor.get("response_code"),
                advice_code=processor.get("payment_advice_code"),
                attempt_id=capture["id"],
            )


def flushed(shop: Shop) -> Any:
    with shop.app.app_context():
        shop.cases.flush()
    return cases(shop)


@pytest.mark.parametrize(
    "refusal",
    [
        (422, "INSTRUMENT_DECLINED", "soft"),
        (422, "CARD_EXPIRED", "expired"),
        (422, "TRANSACTION_BLOCKED_BY_PAYEE", "fraud"),
        (422, "AMOUNT_MISMATCH", "config"),
        (404, "INVALID_RESOURCE_ID", "config"),
        (500, "INTERNAL_SERVER_ERROR", "processing"),
    ],
)
def test_what_the_real_sdk_raises_becomes_a_case(
    shop: Shop, api: Api, sdk: PaypalServersdkClient, refusal: tuple[int, str, str]
) -> None:
    api.status, issue, expected = refusal
    api.body = {
        "name": "UNPROCESSABLE_ENTITY",
        "message": "The requested action could not be performed.",
        "debug_id": "b1",
        "details": [{"issue": issue, "description": "It says"}],
    }
    with pytest.raises(ApiException):
        pay(shop, sdk)
    (case,) = flushed(shop)
    assert api.captured == [ORDER]
    assert (case.failure_class, case.checkout_ref) == (expected, "c-1")


def test_credentials_that_paypal_does_not_know_are_the_shops_to_mend(
    shop: Shop, api: Api, sdk: PaypalServersdkClient
) -> None:
    api.knows_shop = False
    with pytest.raises(AuthValidationException):
        pay(shop, sdk)
    (case,) = flushed(shop)
    assert (case.failure_class, api.captured) == ("config", [])


def test_a_declined_capture_of_the_real_sdk_becomes_a_case_once(
    shop: Shop, client: TestApp, api: Api, sdk: PaypalServersdkClient
) -> None:
    api.body = paypal_order(paypal_capture())
    pay(shop, sdk)
    (case,) = flushed(shop)
    assert (case.failure_class, case.occurrences) == ("funds", 1)
    post(client, paypal_event())
    assert [case.occurrences for case in cases(shop)] == [1]
    api.body = paypal_order(paypal_capture(id="B", status="COMPLETED"))
    pay(shop, sdk)
    assert [case.status for case in flushed(shop)] == [Status.CLOSED]


def test_a_capture_whose_answer_is_lost_is_asked_about(
    shop: Shop, api: Api, sdk: PaypalServersdkClient
) -> None:
    @shop.cases.reconcile
    def ask(payment: Any) -> Any:
        assert payment.payment_id == ORDER
        return describe_result(sdk.orders.get_order({"id": payment.payment_id}))

    clock = set_clock(shop)
    api.body, api.wait = paypal_order(paypal_capture(status="COMPLETED")), 2
    with pytest.raises(requests.exceptions.RequestException):
        pay(shop, sdk)
    (case,) = flushed(shop)
    assert case.failure_class == "processing"
    clock.pass_by(2 * MINUTE)
    work(shop)
    assert [case.status for case in cases(shop)] == [Status.CLOSED]
