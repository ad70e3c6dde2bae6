"""Stripe's webhooks for the shop: a payment that succeeded unseen makes an order all the same."""

from __future__ import annotations

import stripe
from flask import Blueprint, current_app, request
from sqlalchemy import select

from . import changes, orders, payments
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
        intent = event.data.object.to_dict()
        change_id = (intent.get("metadata") or {}).get("change")
        _note_extra(change_id, intent["id"]) if change_id else _fulfil(intent["id"])
    return "taken", 200


def _note_extra(change_id: str, intent: str) -> None:
    """Note that what a change costs more is paid, also when the customer's browser is gone."""
    order, waiting = changes.to_pay(change_id)
    if order is not None:
        changes.paid(order, change_id, intent, waiting)


def _fulfil(intent: str) -> None:
    basket = db.session.scalar(select(Basket).where(Basket.payment_intent == intent))
    if basket is not None and basket.lines and basket.state == "open":
        orders.complete(basket, payments.result_of(basket))
