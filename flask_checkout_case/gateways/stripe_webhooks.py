"""Stripe's webhooks: verified by the official library on the raw bytes, with its gaps closed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from ..errors import MissingExtraError, SignatureError
from ..types import Event
from . import stripe_objects as objects
from .events import TOLERANCE, Told, refuse_future, told_instant, webhook_event
from .reading import json_object, mapping

NAME: Final = "stripe"
EXTRA: Final = "stripe"

_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Told | None]]] = {
    "payment_intent.payment_failed": objects.intent_failed,
    "payment_intent.succeeded": objects.intent_succeeded,
    "payment_intent.amount_capturable_updated": objects.intent_succeeded,
    "payment_intent.canceled": objects.intent_canceled,
    "payment_intent.requires_action": objects.intent_waiting,
    "charge.failed": objects.charge_failed,
    "checkout.session.completed": objects.session_paid,
    "checkout.session.async_payment_succeeded": objects.session_paid,
    "checkout.session.async_payment_failed": objects.session_failed,
    "checkout.session.expired": objects.session_expired,
}


def read_webhook(
    raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
) -> list[Event]:
    """Verify a webhook and read it; an empty list when it says nothing about a payment.

    Raises:
        SignatureError: it doesn't verify.
        InvalidInputError: it is no JSON object.
        MissingExtraError: the ``stripe`` extra is not installed.
    """
    text = verify(raw, headers.get("Stripe-Signature"), secrets, now)
    event = read_event(json_object(text), now)
    return [] if event is None else [event]


def verify(raw: bytes, signature: str | None, secrets: Sequence[str], now: datetime) -> str:
    """Check the signature with the official library and return the body as text.

    Args:
        raw: the body exactly as received.
        signature: the ``Stripe-Signature`` header.
        secrets: one or two live secrets; either may have signed.
        now: aware UTC.

    Raises:
        MissingExtraError: the ``stripe`` extra is not installed.
        SignatureError: for anything that does not verify, whatever the library made of it.
    """
    try:
        from stripe import WebhookSignature
    except ImportError as error:
        raise MissingExtraError(
            "webhooks of Stripe need the extra: pip install 'flask-checkout-case[stripe]'"
        ) from error
    if not signature or not signature.isascii():
        raise SignatureError("there is no usable Stripe-Signature header")
    # The library accepts a timestamp a day ahead.
    refuse_future(_signed_at(signature), now)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SignatureError("the body is not UTF-8") from error
    for secret in secrets:
        try:
            if WebhookSignature.verify_header(
                text, signature, secret, int(TOLERANCE.total_seconds())
            ):
                return text
        except Exception:  # noqa: S112, BLE001 - the library raises many kinds; all mean "no"
            continue
    raise SignatureError("the signature does not verify")


def _signed_at(signature: str) -> datetime:
    stamps = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > 11:
        raise SignatureError("the signature has no single timestamp")
    return datetime.fromtimestamp(int(stamps[0]), UTC)


def read_event(body: Mapping[str, Any], now: datetime) -> Event | None:
    """Turn a verified webhook into an :class:`Event`; ``None`` when it says nothing for us."""
    read = _READERS.get(str(body.get("type")))
    about = mapping(mapping(body.get("data")).get("object"))
    key = body.get("id")
    if read is None or not about or not isinstance(key, str) or not key:
        return None
    said = read(about)
    metadata = mapping(about.get("metadata"))
    if said is None or _is_told_by_its_intent(about, metadata):
        return None
    signal, told = said
    return webhook_event(
        NAME,
        signal,
        {**told, "account": body.get("account")},
        key=key,
        at=told_instant(body.get("created"), now),
        checkout_ref=metadata.get("checkout_ref"),
        order_ref=metadata.get("order_ref"),
    )


def _is_told_by_its_intent(about: Mapping[str, Any], metadata: Mapping[str, Any]) -> bool:
    """Whether this is a failed charge that names no checkout: the intent's event may name it."""
    is_charge = about.get("object") == "charge" and about.get("payment_intent") is not None
    return is_charge and not (metadata.get("checkout_ref") or metadata.get("order_ref"))
