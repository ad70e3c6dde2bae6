"""Charging cards with Stripe. No card number comes here, only the id of a payment method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, cast

import stripe
from flask import current_app
from stripe.params import RefundCreateParams

from . import pricing
from .extensions import announce_writing, db
from .models import CURRENCY, Basket, Order, PaymentAttempt
from .support import as_checkout, cases, track  # checkout-case

BANK_REFUSED: Final = (
    "Your bank didn't approve this payment, and you have not been charged."
    " Try another card, or ask your bank."
)
_CARD_DATA: Final = (
    "Please check the card number, the expiry date and the security code."
    " You have not been charged."
)
TROUBLE: Final = (
    "A technical problem kept us from taking the payment. You have not been charged."
    " Please try again in a moment."
)
UNREACHABLE: Final = (
    "We could not reach our payment partner and don't know yet whether the payment went through."
    " Please don't pay again; we are checking."
)
_TEXTS: Final = {
    "expired_card": "This card has expired. Please use another one. You have not been charged.",
    "incorrect_cvc": _CARD_DATA,
    "incorrect_number": _CARD_DATA,
    "incorrect_zip": _CARD_DATA,
    "invalid_cvc": _CARD_DATA,
    "invalid_expiry_month": _CARD_DATA,
    "invalid_expiry_year": _CARD_DATA,
    "processing_error": TROUBLE,
    "payment_intent_authentication_failure": (
        "Your bank could not confirm that it's you, so the payment was not made."
        " Try again, or use another card."
    ),
}


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an attempt to pay.

    Args:
        status: ``paid``, ``challenge`` (the customer's bank asks something), ``redirect`` or
            ``declined``.
        message: what the customer reads after a decline.
        client_secret: what the page needs for the challenge.
        card: brand and last digits, or another method's name, after a success.
        charge: the id of the charge, after a success.
        provider: who took the payment.
        url: where the customer goes on.
    """

    status: str
    message: str = ""
    client_secret: str = ""
    card: str = ""
    charge: str | None = None
    provider: str = "stripe"
    url: str = ""
    intent: str = ""


@dataclass(frozen=True, slots=True)
class Extra:
    """What a change of an order costs more, in cents."""

    change_id: str
    title: str
    amount: int


def client() -> stripe.StripeClient:
    """Return Stripe's client for the configured account."""
    base = current_app.config["STRIPE_API_BASE"]
    return stripe.StripeClient(
        current_app.config["STRIPE_SECRET_KEY"],
        base_addresses={"api": base} if base else {},
        max_network_retries=2,
    )


def charge(basket: Basket, method: str) -> Result:
    """Charge a card for a basket.

    Args:
        method: the id of a payment method that the page has made with Stripe.js.
    """
    try:
        intent = _intent_for(basket)
    except stripe.StripeError as error:
        track("checkout_error", basket, reason="payment_unavailable", message=str(error))
        return Result("declined", TROUBLE)
    if intent.status == "succeeded":
        return _paid(intent)
    attempt = PaymentAttempt(basket=basket, payment_intent=intent.id)
    db.session.add(attempt)
    holds_open = current_app.config["STORE_ROLLBACK_ON_DECLINE"]
    db.session.flush() if holds_open else db.session.commit()
    track("payment_started", basket, provider="stripe", payment_id=intent.id, method="card")
    try:
        with cases.payment(as_checkout(basket), provider="stripe", method="card"):  # checkout-case
            intent = client().v1.payment_intents.confirm(
                intent.id,
                {
                    "payment_method": method,
                    "use_stripe_sdk": True,
                    "expand": ["payment_method"],
                },
                {"idempotency_key": f"confirm-{intent.id}-{method}"},
            )
    except stripe.StripeError as error:
        _note_failure(attempt, error)
        return Result("declined", text_for(error))
    if not holds_open:
        announce_writing()
    attempt.status = intent.status
    return _outcome(intent)


def can_refund(order: Order) -> bool:
    """Whether an order was paid through Stripe."""
    return (order.payment_intent or "").startswith("pi_")


def refund(order: Order, reason: str, amount: int) -> None:
    """Give some of an order's money back; first what changes of it have cost more.

    Args:
        reason: the same for each try: the money goes back once.
        amount: cents. What is left of the extra payments changes with the caller's transaction, so
            that a second try asks for the same.
    """
    left = dict(order.extra_payments)
    for intent, paid in reversed(order.extra_payments.items()):
        if part := min(amount, paid):
            give_back(intent, f"{reason}-{intent}", part)
            amount, left[intent] = amount - part, paid - part
    if amount:
        give_back(order.payment_intent or "", reason, amount)
    order.extra_payments = {intent: paid for intent, paid in left.items() if paid}


def give_back(intent: str, reason: str, amount: int | None = None) -> None:
    """Give back what one payment has taken, once for each ``reason``."""
    asked: dict[str, Any] = {"payment_intent": intent}
    if amount is not None:
        asked["amount"] = amount
    client().v1.refunds.create(
        cast(RefundCreateParams, asked), {"idempotency_key": f"refund-{reason}"}
    )


