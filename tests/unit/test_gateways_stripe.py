from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import stripe as sdk
from stripe import _webhook

from flask_checkout_case.errors import SignatureError
from flask_checkout_case.gateways import (
    dashboard_url,
    describe_exception,
    describe_result,
    read_failure,
)
from flask_checkout_case.gateways import stripe_webhooks as gateway
from flask_checkout_case.types import Event, FailureClass
from tests.support.gateways import stripe_event, stripe_failure

SECRET = "whsec_first"


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ({"failure_code": "card_declined", "decline_code": "insufficient_funds"}, "funds"),
        ({"failure_code": "card_declined", "decline_code": "generic_decline"}, "soft"),
        ({"failure_code": "card_declined", "decline_code": "lost_card"}, "fraud"),
        ({"failure_code": "card_declined", "decline_code": "stolen_card"}, "fraud"),
        ({"failure_code": "card_declined", "decline_code": "card_velocity_exceeded"}, "limit"),
        ({"failure_code": "card_declined"}, "soft"),
        ({"failure_code": "expired_card"}, "expired"),
        ({"failure_code": "incorrect_cvc"}, "card_data"),
        ({"failure_code": "processing_error"}, "processing"),
        ({"failure_code": "payment_intent_authentication_failure"}, "auth"),
        ({"failure_code": "payment_method_provider_timeout"}, "network"),
        ({"failure_code": "payment_method_customer_decline"}, "cancelled"),
        ({"decline_code": "issuer_not_available"}, "network"),
        ({"decline_code": "duplicate_transaction"}, "duplicate"),
        ({"decline_code": "testmode_decline"}, "config"),
        ({"decline_code": "do_not_honor", "advice_code": "do_not_try_again"}, "hard"),
        ({"failure_class": "limit", "decline_code": "generic_decline"}, "limit"),
    ],
)
def test_codes_become_classes(codes: dict[str, str], expected: str) -> None:
    failure = read_failure({"provider": "stripe", **codes}, "c-1")
    assert failure.failure_class == expected
    assert not failure.unmapped


def test_an_unknown_decline_code_still_knows_the_error_code() -> None:
    told = {"provider": "stripe", "failure_code": "expired_card", "decline_code": "brand_new"}
    assert read_failure(told, None).failure_class is FailureClass.EXPIRED


def test_advice_never_to_retry_wins_over_the_tables() -> None:
    told = {"provider": "stripe", "decline_code": "insufficient_funds"}
    assert read_failure(told, None).retry == "later"
    assert read_failure({**told, "advice_code": "do_not_try_again"}, None).retry == "never"


def test_a_timeout_of_the_provider_leaves_the_outcome_open() -> None:
    told = {"provider": "stripe", "failure_code": "payment_method_provider_timeout"}
    assert read_failure(told, None).outcome == "unknown"


def _card_error() -> sdk.CardError:
    error = {
        "code": "card_declined",
        "decline_code": "insufficient_funds",
        "charge": "ch_1",
        "message": "Your card has insufficient funds.",
        "payment_intent": {"id": "pi_1"},
        "type": "card_error",
    }
    return sdk.CardError(  # type: ignore[no-untyped-call]
        "Your card has insufficient funds.",
        None,
        "card_declined",
        http_status=402,
        json_body={"error": error},
    )


def test_the_sdks_card_error_is_read() -> None:
    described = describe_exception(_card_error())
    assert described is not None
    assert described["decline_code"] == "insufficient_funds"
    assert described["attempt_id"] == "ch_1"
    assert described["payment_id"] == "pi_1"


@pytest.mark.parametrize(
    ("error", "failure_class", "outcome"),
    [
        (
            sdk.APIConnectionError("gone"),  # type: ignore[no-untyped-call]
            "network",
            "unknown",
        ),
        (sdk.RateLimitError("slow down"), "processing", "failed"),
        (sdk.AuthenticationError("key"), "config", "failed"),
        (
            sdk.InvalidRequestError("no such", "id"),  # type: ignore[no-untyped-call]
            "config",
            "failed",
        ),
        (sdk.APIError("boom"), "processing", "unknown"),
        (sdk.IdempotencyError("other parameters"), "config", "failed"),
        (
            sdk.CardError("Declined.", None, None),  # type: ignore[no-untyped-call]
            "soft",
            "failed",
        ),
        (
            sdk.InvalidRequestError(  # type: ignore[no-untyped-call]
                "new",
                None,
                "a_code_of_2030",
                json_body={"error": {"type": "invalid_request_error"}},
            ),
            "config",
            "failed",
        ),
    ],
)
def test_other_exceptions_of_the_sdk_are_read(
    error: Exception, failure_class: str, outcome: str
) -> None:
    described = describe_exception(error)
    assert described is not None
    failure = read_failure(described, "c-1")
    assert (failure.failure_class, failure.outcome) == (failure_class, outcome)


