"""3-D Secure in the local Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import stripe

from example_store.local_stripe.cards import CARDS
from tests.support.store import LocalStripe, running_stripe

CHALLENGED = [card.number for card in CARDS if card.challenge and card.decline is None]


@pytest.fixture(scope="module")
def local() -> Iterator[LocalStripe]:
    with running_stripe() as running:
        yield running


def challenged(local: LocalStripe, alias: str, **more: str) -> stripe.PaymentIntent:
    params: Any = {"amount": 520_000, "currency": "usd", "payment_method": alias, "confirm": True}
    intent = local.client().v1.payment_intents.create(params | more)
    assert intent.status == "requires_action"
    return intent


def answer(local: LocalStripe, intent: stripe.PaymentIntent, what: str, query: str = "") -> str:
    page = f"{local.url}/3d-secure/{intent.id}{query}"
    assert "Complete authentication" in requests.get(page, timeout=5).text
    reply = requests.post(page, data={"answer": what}, timeout=5, allow_redirects=False)
    return reply.headers.get("Location", "")


@pytest.mark.parametrize("number", CHALLENGED)
def test_the_card_asks_for_a_challenge(local: LocalStripe, number: str) -> None:
    client = local.client()
    typed: Any = {"type": "card", "card": {"number": number, "exp_month": 1, "exp_year": 2040}}
    method = client.v1.payment_methods.create(typed)
    intent = challenged(local, method.id)
    assert intent.next_action is not None
    assert intent.next_action.type == "use_stripe_sdk"
    answer(local, intent, "complete")
    assert client.v1.payment_intents.retrieve(intent.id).status == "succeeded"


def test_a_failed_challenge_can_be_repeated(local: LocalStripe) -> None:
    client = local.client()
    intent = challenged(local, "pm_card_threeDSecure2Required")
    answer(local, intent, "fail")
    failed = client.v1.payment_intents.retrieve(intent.id)
    assert failed.status == "requires_payment_method"
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.code == "payment_intent_authentication_failure"
    again = client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
    assert again.status == "succeeded"


def test_a_card_may_decline_after_the_challenge(local: LocalStripe) -> None:
    intent = challenged(local, "pm_card_threeDSecureRequiredChargeDeclined")
    answer(local, intent, "complete")
    failed = local.client().v1.payment_intents.retrieve(intent.id)
    assert failed.last_payment_error is not None
    assert failed.last_payment_error.decline_code == "generic_decline"


def test_the_redirect_leads_back_to_the_shop(local: LocalStripe) -> None:
    intent = challenged(
        local, "pm_card_authenticationRequired", return_url="https://shop.example/back?x=1"
    )
    assert intent.next_action is not None
    assert intent.next_action.redirect_to_url is not None
    target = urlsplit(answer(local, intent, "complete", "?redirect=1"))
    query = parse_qs(target.query)
    assert (target.netloc, target.path, query["x"]) == ("shop.example", "/back", ["1"])
    assert query["payment_intent"] == [intent.id]
    assert query["redirect_status"] == ["succeeded"]


def test_nobody_there_to_be_asked(local: LocalStripe) -> None:
    with pytest.raises(stripe.CardError) as caught:
        local.client().v1.payment_intents.create(
            {
                "amount": 100,
                "currency": "usd",
                "payment_method": "pm_card_authenticationRequired",
                "confirm": True,
                "off_session": True,
            }
        )
    assert caught.value.error is not None
    assert caught.value.error.decline_code == "authentication_required"


def test_an_answered_challenge_is_over(local: LocalStripe) -> None:
    intent = challenged(local, "pm_card_authenticationRequired")
    answer(local, intent, "complete")
    page = f"{local.url}/3d-secure/{intent.id}"
    assert requests.post(page, data={"answer": "complete"}, timeout=5).status_code == 400
    assert requests.get(f"{local.url}/3d-secure/pi_no", timeout=5).status_code == 404
