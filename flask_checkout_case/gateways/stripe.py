"""Stripe: decline codes, error codes, exceptions and results of its SDK, asking it back.

The SDK is an extra; what it raises and returns is recognised by module name, so nothing imports it
here until Stripe itself has to be asked.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from ..types import FailureClass, PaymentAttempt
from .codes import Codes, Verdict, Vocabulary
from .events import Told
from .reading import class_names, known, mapping
from .stripe_objects import card_fingerprint, error_codes, identifier, told_by
from .stripe_webhooks import EXTRA, NAME, read_webhook

__all__ = [
    "CODES",
    "EXTRA",
    "NAME",
    "classify",
    "dashboard_url",
    "describe_exception",
    "describe_result",
    "read_webhook",
    "reconcile",
]
log = logging.getLogger(__name__)

TIMEOUT: Final = 10
"""Seconds to wait for Stripe's answer; the sweep has other payments to look at."""

_VOCABULARY: Final = Vocabulary(
    {
        FailureClass.SOFT: """generic_decline do_not_honor call_issuer no_action_taken
            approve_with_id try_again_later card_declined payment_method_provider_decline
            payment_intent_payment_attempt_failed async_payment_failed""",
        FailureClass.HARD: """do_not_try_again not_permitted transaction_not_allowed
            service_not_allowed card_not_supported currency_not_supported invalid_account
            new_account_information_available revocation_of_authorization
            revocation_of_all_authorizations stop_payment_order""",
        FailureClass.FUNDS: "insufficient_funds gift_card_balance_insufficient",
        FailureClass.LIMIT: """card_velocity_exceeded withdrawal_count_limit_exceeded
            pin_try_exceeded card_decline_rate_limit_exceeded""",
        FailureClass.AUTH: """authentication_required authentication_not_handled incorrect_pin
            invalid_pin mobile_device_authentication_required offline_pin_required
            online_or_offline_pin_required payment_intent_authentication_failure
            setup_intent_authentication_failure payment_intent_action_required
            invoice_payment_intent_requires_action authentication_expired""",
        FailureClass.FRAUD: """fraudulent lost_card stolen_card pickup_card restricted_card
            security_violation merchant_blacklist""",
        FailureClass.CARD_DATA: """incorrect_number invalid_number incorrect_cvc invalid_cvc
            invalid_expiry_month invalid_expiry_year incorrect_zip incorrect_address
            postal_code_invalid""",
        FailureClass.EXPIRED: "expired_card",
        FailureClass.PROCESSING: """processing_error reenter_transaction rate_limit
            rate_limit_error lock_timeout api_error gateway_unavailable
            payment_intent_payment_attempt_expired idempotency_key_in_use""",
        FailureClass.NETWORK: """issuer_not_available payment_method_provider_timeout
            gateway_timeout api_connection_error""",
        FailureClass.CONFIG: """invalid_amount testmode_decline amount_too_large amount_too_small
            api_key_expired platform_api_key_expired secret_key_required parameter_missing
            parameter_invalid_integer parameter_unknown resource_missing testmode_charges_only
            livemode_mismatch account_invalid invalid_request_error authentication_error
            idempotency_error""",
        FailureClass.DUPLICATE: "duplicate_transaction",
        FailureClass.CANCELLED: "payment_method_customer_decline",
    },
    vague="""card_declined payment_method_provider_decline payment_intent_payment_attempt_failed
        async_payment_failed""",
    unknown="""payment_method_provider_timeout gateway_timeout api_connection_error api_error
        idempotency_key_in_use""",
)
CODES: Final = _VOCABULARY.classes

# The SDK's exceptions: what kind of error they are, where Stripe's answer doesn't say.
_KINDS: Final[Mapping[str, str]] = {
    "CardError": "card_error",
    "APIConnectionError": "api_connection_error",
    "RateLimitError": "rate_limit_error",
    "InvalidRequestError": "invalid_request_error",
    "AuthenticationError": "authentication_error",
    "PermissionError": "authentication_error",
    "IdempotencyError": "idempotency_error",
    "APIError": "api_error",
}
_DASHBOARD: Final = "https://dashboard.stripe.com"
_ID: Final = re.compile("(?:pi|ch|py|acct)_[A-Za-z0-9_]{1,100}")
_BEFORE: Final = timedelta(hours=1)
"""How long before its failure a payment intent may have been made."""


