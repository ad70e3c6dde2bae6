"""Stripe's payment intents, charges and checkout sessions, returned or told by a webhook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from .events import Told, minor_units
from .reading import mapping

# Stripe counts these otherwise than ISO 4217 does.
_DIGITS: Final[Mapping[str, int]] = {"ISK": 2, "MGA": 0, "UGX": 2}
_STATES: Final[Mapping[str, str]] = {
    "requires_payment_method": "payment_failed",
    "requires_action": "payment_started",
    # Authorised: for the customer it is paid, whenever the shop captures it.
    "requires_capture": "payment_succeeded",
    "succeeded": "payment_succeeded",
    "canceled": "payment_canceled",
}


def identifier(value: Any) -> str | None:
    """Return the id of what may be an id or, expanded, the object itself."""
    found = mapping(value).get("id", value)
    return found if isinstance(found, str) and found else None


def error_codes(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the codes of an error, such as an intent's ``last_payment_error``."""
    return {
        "failure_code": error.get("code"),
        "decline_code": error.get("decline_code"),
        "network_code": error.get("network_decline_code"),
        "advice_code": error.get("advice_code"),
        "error_type": error.get("type"),
    }


def told_by(kind: Any, body: Mapping[str, Any]) -> Told | None:
    """Say what an object of this kind says of a payment; ``None`` when nothing has ended."""
    read = _READERS.get(kind) if isinstance(kind, str) else None
    return read(body) if read is not None else None


def intent_failed(intent: Mapping[str, Any]) -> Told:
    """Read a payment intent whose last try has failed."""
    error = mapping(intent.get("last_payment_error"))
    # Never latest_charge: where no charge was made, that is the one of the try before.
    attempt = {"attempt_id": identifier(error.get("charge")), **error_codes(error)}
    return "payment_failed", {**_of_intent(intent), **attempt}


def intent_succeeded(intent: Mapping[str, Any]) -> Told:
    charges = mapping(intent.get("charges")).get("data")
    newest = charges[0] if isinstance(charges, list) and charges else None
    charge = identifier(intent.get("latest_charge")) or identifier(newest)
    return "payment_succeeded", {**_of_intent(intent), "attempt_id": charge}


def intent_canceled(intent: Mapping[str, Any]) -> Told:
    return "payment_canceled", {
        **_of_intent(intent),
        "reason": intent.get("cancellation_reason"),
    }


def intent_waiting(intent: Mapping[str, Any]) -> Told:
    """Read an intent that the customer has to confirm: no failure, unless that never happens."""
    return "payment_started", {**_of_intent(intent), "action": True}


def charge_failed(charge: Mapping[str, Any]) -> Told:
    outcome = mapping(charge.get("outcome"))
    # What Radar has blocked, the intent calls fraudulent; its reason names the rule alone.
    blocked = outcome.get("type") == "blocked"
    return "payment_failed", {
        **_of_charge(charge),
        "failure_code": charge.get("failure_code"),
        "decline_code": "fraudulent" if blocked else outcome.get("reason"),
        "network_code": outcome.get("network_decline_code"),
        "advice_code": outcome.get("advice_code"),
    }


def charge_succeeded(charge: Mapping[str, Any]) -> Told:
    return "payment_succeeded", _of_charge(charge)


def session_paid(session: Mapping[str, Any]) -> Told | None:
    """Read a Checkout Session that is complete; one that isn't paid yet says nothing."""
    if session.get("payment_status") != "paid":
        return None
    return "payment_succeeded", _of_session(session)


def session_failed(session: Mapping[str, Any]) -> Told:
    return "payment_failed", {**_of_session(session), "failure_code": "async_payment_failed"}


def session_expired(session: Mapping[str, Any]) -> Told:
    """Read a Checkout Session that the customer has left: abandoned, and no failure."""
    return "payment_canceled", {**_of_session(session), "reason": "expired"}


def _of_intent(intent: Mapping[str, Any]) -> dict[str, Any]:
    return {"payment_id": identifier(intent.get("id")), **_common(intent, "amount")}


def _of_charge(charge: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "payment_id": identifier(charge.get("payment_intent")),
        "attempt_id": identifier(charge.get("id")),
        **_common(charge, "amount"),
    }


def _of_session(session: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "payment_id": identifier(session.get("payment_intent")) or identifier(session.get("id")),
        **_common(session, "amount_total"),
    }


def _common(body: Mapping[str, Any], amount: str) -> dict[str, Any]:
    live = body.get("livemode")
    return {
        **minor_units(body.get(amount), body.get("currency"), _DIGITS),
        "method": _method(body),
        "card_fingerprint": card_fingerprint(body),
        "livemode": live if isinstance(live, bool) else None,
    }


def card_fingerprint(body: Mapping[str, Any]) -> str | None:
    """Return what Stripe calls the card of a charge, of an intent's failed try, or of an error."""
    used = mapping(body.get("payment_method_details"))
    failed = mapping(body.get("last_payment_error", body)).get("payment_method")
    cards = (mapping(mapping(one).get("card")) for one in (used, failed))
    return next((card["fingerprint"] for card in cards if card.get("fingerprint")), None)


def _method(body: Mapping[str, Any]) -> str | None:
    used = mapping(body.get("payment_method_details")).get("type")
    failed = mapping(mapping(body.get("last_payment_error")).get("payment_method")).get("type")
    offered = body.get("payment_method_types")
    only = offered[0] if isinstance(offered, list) and len(offered) == 1 else None
    found = used or failed or only
    return found if isinstance(found, str) else None


def _intent(intent: Mapping[str, Any]) -> Told | None:
    signal = _STATES.get(str(intent.get("status")))
    if signal == "payment_failed" and not mapping(intent.get("last_payment_error")):
        return None
    return _INTENTS[signal](intent) if signal is not None else None


def _charge(charge: Mapping[str, Any]) -> Told | None:
    read = {"succeeded": charge_succeeded, "failed": charge_failed}.get(str(charge.get("status")))
    return read(charge) if read is not None else None


_INTENTS: Final[Mapping[str, Callable[[Mapping[str, Any]], Told]]] = {
    "payment_failed": intent_failed,
    "payment_started": intent_waiting,
    "payment_succeeded": intent_succeeded,
    "payment_canceled": intent_canceled,
}
_READERS: Final[Mapping[str, Callable[[Mapping[str, Any]], Told | None]]] = {
    "payment_intent": _intent,
    "charge": _charge,
}
