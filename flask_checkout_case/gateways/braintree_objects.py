"""What Braintree's transactions, verifications and errors say, by whichever way they come."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..types import FailureClass
from .braintree_codes import VOCABULARY
from .codes import Codes
from .events import Told, amount_of
from .reading import known

_STATES: Final[Mapping[str, str]] = {
    "authorized": "payment_succeeded",
    "submitted_for_settlement": "payment_succeeded",
    "settling": "payment_succeeded",
    "settlement_pending": "payment_succeeded",
    "settlement_confirmed": "payment_succeeded",
    "settled": "payment_succeeded",
    "authorization_expired": "payment_failed",
    "failed": "payment_failed",
    "processor_declined": "payment_failed",
    "gateway_rejected": "payment_failed",
    "settlement_declined": "payment_failed",
    "settlement_failed": "payment_failed",
    "voided": "payment_canceled",
}
_LIVE: Final[Mapping[str, bool]] = {"production": True, "sandbox": False}


def transaction(about: object, signal: str | None = None) -> Told | None:
    """Read a transaction; ``None`` when it hasn't ended, or pays money back.

    Args:
        signal: what is known to have become of it, where its status isn't asked.
    """
    said = signal or _STATES.get(str(_told(about, "status")))
    if said is None or _told(about, "type") == "credit":
        return None
    return said, known({**facts(about), **(why(about) if said == "payment_failed" else {})})


def facts(about: object) -> dict[str, Any]:
    """Return which payment a transaction is, of how much and for which checkout."""
    return {
        "attempt_id": _told(about, "id"),
        "checkout_ref": _told(about, "order_id"),
        **amount_of(_told(about, "amount"), _told(about, "currency_iso_code")),
        "method": _told(about, "payment_instrument_type"),
        **account(_told(about, "gateway")),
    }


def account(gateway: object) -> dict[str, Any]:
    """Return the merchant that an SDK's gateway speaks for, and whether money is real there."""
    config = _told(gateway, "config")
    return {
        "merchant_id": _told(config, "merchant_id"),
        "livemode": _LIVE.get(str(_told(config, "environment"))),
    }


def why(about: object) -> dict[str, Any]:
    """Return why a transaction, or the verification of a card, has failed."""
    state = str(_told(about, "status") or "failed")
    kind = "processor_settlement" if state.startswith("settlement") else "processor"
    code = _told(about, f"{kind}_response_code")
    if state == "gateway_rejected":
        # The processor may have approved it: its code is that of an approval.
        code = _told(about, "gateway_rejection_reason")
    return {
        "failure_code": code or state,
        "network_code": _told(about, "network_response_code"),
        "advice_code": _told(about, "merchant_advice_code"),
        "error_type": _told(about, "processor_response_type"),
        "message": _told(about, f"{kind}_response_text"),
    }


def invalid(result: object) -> dict[str, Any]:
    """Return what is wrong with a request: the card's data only where nothing else is."""
    errors = getattr(_told(result, "errors"), "deep_errors", None) or []
    codes = [str(code) for code in (_told(error, "code") for error in errors) if code]
    for code in codes:
        verdict = VOCABULARY.classify(Codes(failure_code=code))
        if verdict is None or verdict.failure_class is FailureClass.CONFIG:
            return {"failure_code": code, "failure_class": FailureClass.CONFIG.value}
    if not codes:
        return {"failure_class": FailureClass.CONFIG.value}
    return {"failure_code": codes[0]}


def _told(about: object, name: str) -> Any:
    """Return an attribute that the SDK sets only where Braintree has told it."""
    value = getattr(about, name, None)
    return None if value == "" else value
