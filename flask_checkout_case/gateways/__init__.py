"""What payment gateways say, in our words. Nothing here knows the database or imports an SDK.

A new gateway is one module with ``NAME``, ``classify`` and ``describe_exception``, and one line in
:data:`GATEWAYS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from ..rules.failures import FAILURES
from ..types import FailureClass, PaymentFailure
from . import stripe
from .codes import Codes, Verdict


class GatewayModule(Protocol):
    NAME: str

    def classify(self, codes: Codes) -> Verdict | None:
        """Give the class of the most specific code that is known."""

    def describe_exception(self, error: BaseException) -> dict[str, Any] | None:
        """Read an exception of the gateway's SDK into a signal's arguments; ``None`` if not its."""


GATEWAYS: Final[Mapping[str, GatewayModule]] = {stripe.NAME: stripe}

_CLASS_WORDS: Final = frozenset(item.value for item in FailureClass)
UNMAPPED: Final = Verdict(FailureClass.SOFT, unmapped=True)


def classify(provider: str | None, codes: Codes) -> Verdict:
    """Return the verdict on ``codes``; an unknown code is ``soft`` and flagged as unmapped.

    A provider without a module of its own is read with Stripe's vocabulary, the widest known.
    """
    gateway = GATEWAYS.get((provider or "").lower(), stripe)
    return gateway.classify(codes) or UNMAPPED


def describe_exception(error: BaseException) -> dict[str, Any] | None:
    """Return what an exception says of a payment, as arguments of ``payment_failed``."""
    for gateway in GATEWAYS.values():
        described = gateway.describe_exception(error)
        if described is not None:
            return described
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
        fixer=kind.fixer,
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