def test_exceptions_of_others_are_not_ours() -> None:
    stranger = type("CardError", (Exception,), {"__module__": "stripe_of_another_shop"})
    assert describe_exception(ValueError("no")) is None
    assert describe_exception(stranger("no")) is None


def now() -> datetime:
    return datetime.now(UTC)


def sign(body: bytes, secret: str = SECRET, at: float | None = None) -> str:
    stamp = int(at if at is not None else time.time())
    payload = f"{stamp}.{body.decode('utf-8', 'replace')}"
    signature = _webhook.WebhookSignature._compute_signature(payload, secret)
    return f"t={stamp},v1={signature}"


def test_either_of_two_secrets_verifies() -> None:
    body = b'{"id": "evt_1"}'
    for secret in ("whsec_first", "whsec_second"):
        text = gateway.verify(
            body, sign(body, secret), ("whsec_first", "whsec_second"), datetime.now(UTC)
        )
        assert json.loads(text) == {"id": "evt_1"}


@pytest.mark.parametrize(
    ("body", "make_header"),
    [
        (b"{}", lambda: None),
        (b"{}", lambda: ""),
        (b"{}", lambda: "t=1,v1=é"),
        (b"{}", lambda: "nonsense"),
        (b"{}", lambda: sign(b"[]")),
        (b"{}", lambda: sign(b"{}", "whsec_other")),
        (b"{}", lambda: sign(b"{}", at=time.time() - 3600)),
        (b"{}", lambda: sign(b"{}", at=time.time() + 86400)),
        (b"\xff\xfe", lambda: sign(b"\xff\xfe")),
        (b"{}", lambda: sign(b"{}") + ",t=99999999999"),
    ],
    ids=[
        "none",
        "empty",
        "not ASCII",
        "nonsense",
        "another body",
        "another secret",
        "too old",
        "from the future",
        "not UTF-8",
        "two times",
    ],
)
def test_what_does_not_verify_is_refused(
    body: bytes, make_header: Callable[[], str | None]
) -> None:
    with pytest.raises(SignatureError):
        gateway.verify(body, make_header(), (SECRET,), now())


def told(event: dict[str, Any]) -> Event:
    found = gateway.read_event(event, now())
    assert found is not None
    return found


def test_a_failed_intent_becomes_the_same_event_as_the_shops_signal() -> None:
    event = told(stripe_failure("ch_9", decline_code="do_not_honor"))
    assert event.id == "stripe:payment_failed:ch_9"
    assert event.checkout_ref == "c-1"
    assert event.data["decline_code"] == "do_not_honor"
    assert (event.data["amount_minor"], event.data["currency"]) == (12000, "USD")
    assert event.data["livemode"] is False


def failed_charge(**changes: Any) -> dict[str, Any]:
    charge = {
        "id": "ch_9",
        "object": "charge",
        "payment_intent": "pi_1",
        "failure_code": "card_declined",
        "outcome": {
            "type": "issuer_declined",
            "reason": "do_not_honor",
            "network_decline_code": "05",
            "advice_code": "try_again_later",
        },
        "payment_method_details": {"type": "card"},
        **changes,
    }
    return stripe_event("charge.failed", charge)


def test_a_failed_charge_and_its_intent_are_one_failure() -> None:
    charge, intent = (
        told(failed_charge()),
        told(stripe_failure("ch_9", decline_code="do_not_honor")),
    )
    assert charge.id == intent.id
    assert charge.data["payment_id"] == intent.data["payment_id"] == "pi_1"
    assert charge.data["method"] == "card"
    classes = {read_failure(one.data, None).failure_class for one in (charge, intent)}
    assert classes == {FailureClass.SOFT}


def test_what_radar_blocked_is_fraud_by_its_charge_too() -> None:
    outcome = {"type": "blocked", "reason": "highest_risk_level"}
    assert read_failure(told(failed_charge(outcome=outcome)).data, None).failure_class == "fraud"


