"""Payment intents: created, confirmed, challenged, confirmed again, cancelled."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeAlias

from . import charges, methods
from .cards import AUTHENTICATION_REQUIRED, Decline
from .errors import StripeError, invalid, missing
from .forms import truth
from .store import Json, Store, new_id
from .trouble import Trouble

AUTHENTICATION_FAILED: Final = (
    "The provided PaymentMethod has failed authentication. You can provide payment_method_data or a"
    " new PaymentMethod to attempt to fulfill this PaymentIntent again."
)
_CONFIRMABLE: Final = ("requires_payment_method", "requires_confirmation", "requires_action")
_OPEN: Final = (*_CONFIRMABLE, "requires_capture")
_MUTABLE: Final = ("amount", "currency", "customer", "description", "receipt_email", "shipping")

Emit: TypeAlias = Callable[[str, Json], object]


class Intents:
    """The state machine of payment intents.

    Args:
        store: where they are kept.
        emit: called with the type and object of each event, inside the same change of state.
        origin: returns the address of this process, for the pages of 3-D Secure.
        trouble: what is broken at present.
    """

    def __init__(
        self, store: Store, emit: Emit, origin: Callable[[], str], trouble: Trouble
    ) -> None:
        self._store = store
        self._emit = emit
        self._origin = origin
        self._trouble = trouble

    def get(self, ident: str) -> Json:
        found = self._store.get("payment_intent", ident)
        if found is None:
            raise missing("payment_intent", ident, "intent")
        return found

    def create(self, params: Json) -> Json:
        """Make an intent, and confirm it at once when ``confirm`` is true."""
        amount = _amount(params.get("amount"))
        currency = str(params.get("currency") or "").lower()
        if len(currency) != 3 or not currency.isalpha():
            raise invalid(
                "Missing required param: currency.", code="parameter_missing", param="currency"
            )
        ident = new_id("pi")
        intent: Json = {
            "id": ident,
            "object": "payment_intent",
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "application": None,
            "application_fee_amount": None,
            "automatic_payment_methods": params.get("automatic_payment_methods"),
            "canceled_at": None,
            "cancellation_reason": None,
            "capture_method": params.get("capture_method") or "automatic_async",
            "client_secret": f"{ident}_secret_{new_id('s')[2:]}",
            "confirmation_method": params.get("confirmation_method") or "automatic",
            "created": int(time.time()),
            "currency": currency,
            "customer": params.get("customer"),
            "description": params.get("description"),
            "last_payment_error": None,
            "latest_charge": None,
            "livemode": False,
            "metadata": params.get("metadata") or {},
            "next_action": None,
            "on_behalf_of": None,
            "payment_method": None,
            "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
            "payment_method_types": ["card"],
            "processing": None,
            "receipt_email": params.get("receipt_email"),
            "review": None,
            "setup_future_usage": params.get("setup_future_usage"),
            "shipping": params.get("shipping"),
            "source": None,
            "statement_descriptor": None,
            "statement_descriptor_suffix": None,
            "status": "requires_payment_method",
            "transfer_data": None,
            "transfer_group": None,
        }
        if params.get("payment_method") or params.get("payment_method_data"):
            intent["payment_method"] = self._method(params)["id"]
            intent["status"] = "requires_confirmation"
        self._store.put(intent)
        self._emit("payment_intent.created", intent)
        if truth(params.get("confirm")):
            return self.confirm(ident, {**params, "payment_method": intent["payment_method"]})
        return intent

    def update(self, ident: str, params: Json) -> Json:
        intent = self._expect(ident, _OPEN, "updated")
        for name in _MUTABLE:
            if name in params:
                intent[name] = _amount(params[name]) if name == "amount" else params[name]
        intent["metadata"] = intent["metadata"] | (params.get("metadata") or {})
        if params.get("payment_method"):
            intent["payment_method"] = self._method(params)["id"]
            intent["status"] = "requires_confirmation"
        return self._store.put(intent)

    def confirm(self, ident: str, params: Json) -> Json:
        """Charge the card, or ask for 3-D Secure first. Works again after a decline, with any card.

        Raises:
            StripeError: 402 with the intent in its body when the card declines.
        """
        self._trouble.strike()
        intent = self._expect(ident, _CONFIRMABLE, "confirmed")
        if params.get("payment_method") or params.get("payment_method_data"):
            intent["payment_method"] = self._method(params)["id"]
        if not intent["payment_method"]:
            raise invalid(
                "You cannot confirm this PaymentIntent because it's missing a payment method. You"
                " can either update the PaymentIntent with a payment method and then confirm it"
                " again, or confirm it again directly with a payment method or ConfirmationToken.",
                code="payment_intent_unexpected_state",
            )
        method = methods.find(self._store, str(intent["payment_method"]))
        intent["next_action"], intent["last_payment_error"] = None, None
        if charges.behaviour(method).challenge:
            return self._challenge(intent, method, params)
        return self._charge(intent, method)

    def authenticate(self, ident: str, passed: bool) -> Json:
        """Take the answer to the 3-D Secure challenge, then charge or refuse the card."""
        intent = self._expect(ident, ("requires_action",), "authenticated")
        method = methods.find(self._store, str(intent["payment_method"]))
        intent["next_action"] = None
        if passed:
            return self._charge(intent, method)
        intent["status"] = "requires_payment_method"
        intent["payment_method"] = None
        intent["last_payment_error"] = {
            "code": "payment_intent_authentication_failure",
            "doc_url": (
                "https://stripe.com/docs/error-codes/payment-intent-authentication-failure"
            ),
            "message": AUTHENTICATION_FAILED,
            "payment_method": methods.public(method),
            "type": "invalid_request_error",
        }
        self._store.put(intent)
        self._emit("payment_intent.payment_failed", intent)
        return intent

    def capture(self, ident: str) -> Json:
        intent = self._expect(ident, ("requires_capture",), "captured")
        return self._succeed(intent)

    def cancel(self, ident: str, params: Json) -> Json:
        intent = self._expect(ident, _OPEN, "canceled")
        intent.update(
            status="canceled",
            canceled_at=int(time.time()),
            cancellation_reason=params.get("cancellation_reason"),
            next_action=None,
        )
        self._store.put(intent)
        self._emit("payment_intent.canceled", intent)
        return intent

    def return_address(self, ident: str) -> str | None:
        """Return where the customer goes back to after a redirected challenge."""
        kept: str | None = self.get(ident).get("_return_url")
        return kept

    def _method(self, params: Json) -> Json:
        data = params.get("payment_method_data")
        if isinstance(data, dict):
            return methods.create(self._store, data)
        return methods.find(self._store, str(params["payment_method"]))

    def _expect(self, ident: str, statuses: tuple[str, ...], done: str) -> Json:
        intent = self.get(ident)
        if intent["status"] in statuses:
            return intent
        raise invalid_state(intent, done)

    def _challenge(self, intent: Json, method: Json, params: Json) -> Json:
        if truth(params.get("off_session")):
            return self._refuse(intent, method, AUTHENTICATION_REQUIRED)
        page = f"{self._origin()}/3d-secure/{intent['id']}"
        return_url = params.get("return_url")
        intent["status"] = "requires_action"
        intent["_return_url"] = return_url
        if truth(params.get("use_stripe_sdk")) or not return_url:
            intent["next_action"] = {
                "type": "use_stripe_sdk",
                "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": page},
            }
        else:
            intent["next_action"] = {
                "type": "redirect_to_url",
                "redirect_to_url": {"return_url": return_url, "url": f"{page}?redirect=1"},
            }
        self._store.put(intent)
        self._emit("payment_intent.requires_action", intent)
        if truth(params.get("error_on_requires_action")):
            raise StripeError(
                402,
                "card_error",
                "This payment required an authentication action to complete, but"
                " `error_on_requires_action` was set.",
                code="authentication_required",
                payment_intent=public(intent),
            )
        return intent

    def _charge(self, intent: Json, method: Json) -> Json:
        decline = self._trouble.decline or charges.decline_of(method)
        if decline is not None:
            return self._refuse(intent, method, decline)
        charge = charges.create(self._store, intent, method, None)
        intent["latest_charge"] = charge["id"]
        if intent["capture_method"] == "manual":
            intent.update(status="requires_capture", amount_capturable=intent["amount"])
            return self._store.put(intent)
        self._emit("charge.succeeded", charge)
        return self._succeed(intent)

    def _succeed(self, intent: Json) -> Json:
        intent.update(
            status="succeeded",
            amount_received=intent["amount"],
            amount_capturable=0,
            last_payment_error=None,
            next_action=None,
        )
        self._store.put(intent)
        self._emit("payment_intent.succeeded", intent)
        return intent

    def _refuse(self, intent: Json, method: Json, decline: Decline) -> Json:
        charge = charges.create(self._store, intent, method, decline)
        error = charges.public_error(decline, charge, method)
        intent.update(
            status="requires_payment_method",
            payment_method=None,
            latest_charge=charge["id"],
            last_payment_error=error,
        )
        self._store.put(intent)
        self._emit("charge.failed", charge)
        self._emit("payment_intent.payment_failed", intent)
        details = {
            name: value
            for name, value in error.items()
            if name not in ("message", "type", "doc_url")
        }
        raise CardDeclinedError(decline.message, **details, payment_intent=public(intent))


class CardDeclinedError(StripeError):
    """A charge that failed. What happened is kept: the change of state is not taken back."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(402, "card_error", message, **details)


def public(intent: Json) -> Json:
    """Return the intent as the API shows it, without what only this process needs."""
    return {name: value for name, value in intent.items() if not name.startswith("_")}


def invalid_state(intent: Json, done: str) -> StripeError:
    """Make the error for an intent whose status does not allow what was asked."""
    return StripeError(
        400,
        "invalid_request_error",
        f"This PaymentIntent's status is {intent['status']}; it could not be {done}.",
        code="payment_intent_unexpected_state",
        payment_intent=public(intent),
    )


def _amount(value: object) -> int:
    text = str(value if value is not None else "")
    if not text:
        raise invalid("Missing required param: amount.", code="parameter_missing", param="amount")
    if not text.isdigit():
        raise invalid(f"Invalid integer: {text}", code="parameter_invalid_integer", param="amount")
    if int(text) < 1:
        raise invalid(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    if len(text) > 8:
        raise invalid(
            "Amount must be no more than $999,999.99", code="amount_too_large", param="amount"
        )
    return int(text)