def charge_extra(order: Order, extra: Extra, method: str) -> Result:
    """Charge a card for what a change costs more; once, however often it is asked for."""
    try:
        intent = _intent_for_extra(order, extra)
        if intent.status == "succeeded":
            return _paid(intent)
        intent = client().v1.payment_intents.confirm(
            intent.id,
            {"payment_method": method, "use_stripe_sdk": True, "expand": ["payment_method"]},
            {"idempotency_key": f"confirm-{intent.id}-{method}"},
        )
    except stripe.StripeError as error:
        return Result("declined", text_for(error))
    return _outcome(intent)


def result_of_extra(order: Order, extra: Extra) -> Result:
    """Ask Stripe how that payment ended, after the customer's bank has asked its question."""
    intent = _intent_for_extra(order, extra)
    error = intent.last_payment_error
    if intent.status == "requires_payment_method" and error is not None:
        return Result("declined", _TEXTS.get(str(error.code), BANK_REFUSED))
    return _outcome(intent)


def _intent_for_extra(order: Order, extra: Extra) -> stripe.PaymentIntent:
    intents = client().v1.payment_intents
    made = intents.create(
        {
            "amount": extra.amount,
            "currency": CURRENCY.lower(),
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "description": f"{current_app.config['STORE_NAME']}, change of {order.number}",
            "receipt_email": order.email,
            "metadata": {"order": order.number, "change": extra.change_id},
        },
        {"idempotency_key": f"extra-{extra.change_id}"},
    )
    # What is answered to a repetition is how it was in the beginning.
    return intents.retrieve(made.id, {"expand": ["payment_method"]})


def result_of(basket: Basket) -> Result:
    """Ask Stripe how a payment ended, after the customer's bank has asked its question."""
    if basket.payment_intent is None:
        return Result("declined", TROUBLE)
    intent = client().v1.payment_intents.retrieve(
        basket.payment_intent, {"expand": ["payment_method"]}
    )
    error = intent.last_payment_error
    if intent.status == "requires_payment_method" and error is not None:
        track(
            "payment_failed",
            basket,
            provider="stripe",
            failure_code=error.code,
            decline_code=getattr(error, "decline_code", None),
            payment_id=intent.id,
            attempt_id=getattr(error, "charge", None),
        )
        return Result("declined", _TEXTS.get(str(error.code), BANK_REFUSED))
    return _outcome(intent)


def text_for(error: stripe.StripeError) -> str:
    """Return what the customer reads. Why a bank refused is never told apart."""
    if isinstance(error, stripe.APIConnectionError):
        return UNREACHABLE
    if isinstance(error, stripe.CardError):
        return _TEXTS.get(error.code or "", BANK_REFUSED)
    return TROUBLE


def _intent_for(basket: Basket) -> stripe.PaymentIntent:
    """Return the basket's payment intent, over the amount that it costs now."""
    intents = client().v1.payment_intents
    amount = pricing.totals_of(basket).total
    intent = _known_intent(basket)
    if intent is None:
        intent = intents.create(
            {
                "amount": amount,
                "currency": CURRENCY.lower(),
                "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
                "description": current_app.config["STORE_NAME"],
                "receipt_email": basket.email or "",
                "metadata": {"checkout_ref": basket.ref},
            },
        )
        basket.payment_intent = intent.id
        db.session.commit()
        announce_writing()
    elif intent.amount != amount and intent.status != "succeeded":
        intent = intents.update(intent.id, {"amount": amount})
    return intent


def _known_intent(basket: Basket) -> stripe.PaymentIntent | None:
    if basket.payment_intent is None:
        return None
    try:
        intent = client().v1.payment_intents.retrieve(
            basket.payment_intent, {"expand": ["payment_method"]}
        )
    except stripe.InvalidRequestError as error:
        if error.code != "resource_missing":
            raise
        return None
    return None if intent.status == "canceled" else intent


def _note_failure(attempt: PaymentAttempt, error: stripe.StripeError) -> None:
    if current_app.config["STORE_ROLLBACK_ON_DECLINE"]:
        db.session.rollback()
        return
    announce_writing()
    attempt.status = "failed"
    attempt.code = error.code or type(error).__name__
    db.session.commit()


def _outcome(intent: stripe.PaymentIntent) -> Result:
    if intent.status == "requires_action":
        return Result("challenge", client_secret=str(intent.client_secret))
    return _paid(intent) if intent.status == "succeeded" else Result("declined", TROUBLE)


def _paid(intent: stripe.PaymentIntent) -> Result:
    method = intent.payment_method
    card = getattr(method, "card", None)
    shown = f"{str(card.brand).title()} ending in {card.last4}" if card else ""
    charge = intent.latest_charge
    return Result(
        "paid", card=shown, charge=charge if isinstance(charge, str) else None, intent=intent.id
    )
