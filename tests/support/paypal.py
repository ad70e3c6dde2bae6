"""What PayPal sends, signed with a key made here, and its API on this machine."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from flask_checkout_case.gateways.paypal_certificates import Certificates
from flask_checkout_case.gateways.paypal_webhooks import ALGORITHM, signed_text
from flask_checkout_case.types import utc_now

PAYPAL_IDS: Final = ("8PT597110X687430LKGECATA", "4JH86294D6297924G")
CERT_URL: Final = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"
NAME: Final = "messageverificationcerts.sandbox.paypal.com"


def paypal_certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    name: str = NAME,
    since: timedelta = timedelta(days=-3650),
    until: timedelta = timedelta(days=3650),
) -> bytes:
    """Return a certificate for ``name`` as PEM text, valid from and until so long from now."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc_now() + since)
        .not_valid_after(utc_now() + until)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


@dataclass(frozen=True)
class Signer:
    """Who signs like PayPal."""

    key: rsa.RSAPrivateKey
    pem: bytes

    def certificates(self, ask: Callable[[str], object] = str) -> Certificates:
        """Return certificates of which each address has this one; ``ask`` hears the address."""

        def fetch(url: str) -> bytes:
            ask(url)
            return self.pem

        return Certificates(fetch)

    def headers(
        self,
        raw: bytes,
        webhook_id: str = PAYPAL_IDS[0],
        at: datetime | None = None,
    ) -> dict[str, str]:
        sent_at = f"{at or utc_now():%Y-%m-%dT%H:%M:%SZ}"
        transmission = "dfb3be50-fd74-11e4-8bf3-77339302725b"
        text = signed_text(transmission, sent_at, webhook_id, raw)
        signature = self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
        return {
            "PAYPAL-TRANSMISSION-ID": transmission,
            "PAYPAL-TRANSMISSION-TIME": sent_at,
            "PAYPAL-TRANSMISSION-SIG": base64.b64encode(signature).decode(),
            "PAYPAL-CERT-URL": CERT_URL,
            "PAYPAL-AUTH-ALGO": ALGORITHM,
            "Content-Type": "application/json",
        }


@functools.cache
def paypal_signer(name: str = NAME) -> Signer:
    """Make a key and its certificate; one of each name in this process."""
    key = rsa.generate_private_key(65537, 2048)
    return Signer(key, paypal_certificate(key, name))


def paypal_capture(**changes: Any) -> dict[str, Any]:
    """Return a declined capture of the checkout ``c-1``."""
    return {
        "id": "42311647XV020574X",
        "status": "DECLINED",
        "amount": {"currency_code": "USD", "value": "120.00"},
        "custom_id": "c-1",
        "supplementary_data": {"related_ids": {"order_id": "5O190127TN364715T"}},
        "processor_response": {"response_code": "5120"},
        "links": [
            {
                "href": "https://api.sandbox.paypal.com/v2/payments/captures/42311647XV020574X",
                "rel": "self",
                "method": "GET",
            }
        ],
        **changes,
    }


def paypal_order(*captures: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an order of the checkout ``c-1``, with these captures."""
    unit = {
        "reference_id": "default",
        "custom_id": "c-1",
        "amount": {"currency_code": "USD", "value": "120.00"},
        "payments": {"captures": list(captures)},
    }
    return {
        "id": "5O190127TN364715T",
        "status": "COMPLETED",
        "payment_source": {"card": {"last_digits": "7704"}},
        "purchase_units": [unit],
        "links": [
            {
                "href": "https://api-m.sandbox.paypal.com/v2/checkout/orders/5O190127TN364715T",
                "rel": "self",
                "method": "GET",
            }
        ],
        **changes,
    }


def paypal_event(
    kind: str = "PAYMENT.CAPTURE.DENIED",
    resource: Mapping[str, Any] | None = None,
    **changes: Any,
) -> bytes:
    """Return a webhook's body, about a declined capture of the checkout ``c-1``."""
    body = {
        "id": "WH-58D329510W468432D-8HN650336L201105X",
        "event_type": kind,
        "resource_type": "capture",
        "create_time": f"{utc_now():%Y-%m-%dT%H:%M:%S.000Z}",
        "resource": paypal_capture() if resource is None else resource,
        **changes,
    }
    return json.dumps(body).encode()