def classify(codes: Codes) -> Verdict | None:
    """Return the class of the most specific code that Stripe's lists know, else ``None``."""
    return _VOCABULARY.classify(codes)


def describe_exception(error: BaseException) -> dict[str, Any] | None:
    """Read one of the SDK's exceptions; ``None`` when it is not one of them."""
    names = class_names(error, NAME)
    if not names:
        return None
    told = mapping(mapping(getattr(error, "json_body", None)).get("error"))
    intent = mapping(told.get("payment_intent"))
    kind = told.get("type") or next((_KINDS[name] for name in names if name in _KINDS), None)
    code = getattr(error, "code", None) or told.get("code")
    described: dict[str, Any] = {
        **error_codes(told),
        # A declined card without a code is a declined card.
        "failure_code": code or ("card_declined" if kind == "card_error" else None),
        "error_type": kind,
        "attempt_id": identifier(told.get("charge")),
        "payment_id": identifier(intent.get("id")),
        "livemode": intent.get("livemode"),
        "method": mapping(told.get("payment_method")).get("type"),
        "card_fingerprint": card_fingerprint(told),
        "message": getattr(error, "user_message", None),
    }
    verdict = classify(Codes(error_type=kind)) if described["failure_code"] is None else None
    if verdict is not None:
        described["failure_class"] = verdict.failure_class.value
        described["outcome"] = "unknown" if verdict.unknown_outcome else "failed"
    return {"provider": NAME, **known(described)}


def describe_result(result: object) -> Told | None:
    """Read a PaymentIntent or a Charge of the SDK; ``None`` when nothing has come to an end."""
    if not class_names(result, NAME):
        return None
    # The SDK's older objects are mappings, whose to_dict() is deprecated; its newer ones are none.
    body = mapping(result) or mapping(getattr(result, "to_dict", dict)())
    told = told_by(body.get("object"), body)
    return None if told is None else (told[0], {"provider": NAME, **known(told[1])})


def reconcile(payment: PaymentAttempt, api_key: str | None = None) -> Told | None:
    """Ask Stripe what became of a payment; ``None`` while nobody knows.

    A payment of which no id is known, such as one whose answer was lost, is searched for by the
    ``checkout_ref`` in its metadata.

    Args:
        api_key: the shop's secret key; without it that of ``stripe.api_key``.
    """
    try:
        import stripe
    except ImportError:
        return None
    key = api_key or stripe.api_key
    if not key:
        return None
    client = stripe.StripeClient(
        key,
        base_addresses={"api": stripe.api_base},
        http_client=stripe.new_default_http_client(timeout=TIMEOUT),
        max_network_retries=0,
    )
    try:
        found = _found(client, payment)
    except stripe.StripeError as error:
        log.warning("Stripe doesn't say what became of a payment: %s", type(error).__name__)
        return None
    return describe_result(found) or _untouched(found)


def _untouched(found: object) -> Told | None:
    # The try that was lost never reached Stripe: nothing was charged, and nothing will be.
    if getattr(found, "status", None) in {"requires_payment_method", "requires_confirmation"}:
        return "payment_failed", {"failure_class": "network", "outcome": "failed"}
    return None


def _found(client: Any, payment: PaymentAttempt) -> object:
    if payment.attempt_id is not None and payment.attempt_id.startswith(("ch_", "py_")):
        return client.v1.charges.retrieve(payment.attempt_id)
    if payment.payment_id is not None and payment.payment_id.startswith("pi_"):
        return client.v1.payment_intents.retrieve(payment.payment_id)
    ref = re.sub(r'(["\\])', r"\\\1", payment.checkout_ref)
    since = int((payment.began_at - _BEFORE).timestamp())
    query = f'metadata["checkout_ref"]:"{ref}" AND created>{since}'
    intents = client.v1.payment_intents.search({"query": query, "limit": 1}).data
    return intents[0] if intents else None


def dashboard_url(payment: Mapping[str, Any]) -> str | None:
    """Return the payment's page in Stripe's dashboard, of the mode and account it belongs to."""
    found = payment.get("payment_id") or payment.get("attempt_id")
    if not isinstance(found, str) or not _ID.fullmatch(found):
        return None
    account = payment.get("account")
    parts = [account] if isinstance(account, str) and _ID.fullmatch(account) else []
    parts += ["test"] if payment.get("livemode") is False else []
    return "/".join([_DASHBOARD, *parts, "payments", found])
