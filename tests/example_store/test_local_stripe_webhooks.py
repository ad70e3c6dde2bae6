"""Events of the local Stripe: signed, delivered, delivered again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import stripe
from flask import Flask, Response, request

from example_store.local_stripe import Endpoint, Settings
from example_store.local_stripe.upstream import running as running_localstripe
from tests.support.store import running_stripe
from tests.support.waiting import wait_until

SECRET = "whsec_of_this_test"


class Receiver:
    """A shop's endpoint that refuses the first ``refusals`` deliveries."""

    def __init__(self, refusals: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.signatures: list[str] = []
        self._refusals = refusals
        self.app = Flask("receiver")
        self.app.post("/hook")(self._take)

    def _take(self) -> Response:
        self.bodies.append(request.get_data())
        self.signatures.append(request.headers["Stripe-Signature"])
        if self._refusals:
            self._refusals -= 1
            return Response(status=500)
        return Response(status=204)

    def events(self, secret: str = SECRET) -> list[stripe.Event]:
        pairs = zip(self.bodies, self.signatures, strict=True)
        return [stripe.Webhook.construct_event(body, sent, secret) for body, sent in pairs]


@pytest.fixture
def serve(live_server: Callable[[Flask], str]) -> Callable[[Receiver], str]:
    return lambda receiver: f"{live_server(receiver.app)}/hook"


def test_events_are_signed_and_tell_the_story(serve: Callable[[Receiver], str]) -> None:
    receiver = Receiver()
    settings = Settings(endpoints=(Endpoint(serve(receiver), SECRET),))
    with running_stripe(settings) as local:
        client = local.client()
        intent = client.v1.payment_intents.create({"amount": 100, "currency": "usd"})
        with pytest.raises(stripe.CardError):
            client.v1.payment_intents.confirm(
                intent.id, {"payment_method": "pm_card_chargeDeclined"}
            )
        client.v1.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        wait_until(lambda: len(receiver.bodies) == 5, what="five events")
        events = receiver.events()
        assert sorted(event.type for event in events) == [
            "charge.failed",
            "charge.succeeded",
            "payment_intent.created",
            "payment_intent.payment_failed",
            "payment_intent.succeeded",
        ]
        assert len({event.id for event in events}) == 5
        failed = next(one for one in events if one.type == "payment_intent.payment_failed")
        assert failed.data.object["last_payment_error"]["decline_code"] == "generic_decline"
        listed = client.v1.events.list({"limit": 5})
        assert {event.id for event in listed.data} == {event.id for event in events}


def test_a_forged_signature_is_noticed(serve: Callable[[Receiver], str]) -> None:
    receiver = Receiver()
    with running_stripe(Settings(endpoints=(Endpoint(serve(receiver), SECRET),))) as local:
        local.client().v1.payment_intents.create({"amount": 100, "currency": "usd"})
        wait_until(lambda: receiver.bodies, what="an event")
    with pytest.raises(stripe.SignatureVerificationError):
        receiver.events("whsec_of_somebody_else")


def test_a_refused_event_is_delivered_again_with_a_new_signature(
    serve: Callable[[Receiver], str],
) -> None:
    receiver = Receiver(refusals=3)
    settings = Settings(
        endpoints=(Endpoint(serve(receiver), SECRET),), retry_delays=(0.05, 0.05, 0.05, 0.05)
    )
    with running_stripe(settings) as local:
        local.client().v1.payment_intents.create({"amount": 100, "currency": "usd"})
        wait_until(lambda: len(receiver.bodies) == 4, what="the fourth delivery")
        wait_until(
            lambda: all(delivery["done"] for delivery in local.state.deliveries()), what="the end"
        )
        assert len({event.id for event in receiver.events()}) == 1


def test_what_nobody_takes_is_given_up(serve: Callable[[Receiver], str]) -> None:
    receiver = Receiver(refusals=99)
    settings = Settings(endpoints=(Endpoint(serve(receiver), SECRET),), retry_delays=(0.02, 0.02))
    with running_stripe(settings) as local:
        local.client().v1.payment_intents.create({"amount": 100, "currency": "usd"})
        wait_until(lambda: local.state.deliveries()[0]["done"], what="giving up")
        assert local.state.deliveries()[0]["attempts"] == 3


def test_endpoints_of_the_api_get_what_they_ask_for(serve: Callable[[Receiver], str]) -> None:
    receiver = Receiver()
    with running_stripe(Settings()) as local:
        client = local.client()
        made = client.v1.webhook_endpoints.create(
            {"url": serve(receiver), "enabled_events": ["payment_intent.succeeded"]}
        )
        assert made.secret is not None
        client.v1.payment_intents.create(
            {"amount": 100, "currency": "usd", "payment_method": "pm_card_visa", "confirm": True}
        )
        wait_until(lambda: receiver.bodies, what="the event")
        assert [event.type for event in receiver.events(made.secret)] == [
            "payment_intent.succeeded"
        ]


def test_undelivered_events_survive_a_restart(
    serve: Callable[[Receiver], str], tmp_path: Path
) -> None:
    receiver = Receiver()
    endpoint = Endpoint(serve(receiver), SECRET)
    gone = Endpoint("http://127.0.0.1:9/hook", SECRET)
    path = str(tmp_path / "stripe.db")
    with running_stripe(
        Settings(endpoints=(gone,), database=path, retry_delays=(0.01,) * 50)
    ) as local:
        local.client().v1.payment_intents.create({"amount": 100, "currency": "usd"})
        wait_until(lambda: local.state.deliveries()[0]["attempts"], what="a first attempt")
    with running_stripe(Settings(endpoints=(endpoint,), database=path)):
        wait_until(lambda: receiver.bodies, what="the delivery after the restart")


@pytest.mark.slow
def test_localstripe_answers_the_rest() -> None:
    with running_localstripe() as upstream, running_stripe(Settings(upstream=upstream)) as local:
        client = local.client()
        customer = client.v1.customers.create({"email": "ada@example.com"})
        assert client.v1.customers.retrieve(customer.id).email == "ada@example.com"
        method = client.v1.payment_methods.attach(
            "pm_card_chargeCustomerFail", {"customer": customer.id}
        )
        assert method.customer == customer.id
        with pytest.raises(stripe.CardError) as caught:
            client.v1.payment_intents.create(
                {
                    "amount": 100,
                    "currency": "usd",
                    "customer": customer.id,
                    "payment_method": method.id,
                    "confirm": True,
                }
            )
        assert caught.value.error is not None
        assert caught.value.error.decline_code == "generic_decline"
        with pytest.raises(stripe.InvalidRequestError):
            client.v1.customers.retrieve("cus_nothing")
