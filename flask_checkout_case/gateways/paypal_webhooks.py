"""PayPal's webhooks: the signature is verified here, since the official SDK doesn't.

Signed is ``transmission id|time|webhook id|CRC-32 of the body``, by RSA with SHA-256.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from ..errors import InvalidInputError, MissingExtraError, SignatureError
from ..types import Event
from . import paypal_objects as objects
from .events import Told, refuse_future, told_instant, webhook_event
from .reading import json_object, mapping

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    from .paypal_certificates import Certificates

NAME: Final = "paypal"
EXTRA: Final = "paypal"
ALGORITHM: Final = "SHA256withRSA"

_PAYMENTS: Final[Mapping[str, str]] = {
    "PAYMENT.CAPTURE.COMPLETED": "payment_succeeded",
    "PAYMENT.CAPTURE.DENIED": "payment_failed",
    "PAYMENT.CAPTURE.DECLINED": "payment_failed",
    "PAYMENT.AUTHORIZATION.CREATED": "payment_succeeded",
    "PAYMENT.AUTHORIZATION.DENIED": "payment_failed",
    "PAYMENT.AUTHORIZATION.VOIDED": "payment_canceled",
    "PAYMENT.SALE.COMPLETED": "payment_succeeded",
    "PAYMENT.SALE.DENIED": "payment_failed",
}
_FAILED_ORDERS: Final[Mapping[str, str]] = {
    "CHECKOUT.ORDER.DECLINED": "ORDER_DECLINED",
    "CHECKOUT.PAYMENT-APPROVAL.REVERSED": "PAYMENT_APPROVAL_REVERSED",
}
_ID: Final = re.compile("[A-Za-z0-9-]{1,64}")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
)


def read_webhook(
    raw: bytes,
    headers: Mapping[str, str],
    secrets: Sequence[str],
    now: datetime,
    certificates: Certificates | None = None,
) -> list[Event]:
    """Verify a webhook and read it; an empty list when it says nothing about a payment.

    Args:
        secrets: the webhook's id, or two of which either may have been signed.
        certificates: where PayPal's come from; those of this process when ``None``.

    Raises:
        SignatureError: it doesn't verify.
        InvalidInputError: it is no JSON object.
        UnavailableError: the certificate can't be had at present; PayPal sends the webhook again.
        MissingExtraError: the ``paypal`` extra is not installed.
    """
    verify(raw, headers, secrets, now, certificates or _certificates())
    event = read_event(json_object(raw), now)
    return [] if event is None else [event]


def _certificates() -> Certificates:
    try:
        from .paypal_certificates import CERTIFICATES
    except ImportError as error:
        raise MissingExtraError(
            "webhooks of PayPal need the extra: pip install 'flask-checkout-case[paypal]'"
        ) from error
    return CERTIFICATES


def verify(
    raw: bytes,
    headers: Mapping[str, str],
    webhook_ids: Sequence[str],
    now: datetime,
    certificates: Certificates,
) -> None:
    """Check the signature of the body exactly as received.

    Raises:
        SignatureError: for anything that does not verify.
        UnavailableError: the certificate can't be had at present.
    """
    transmission = _header(headers, "PAYPAL-TRANSMISSION-ID", _ID)
    sent_at = _header(headers, "PAYPAL-TRANSMISSION-TIME", _INSTANT)
    at = _instant(sent_at)
    if at is None:
        raise SignatureError("PAYPAL-TRANSMISSION-TIME is no instant")
    refuse_future(at, now)
    if headers.get("PAYPAL-AUTH-ALGO") != ALGORITHM:
        raise SignatureError(f"PAYPAL-AUTH-ALGO is not {ALGORITHM}")
    signature = _signature(headers.get("PAYPAL-TRANSMISSION-SIG"))
    key = certificates.key(headers.get("PAYPAL-CERT-URL") or "", now)
    texts = (signed_text(transmission, sent_at, one, raw) for one in webhook_ids)
    if not any(_has_signed(key, signature, text) for text in texts):
        raise SignatureError("the signature does not verify")


def signed_text(transmission: str, sent_at: str, webhook_id: str, raw: bytes) -> bytes:
    return f"{transmission}|{sent_at}|{webhook_id}|{zlib.crc32(raw)}".encode()


def _header(headers: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    value = headers.get(name)
    # A bar within one of them would move what is signed into another.
    if not value or not form.fullmatch(value):
        raise SignatureError(f"there is no usable {name}")
    return value


def _signature(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except ValueError as error:
        raise SignatureError("PAYPAL-TRANSMISSION-SIG is no base64") from error


def _has_signed(key: RSAPublicKey, signature: bytes, text: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        key.verify(signature, text, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def read_event(body: Mapping[str, Any], now: datetime) -> Event | None:
    """Turn a verified webhook into an :class:`Event`; ``None`` when it says nothing for us.

    Raises:
        InvalidInputError: it says something and has no id, by which redeliveries are told.
    """
    said = _said(str(body.get("event_type")), mapping(body.get("resource")))
    if said is None:
        return None
    key = body.get("id")
    if not isinstance(key, str) or not key:
        raise InvalidInputError("expected an event with an id")
    signal, told = said
    at = _instant(body.get("create_time"))
    return webhook_event(
        NAME,
        signal,
        {name: value for name, value in told.items() if name != "checkout_ref"},
        key=key,
        at=told_instant(int(at.timestamp()) if at is not None else None, now),
        checkout_ref=told.get("checkout_ref"),
    )


def _said(kind: str, about: Mapping[str, Any]) -> Told | None:
    if not about:
        return None
    if kind in _FAILED_ORDERS:
        return "payment_failed", _failed_order(about, _FAILED_ORDERS[kind])
    signal = _PAYMENTS.get(kind)
    if signal is None or objects.is_pending(about):
        return None
    return signal, objects.told_of(signal, about)


def _failed_order(order: Mapping[str, Any], code: str) -> dict[str, Any]:
    """Read an order by the payment of it that failed, where it tells of one."""
    told = objects.read_order(order)
    if told is not None and told[0] == "payment_failed":
        return dict(told[1])
    return {**objects.told_of_order(order), "failure_code": code}


def _instant(text: Any) -> datetime | None:
    if not isinstance(text, str) or not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
