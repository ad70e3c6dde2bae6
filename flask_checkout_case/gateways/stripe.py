"""Stripe: decline codes, error codes, exceptions of its SDK, webhooks.

Precedence: an advice never to retry, then the decline code, then the error code, then the network's
code. The SDK is an extra; its exceptions are recognised by module name, so nothing imports it here
until a webhook has to be verified.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ..errors import MissingExtraError, SignatureError
from ..types import Event, FailureClass, Origin
from .codes import Codes, Verdict

NAME: Final = "stripe"
TOLERANCE: Final = timedelta(seconds=300)

_WORDS: Final[Mapping[FailureClass, str]] = {
    FailureClass.SOFT: """generic_decline do_not_honor call_issuer no_action_taken approve_with_id
        try_again_later card_declined payment_method_provider_decline
        payment_intent_payment_attempt_failed""",
    FailureClass.HARD: """do_not_try_again not_permitted transaction_not_allowed service_not_allowed
        card_not_supported currency_not_supported invalid_account new_account_information_available
        revocation_of_authorization revocation_of_all_authorizations stop_payment_order""",
    FailureClass.FUNDS: "insufficient_funds",
    FailureClass.LIMIT: """card_velocity_exceeded withdrawal_count_limit_exceeded pin_try_exceeded
        card_decline_rate_limit_exceeded""",
    FailureClass.AUTH: """authentication_required authentication_not_handled incorrect_pin
        invalid_pin mobile_device_authentication_required offline_pin_required
        online_or_offline_pin_required payment_intent_authentication_failure
        setup_intent_authentication_failure payment_intent_action_required""",
    FailureClass.FRAUD: """fraudulent lost_card stolen_card pickup_card restricted_card
        security_violation merchant_blacklist""",
    FailureClass.CARD_DATA: """incorrect_number invalid_number incorrect_cvc invalid_cvc
        invalid_expiry_month invalid_expiry_year incorrect_zip incorrect_address
        postal_code_invalid""",
    FailureClass.EXPIRED: "expired_card",
    FailureClass.PROCESSING: """processing_error reenter_transaction rate_limit lock_timeout
        api_error gateway_unavailable""",
    FailureClass.NETWORK: """issuer_not_available payment_method_provider_timeout
        gateway_timeout api_connection_error""",
    FailureClass.CONFIG: """invalid_amount testmode_decline amount_too_large amount_too_small
        api_key_expired platform_api_key_expired secret_key_required parameter_missing
        parameter_invalid_integer parameter_unknown resource_missing testmode_charges_only
        livemode_mismatch account_invalid invalid_request_error authentication_error
        idempotency_error""",
    FailureClass.DUPLICATE: "duplicate_transaction",
    FailureClass.CANCELLED: "payment_method_customer_decline",
}
_CLASSES: Final = {word: cls for cls, words in _WORDS.items() for word in words.split()}
_NEVER: Final = frozenset({"do_not_try_again"})
_UNKNOWN_OUTCOME: Final = frozenset({"payment_method_provider_timeout", "gateway_timeout"})

# The SDK's exceptions, without a card's code: (class, is the outcome unknown?).
_EXCEPTIONS: Final[Mapping[str, tuple[FailureClass, bool]]] = {
    "APIConnectionError": (FailureClass.NETWORK, True),
    "APIError": (FailureClass.PROCESSING, True),
    "RateLimitError": (FailureClass.PROCESSING, False),
    "InvalidRequestError": (FailureClass.CONFIG, False),
    "AuthenticationError": (FailureClass.CONFIG, False),
    "PermissionError": (FailureClass.CONFIG, False),
    "IdempotencyError": (FailureClass.CONFIG, False),
}


def classify(codes: Codes) -> Verdict | None:
    """Return the class of the most specific code that Stripe's lists know, else ``None``."""
    never = codes.advice_code in _NEVER
    for code in (codes.decline_code, codes.failure_code, codes.network_code, codes.error_type):
        found = _CLASSES.get(code or "")
        if found is not None and not (code == "card_declined" and codes.decline_code):
            return Verdict(
                FailureClass.HARD if never and found is FailureClass.SOFT else found,
                never_retry=never,
                unknown_outcome=code in _UNKNOWN_OUTCOME,
            )
    return Verdict(FailureClass.HARD, never_retry=True, unmapped=True) if never else None


def describe_exception(error: BaseException) -> dict[str, Any] | None:
    """Read one of the SDK's exceptions; ``None`` when it is not one of them."""
    names = [cls.__name__ for cls in type(error).__mro__ if cls.__module__.startswith("stripe")]
    if not names:
        return None
    told = _last_error(error)
    described: dict[str, Any] = {
        "provider": NAME,
        "failure_code": getattr(error, "code", None) or told.get("code"),
        "decline_code": told.get("decline_code"),
        "network_code": told.get("network_decline_code"),
        "advice_code": told.get("advice_code"),
        "attempt_id": told.get("charge"),
        "payment_id": _intent(told).get("id"),
        "message": getattr(error, "user_message", None),
    }
    if described["failure_code"] is None:
        for name in names:
            if name in _EXCEPTIONS:
                failure_class, unknown = _EXCEPTIONS[name]
                described["failure_class"] = failure_class.value
                described["outcome"] = "unknown" if unknown else "failed"
                break
    return {key: value for key, value in described.items() if value is not None}


