"""Adyen: refusal reasons, exceptions and results of its SDK.

The SDK is an extra; what it raises and returns is recognised by module name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from ..types import FailureClass
from .adyen_codes import CODES, DIGITS, VOCABULARY, code_of, method_of
from .adyen_webhooks import EXTRA, NAME, read_webhook
from .codes import Codes, Verdict
from .events import Told, minor_units
from .reading import class_names, known, mapping

__all__ = [
    "CODES",
    "EXTRA",
    "NAME",
    "classify",
    "dashboard_url",
    "describe_exception",
    "describe_result",
    "read_webhook",
]

_STATES: Final[Mapping[str, str]] = {
    "Authorised": "payment_succeeded",
    "Refused": "payment_failed",
    "Error": "payment_failed",
    "Cancelled": "payment_canceled",
    "RedirectShopper": "payment_started",
    "IdentifyShopper": "payment_started",
    "ChallengeShopper": "payment_started",
}
# What is wrong with the card, by the API's own error codes; all else is the shop's to mend.
_CARD_ERRORS: Final = frozenset({"101", "102", "103", "104", "105", "129", "140", "141"})
_SHOPS: Final = frozenset(
    {
        "AdyenInvalidRequestError",
        "AdyenEndpointInvalidFormat",
        "AdyenAPIAuthenticationError",
        "AdyenAPIInvalidPermission",
        "AdyenAPIValidationError",
        "AdyenAPIUnprocessableEntity",
        "AdyenAPIInvalidFormat",
    }
)


def classify(codes: Codes) -> Verdict | None:
    """Return the class of the most specific code that Adyen's list knows, else ``None``."""
    return VOCABULARY.classify(codes)


def describe_exception(error: BaseException) -> dict[str, Any] | None:
    """Read one of the SDK's exceptions; ``None`` when it is not one of them."""
    names = class_names(error, "Adyen")
    if not names:
        return None
    status, code = getattr(error, "status_code", None), getattr(error, "error_code", None)
    if code in _CARD_ERRORS:
        failure_class, outcome = FailureClass.CARD_DATA, "failed"
    elif status == 404 or _SHOPS.intersection(names):
        failure_class, outcome = FailureClass.CONFIG, "failed"
    else:
        outcome = "failed" if status == 429 else "unknown"
        failure_class = FailureClass.PROCESSING
    described = {
        "provider": NAME,
        "failure_class": failure_class.value,
        "failure_code": f"error_{code}" if code else None,
        "outcome": outcome,
        "error_type": names[0],
        "attempt_id": getattr(error, "psp", None) or None,
        "message": _message(getattr(error, "message", None)),
    }
    return known(described)


def describe_result(result: object) -> Told | None:
    """Read what the SDK's payment calls return; ``None`` when nothing has come to an end."""
    body = getattr(result, "message", None) if class_names(result, "Adyen") else None
    signal = _STATES.get(str(body.get("resultCode"))) if isinstance(body, Mapping) else None
    if signal is None or not isinstance(body, Mapping):
        return None
    amount, more = mapping(body.get("amount")), mapping(body.get("additionalData"))
    told: dict[str, Any] = {
        "provider": NAME,
        "attempt_id": body.get("pspReference"),
        **minor_units(amount.get("value"), amount.get("currency"), DIGITS),
        "method": method_of(mapping(body.get("paymentMethod")).get("type")),
        "action": True if signal == "payment_started" else None,
    }
    if signal == "payment_failed":
        told |= {
            "failure_code": code_of(body.get("refusalReasonCode"), body.get("refusalReason")),
            "message": body.get("refusalReason"),
            "network_code": more.get("refusalReasonRaw"),
            "advice_code": more.get("merchantAdviceCode"),
        }
        if body.get("resultCode") == "Error" and told["failure_code"] not in CODES:
            told["failure_class"] = FailureClass.PROCESSING.value
    return signal, known(told)


def dashboard_url(payment: Mapping[str, Any]) -> str | None:
    """Return the payment's page in Adyen's Customer Area, of the mode it belongs to."""
    reference = payment.get("attempt_id") or payment.get("payment_id")
    if not isinstance(reference, str) or not re.fullmatch("[A-Za-z0-9]{1,64}", reference):
        return None
    area = "ca-test" if payment.get("livemode") is False else "ca-live"
    asked = {"txType": "Payment", "pspReference": reference}
    account = payment.get("merchant_account")
    if isinstance(account, str):
        asked["accountKey"] = f"MerchantAccount.{account}"
    return f"https://{area}.adyen.com/ca/ca/accounts/showTx.shtml?{urlencode(asked)}"


def _message(said: Any) -> str | None:
    words = said.get("message") if isinstance(said, Mapping) else said
    return words if isinstance(words, str) and words else None
