"""What payment gateways say, in our words. Nothing here knows the database or imports an SDK.

A new gateway is one module like those in :data:`GATEWAYS`, and its name in :data:`TITLES`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, Protocol

from ..rules.failures import FAILURES
from ..rules.redact import mask_text
from ..types import Event, FailureClass, PaymentAttempt, PaymentFailure
from . import adyen, braintree, paypal, stripe
from .codes import Codes, Verdict
from .events import Told

__all__ = [
    "GATEWAYS",
    "NAMES",
    "TITLES",
    "GatewayModule",
    "Told",
    "classify",
    "dashboard_url",
    "describe_exception",
    "describe_result",
    "gateway_of",
    "read_failure",
    "reconcile",
    "title_of",
]
log = logging.getLogger(__name__)


class GatewayModule(Protocol):
    """What is known of one gateway."""

    NAME: str
    EXTRA: str | None
    """The extra that installs its SDK; ``None`` when none is needed."""
    CODES: Mapping[str, FailureClass]

    def classify(self, codes: Codes) -> Verdict | None:
        """Give the class of the most specific code that is known."""

    def describe_exception(self, error: BaseException) -> dict[str, Any] | None:
        """Read an exception of the gateway's SDK into a signal's arguments; ``None`` if not its."""

    def describe_result(self, result: object) -> Told | None:
        """Read what the SDK returned into a signal; ``None`` if not its, or nothing has ended."""

    def read_webhook(
        self, raw: bytes, headers: Mapping[str, str], secrets: Sequence[Any], now: datetime
    ) -> list[Event]:
        """Verify a webhook and read it; an empty list when it says nothing about a payment.

        Raises:
            SignatureError: it doesn't verify, with any of the secrets.
            InvalidInputError: it can't be read.
            MissingExtraError: the SDK that verifies it isn't installed.
        """

    def dashboard_url(self, payment: Mapping[str, Any]) -> str | None:
        """Return where an agent finds this payment; ``payment`` holds a signal's arguments."""


TITLES: Final[Mapping[str, str]] = {
    "stripe": "Stripe",
    "adyen": "Adyen",
    "braintree": "Braintree",
    "paypal": "PayPal",
}
NAMES: Final = tuple(TITLES)
MOST_UNKNOWN: Final = 1000

_CLASS_WORDS: Final = frozenset(item.value for item in FailureClass)
UNMAPPED: Final = Verdict(FailureClass.SOFT, unmapped=True)
_reported: set[tuple[str, str]] = set()


# Modules fit the protocol, but for what mypy thinks of constants.
_MODULES: Final[tuple[Any, ...]] = (stripe, adyen, braintree, paypal)
GATEWAYS: Final[Mapping[str, GatewayModule]] = MappingProxyType(
    {module.NAME: module for module in _MODULES}
)


def gateway_of(provider: str | None) -> GatewayModule | None:
    """Return the gateway of that name, in whatever case it is written."""
    return GATEWAYS.get((provider or "").lower())


def title_of(provider: str) -> str:
    """Return how a gateway writes its name; one that is unknown gets a capital letter."""
    return TITLES.get(provider.lower(), provider[:1].upper() + provider[1:])


def classify(provider: str | None, codes: Codes) -> Verdict:
    """Return the verdict on ``codes``; an unknown code is ``soft`` and flagged as unmapped.

    A provider without a module of its own is read with Stripe's vocabulary, the widest known.
    """
    gateway = gateway_of(provider) or stripe
    verdict = gateway.classify(codes) or UNMAPPED
    if verdict.unmapped and codes.most_specific is not None:
        _report(provider or gateway.NAME, codes.most_specific)
    return verdict


def _report(provider: str, code: str) -> None:
    """Log a code that no table knows, once in this process."""
    told = (provider, code)
    if told not in _reported and len(_reported) < MOST_UNKNOWN:
        _reported.add(told)
        log.warning("%s: no table knows the code %s", *(mask_text(repr(word)) for word in told))


def describe_exception(error: BaseException) -> dict[str, Any] | None:
    """Return what an exception says of a payment, as arguments of ``payment_failed``."""
    for gateway in GATEWAYS.values():
        described = gateway.describe_exception(error)
        if described is not None:
            return described
    return None


def describe_result(result: object) -> Told | None:
    """Return the signal that says what an SDK's result means for the payment, if it ended."""
    for gateway in GATEWAYS.values():
        told = gateway.describe_result(result)
        if told is not None:
            return told
    return None


def dashboard_url(payment: Mapping[str, Any]) -> str | None:
    """Return where an agent finds a payment at its gateway."""
    gateway = gateway_of(_text(payment, "provider"))
    return gateway.dashboard_url(payment) if gateway is not None else None


def reconcile(payment: PaymentAttempt, *, stripe_api_key: str | None) -> Told | None:
    """Ask the gateway what became of a payment; ``None`` while nobody knows, or none is asked."""
    if (payment.gateway or "").lower() == stripe.NAME:
        return stripe.reconcile(payment, stripe_api_key)
    return None


def read_failure(data: Mapping[str, Any], checkout_ref: str | None) -> PaymentFailure:
    """Turn a ``payment_failed`` signal's arguments into a :class:`PaymentFailure`.

    A ``failure_class`` that the shop names itself wins over the codes; ``outcome="unknown"`` too.
    """
    codes = Codes.of(data)
    verdict = _named(data) or classify(_text(data, "provider"), codes)
    kind = FAILURES[verdict.failure_class]
    unknown = data.get("outcome") == "unknown" or verdict.unknown_outcome
    return PaymentFailure(
        gateway=_text(data, "provider"),
        failure_class=verdict.failure_class,
        retry="never" if verdict.never_retry else kind.retry,
        fixer=verdict.fixer or kind.fixer,
        outcome="unknown" if unknown else "failed",
        attempt=_text(data, "attempt_id") or _text(data, "payment_id"),
        checkout_ref=checkout_ref,
        raw_code=codes.most_specific,
        network_code=codes.network_code,
        advice_code=codes.advice_code,
        unmapped=verdict.unmapped,
    )


def _named(data: Mapping[str, Any]) -> Verdict | None:
    named = data.get("failure_class")
    if isinstance(named, str) and named in _CLASS_WORDS:
        return Verdict(FailureClass(named))
    return None


def _text(data: Mapping[str, Any], key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) and value else None
