"""PayPal's webhooks: what is signed, with which certificate, and what it says."""

from __future__ import annotations

import builtins
import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from flask_checkout_case import egress
from flask_checkout_case.errors import (
    EgressRefusedError,
    InvalidInputError,
    MissingExtraError,
    SignatureError,
    UnavailableError,
)
from flask_checkout_case.gateways import paypal, paypal_certificates, read_failure
from flask_checkout_case.gateways.paypal_certificates import MOST_FETCHES, MOST_KEPT, Certificates
from flask_checkout_case.types import Event
from tests.support.paypal import (
    CERT_URL,
    PAYPAL_IDS,
    paypal_capture,
    paypal_certificate,
    paypal_event,
    paypal_order,
    paypal_signer,
)

FOLDER = "https://api.paypal.com/v1/notifications/certs/"


def now() -> datetime:
    return datetime.now(UTC)


def read(raw: bytes, headers: dict[str, str] | None = None, **given: Any) -> list[Event]:
    signer = paypal_signer()
    certificates = given.get("certificates") or signer.certificates()
    headers = signer.headers(raw) if headers is None else headers
    return paypal.read_webhook(raw, headers, PAYPAL_IDS, now(), certificates)


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
    "url",
    [
        "",
        "https://evil.example.com/v1/notifications/certs/CERT-1",
        "http://api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com.evil.example.com/v1/notifications/certs/CERT-1",
        "https://evil-api.paypal.com/v1/notifications/certs/CERT-1",
        "https://evilapi.paypal.com/v1/notifications/certs/CERT-1",
        "https://apixpaypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com@evil.example.com/v1/notifications/certs/CERT-1",
        "https://user@api.paypal.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:8443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com:443/v1/notifications/certs/CERT-1",
        "https://api.paypal.com\\@evil.example.com/v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/../../../evil",
        "https://api.paypal.com/v1/notifications/certs/CERT-1?x=1",
        "https://api.paypal.com/v1/notifications/certs/CERT-1#x",
        "https://api.paypal.com/v1/notifications/certs/CERT-1\n",
        "https://api.paypal.com/v1/notifications/certs/CERT%2f1",
        "https://api.paypal.com/v1/notifications/certs/",
        "https://api.paypal.com./v1/notifications/certs/CERT-1",
        "https://API.PAYPAL.COM/v1/notifications/certs/CERT-1",
        "https://api.pаypal.com/v1/notifications/certs/CERT-1",  # a Cyrillic а
        "https://www.paypal.com/v1/notifications/certs/CERT-1",
        "//api.paypal.com/v1/notifications/certs/CERT-1",
        "file:///v1/notifications/certs/CERT-1",
        "https://api.paypal.com/v1/notifications/certs/" + "A" * 129,
    ],
)
def test_a_certificate_is_asked_for_nowhere_but_at_paypal(url: str) -> None:
    asked: list[str] = []
    raw, signer = paypal_event(), paypal_signer()
    headers = signer.headers(raw) | {"PAYPAL-CERT-URL": url}
    with pytest.raises(SignatureError):
        read(raw, headers, certificates=signer.certificates(asked.append))
    assert asked == []


@pytest.mark.parametrize("url", [CERT_URL, FOLDER + "CERT-360caa42-fca2a594-a5cafa77"])
def test_a_certificate_is_asked_for_once(url: str) -> None:
    asked: list[str] = []
    raw, signer = paypal_event(), paypal_signer()
    certificates = signer.certificates(asked.append)
    for _ in range(5):
        read(raw, signer.headers(raw) | {"PAYPAL-CERT-URL": url}, certificates=certificates)
    assert asked == [url]


def test_no_more_certificates_are_kept_than_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paypal_certificates, "MOST_FETCHES", 10**6)
    certificates = paypal_signer().certificates()
    for number in range(2 * MOST_KEPT):
        certificates.key(f"{FOLDER}CERT-{number}", now())
    assert len(certificates._kept) == MOST_KEPT


def test_a_flood_of_addresses_asks_paypal_a_few_times_only() -> None:
    asked: list[str] = []
    certificates = paypal_signer().certificates(asked.append)
    certificates.key(CERT_URL, now())
    for number in range(10 * MOST_FETCHES):
        try:
            certificates.key(f"{FOLDER}CERT-{number}", now())
        except UnavailableError:
            continue
    assert len(asked) == MOST_FETCHES
    certificates.key(CERT_URL, now())


WRONG = [
    paypal_certificate(paypal_signer().key, "paypal.com.evil.example.com"),
    paypal_certificate(paypal_signer().key, "evilpaypal.com"),
    paypal_certificate(paypal_signer().key, until=timedelta(days=-1)),
    paypal_certificate(paypal_signer().key, since=timedelta(days=1)),
    paypal_certificate(ec.generate_private_key(ec.SECP256R1())),
]


@pytest.mark.parametrize("pem", WRONG)
def test_a_wrong_certificate_is_refused_and_not_kept(pem: bytes) -> None:
    certificates = Certificates(lambda url: pem)
    for _ in range(2):
        with pytest.raises(SignatureError):
            read(paypal_event(), certificates=certificates)
    assert not certificates._kept


def test_a_certificate_that_has_run_out_is_fetched_again() -> None:
    signer = paypal_signer()
    given = [paypal_certificate(signer.key, until=timedelta(days=1)), signer.pem]
    certificates = Certificates(lambda url: given.pop(0))
    certificates.key(CERT_URL, now())
    certificates.key(CERT_URL, now() + timedelta(days=2))
    assert given == []


def failing(error: Exception) -> Callable[[str], bytes]:
    def fetch(url: str) -> bytes:
        raise error

    return fetch


@pytest.mark.parametrize(
    "fetch",
    [
        failing(OSError("no route")),
        failing(TimeoutError()),
        failing(EgressRefusedError("it isn't public")),
        lambda url: b"",
        lambda url: b"<html>Service unavailable</html>",
        lambda url: b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_certificate_that_can_not_be_had_speaks_against_nobody(
    fetch: Callable[[str], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(UnavailableError) as raised:
        read(paypal_event(), certificates=Certificates(fetch))
    assert raised.value.status == 503
    assert "certificate can't be had" in caplog.text


def test_certificates_go_through_the_one_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def answer(method: str, url: str, **how: Any) -> egress.Response:
        seen.append((method, url, how))
        return egress.Response(200 if len(seen) == 1 else 302, {}, paypal_signer().pem)

    monkeypatch.setattr(egress, "request", answer)
    certificates = Certificates()
    certificates.key(CERT_URL, now())
    assert seen == [("GET", CERT_URL, {"timeout": paypal_certificates.TIMEOUT})]
    with pytest.raises(UnavailableError):
        certificates.key(FOLDER + "CERT-2", now())


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
