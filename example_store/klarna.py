"""Paying later with Klarna, through Adyen: the customer leaves for Klarna's page and comes back."""

from __future__ import annotations

from typing import Any, Final

import Adyen
from flask import current_app, url_for

from . import pricing
from .extensions import db
from .models import CURRENCY, Basket, PaymentAttempt
from .payments import TROUBLE, UNREACHABLE, Result
from .support import as_checkout, cases, track  # checkout-case

REFUSED: Final = (
    "Klarna didn't approve this payment, and you owe nothing. Please choose another way to pay."
)
CANCELLED: Final = "You came back without paying. You owe nothing."


def is_offered() -> bool:
    """Whether the shop has an account with Adyen."""
    return bool(current_app.config["ADYEN_API_KEY"])


def begin(basket: Basket) -> Result:
    """Announce the payment to Adyen; the result leads to Klarna's page, or says why not."""
    asked = {
        "amount": {"value": pricing.totals_of(basket).total, "currency": CURRENCY},
        "countryCode": basket.country,
        "merchantAccount": current_app.config["ADYEN_MERCHANT"],
        "paymentMethod": {"type": "klarna"},
        "reference": basket.ref,
        "returnUrl": url_for("checkout.klarna_return", _external=True),
        "shopperEmail": basket.email,
    }
    try:
        with cases.payment(as_checkout(basket), provider="adyen", method="klarna"):  # checkout-case
            answer = _api().payments(asked).message
    except (Adyen.AdyenError, OSError):
        return Result("declined", TROUBLE)
    track("payment_started", basket, provider="adyen", method="klarna")
    return Result("redirect", url=answer["action"]["url"])


def end(basket: Basket, redirect_result: str) -> Result:
    """Ask Adyen what the customer has decided at Klarna.

    Args:
        redirect_result: what Klarna's page has sent back in the address.
    """
    try:
        with cases.payment(  # checkout-case
            as_checkout(basket), provider="adyen", method="klarna"
        ) as attempt:
            answer = _api().payments_details({"details": {"redirectResult": redirect_result}})
            attempt.returned(answer)  # checkout-case
    except (Adyen.AdyenError, OSError):
        return Result("declined", UNREACHABLE)
    return _result(basket, answer.message)


def _result(basket: Basket, told: dict[str, Any]) -> Result:
    reference, code = told["pspReference"], told["resultCode"]
    if code == "Authorised":
        return Result("paid", card="Klarna", charge=reference, provider="adyen")
    db.session.add(
        PaymentAttempt(
            basket=basket,
            payment_intent=reference,
            status="failed",
            code=told.get("refusalReasonCode"),
        )
    )
    db.session.commit()
    return Result("declined", {"Cancelled": CANCELLED, "Error": TROUBLE}.get(code, REFUSED))


def _api() -> Any:
    config = current_app.config
    client = Adyen.AdyenClient(xapikey=config["ADYEN_API_KEY"], platform="test", http_timeout=10)
    api = Adyen.AdyenCheckoutApi(client=client).payments_api
    if config["ADYEN_API_BASE"]:
        api.baseUrl = f"{config['ADYEN_API_BASE']}/v71"
    return api
