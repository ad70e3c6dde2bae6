"""Stripe's webhooks in the shop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import stripe
from flask import Flask
from webtest import TestApp

from example_store.extensions import db
from example_store.models import Basket, Order
from tests.support.store import LocalStripe, running_store
from tests.support.waiting import wait_until

from .steps import to_payment


def send(visitor: Any, app: Flask, event: dict[str, Any], **more: Any) -> Any:
    body = json.dumps(event)
    signature = stripe.WebhookSignature.generate_signature_header(
        body, app.config["STRIPE_WEBHOOK_SECRET"]
    )
    headers = {"Stripe-Signature": more.pop("signature", signature)}
    return visitor.post(
        "/webhooks/stripe", body, headers=headers, content_type="application/json", **more
    )


def succeeded(intent: str) -> dict[str, Any]:
    return {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "data": {"object": {"id": intent, "object": "payment_intent"}},
    }


def paid_behind_the_shops_back(app: Flask, local: LocalStripe) -> str:
    with app.app_context():
        basket = db.session.query(Basket).one()
        intent = local.client().v1.payment_intents.create(
            {
                "amount": 148_000,
                "currency": "usd",
                "payment_method": "pm_card_visa",
                "confirm": True,
                "metadata": {"checkout_ref": basket.ref},
            }
        )
        basket.payment_intent = intent.id
        db.session.commit()
        return intent.id


def test_a_payment_nobody_saw_makes_one_order(
    visitor: TestApp, app: Flask, local_stripe: LocalStripe
) -> None:
    to_payment(visitor)
    intent = paid_behind_the_shops_back(app, local_stripe)
    for _ in range(2):
        send(visitor, app, succeeded(intent))
    with app.app_context():
        order = db.session.query(Order).one()
        assert order.card == "Visa ending in 4242"
    assert "Thank you" in visitor.get("/checkout/payment/return").follow().text


def test_forged_and_foreign_events(visitor: TestApp, app: Flask) -> None:
    forged = "t=1,v1=0"
    send(visitor, app, succeeded("pi_x"), signature=forged, status=400)
    send(visitor, app, succeeded("pi_x"), signature="é", status=400)
    send(visitor, app, succeeded("pi_unknown"), status=200)
    send(visitor, app, {**succeeded("pi_x"), "type": "charge.updated"}, status=200)


def test_webhooks_of_the_local_stripe_arrive(tmp_path: Path) -> None:
    with running_store(tmp_path) as store:
        visitor = TestApp(store.app)
        to_payment(visitor)
        intent = paid_behind_the_shops_back(store.app, store.stripe)

        def ordered() -> bool:
            with store.app.app_context():
                found = db.session.query(Order).filter_by(payment_intent=intent).count() == 1
                db.session.rollback()
                return found

        wait_until(ordered, what="the order")
