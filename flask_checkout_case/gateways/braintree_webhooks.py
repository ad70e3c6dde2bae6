"""Braintree's webhooks: verified by the official library, with its gaps closed.

They come as a form. The library verifies any form with a good signature, however old, and raises
whatever comes up on others. Redeliveries are one event, since its key is made of the payload.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs

from ..errors import InvalidInputError, MissingExtraError, SignatureError
from ..types import Event
from . import braintree_objects as objects
from .events import Told, refuse_future, told_instant, webhook_event

NAME: Final = "braintree"
EXTRA: Final = "braintree"
MOST_FIELDS: Final = 10
LONGEST_SIGNATURE: Final = 2048
"""It names each of the merchant's public keys, with 40 digits."""


def _about(signal: str) -> Callable[[Any], Told | None]:
    return lambda told: objects.transaction(told.transaction, signal)


def _charged(signal: str) -> Callable[[Any], Told | None]:
    def read(notification: Any) -> Told | None:
        # The newest comes first.
        payments = notification.subscription.transactions
        return objects.transaction(payments[0], signal) if payments else None

    return read


def _local(attribute: str, signal: str | None, **why: str) -> Callable[[Any], Told | None]:
    """Read a payment by a local method, such as iDEAL; its transaction comes when there is one."""

    def read(notification: Any) -> Told | None:
        about = getattr(notification, attribute)
        if hasattr(about, "transaction"):
            told = objects.transaction(about.transaction, signal)
        else:
            told = None if signal is None else (signal, why)
        return told and (told[0], {**told[1], "payment_id": getattr(about, "payment_id", None)})

    return read


_READERS: Final[Mapping[str, Callable[[Any], Told | None]]] = {
    "transaction_settled": _about("payment_succeeded"),
    "transaction_settlement_declined": _about("payment_failed"),
    "local_payment_completed": _local("local_payment_completed", None),
    "local_payment_funded": _local("local_payment_funded", "payment_succeeded"),
    "local_payment_expired": _local("local_payment_expired", "payment_canceled", reason="expired"),
    "local_payment_reversed": _local(
        "local_payment_reversed", "payment_failed", failure_code="local_payment_reversed"
    ),
    "subscription_charged_successfully": _charged("payment_succeeded"),
    "subscription_charged_unsuccessfully": _charged("payment_failed"),
}


def read_webhook(
    raw: bytes, headers: Mapping[str, str], secrets: Sequence[Mapping[str, str]], now: datetime
) -> list[Event]:
    """Verify a webhook and read it; an empty list when it says nothing about a payment.

    Raises:
        SignatureError: it doesn't verify, with any of the secrets.
        InvalidInputError: it is not the form that Braintree posts.
        MissingExtraError: the ``braintree`` extra is not installed.
    """
    signature, payload = _form(raw)
    xml = _xml(payload)
    notification = _verified(signature, payload, secrets)
    at = _dated(getattr(notification, "timestamp", None), now)
    told = _told(notification)
    if told is None:
        return []
    signal, arguments = told
    # Of the decoded payload: the signature fits it with and without a line's end behind.
    digest = hashlib.sha256(xml).hexdigest()
    ref = arguments.get("checkout_ref")
    data = {name: value for name, value in arguments.items() if name != "checkout_ref"}
    data |= objects.account(notification.gateway)
    return [webhook_event(NAME, signal, data, key=digest, at=at, checkout_ref=ref)]


def _form(raw: bytes) -> tuple[str, str]:
    try:
        fields = parse_qs(
            raw.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
        (signature,), (payload,) = fields["bt_signature"], fields["bt_payload"]
    except (ValueError, KeyError) as error:
        raise InvalidInputError("expected a form with bt_signature and bt_payload") from error
    if len(signature) > LONGEST_SIGNATURE:
        raise InvalidInputError("bt_signature is too long")
    return signature, payload


def _xml(payload: str) -> bytes:
    """Return the XML that was posted; refuse entities, which the library would expand."""
    try:
        xml = base64.decodebytes(payload.encode("ascii"))
    except ValueError as error:
        raise InvalidInputError("bt_payload is not base64") from error
    if b"<!DOCTYPE" in xml:
        raise InvalidInputError("bt_payload declares a document type")
    return xml


def _verified(signature: str, payload: str, secrets: Sequence[Mapping[str, str]]) -> Any:
    try:
        from braintree import BraintreeGateway, Configuration, Environment
    except ImportError as error:
        raise MissingExtraError(
            "webhooks of Braintree need the extra: pip install 'flask-checkout-case[braintree]'"
        ) from error
    for secret in secrets:
        environment = Environment.All[secret.get("environment", "production")]
        keys = (secret["merchant_id"], secret["public_key"], secret["private_key"])
        gateway = BraintreeGateway(Configuration(environment, *keys))
        try:
            return gateway.webhook_notification.parse(signature, payload)
        except Exception:  # noqa: S112, BLE001 - the library raises many kinds; all mean "no"
            continue
    raise SignatureError("the signature does not verify")


def _told(notification: Any) -> Told | None:
    read = _READERS.get(getattr(notification, "kind", ""))
    try:
        return read(notification) if read is not None else None
    except (AttributeError, LookupError, TypeError) as error:
        raise InvalidInputError("the notification is not about what its kind says") from error


def _dated(timestamp: Any, now: datetime) -> datetime:
    """Return when a notification was made; ``now`` where that can't be.

    Raises:
        SignatureError: it lies more than five minutes ahead.
    """
    if not isinstance(timestamp, datetime):
        return now
    # The library's times are UTC without saying so.
    at = timestamp.replace(tzinfo=UTC)
    refuse_future(at, now)
    return told_instant(int(at.timestamp()), now)
