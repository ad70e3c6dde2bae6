"""Stripe's webhooks for the shop: a payment that succeeded unseen makes an order all the same."""

from __future__ import annotations

import stripe
from flask import Blueprint, current_app, request
from sqlalchemy import select

from . import orders, payments
from .extensions import announce_writing, db
from .models import Basket

bp = Blueprint("webhooks", __name__, url_prefix="/webhooks")


@bp.post("/stripe")
def stripe_events() -> tuple[str, int]:
    """Take a signed event. Events come twice and in any order; an order is made once."""
    announce_writing()
    try:
        event = stripe.Webhook.construct_event(
            request.get_data(),
            request.headers.get("Stripe-Signature"),
            current_app.config["STRIPE_WEBHOOK_SECRET"],
        )
    except (ValueError, TypeError, stripe.SignatureVerificationError):
        return "refused", 400
    if event.type == "payment_intent.succeeded":
        _fulfil(event.data.object["id"])
    return "taken", 200


def _fulfil(intent: str) -> None:
    basket = db.session.scalar(select(Basket).where(Basket.payment_intent == intent))
    if basket is not None and basket.lines and basket.state == "open":
        orders.complete(basket, payments.result_of(basket))
