"""What a verified webhook says, as an :class:`~flask_checkout_case.types.Event`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ..errors import InvalidInputError, SignatureError
from ..rules.redact import mask_text, scrub
from ..types import Event, Money, Origin, currency_digits
from .reading import known

Told = tuple[str, Mapping[str, Any]]
"""A signal's name and its arguments."""

TOLERANCE: Final = timedelta(seconds=300)
ATTEMPTS: Final = frozenset({"payment_failed", "payment_succeeded", "payment_canceled"})
"""Signals that end an attempt: two reports of one attempt's end are one event."""
ID_LIMIT: Final = 255
_TEXT_LIMIT: Final = 255
_EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_INTEGER_LIMIT: Final = 2**62


def webhook_event(
    gateway: str,
    signal: str,
    told: Mapping[str, Any],
    *,
    key: str,
    at: datetime,
    checkout_ref: Any = None,
    order_ref: Any = None,
) -> Event:
    """Make the event of a webhook; it is the same one as the shop's own report of that attempt.

    Args:
        told: the signal's arguments; what is ``None`` or can't be stored is left out.
        key: the gateway's own name of what it sent, the same at each redelivery.
        at: when it happened, aware UTC.
    """
    refs = [_text(checkout_ref), _text(order_ref)]
    found = {name: _storable(value) for name, value in told.items()}
    found |= {"provider": gateway, "gateway_event": _text(key)}
    data = known(found)
    attempt = data.get("attempt_id")
    # A webhook that names no checkout must not take the place of a report that does.
    as_attempt = attempt is not None and signal in ATTEMPTS and any(refs)
    return Event(
        id=stored_id(f"{gateway}:{signal}:{attempt}" if as_attempt else f"{gateway}:{key}"),
        name=signal,
        at=at,
        checkout_ref=refs[0],
        order_ref=refs[1],
        data=scrub(data),
        origin=Origin.GATEWAY,
    )


def stored_id(made: str) -> str:
    """Return an event's id as it is stored: short, and without anything like a card number."""
    # Masked, two card numbers with the same last digits would be one event.
    if len(made) > ID_LIMIT or mask_text(made) != made or _UNSTORABLE.search(made):
        return "sha256:" + hashlib.sha256(made.encode("utf-8", "replace")).hexdigest()
    return made


def told_instant(seconds: Any, now: datetime) -> datetime:
    """Return the instant of a UNIX timestamp; ``now`` for what can't be one yet."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 2**33:
        return now
    at = datetime.fromtimestamp(seconds, UTC)
    return at if _EARLIEST <= at <= now + TOLERANCE else now


def refuse_future(at: datetime, now: datetime) -> None:
    """Refuse what is dated more than five minutes ahead.

    Raises:
        SignatureError: it is.
    """
    if at > now + TOLERANCE:
        raise SignatureError("the webhook is dated in the future")


def minor_units(value: Any, currency: Any, digits: Mapping[str, int]) -> dict[str, Any]:
    """Return ``amount_minor`` and ``currency``, where a gateway counts some currencies otherwise.

    Args:
        value: in the gateway's minor units; what is no whole number tells no amount.
        digits: of the currencies in which the gateway differs from ISO 4217.
    """
    code = currency.upper() if isinstance(currency, str) else ""
    if isinstance(value, bool) or not isinstance(value, int) or not re.fullmatch("[A-Z]{3}", code):
        return {}
    iso = currency_digits(code)
    minor = int(Decimal(value).scaleb(iso - digits.get(code, iso)))
    return {"amount_minor": minor, "currency": code} if abs(minor) < _INTEGER_LIMIT else {}


def amount_of(value: Any, currency: Any) -> dict[str, Any]:
    """Return ``amount_minor`` and ``currency`` of a decimal; what is no amount tells none."""
    try:
        if not abs(Decimal(value)) < _INTEGER_LIMIT:
            return {}
        money = Money(value, currency)
    except (InvalidInputError, ArithmeticError, TypeError, ValueError):
        return {}
    return {"amount_minor": money.minor_units, "currency": money.currency}


def _storable(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < _INTEGER_LIMIT else None
    return _text(value)


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return _UNSTORABLE.sub("", value[: 2 * _TEXT_LIMIT])[:_TEXT_LIMIT] or None
