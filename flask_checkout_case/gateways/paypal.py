"""PayPal: response codes and issues, exceptions and results of its official SDK.

The SDK is the shop's own choice; what it raises and returns is recognised by module name. A lost
connection is raised by the HTTP library below it, and is nobody's in particular.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from ..types import FailureClass
from .events import Told
from .paypal_codes import CODES, classify, is_listed
from .paypal_objects import read_order, read_payment
from .paypal_webhooks import EXTRA, NAME, read_webhook
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

_SDK: Final = "paypalserversdk"
_BELOW: Final = "apimatic_core"
_UNSENT: Final = "AuthValidationException"
_DEEPEST: Final = 12
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Told | None]]] = {
    "Order": read_order,
    "OrderAuthorizeResponse": read_order,
    "OrdersCapture": read_payment,
    "PaymentsCapture": read_payment,
    "CapturedPayment": read_payment,
    "AuthorizationWithAdditionalData": read_payment,
    "PaymentAuthorization": read_payment,
}
_SHOPS: Final = frozenset({400, 401, 403, 404})


def describe_exception(error: BaseException) -> dict[str, Any] | None:
    """Read one of the SDK's exceptions; ``None`` when it is not one of them."""
    if _UNSENT in class_names(error, _BELOW):
        return _unsent(error)
    names = class_names(error, _SDK)
    if not names:
        return None
    detail = _detail(error)
    issue = detail.get("issue")
    described = {
        "provider": NAME,
        "failure_code": issue,
        "error_type": getattr(error, "name", None) or getattr(error, "error", None) or names[0],
        "message": detail.get("description")
        or getattr(error, "message", None)
        or getattr(error, "reason", None),
        **({} if is_listed(issue) else _by_status(getattr(error, "response_code", None), detail)),
    }
    return known(described)


def describe_result(result: object) -> Told | None:
    """Read what the SDK's payment calls return; ``None`` when nothing has come to an end."""
    # The SDK wraps what it has read in a class of the library below it.
    is_wrapped = "ApiResponse" in class_names(result, _BELOW)
    body = getattr(result, "body", None) if is_wrapped else result
    read = next((_READERS[name] for name in class_names(body, _SDK) if name in _READERS), None)
    found = read(_plain(body)) if read is not None else None
    if found is None:
        return None
    signal, told = found
    return signal, {"provider": NAME, **known(told)}


def dashboard_url(payment: Mapping[str, Any]) -> str | None:
    """Return the payment's page in PayPal's list of activities, of the mode it belongs to."""
    reference = payment.get("attempt_id")
    if not isinstance(reference, str) or not re.fullmatch("[A-Za-z0-9]{1,64}", reference):
        return None
    site = "www.sandbox" if payment.get("livemode") is False else "www"
    return f"https://{site}.paypal.com/activity/payment/{reference}"


def _unsent(error: BaseException) -> dict[str, Any]:
    """Say that no token was to be had, mostly for wrong credentials, so that nothing was sent.

    Other gateways' SDKs are built on the same library: whose it is, the shop has to know.
    """
    return {
        "failure_class": FailureClass.CONFIG.value,
        "outcome": "failed",
        "error_type": _UNSENT,
        "message": str(error),
    }


def _detail(error: BaseException) -> dict[str, Any]:
    """Return the error's first detail with an issue that is known, else its first."""
    details = getattr(error, "details", None)
    read = [_plain(one) for one in details] if isinstance(details, list) else []
    found = [one for one in read if isinstance(one, dict)]
    return next((one for one in found if is_listed(one.get("issue"))), found[0] if found else {})


def _by_status(status: Any, detail: Mapping[str, Any]) -> dict[str, Any]:
    """Say what an error is whose issue no table knows."""
    if str(detail.get("field")).startswith("/payment_source/card/"):
        return {"failure_class": FailureClass.CARD_DATA.value, "outcome": "failed"}
    if status in _SHOPS:
        return {"failure_class": FailureClass.CONFIG.value, "outcome": "failed"}
    if status == 422:
        # A refusal that nobody knows yet is left to be flagged as such.
        return {}
    outcome = "failed" if status == 429 else "unknown"
    return {"failure_class": FailureClass.PROCESSING.value, "outcome": outcome}


def _plain(value: Any, depth: int = 0) -> Any:
    """Turn the SDK's models into mappings, by the names that its API gives them."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return [_plain(one, depth + 1) for one in value]
    if not class_names(value, _SDK):
        return value
    return {
        named: _plain(getattr(value, own), depth + 1)
        for own, named in getattr(type(value), "_names", {}).items()
        if hasattr(value, own)
    }
