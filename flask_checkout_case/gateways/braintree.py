"""Braintree: processor responses, rejections by its gateway, exceptions and results of its SDK.

The SDK is an extra; what it raises and returns is recognised by module name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from ..types import FailureClass
from . import braintree_objects as objects
from .braintree_codes import CODES, VOCABULARY
from .braintree_webhooks import EXTRA, NAME, read_webhook
from .codes import Codes, Verdict
from .events import Told
from .reading import class_names, known

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

_SHOPS: Final = (FailureClass.CONFIG, "failed")
_LOST: Final = (FailureClass.NETWORK, "unknown")
_BROKEN: Final = (FailureClass.PROCESSING, "unknown")
# An exception is read by the first of its classes that stands here.
_EXCEPTIONS: Final[Mapping[str, tuple[FailureClass, str]]] = {
    "AuthenticationError": _SHOPS,
    "AuthorizationError": _SHOPS,
    "ConfigurationError": _SHOPS,
    "InvalidChallengeError": _SHOPS,
    "InvalidSignatureError": _SHOPS,
    "NotFoundError": _SHOPS,
    "TestOperationPerformedInProductionError": _SHOPS,
    "UpgradeRequiredError": _SHOPS,
    "TooManyRequestsError": (FailureClass.PROCESSING, "failed"),
    "ConnectionError": _LOST,
    "TimeoutError": _LOST,
    "GatewayTimeoutError": _LOST,
    "RequestTimeoutError": _LOST,
    "BraintreeError": _BROKEN,
}
_PAGES: Final = {False: "https://sandbox.braintreegateway.com"}
_PAGE: Final = "https://www.braintreegateway.com"
_ID: Final = re.compile("[A-Za-z0-9_]{1,64}")


def classify(codes: Codes) -> Verdict | None:
    """Return the class of the most specific code that Braintree's lists know, else ``None``."""
    return VOCABULARY.classify(codes)


def describe_exception(error: BaseException) -> dict[str, Any] | None:
    """Read one of the SDK's exceptions; ``None`` when it is not one of them."""
    names = class_names(error, NAME)
    if not names:
        return None
    read = (_EXCEPTIONS[name] for name in names if name in _EXCEPTIONS)
    failure_class, outcome = next(read, _BROKEN)
    return {
        "provider": NAME,
        "failure_class": failure_class.value,
        "outcome": outcome,
        "error_type": names[0],
        **known({"message": str(error) or None}),
    }


def describe_result(result: object) -> Told | None:
    """Read a transaction, or the result of a call for one; ``None`` when nothing has ended."""
    kinds = class_names(result, NAME)
    told: Told | None = None
    if "Transaction" in kinds:
        told = objects.transaction(result)
    elif "SuccessfulResult" in kinds:
        told = objects.transaction(getattr(result, "transaction", None))
    elif "ErrorResult" in kinds:
        told = _failed(result)
    return None if told is None else (told[0], {"provider": NAME, **told[1]})


def _failed(result: Any) -> Told | None:
    payment, card = result.transaction, result.credit_card_verification
    if payment is not None:
        told = objects.transaction(payment, "payment_failed")
    else:
        why = objects.invalid(result) if card is None else objects.why(card)
        told = ("payment_failed", known(why))
    # Braintree's sentence on the whole, where the processor has said nothing.
    return told and (told[0], {"message": result.message, **told[1]})


def dashboard_url(payment: Mapping[str, Any]) -> str | None:
    """Return the transaction's page in Braintree's Control Panel, of the mode it belongs to."""
    found = (payment.get("merchant_id"), payment.get("attempt_id"))
    if not all(isinstance(one, str) and _ID.fullmatch(one) for one in found):
        return None
    panel = _PAGES.get(payment.get("livemode", True), _PAGE)
    return f"{panel}/merchants/{found[0]}/transactions/{found[1]}"
