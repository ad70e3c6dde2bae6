"""Payment methods: cards as Stripe keeps them, and the checks of a card that is typed in."""

from __future__ import annotations

import hashlib
import re
import time
from datetime import UTC, datetime
from typing import Any, Final

from .cards import ALIASES, behaviour_of, brand_of, passes_luhn
from .errors import StripeError, invalid, missing
from .store import Json, Store, new_id

_SECURITY_DIGITS: Final = {"amex": 4}


def create(store: Store, params: Json) -> Json:
    """Make a payment method from typed card data; only test cards' numbers are kept."""
    kind = params.get("type")
    if kind != "card":
        raise invalid("Invalid type: must be card", param="type")
    card = params.get("card")
    if not isinstance(card, dict) or "number" not in card:
        raise invalid("Missing required param: card.", code="parameter_missing", param="card")
    number = re.sub(r"[\s-]", "", str(card["number"]))
    _check_number(number)
    month, year = _check_expiry(card)
    _check_security_code(str(card.get("cvc", "")), brand_of(number))
    return store.put(
        _method(
            number,
            month,
            year,
            billing=params.get("billing_details"),
            metadata=params.get("metadata") or {},
            cvc_given=bool(card.get("cvc")),
        )
    )


def find(store: Store, ident: str) -> Json:
    """Return a payment method; Stripe's ``pm_card_…`` names make a new one each time.

    Raises:
        StripeError: 404 when there is no such payment method.
    """
    if ident in ALIASES:
        year = datetime.now(UTC).year + 4
        return store.put(_method(ALIASES[ident], 12, year, billing=None, metadata={}))
    found = store.get("payment_method", ident)
    if found is None:
        raise missing("PaymentMethod", ident, "payment_method")
    return found


def attach(store: Store, ident: str, customer: str | None) -> Json:
    """Save a payment method for a customer."""
    method = find(store, ident)
    if not customer:
        raise invalid(
            "Missing required param: customer.", code="parameter_missing", param="customer"
        )
    return store.put({**method, "customer": customer})


def detach(store: Store, ident: str) -> Json:
    return store.put({**find(store, ident), "customer": None})


def public(method: Json) -> Json:
    """Return the payment method as the API shows it, without what only this process needs."""
    return {name: value for name, value in method.items() if not name.startswith("_")}


def _method(
    number: str,
    month: int,
    year: int,
    *,
    billing: Any,
    metadata: Json,
    cvc_given: bool = True,
) -> Json:
    behaviour = behaviour_of(number)
    address = (billing or {}).get("address") or {}
    fields = ("city", "country", "line1", "line2", "postal_code", "state")
    brand = brand_of(number)
    return {
        "id": new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": {field: address.get(field) for field in fields},
            **{field: (billing or {}).get(field) for field in ("email", "name", "phone")},
            "tax_id": None,
        },
        "card": {
            "brand": brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "unchecked" if cvc_given else None,
            },
            "country": "US",
            "display_brand": brand,
            "exp_month": month,
            "exp_year": year,
            "fingerprint": hashlib.sha256(number.encode()).hexdigest()[:16],
            "funding": behaviour.funding if behaviour else "credit",
            "generated_from": None,
            "last4": number[-4:],
            "networks": {"available": [brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        },
        "created": int(time.time()),
        "customer": None,
        "livemode": False,
        "metadata": metadata,
        "type": "card",
        "_number": number if behaviour else "4000000000000002",
        "_cvc_given": cvc_given,
    }


def _check_number(number: str) -> None:
    if not re.fullmatch(r"\d{12,19}", number) or not passes_luhn(number):
        raise StripeError(
            402,
            "card_error",
            "Your card number is incorrect.",
            code="incorrect_number",
            param="number",
        )


def _check_expiry(card: Json) -> tuple[int, int]:
    today = datetime.now(UTC)
    month, year = _digits(card.get("exp_month")), _digits(card.get("exp_year"))
    if not 1 <= month <= 12:
        raise _expiry_error("month")
    year += 2000 if year < 100 else 0
    if year < today.year or year > today.year + 50:
        raise _expiry_error("year")
    if (year, month) < (today.year, today.month):
        raise _expiry_error("month")
    return month, year


def _expiry_error(part: str) -> StripeError:
    return StripeError(
        402,
        "card_error",
        f"Your card's expiration {part} is invalid.",
        code=f"invalid_expiry_{part}",
        param=f"exp_{part}",
    )


def _check_security_code(code: str, brand: str) -> None:
    if code and not re.fullmatch(rf"\d{{{_SECURITY_DIGITS.get(brand, 3)}}}", code):
        raise StripeError(
            402,
            "card_error",
            "Your card's security code is invalid.",
            code="invalid_cvc",
            param="cvc",
        )


def _digits(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isdigit() and len(text) <= 4 else -1
