"""PayPal's certificates: asked for at PayPal alone, kept, and believed only in PayPal's name."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from flask_checkout_case import egress
from flask_checkout_case.errors import EgressRefusedError, SignatureError, UnavailableError
from flask_checkout_case.gateways import paypal, paypal_certificates
from flask_checkout_case.gateways.paypal_certificates import MOST_FETCHES, MOST_KEPT, Certificates
from flask_checkout_case.types import Event
from tests.support.paypal import (
    CERT_URL,
    PAYPAL_IDS,
    paypal_certificate,
    paypal_event,
    paypal_signer,
)

FOLDER = "https://api.paypal.com/v1/notifications/certs/"


def now() -> datetime:
    return datetime.now(UTC)


def read(certificates: Certificates, url: str = CERT_URL) -> list[Event]:
    """Read a genuine webhook whose certificate is said to lie at ``url``."""
    raw = paypal_event()
    headers = paypal_signer().headers(raw) | {"PAYPAL-CERT-URL": url}
    return paypal.read_webhook(raw, headers, PAYPAL_IDS, now(), certificates)


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
    with pytest.raises(SignatureError):
        read(paypal_signer().certificates(asked.append), url)
    assert asked == []


@pytest.mark.parametrize("url", [CERT_URL, FOLDER + "CERT-360caa42-fca2a594-a5cafa77"])
def test_a_certificate_is_asked_for_once(url: str) -> None:
    asked: list[str] = []
    certificates = paypal_signer().certificates(asked.append)
    for _ in range(5):
        assert len(read(certificates, url)) == 1
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
            read(certificates)
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
        read(Certificates(fetch))
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
