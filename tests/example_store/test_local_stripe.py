"""The local Stripe, through the real SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import stripe

from example_store.local_stripe.cards import ALIASES, CARDS, passes_luhn
from tests.support.store import LocalStripe, running_stripe

DECLINES = {
    "4000000000000002": ("card_declined", "generic_decline"),
    "4000000000009995": ("card_declined", "insufficient_funds"),
    "4000000000009987": ("card_declined", "lost_card"),
    "4000000000009979": ("card_declined", "stolen_card"),
    "4000000000000069": ("expired_card", "expired_card"),
    "4000000000000127": ("incorrect_cvc", "incorrect_cvc"),
    "4000000000000119": ("processing_error", "processing_error"),
    "4000000000006975": ("card_declined", "card_velocity_exceeded"),
    "4000000000000341": ("card_declined", "generic_decline"),
    "4100000000000019": ("card_declined", "fraudulent"),
    "4000000000004954": ("card_declined", "fraudulent"),
    "4000000000000101": ("incorrect_cvc", "incorrect_cvc"),
    "4000000000000036": ("incorrect_zip", "incorrect_zip"),
    "4000008400001280": ("processing_error", "processing_error"),
}
SUCCEEDING = [card.number for card in CARDS if card.number not in DECLINES and not card.challenge]


@pytest.fixture(scope="module")
def local() -> Iterator[LocalStripe]:
    with running_stripe() as running:
        yield running


@pytest.fixture
def client(local: LocalStripe) -> stripe.StripeClient:
    return local.client()


def make_method(client: stripe.StripeClient, number: str) -> str:
    card = {"number": number, "exp_month": 12, "exp_year": 2040, "cvc": "123"}
    if number.startswith("3") and len(number) == 15:
        card["cvc"] = "1234"
    billing: Any = {"name": "Ada", "address": {"postal_code": "02110"}}
    typed: Any = {"type": "card", "card": card, "billing_details": billing}
    made = client.v1.payment_methods.create(typed)
    assert made.card is not None
    assert made.card.last4 == number[-4:]
    return made.id


def make_intent(client: stripe.StripeClient, amount: int = 520_000) -> stripe.PaymentIntent:
    return client.v1.payment_intents.create(
        {"amount": amount, "currency": "usd", "metadata": {"checkout_ref": "co_1"}}
    )


def confirm(client: stripe.StripeClient, intent: str, method: str) -> stripe.PaymentIntent:
    return client.v1.payment_intents.confirm(intent, {"payment_method": method})


@pytest.mark.parametrize(("number", "codes"), DECLINES.items())
def test_a_declining_card_says_why(
    client: stripe.StripeClient, number: str, codes: tuple[str, str]
) -> None:
    intent = make_intent(client)
    with pytest.raises(stripe.CardError) as caught:
        confirm(client, intent.id, make_method(client, number))
    error = caught.value.error
    assert error is not None
    assert caught.value.http_status == 402
    assert (error.code, error.decline_code) == codes
    assert error.type == "card_error"
    assert error.message
    assert error.payment_intent is not None
    assert error.payment_intent.status == "requires_payment_method"
    kept = client.v1.payment_intents.retrieve(intent.id)
    assert kept.last_payment_error is not None
    assert kept.last_payment_error.decline_code == codes[1]
    assert kept.last_payment_error.charge == error.charge == kept.latest_charge
    charge = client.v1.charges.retrieve(str(error.charge))
    assert (charge.status, charge.paid, charge.failure_code) == ("failed", False, codes[0])
    assert charge.outcome is not None
    assert charge.outcome.type == ("blocked" if codes[1] == "fraudulent" else "issuer_declined")


@pytest.mark.parametrize("number", SUCCEEDING)
def test_a_good_card_is_charged(client: stripe.StripeClient, number: str) -> None:
    intent = make_intent(client)
    paid = confirm(client, intent.id, make_method(client, number))
    assert (paid.status, paid.amount_received) == ("succeeded", 520_000)
    assert client.v1.charges.retrieve(str(paid.latest_charge)).paid


def test_a_decline_has_advice_and_network_code(client: stripe.StripeClient) -> None:
    intent = make_intent(client)
    with pytest.raises(stripe.CardError) as caught:
        confirm(client, intent.id, "pm_card_chargeDeclined")
    body: Any = caught.value.json_body
    assert body["error"]["advice_code"] == "try_again_later"
    assert body["error"]["network_decline_code"] == "01"
    assert body["error"]["doc_url"].endswith("/card-declined")


def test_confirming_again_with_another_card_succeeds(client: stripe.StripeClient) -> None:
    intent = make_intent(client)
    for alias in ("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds"):
        with pytest.raises(stripe.CardError):
            confirm(client, intent.id, alias)
    paid = confirm(client, intent.id, "pm_card_visa")
    assert paid.status == "succeeded"
    assert paid.last_payment_error is None
    assert len(client.v1.charges.list({"payment_intent": intent.id}).data) == 3


def test_a_paid_intent_is_not_charged_again(client: stripe.StripeClient) -> None:
    intent = make_intent(client)
    confirm(client, intent.id, "pm_card_visa")
    with pytest.raises(stripe.InvalidRequestError) as caught:
        confirm(client, intent.id, "pm_card_visa")
    assert caught.value.code == "payment_intent_unexpected_state"


def test_creating_and_confirming_at_once(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_intents.create(
            {
                "amount": 1000,
                "currency": "usd",
                "payment_method": "pm_card_chargeDeclinedExpiredCard",
                "confirm": True,
            }
        )
    assert caught.value.code == "expired_card"
    paid = client.v1.payment_intents.create(
        {"amount": 1000, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
    )
    assert paid.status == "succeeded"


@pytest.mark.parametrize("alias", sorted(ALIASES))
def test_stripes_named_payment_methods_exist(client: stripe.StripeClient, alias: str) -> None:
    intent = client.v1.payment_intents.create(
        {"amount": 100, "currency": "usd", "payment_method": alias}
    )
    assert intent.status == "requires_confirmation"


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ({"number": "4242424242424241", "exp_month": 1, "exp_year": 2040}, "incorrect_number"),
        ({"number": "4242", "exp_month": 1, "exp_year": 2040}, "incorrect_number"),
        ({"number": "4242424242424242", "exp_month": 13, "exp_year": 2040}, "invalid_expiry_month"),
        ({"number": "4242424242424242", "exp_month": 1, "exp_year": 2019}, "invalid_expiry_year"),
        (
            {"number": "4242424242424242", "exp_month": 1, "exp_year": 2040, "cvc": "12"},
            "invalid_cvc",
        ),
    ],
)
def test_mistyped_cards_are_refused(
    client: stripe.StripeClient, card: dict[str, Any], code: str
) -> None:
    typed: Any = {"type": "card", "card": card}
    with pytest.raises(stripe.CardError) as caught:
        client.v1.payment_methods.create(typed)
    assert caught.value.code == code


def test_every_listed_card_is_a_card_number() -> None:
    assert all(passes_luhn(card.number) for card in CARDS)
    assert set(ALIASES.values()) <= {card.number for card in CARDS}


def test_an_answer_is_given_again_for_the_same_key(client: stripe.StripeClient) -> None:
    intent = make_intent(client)
    again: stripe.RequestOptions = {"idempotency_key": f"confirm-{intent.id}"}
    charged = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa"}, again
    )
    repeated = client.v1.payment_intents.confirm(
        intent.id, {"payment_method": "pm_card_visa"}, again
    )
    assert charged.latest_charge == repeated.latest_charge
    assert repeated.last_response is not None
    assert repeated.last_response.headers["idempotent-replayed"] == "true"
    with pytest.raises(stripe.IdempotencyError) as caught:
        client.v1.payment_intents.confirm(
            intent.id, {"payment_method": "pm_card_mastercard"}, again
        )
    assert caught.value.http_status == 400


def test_a_decline_is_repeated_for_the_same_key_too(client: stripe.StripeClient) -> None:
    intent = make_intent(client)
    method = make_method(client, "4000000000000002")
    charges = []
    for _ in range(2):
        with pytest.raises(stripe.CardError) as caught:
            client.v1.payment_intents.confirm(
                intent.id, {"payment_method": method}, {"idempotency_key": f"once-{intent.id}"}
            )
        assert caught.value.error is not None
        charges.append(caught.value.error.charge)
    assert charges[0] == charges[1]


def test_keys_are_checked(local: LocalStripe) -> None:
    with pytest.raises(stripe.AuthenticationError):
        local.client("sk_live_never").v1.payment_intents.list()
    with pytest.raises(stripe.PermissionError):
        local.client("pk_test_page").v1.payment_intents.list()


def test_a_page_needs_the_client_secret(local: LocalStripe, client: stripe.StripeClient) -> None:
    intent = make_intent(client)
    page = local.client("pk_test_page")
    with pytest.raises(stripe.InvalidRequestError):
        page.v1.payment_intents.retrieve(intent.id)
    found = page.v1.payment_intents.retrieve(
        intent.id, {"client_secret": str(intent.client_secret)}
    )
    assert found.id == intent.id


def test_unknown_things_are_named(client: stripe.StripeClient) -> None:
    with pytest.raises(stripe.InvalidRequestError) as caught:
        client.v1.payment_intents.retrieve("pi_nothing")
    assert (caught.value.http_status, caught.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError) as missing:
        client.v1.payment_intents.create({"currency": "usd"})  # type: ignore[typeddict-item]
    assert missing.value.param == "amount"


def test_amounts_change_until_paid(client: stripe.StripeClient) -> None:
    intent = make_intent(client, 1000)
    assert client.v1.payment_intents.update(intent.id, {"amount": 2500}).amount == 2500
    assert confirm(client, intent.id, "pm_card_visa").amount_received == 2500
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.update(intent.id, {"amount": 1})


def test_cancelling_and_capturing(client: stripe.StripeClient) -> None:
    intent = make_intent(client)
    ended = client.v1.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (ended.status, ended.cancellation_reason) == ("canceled", "abandoned")
    held = client.v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "usd",
            "capture_method": "manual",
            "payment_method": "pm_card_visa",
            "confirm": True,
        }
    )
    assert (held.status, held.amount_capturable) == ("requires_capture", 700)
    assert client.v1.payment_intents.capture(held.id).status == "succeeded"


def test_refunds(client: stripe.StripeClient) -> None:
    intent = make_intent(client, 900)
    confirm(client, intent.id, "pm_card_visa")
    part = client.v1.refunds.create({"payment_intent": intent.id, "amount": 400})
    rest = client.v1.refunds.create({"payment_intent": intent.id})
    assert (part.amount, rest.amount) == (400, 500)
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.refunds.create({"payment_intent": intent.id})


def test_lists_are_paged(client: stripe.StripeClient) -> None:
    made = [make_intent(client).id for _ in range(3)]
    first = client.v1.payment_intents.list({"limit": 2})
    assert first.has_more
    assert [intent.id for intent in first.data] == [made[2], made[1]]
    second = client.v1.payment_intents.list({"limit": 2, "starting_after": made[1]})
    assert second.data[0].id == made[0]
