"""Adyen's webhooks: each item verified by the official library, with its gaps closed.

Signed are pspReference, originalReference, merchantAccountCode, merchantReference, the amount,
eventCode and success. Whether money moved, how much and for which checkout is read from these
alone. What is unsigned (``reason``, ``eventDate``, ``additionalData``, ``live``) chooses at most
the class of a failure and what agents read: an item happened when it first came.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ..errors import InvalidInputError, MissingExtraError, SignatureError
from ..types import Event
from .adyen_codes import DIGITS, code_of, method_of
from .events import minor_units, refuse_future, webhook_event
from .reading import json_object

NAME: Final = "adyen"
EXTRA: Final = "adyen"
MOST_ITEMS: Final = 100

_SIGNALS: Final[Mapping[tuple[str, str], str]] = {
    ("AUTHORISATION", "true"): "payment_succeeded",
    ("AUTHORISATION", "false"): "payment_failed",
    ("OFFER_CLOSED", "true"): "payment_canceled",
}
# All signed texts but merchantReference, which may hold the colon that joins them.
_WITHOUT_COLON: Final = ("pspReference", "originalReference", "merchantAccountCode", "eventCode")


def read_webhook(
    raw: bytes, headers: Mapping[str, str], secrets: Sequence[str], now: datetime
) -> list[Event]:
    """Verify every item and read them; an empty list when none says anything about a payment.

    Raises:
        SignatureError: one of them doesn't verify; then none is taken.
        InvalidInputError: it can't be read.
        MissingExtraError: the ``adyen`` extra is not installed.
    """
    body = json_object(raw)
    items = list(_items(body))
    for item in items:
        _verify(item, secrets)
        _refuse_future(item.get("eventDate"), now)
    live = {"true": True, "false": False}.get(str(body.get("live")))
    events = (_event(item, live, now) for item in items)
    return [event for event in events if event is not None]


def _items(body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    wrapped = body.get("notificationItems")
    if not isinstance(wrapped, list) or not 0 < len(wrapped) <= MOST_ITEMS:
        raise InvalidInputError("expected notificationItems")
    for one in wrapped:
        item = one.get("NotificationRequestItem") if isinstance(one, Mapping) else None
        if not isinstance(item, Mapping):
            raise InvalidInputError("expected a NotificationRequestItem")
        yield item


def _verify(item: Mapping[str, Any], keys: Sequence[str]) -> None:
    try:
        from Adyen.util import is_valid_hmac_notification
    except ImportError as error:
        raise MissingExtraError(
            "webhooks of Adyen need the extra: pip install 'flask-checkout-case[adyen]'"
        ) from error
    if not _is_unambiguous(item):
        raise SignatureError("what is signed can be read in two ways")
    # The library looks at the first item alone, and into an item that holds items itself.
    alone = {"notificationItems": [{"NotificationRequestItem": dict(item)}]}
    for key in keys:
        try:
            # It returns None for an item without additionalData.
            if is_valid_hmac_notification(alone, key) is True:
                return
        except Exception:  # noqa: S112, BLE001 - KeyError without a signature, and many more
            continue
    raise SignatureError("the signature of an item does not verify")


def _is_unambiguous(item: Mapping[str, Any]) -> bool:
    """Whether the signed text can be split in one way only: it joins its fields with colons.

    With the colon in one field alone, three fields before it and four behind, it can.
    """
    amount = item.get("amount")
    if not isinstance(amount, Mapping):
        return False
    texts = [item.get(name, "") for name in (*_WITHOUT_COLON, "success")]
    texts += [amount.get("currency"), item.get("merchantReference", "")]
    value = str(amount.get("value"))
    return (
        all(isinstance(text, str) for text in texts)
        and not any(":" in text for text in texts[:-1])
        and not isinstance(amount.get("value"), (bool, float))
        and value.removeprefix("-").isdecimal()
        and value.isascii()
    )


def _refuse_future(date: Any, now: datetime) -> None:
    try:
        at = datetime.fromisoformat(date) if isinstance(date, str) else None
    except ValueError:
        return
    if at is not None and at.tzinfo is not None:
        refuse_future(at, now)


def _event(item: Mapping[str, Any], live: bool | None, now: datetime) -> Event | None:
    reference, code, success = (
        str(item.get(name, "")) for name in ("pspReference", "eventCode", "success")
    )
    signal = _SIGNALS.get((code, success))
    if signal is None or not reference:
        return None
    amount = item["amount"]
    return webhook_event(
        NAME,
        signal,
        {
            "attempt_id": reference,
            **minor_units(int(amount["value"]), amount["currency"], DIGITS),
            "merchant_account": item.get("merchantAccountCode"),
            "method": method_of(item.get("paymentMethod")),
            "livemode": live,
            **(_why(item) if signal == "payment_failed" else {}),
        },
        key=f"{reference}:{code}:{success}",
        at=now,
        checkout_ref=item.get("merchantReference"),
    )


def _why(item: Mapping[str, Any]) -> dict[str, Any]:
    more = item["additionalData"]
    return {
        "failure_code": code_of(more.get("refusalReasonCode"), item.get("reason")),
        "message": item.get("reason"),
        "network_code": more.get("refusalReasonRaw"),
        "advice_code": more.get("merchantAdviceCode"),
    }
