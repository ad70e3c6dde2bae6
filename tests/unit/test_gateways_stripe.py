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
from flask_checkout_case.gateways import describe_exception, read_failure
from flask_checkout_case.gateways import stripe_webhooks as gateway
from flask_checkout_case.types import FailureClass

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


def test_an_unknown_code_is_soft_and_flagged() -> None:
    failure = read_failure({"provider": "stripe", "decline_code": "brand_new_reason"}, "c-1")
    assert failure.failure_class is FailureClass.SOFT
    assert failure.unmapped
    assert failure.raw_code == "brand_new_reason"


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
    assert describe_exception(ValueError("no")) is None


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


def failed_intent(**changes: Any) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "type": "payment_intent.payment_failed",
        "created": 1_790_000_000,
        "data": {
            "object": {
                "id": "pi_1",
                "amount": 520000,
                "currency": "usd",
                "metadata": {"checkout_ref": "c-81"},
                "last_payment_error": {
                    "code": "card_declined",
                    "decline_code": "do_not_honor",
                    "charge": "ch_9",
                },
            }
        },
        **changes,
    }


def test_a_failed_intent_becomes_the_same_event_as_the_shops_signal() -> None:
    event = gateway.read_event(failed_intent(), now())
    assert event is not None
    assert event.id == "stripe:payment_failed:ch_9"
    assert event.checkout_ref == "c-81"
    assert event.data["decline_code"] == "do_not_honor"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "evt_1", "type": "charge.failed", "data": {"object": {}}},
        {"id": "evt_1", "type": "payment_intent.succeeded", "data": []},
        {"id": 5, "type": "payment_intent.succeeded", "data": {"object": {}}},
    ],
)
def test_other_webhooks_say_nothing(body: dict[str, Any]) -> None:
    assert gateway.read_event(body, now()) is None