def test_a_failed_charge_that_names_no_checkout_leaves_it_to_its_intent() -> None:
    assert gateway.read_event(failed_charge(metadata={}), now()) is None
    direct = told(failed_charge(metadata={}, payment_intent=None))
    assert (direct.name, direct.checkout_ref) == ("payment_failed", None)


def test_a_webhook_without_a_checkout_never_takes_the_place_of_the_shops_report() -> None:
    event = stripe_failure("ch_9")
    event["data"]["object"]["metadata"] = {}
    assert told(event).id == "stripe:evt_ch_9"


def test_a_try_that_made_no_charge_is_not_the_one_before() -> None:
    error = {"code": "payment_intent_authentication_failure", "type": "invalid_request_error"}
    event = stripe_event(
        "payment_intent.payment_failed", {"last_payment_error": error, "latest_charge": "ch_before"}
    )
    found = told(event)
    assert "attempt_id" not in found.data
    assert found.id == "stripe:evt_payment_intent.payment_failed"
    assert read_failure(found.data, None).failure_class == "auth"


@pytest.mark.parametrize(
    "about",
    [
        {"latest_charge": "ch_ok"},
        {"latest_charge": {"id": "ch_ok", "object": "charge"}},
        {"charges": {"data": [{"id": "ch_ok"}]}},
    ],
)
@pytest.mark.parametrize(
    "kind", ["payment_intent.succeeded", "payment_intent.amount_capturable_updated"]
)
def test_the_money_is_there(kind: str, about: dict[str, Any]) -> None:
    event = told(stripe_event(kind, about))
    assert (event.id, event.name) == ("stripe:payment_succeeded:ch_ok", "payment_succeeded")


def test_a_cancelled_intent_is_no_failure() -> None:
    event = told(
        stripe_event(
            "payment_intent.canceled",
            {"cancellation_reason": "abandoned", "latest_charge": "ch_before"},
        )
    )
    assert (event.name, event.data["reason"]) == ("payment_canceled", "abandoned")
    assert "attempt_id" not in event.data


def test_a_confirmation_that_is_asked_for_is_a_beginning() -> None:
    about = {"latest_charge": "ch_before", "payment_method_types": ["card"]}
    event = told(stripe_event("payment_intent.requires_action", about))
    assert (event.name, event.data["action"]) == ("payment_started", True)
    assert "attempt_id" not in event.data


@pytest.mark.parametrize(
    ("kind", "about", "expected"),
    [
        ("expired", {}, "payment_canceled"),
        ("async_payment_failed", {}, "payment_failed"),
        ("completed", {"payment_status": "paid"}, "payment_succeeded"),
        ("async_payment_succeeded", {"payment_status": "paid"}, "payment_succeeded"),
        ("completed", {"payment_status": "unpaid"}, None),
        ("completed", {"payment_status": "no_payment_required"}, None),
    ],
)
def test_checkout_sessions_are_read(kind: str, about: dict[str, Any], expected: str | None) -> None:
    session: dict[str, Any] = {"id": "cs_1", "object": "checkout.session", "payment_intent": "pi_1"}
    session |= {"amount_total": 990, **about}
    event = gateway.read_event(stripe_event(f"checkout.session.{kind}", session), now())
    if expected is None:
        assert event is None
        return
    assert event is not None
    assert (event.name, event.checkout_ref, event.data["payment_id"]) == (expected, "c-1", "pi_1")
    assert event.data["amount_minor"] == 990
    if expected == "payment_failed":
        failure = read_failure(event.data, None)
        assert (failure.failure_class, failure.unmapped) == ("soft", False)


def test_amounts_are_in_minor_units_of_iso_4217() -> None:
    amounts = {}
    for currency in ("usd", "jpy", "bhd", "isk", "ugx", "mga"):
        event = told(
            stripe_event("payment_intent.succeeded", {"currency": currency, "amount": 5000})
        )
        amounts[event.data["currency"]] = event.data["amount_minor"]
    assert amounts == {
        "USD": 5000,
        "JPY": 5000,
        "BHD": 5000,
        "ISK": 50,
        "UGX": 50,
        "MGA": 500000,
    }


@pytest.mark.parametrize("created", [None, -1, 0, True, "x", 2**70, 4_000_000_000, 1e300])
def test_an_instant_that_can_not_be_is_now(created: Any) -> None:
    at = now()
    event = gateway.read_event(stripe_event("payment_intent.succeeded", {}, created=created), at)
    assert event is not None
    assert event.at == at


