"""PayPal's webhooks: what is signed, with which certificate, and what it says."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flask_checkout_case.errors import (
    InvalidInputError,
    MissingExtraError,
    SignatureError,
)
from flask_checkout_case.gateways import paypal, read_failure
from flask_checkout_case.types import Event
from tests.support.paypal import (
    PAYPAL_IDS,
    paypal_capture,
    paypal_event,
    paypal_order,
    paypal_signer,
)


def now() -> datetime:
    return datetime.now(UTC)


def read(raw: bytes, headers: dict[str, str] | None = None) -> list[Event]:
    signer = paypal_signer()
    headers = signer.headers(raw) if headers is None else headers
    return paypal.read_webhook(raw, headers, PAYPAL_IDS, now(), signer.certificates())


def test_a_denied_capture_is_a_failure() -> None:
    (event,) = read(paypal_event())
    assert (event.id, event.name, event.checkout_ref) == (
        "paypal:payment_failed:42311647XV020574X",
        "payment_failed",
        "c-1",
    )
    assert (event.data["amount_minor"], event.data["currency"]) == (12000, "USD")
    assert (event.data["payment_id"], event.data["livemode"]) == ("5O190127TN364715T", False)
    assert event.data["gateway_event"] == "WH-58D329510W468432D-8HN650336L201105X"
    assert abs(event.at - now()) < timedelta(minutes=1)
    assert read_failure(event.data, "c-1").failure_class == "funds"


@pytest.mark.parametrize("webhook_id", PAYPAL_IDS)
def test_either_webhook_id_verifies(webhook_id: str) -> None:
    raw = paypal_event()
    assert len(read(raw, paypal_signer().headers(raw, webhook_id))) == 1


def test_a_redelivery_is_the_same_event() -> None:
    raw = paypal_event(resource=paypal_capture(custom_id=None))
    later = paypal_signer().headers(raw, at=now() - timedelta(days=2))
    (first,), (second,) = read(raw), read(raw, later)
    assert first.id == second.id == "paypal:WH-58D329510W468432D-8HN650336L201105X"


SPOILT: list[Callable[[dict[str, str]], Any]] = [
    *(
        lambda headers, name=name: headers.pop(name)
        for name in (
            "PAYPAL-TRANSMISSION-ID",
            "PAYPAL-TRANSMISSION-TIME",
            "PAYPAL-TRANSMISSION-SIG",
            "PAYPAL-CERT-URL",
            "PAYPAL-AUTH-ALGO",
        )
    ),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-ID": "another"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-ID": "a|b"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-ID": "é"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-TIME": "2026-01-01T00:00:00Z"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-TIME": "2026-13-45T00:00:00Z"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-TIME": "2026-01-01|00:00:00Z"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-TIME": "2026-01-01T00:00:00"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-TIME": "yesterday"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-SIG": ""}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-SIG": "é"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-SIG": "!"}),
    lambda headers: headers.update({"PAYPAL-TRANSMISSION-SIG": "QUFB"}),
    lambda headers: headers.update({"PAYPAL-AUTH-ALGO": "SHA1withRSA"}),
    lambda headers: headers.update({"PAYPAL-AUTH-ALGO": "none"}),
]


@pytest.mark.parametrize("spoil", SPOILT)
def test_what_does_not_verify_is_refused(spoil: Callable[[dict[str, str]], Any]) -> None:
    raw = paypal_event()
    headers = paypal_signer().headers(raw)
    spoil(headers)
    with pytest.raises(SignatureError):
        read(raw, headers)


def test_forged_bodies_ids_and_keys_are_refused() -> None:
    raw, signer = paypal_event(), paypal_signer()
    forger = paypal_signer("messageverificationcerts.paypal.com")
    for body, headers in (
        (raw.replace(b"120.00", b"1.00"), signer.headers(raw)),
        (raw + b" ", signer.headers(raw)),
        (b"", signer.headers(raw)),
        (raw, signer.headers(raw, "4JH86294D6297924H")),
        (raw, signer.headers(raw, "")),
        (raw, forger.headers(raw)),
    ):
        with pytest.raises(SignatureError):
            read(body, headers)


@pytest.mark.parametrize(
    ("ahead", "refused"), [(86400, True), (310, True), (290, False), (-3 * 86400, False)]
)
def test_what_was_sent_in_the_future_is_refused(ahead: int, refused: bool) -> None:
    raw = paypal_event()
    headers = paypal_signer().headers(raw, at=now() + timedelta(seconds=ahead))
    if not refused:
        assert len(read(raw, headers)) == 1
        return
    with pytest.raises(SignatureError):
        read(raw, headers)


@pytest.mark.parametrize(
    ("kind", "resource", "signal", "failure_class"),
    [
        ("PAYMENT.CAPTURE.COMPLETED", paypal_capture(), "payment_succeeded", None),
        ("PAYMENT.CAPTURE.DENIED", paypal_capture(), "payment_failed", "funds"),
        ("PAYMENT.CAPTURE.DECLINED", paypal_capture(), "payment_failed", "funds"),
        (
            "PAYMENT.CAPTURE.DENIED",
            {"id": "A", "status": "DECLINED", "custom_id": "c-1"},
            "payment_failed",
            "soft",
        ),
        (
            "PAYMENT.AUTHORIZATION.CREATED",
            {"id": "A", "status": "CREATED", "custom_id": "c-1"},
            "payment_succeeded",
            None,
        ),
        (
            "PAYMENT.AUTHORIZATION.DENIED",
            {"id": "A", "status": "DENIED", "custom_id": "c-1"},
            "payment_failed",
            "soft",
        ),
        (
            "PAYMENT.AUTHORIZATION.VOIDED",
            {"id": "A", "status": "VOIDED", "custom_id": "c-1"},
            "payment_canceled",
            None,
        ),
        (
            "PAYMENT.SALE.COMPLETED",
            {"id": "A", "state": "completed", "custom": "c-1"},
            "payment_succeeded",
            None,
        ),
        (
            "PAYMENT.SALE.DENIED",
            {"id": "A", "state": "denied", "custom": "c-1"},
            "payment_failed",
            "soft",
        ),
        ("CHECKOUT.ORDER.DECLINED", paypal_order(), "payment_failed", "soft"),
        ("CHECKOUT.ORDER.DECLINED", paypal_order(paypal_capture()), "payment_failed", "funds"),
        (
            "CHECKOUT.PAYMENT-APPROVAL.REVERSED",
            {"order_id": "5O1", "purchase_units": [{"custom_id": "c-1"}]},
            "payment_failed",
            "processing",
        ),
    ],
)
def test_events_about_payments(
    kind: str, resource: dict[str, Any], signal: str, failure_class: str | None
) -> None:
    (event,) = read(paypal_event(kind, resource))
    assert (event.name, event.checkout_ref) == (signal, "c-1")
    assert event.data["provider"] == "paypal"
    if failure_class is not None:
        failure = read_failure(event.data, None)
        assert (failure.failure_class, failure.unmapped) == (failure_class, False)
        assert failure.outcome == "failed"


@pytest.mark.parametrize(
    ("kind", "resource"),
    [
        ("PAYMENT.CAPTURE.PENDING", paypal_capture(status="PENDING")),
        ("PAYMENT.CAPTURE.REFUNDED", paypal_capture(status="COMPLETED")),
        ("PAYMENT.CAPTURE.REVERSED", paypal_capture()),
        ("PAYMENT.AUTHORIZATION.CREATED", paypal_capture(status="PENDING")),
        ("CHECKOUT.ORDER.APPROVED", paypal_order()),
        ("CUSTOMER.DISPUTE.CREATED", {"dispute_id": "PP-D-1"}),
        ("OF.2030", paypal_capture()),
        ("PAYMENT.CAPTURE.DENIED", {}),
        ("PAYMENT.CAPTURE.DENIED", []),
    ],
)
def test_other_events_say_nothing(kind: str, resource: Any) -> None:
    assert read(paypal_event(kind, resource)) == []
    assert read(paypal_event(kind, resource, id=None)) == []


def test_capture_and_authorisation_are_one_try() -> None:
    related = {"related_ids": {"order_id": "5O1", "authorization_id": "AUTH1"}}
    made = {"id": "AUTH1", "status": "CREATED", "custom_id": "c-1"}
    captured = paypal_capture(status="COMPLETED", supplementary_data=related)
    (first,) = read(paypal_event("PAYMENT.AUTHORIZATION.CREATED", made))
    (second,) = read(paypal_event("PAYMENT.CAPTURE.COMPLETED", captured, id="WH-2"))
    assert first.id == second.id == "paypal:payment_succeeded:AUTH1"


@pytest.mark.parametrize("key", [None, "", 5, ["x"]])
def test_an_event_without_an_id_is_refused(key: Any) -> None:
    with pytest.raises(InvalidInputError):
        read(paypal_event(id=key))


@pytest.mark.parametrize("date", [None, 5, "yesterday", "2126-01-01T00:00:00Z", "0001-01-01"])
def test_a_date_that_tells_no_instant_says_nothing(date: Any) -> None:
    (event,) = read(paypal_event(create_time=date))
    assert abs(event.at - now()) < timedelta(minutes=1)


def test_an_event_happened_when_paypal_says() -> None:
    (event,) = read(paypal_event(create_time="2026-01-10T13:40:54.123Z"))
    assert event.at == datetime(2026, 1, 10, 13, 40, 54, tzinfo=UTC)


@pytest.mark.parametrize(
    "resource",
    [
        {"id": 5},
        {"id": "A", "amount": []},
        {"id": "A", "links": [5, {"href": 5}, {"href": "https://["}, {"rel": "up", "href": None}]},
        {"id": "A", "supplementary_data": [], "processor_response": "x", "status_details": 5},
        {"id": "A", "custom_id": ["c-1"]},
        {"id": "A\x00", "custom_id": "c\ud8001"},
        {"id": "A", "purchase_units": [5, {"payments": 5}], "payment_source": 5},
    ],
)
@pytest.mark.parametrize("kind", ["PAYMENT.CAPTURE.DENIED", "CHECKOUT.ORDER.DECLINED"])
def test_signed_nonsense_is_read_as_far_as_it_goes(kind: str, resource: dict[str, Any]) -> None:
    (event,) = read(paypal_event(kind, resource))
    json.dumps(dict(event.data))


@pytest.mark.parametrize("raw", [b"", b"[]", b"null", b"\xff\xfe", b"[" * 50_000, b"5"])
def test_what_is_signed_and_no_event_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read(raw)


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_cryptography(name: str, *arguments: Any) -> Any:
        if name == "paypal_certificates":
            raise ImportError("cryptography")
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_cryptography)
    with pytest.raises(MissingExtraError, match=r"flask-checkout-case\[paypal\]"):
        paypal.read_webhook(b"{}", {}, PAYPAL_IDS, now())