def _last_error(error: BaseException) -> Mapping[str, Any]:
    body = getattr(error, "json_body", None)
    told = body.get("error") if isinstance(body, Mapping) else None
    return told if isinstance(told, Mapping) else {}


def _intent(told: Mapping[str, Any]) -> Mapping[str, Any]:
    intent = told.get("payment_intent")
    return intent if isinstance(intent, Mapping) else {}


def verify(raw: bytes, signature: str | None, secrets: Sequence[str], now: datetime) -> Any:
    """Check a webhook's signature with the official library and return the event as plain JSON.

    Args:
        raw: the body exactly as received.
        signature: the ``Stripe-Signature`` header.
        secrets: one or two live secrets; either may have signed.
        now: aware UTC.

    Raises:
        MissingExtraError: the ``stripe`` extra is not installed.
        SignatureError: for anything that does not verify, whatever the library made of it.
    """
    try:
        from stripe import WebhookSignature
    except ImportError as error:
        raise MissingExtraError(
            "webhooks of Stripe need the extra: pip install 'flask-checkout-case[stripe]'"
        ) from error
    if not signature or not signature.isascii():
        raise SignatureError("there is no usable Stripe-Signature header")
    _refuse_future(signature, now)
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SignatureError("the body is not UTF-8") from error
    for secret in secrets:
        try:
            if WebhookSignature.verify_header(
                text, signature, secret, int(TOLERANCE.total_seconds())
            ):
                return text
        except Exception:  # noqa: S112, BLE001 - the library raises many kinds; all mean "no"
            continue
    raise SignatureError("the signature does not verify")


def _refuse_future(signature: str, now: datetime) -> None:
    # The library accepts a timestamp a day ahead.
    stamps = [part[2:] for part in signature.split(",") if part.startswith("t=")]
    if len(stamps) != 1 or not stamps[0].isdigit() or len(stamps[0]) > 12:
        raise SignatureError("the signature has no single timestamp")
    if int(stamps[0]) > (now + TOLERANCE).timestamp():
        raise SignatureError("the signature is dated in the future")


_OBJECT_EVENTS: Final[Mapping[str, str]] = {
    "payment_intent.payment_failed": "payment_failed",
    "payment_intent.succeeded": "payment_succeeded",
    "payment_intent.canceled": "payment_canceled",
    "payment_intent.requires_action": "payment_started",
    "checkout.session.async_payment_failed": "payment_failed",
}


def read_event(body: Mapping[str, Any]) -> Event | None:
    """Turn a verified webhook into an :class:`Event`; ``None`` when it says nothing for us.

    ``charge.failed`` reports the same failure as ``payment_intent.payment_failed`` and is left out.
    """
    name = _OBJECT_EVENTS.get(str(body.get("type")))
    data = body.get("data")
    intent = data.get("object") if isinstance(data, Mapping) else None
    if name is None or not isinstance(intent, Mapping) or not isinstance(body.get("id"), str):
        return None
    told = intent.get("last_payment_error")
    told = told if name == "payment_failed" and isinstance(told, Mapping) else {}
    metadata = intent.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    charge = told.get("charge") or intent.get("latest_charge")
    # A charge that is there already belongs to the try before this one.
    charge = None if name == "payment_started" else charge
    created = body.get("created")
    details = {
        "provider": NAME,
        "failure_code": told.get("code"),
        "decline_code": told.get("decline_code"),
        "network_code": told.get("network_decline_code"),
        "advice_code": told.get("advice_code"),
        "payment_id": intent.get("id"),
        "attempt_id": charge,
        "amount_minor": intent.get("amount"),
        "currency": str(intent.get("currency") or "").upper() or None,
        "gateway_event": body["id"],
        # The bank wants the customer to confirm: no failure, unless that never happens.
        "action": True if name == "payment_started" else None,
    }
    return Event(
        id=f"{NAME}:{name}:{charge}" if charge else f"{NAME}:{body['id']}",
        name=name,
        at=_instant(created),
        checkout_ref=_ref(metadata.get("checkout_ref")),
        order_ref=_ref(metadata.get("order_ref")),
        data={key: value for key, value in details.items() if value is not None},
        origin=Origin.GATEWAY,
    )


def _instant(created: Any) -> datetime:
    if isinstance(created, int) and 0 < created < 2**33:
        return datetime.fromtimestamp(created, UTC)
    return datetime.now(UTC)


def _ref(value: Any) -> str | None:
    return value[:255] if isinstance(value, str) and value else None
