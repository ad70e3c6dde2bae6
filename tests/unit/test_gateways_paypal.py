"""What PayPal's official SDK raises and returns, made with its own classes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from apimatic_core.exceptions.auth_validation_exception import AuthValidationException
from apimatic_core.http.response.api_response import ApiResponse
from paypalserversdk.exceptions.api_exception import ApiException
from paypalserversdk.exceptions.error_exception import ErrorException
from paypalserversdk.exceptions.o_auth_provider_exception import OAuthProviderException
from paypalserversdk.http.api_response import ApiResponse as OwnResponse
from paypalserversdk.http.http_response import HttpResponse
from paypalserversdk.models.captured_payment import CapturedPayment
from paypalserversdk.models.order import Order
from paypalserversdk.models.order_authorize_response import OrderAuthorizeResponse
from paypalserversdk.models.payment_authorization import PaymentAuthorization
from paypalserversdk.models.processor_response_code import ProcessorResponseCode
from paypalserversdk.models.refund import Refund

from flask_checkout_case.gateways import (
    GATEWAYS,
    dashboard_url,
    describe_exception,
    describe_result,
    read_failure,
)
from tests.support.paypal import paypal_capture, paypal_order


def response(status: int, body: Any) -> HttpResponse:
    text = body if isinstance(body, str) else json.dumps(body)
    return HttpResponse(status, "", {}, text, None)


def api_error(status: int, *issues: str | dict[str, Any], name: str = "ERROR") -> ErrorException:
    details = [{"issue": one} if isinstance(one, str) else one for one in issues]
    body = {"name": name, "message": "It says", "debug_id": "d1", "details": details}
    return ErrorException("what the SDK says", response(status, body))


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (api_error(422, "INSTRUMENT_DECLINED"), ("soft", "failed")),
        (api_error(422, "CARD_EXPIRED"), ("expired", "failed")),
        (api_error(422, "PAYER_ACTION_REQUIRED"), ("auth", "failed")),
        (api_error(422, "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED"), ("limit", "failed")),
        (api_error(422, "ORDER_NOT_APPROVED"), ("cancelled", "failed")),
        (api_error(422, "ITEM_TOTAL_MISMATCH"), ("config", "failed")),
        (api_error(422, "DUPLICATE_INVOICE_ID"), ("duplicate", "failed")),
        (api_error(422, "TRANSACTION_BLOCKED_BY_PAYEE"), ("fraud", "failed")),
        # The first that is known, among several.
        (api_error(422, "OF_2030", "CARD_EXPIRED"), ("expired", "failed")),
        (api_error(400, "OF_2030"), ("config", "failed")),
        (
            api_error(400, {"issue": "OF_2030", "field": "/payment_source/card/number"}),
            ("card_data", "failed"),
        ),
        (api_error(401), ("config", "failed")),
        (api_error(403), ("config", "failed")),
        (api_error(404), ("config", "failed")),
        (api_error(429, name="RATE_LIMIT_REACHED"), ("processing", "failed")),
        (api_error(500, "INTERNAL_SERVER_ERROR"), ("processing", "unknown")),
        (api_error(500), ("processing", "unknown")),
        (ErrorException("bad gateway", response(502, "<html>")), ("processing", "unknown")),
        (ApiException("unavailable", response(503, "")), ("processing", "unknown")),
        (ApiException("slow down", response(429, "")), ("processing", "failed")),
        (
            OAuthProviderException("no", response(401, {"error": "invalid_client"})),
            ("config", "failed"),
        ),
    ],
)
def test_the_sdks_exceptions_are_read(error: Exception, expected: tuple[str, str]) -> None:
    told = describe_exception(error)
    assert told is not None
    assert told["provider"] == "paypal"
    assert told["message"]
    failure = read_failure(told, "c-1")
    assert (failure.failure_class, failure.outcome, failure.unmapped) == (*expected, False)


def test_a_refusal_that_nobody_knows_is_soft_and_flagged() -> None:
    told = describe_exception(api_error(422, "OF_2030"))
    assert told is not None
    failure = read_failure(told, None)
    assert (failure.failure_class, failure.unmapped, failure.raw_code) == ("soft", True, "OF_2030")


@pytest.mark.parametrize("details", [None, "x", [], [5], [None], [{"issue": 5}], {"issue": "x"}])
def test_details_of_any_shape_are_read(details: Any) -> None:
    error = api_error(400)
    error.details = details
    told = describe_exception(error)
    assert told is not None
    assert read_failure(told, None).failure_class == "config"


def test_without_a_token_nothing_was_sent() -> None:
    told = describe_exception(AuthValidationException("OAuthToken is undefined or expired."))
    assert told is not None
    failure = read_failure(told, None)
    assert (failure.failure_class, failure.outcome, failure.gateway) == ("config", "failed", None)


def test_somebody_elses_exceptions_are_left_to_them() -> None:
    assert describe_exception(TimeoutError("of the library below")) is None


def returned(body: Any, made: Any = Order) -> ApiResponse:
    return ApiResponse(response(201, body), made.from_dictionary(body))


@pytest.mark.parametrize(
    ("status", "signal"),
    [
        ("COMPLETED", "payment_succeeded"),
        ("DECLINED", "payment_failed"),
        ("FAILED", "payment_failed"),
    ],
)
def test_a_captured_order_is_read(status: str, signal: str) -> None:
    result = returned(paypal_order(paypal_capture(status=status)))
    for one in (result, OwnResponse.create(result), result.body):
        told = describe_result(one)
        assert told is not None
        name, arguments = told
        assert name == signal
        assert arguments["provider"] == "paypal"
        assert arguments["checkout_ref"] == "c-1"
        assert (arguments["payment_id"], arguments["attempt_id"]) == (
            "5O190127TN364715T",
            "42311647XV020574X",
        )
        assert (arguments["amount_minor"], arguments["currency"]) == (12000, "USD")
        assert (arguments["livemode"], arguments["method"]) == (False, "card")
        assert ("decline_code" in arguments) is (signal == "payment_failed")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("funds", False)),
        ({"processor_response": {"response_code": "9500"}}, ("fraud", False)),
        ({"processor_response": {"response_code": "0000"}}, ("soft", False)),
        ({"processor_response": {"response_code": "PPZZ"}}, ("config", False)),
        ({"processor_response": {"response_code": "of 2030"}}, ("soft", True)),
        ({"processor_response": None}, ("soft", False)),
        ({"processor_response": None, "status": "FAILED"}, ("processing", False)),
        (
            {
                "processor_response": None,
                "status_details": {"reason": "DECLINED_BY_RISK_FRAUD_FILTERS"},
            },
            ("fraud", False),
        ),
    ],
)
def test_why_a_capture_failed(changes: dict[str, Any], expected: tuple[str, bool]) -> None:
    told = describe_result(returned(paypal_order(paypal_capture(**changes))))
    assert told is not None
    failure = read_failure(told[1], None)
    assert (failure.failure_class, failure.unmapped) == expected


def test_the_networks_advice_is_told() -> None:
    code = {"response_code": "0500", "payment_advice_code": "03"}
    told = describe_result(returned(paypal_order(paypal_capture(processor_response=code))))
    assert told is not None
    assert read_failure(told[1], None).advice_code == "03"


@pytest.mark.parametrize(
    "order",
    [
        {},
        paypal_order(),
        paypal_order(status="CREATED"),
        paypal_order(status="APPROVED"),
        paypal_order(purchase_units=[]),
        paypal_order(paypal_capture(status="PENDING")),
        paypal_order(paypal_capture(status="REFUNDED")),
    ],
)
def test_an_order_that_ends_nothing_tells_nothing(order: dict[str, Any]) -> None:
    assert describe_result(returned(order)) is None


def test_an_order_that_the_buyer_has_to_confirm_has_started() -> None:
    told = describe_result(returned(paypal_order(status="PAYER_ACTION_REQUIRED")))
    assert told is not None
    assert (told[0], told[1]["action"], told[1]["amount_minor"]) == ("payment_started", True, 12000)


def test_a_voided_order_is_canceled() -> None:
    told = describe_result(returned(paypal_order(status="VOIDED")))
    assert told is not None
    assert told[0] == "payment_canceled"


def test_the_newest_capture_of_a_unit_and_the_worst_unit_are_believed() -> None:
    declined, done = paypal_capture(id="A"), paypal_capture(id="B", status="COMPLETED")
    told = describe_result(returned(paypal_order(declined, done)))
    assert told is not None
    assert (told[0], told[1]["attempt_id"]) == ("payment_succeeded", "B")
    units = [paypal_order(one)["purchase_units"][0] for one in (done, declined)]
    told = describe_result(returned(paypal_order(purchase_units=units)))
    assert told is not None
    assert (told[0], told[1]["attempt_id"]) == ("payment_failed", "A")
    pending = paypal_order(paypal_capture(status="PENDING"))["purchase_units"][0]
    assert describe_result(returned(paypal_order(purchase_units=[*units, pending]))) is None


def test_an_authorised_order_is_paid_for_the_customer() -> None:
    made = {"id": "AUTH1", "status": "CREATED", "amount": {"currency_code": "EUR", "value": "5.00"}}
    order = paypal_order()
    order["purchase_units"][0]["payments"] = {"authorizations": [made]}
    told = describe_result(returned(order, OrderAuthorizeResponse))
    assert told is not None
    assert (told[0], told[1]["attempt_id"]) == ("payment_succeeded", "AUTH1")
    for status, signal in (("DENIED", "payment_failed"), ("VOIDED", "payment_canceled")):
        told = describe_result(returned({**made, "status": status}, PaymentAuthorization))
        assert told is not None
        assert told[0] == signal


def test_the_capture_of_an_authorisation_is_the_same_try() -> None:
    above = {"rel": "up", "href": "https://api-m.paypal.com/v2/payments/authorizations/AUTH1"}
    captured = {"id": "CAP1", "status": "COMPLETED", "links": [above]}
    told = describe_result(returned(captured, CapturedPayment))
    assert told is not None
    assert (told[1]["attempt_id"], told[1]["livemode"]) == ("AUTH1", True)


def test_a_refund_is_no_payment() -> None:
    assert describe_result(returned({"id": "R1", "status": "COMPLETED"}, Refund)) is None
    assert describe_result(paypal_order(paypal_capture())) is None, "the shop's own reading"


@pytest.mark.parametrize(
    ("currency", "value", "minor"),
    [
        ("USD", "20", 2000),
        ("USD", "49.90", 4990),
        ("JPY", "500", 500),
        ("JPY", "500.00", 500),
        # PayPal takes no decimals of these two, which have them.
        ("HUF", "1500", 150000),
        ("TWD", "300", 30000),
        ("USD", "0.001", None),
        ("USD", "1e9", None),
        ("USD", "-1.00", None),
        ("USD", "NaN", None),
        ("USD", "9" * 40, None),
        ("US", "1.00", None),
        ("USD", 1, None),
        (None, "1.00", None),
    ],
)
def test_amounts_are_decimal_texts(currency: Any, value: Any, minor: int | None) -> None:
    amount = {"currency_code": currency, "value": value}
    told = describe_result(
        returned({"id": "A", "status": "COMPLETED", "amount": amount}, CapturedPayment)
    )
    assert told is not None
    assert told[1].get("amount_minor") == minor


def test_every_processor_code_of_the_sdk_is_known() -> None:
    codes = {v for k, v in vars(ProcessorResponseCode).items() if k.startswith("RESPONSE_")}
    assert len(codes) > 100
    assert codes - {*GATEWAYS["paypal"].CODES} == {"0000"}, "approved"


def test_the_dashboard_is_that_of_the_payments_mode() -> None:
    test = {"provider": "paypal", "attempt_id": "42311647XV020574X", "livemode": False}
    activity = "paypal.com/activity/payment/42311647XV020574X"
    assert dashboard_url(test) == f"https://www.sandbox.{activity}"
    assert dashboard_url({**test, "livemode": True}) == f"https://www.{activity}"
    for unsafe in ("../../evil", "A?x=1", "A\n", "", "é", "A" * 65, 5, None):
        assert dashboard_url({**test, "attempt_id": unsafe}) is None
