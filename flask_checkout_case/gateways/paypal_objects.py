"""PayPal's orders, captures and authorisations, returned or told by a webhook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from ..types import currency_digits
from .events import Told, minor_units
from .reading import known, mapping, mappings

HOSTS: Final[Mapping[str, bool]] = {
    "api.paypal.com": True,
    "api-m.paypal.com": True,
    "api.sandbox.paypal.com": False,
    "api-m.sandbox.paypal.com": False,
}
"""PayPal's own, with whether real money moves there."""

_STATES: Final[Mapping[str, str]] = {
    "COMPLETED": "payment_succeeded",
    # Authorised: for the customer it is paid, whenever the shop captures it.
    "CREATED": "payment_succeeded",
    "AUTHORIZED": "payment_succeeded",
    "CAPTURED": "payment_succeeded",
    "PARTIALLY_CAPTURED": "payment_succeeded",
    "DECLINED": "payment_failed",
    "DENIED": "payment_failed",
    "FAILED": "payment_failed",
    "VOIDED": "payment_canceled",
}
_ORDER_STATES: Final[Mapping[str, str]] = {
    "PAYER_ACTION_REQUIRED": "payment_started",
    "VOIDED": "payment_canceled",
}
_APPROVED: Final = "0000"
_DECIMAL: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4})?")
_ABOVE: Final = re.compile("/(orders|authorizations)/([A-Za-z0-9]{1,64})")


def read_payment(payment: Mapping[str, Any]) -> Told | None:
    """Read a capture or an authorisation; ``None`` while it is pending."""
    signal = _STATES.get(_state(payment))
    return None if signal is None else (signal, told_of(signal, payment))


def read_order(order: Mapping[str, Any]) -> Told | None:
    """Read an order by its payments, the worst of them first; ``None`` when nothing has ended."""
    signal = _ORDER_STATES.get(_state(order))
    if signal is not None:
        action = True if signal == "payment_started" else None
        return signal, {**told_of_order(order), "action": action}
    read = [read_payment(payment) for payment in payments(order)]
    told = [one for one in read if one is not None]
    if not told or len(told) < len(read):
        return None
    signal, payment = next((one for one in told if one[0] == "payment_failed"), told[0])
    return signal, {**told_of_order(order), **known(payment)}


def is_pending(payment: Mapping[str, Any]) -> bool:
    """Whether PayPal, or the bank, has yet to decide."""
    return _state(payment) == "PENDING"


def payments(order: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Give the newest payment of each purchase unit, under the name of its authorisation."""
    for unit in mappings(order.get("purchase_units")):
        made = mapping(unit.get("payments"))
        captures, authorizations = (
            mappings(made.get(name)) for name in ("captures", "authorizations")
        )
        for newest in (captures or authorizations)[-1:]:
            authorized = {"id": authorizations[-1].get("id")} if authorizations else {}
            yield {"custom_id": unit.get("custom_id"), **newest, **authorized}


def told_of(signal: str, payment: Mapping[str, Any]) -> dict[str, Any]:
    """Return a signal's arguments about a capture, an authorisation or a sale."""
    related = mapping(mapping(payment.get("supplementary_data")).get("related_ids"))
    above = _above(payment)
    told = {
        # The capture of an authorisation is the same try as the authorisation.
        "attempt_id": related.get("authorization_id")
        or above.get("authorizations")
        or payment.get("id"),
        "payment_id": related.get("order_id")
        or above.get("orders")
        or payment.get("parent_payment"),
        "checkout_ref": payment.get("custom_id") or payment.get("custom"),
        **_money(payment.get("amount")),
        "livemode": _live(payment),
    }
    return told | _why(payment) if signal == "payment_failed" else told


def told_of_order(order: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an order tells of itself, whatever became of its payments."""
    units = mappings(order.get("purchase_units"))
    unit = units[0] if units else {}
    return {
        "payment_id": order.get("id") or order.get("order_id"),
        "checkout_ref": unit.get("custom_id"),
        **(_money(unit.get("amount")) if len(units) == 1 else {}),
        "method": next(iter(mapping(order.get("payment_source"))), None),
        "livemode": _live(order),
    }


def _why(payment: Mapping[str, Any]) -> dict[str, Any]:
    response = mapping(payment.get("processor_response"))
    code = response.get("response_code")
    reason = mapping(payment.get("status_details")).get("reason") or payment.get("reason_code")
    return {
        "failure_code": reason or _state(payment) or "DENIED",
        "decline_code": code if code != _APPROVED else None,
        "advice_code": response.get("payment_advice_code"),
    }


def _money(amount: Any) -> dict[str, Any]:
    """Return ``amount_minor`` and ``currency`` of a decimal text in major units.

    PayPal writes some currencies without decimals that have them (HUF, TWD): the text says which
    amount it is all the same.
    """
    told = mapping(amount)
    value = told.get("value", told.get("total"))
    currency = told.get("currency_code", told.get("currency"))
    if not isinstance(currency, str) or not isinstance(value, str) or not _DECIMAL.fullmatch(value):
        return {}
    minor = Decimal(value).scaleb(currency_digits(currency.upper()))
    return minor_units(int(minor), currency, {}) if minor == int(minor) else {}


def _state(body: Mapping[str, Any]) -> str:
    state = body.get("status", body.get("state"))
    return state.upper() if isinstance(state, str) else ""


def _above(payment: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids of the order or authorisation that a payment's link ``up`` names."""
    links = [one for one in mappings(payment.get("links")) if one.get("rel") == "up"]
    found = [_ABOVE.search(str(link.get("href"))) for link in links]
    return {match[1]: match[2] for match in found if match is not None}


def _live(body: Mapping[str, Any]) -> bool | None:
    for link in mappings(body.get("links")):
        try:
            host = urlsplit(str(link.get("href"))).hostname
        except ValueError:
            continue
        if host is not None and host in HOSTS:
            return HOSTS[host]
    return None