@pytest.mark.parametrize(
    "about",
    [
        {"id": ["x"], "amount": True, "currency": 5, "metadata": [], "last_payment_error": "x"},
        {"amount": 2**80, "currency": "us\x00", "metadata": {"checkout_ref": {"a": 1}}},
        {"last_payment_error": {"code": {"x": 1}, "decline_code": 5, "charge": [1]}},
        {"metadata": {"checkout_ref": "c\x00\ud800" + "x" * 999}, "livemode": "yes"},
        {"charges": {"data": "x"}, "latest_charge": {"id": 5}, "payment_method_types": [None]},
    ],
)
@pytest.mark.parametrize("kind", ["payment_intent.payment_failed", "payment_intent.succeeded"])
def test_odd_values_are_left_out(kind: str, about: dict[str, Any]) -> None:
    event = told(stripe_event(kind, about))
    json.dumps(dict(event.data)).encode()
    assert len(event.id) <= 255
    ref = event.checkout_ref or ""
    assert len(ref) <= 255
    assert "\x00" not in ref.encode().decode()
    read_failure(event.data, event.checkout_ref)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "evt_1", "type": "charge.refunded", "data": {"object": {"id": "ch_1"}}},
        {"id": "evt_1", "type": "charge.failed", "data": {"object": {}}},
        {"id": "evt_1", "type": "payment_intent.succeeded", "data": []},
        {"id": 5, "type": "payment_intent.succeeded", "data": {"object": {"id": "pi_1"}}},
        {"id": "evt_1", "type": ["payment_intent.succeeded"], "data": {"object": {"id": "pi"}}},
    ],
)
def test_other_webhooks_say_nothing(body: dict[str, Any]) -> None:
    assert gateway.read_event(body, now()) is None


@pytest.mark.parametrize(
    ("status", "more", "signal"),
    [
        ("succeeded", {"latest_charge": "ch_1"}, "payment_succeeded"),
        ("requires_capture", {"latest_charge": "ch_1"}, "payment_succeeded"),
        ("requires_action", {}, "payment_started"),
        (
            "requires_payment_method",
            {"last_payment_error": {"code": "expired_card", "charge": "ch_1"}},
            "payment_failed",
        ),
        ("canceled", {}, "payment_canceled"),
        ("requires_payment_method", {}, None),
        ("processing", {}, None),
    ],
)
def test_the_sdks_intents_are_read(status: str, more: dict[str, Any], signal: str | None) -> None:
    values = {"id": "pi_1", "object": "payment_intent", "status": status, **more}
    found = describe_result(sdk.PaymentIntent.construct_from(values, "sk_test_1"))
    if signal is None:
        assert found is None
        return
    assert found is not None
    name, arguments = found
    assert (name, arguments["provider"], arguments["payment_id"]) == (signal, "stripe", "pi_1")
    assert arguments.get("attempt_id") == ("ch_1" if more else None)


def test_the_sdks_charges_are_read() -> None:
    values = {"id": "ch_1", "object": "charge", "status": "failed", "failure_code": "expired_card"}
    found = describe_result(sdk.Charge.construct_from(values, "sk_test_1"))
    assert found is not None
    assert (found[0], found[1]["attempt_id"]) == ("payment_failed", "ch_1")


def test_results_of_others_are_not_ours() -> None:
    assert describe_result({"object": "payment_intent", "status": "succeeded"}) is None
    assert describe_result(None) is None


@pytest.mark.parametrize(
    ("payment", "url"),
    [
        (
            {"payment_id": "pi_1", "livemode": False},
            "https://dashboard.stripe.com/test/payments/pi_1",
        ),
        ({"payment_id": "pi_1", "livemode": True}, "https://dashboard.stripe.com/payments/pi_1"),
        ({"attempt_id": "ch_1"}, "https://dashboard.stripe.com/payments/ch_1"),
        (
            {"payment_id": "pi_1", "livemode": False, "account": "acct_1"},
            "https://dashboard.stripe.com/acct_1/test/payments/pi_1",
        ),
        ({"payment_id": "pi_1/../../evil"}, None),
        ({}, None),
    ],
)
def test_the_dashboard_is_that_of_the_payments_mode(
    payment: dict[str, Any], url: str | None
) -> None:
    assert dashboard_url({"provider": "stripe", **payment}) == url
