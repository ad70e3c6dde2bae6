"""Stripe is asked what became of a payment, through its SDK, where the shop has set no hook."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import stripe
from flask import Flask, jsonify, request

from tests.support.due import Clock, cases, send, set_clock, work
from tests.support.server import running_server
from tests.support.shop import Shop
from tests.support.store import LocalStripe, running_stripe

KEY = "sk_test_local"


@pytest.fixture(scope="module")
def local() -> Iterator[LocalStripe]:
    with running_stripe() as running:
        yield running


@pytest.fixture
def shop(
    make_app: Callable[..., Shop], local: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> Shop:
    monkeypatch.setattr(stripe, "api_base", local.url)
    return make_app(CHECKOUT_CASE_STRIPE_API_KEY=KEY)


@pytest.fixture
def clock(shop: Shop) -> Clock:
    return set_clock(shop)


def lost(shop: Shop, clock: Clock, **told: Any) -> None:
    """Report a try whose answer never came, and let the worker ask about it."""
    told = {"provider": "stripe", "failure_class": "network", "outcome": "unknown", **told}
    send(shop, "payment_failed", clock(), checkout_ref="c-1", **told)
    clock.pass_by(timedelta(seconds=30))
    work(shop)


def intent(local: LocalStripe, method: str | None = None) -> str:
    client = local.client()
    made = client.v1.payment_intents.create(
        {"amount": 12000, "currency": "usd", "metadata": {"checkout_ref": "c-1"}}
    )
    if method is not None:
        with contextlib.suppress(stripe.CardError):
            client.v1.payment_intents.confirm(made.id, {"payment_method": method})
    return made.id


@pytest.mark.parametrize(
    ("method", "ends"),
    [
        ("pm_card_visa", ("closed", "self_recovered", 1)),
        ("pm_card_chargeDeclinedInsufficientFunds", ("new", None, 2)),
        # It never reached Stripe: nothing was charged.
        (None, ("new", None, 2)),
    ],
)
def test_stripe_says_what_became_of_it(
    shop: Shop, clock: Clock, local: LocalStripe, method: str | None, ends: tuple[str, Any, int]
) -> None:
    lost(shop, clock, payment_id=intent(local, method))
    (case,) = cases(shop)
    assert (case.status, case.outcome, case.occurrences) == ends


def test_a_charge_is_asked_for_by_its_own_id(shop: Shop, clock: Clock, local: LocalStripe) -> None:
    paid = local.client().v1.payment_intents.retrieve(intent(local, "pm_card_visa"))
    lost(shop, clock, attempt_id=str(paid.latest_charge))
    assert [case.status for case in cases(shop)] == ["closed"]


@pytest.mark.parametrize("payment_id", ["pi_unknown", "5O190127TN364715T"])
def test_what_stripe_does_not_have_stays_unknown(shop: Shop, clock: Clock, payment_id: str) -> None:
    lost(shop, clock, payment_id=payment_id)
    assert [(case.status, case.occurrences) for case in cases(shop)] == [("new", 1)]


def test_stripe_out_of_reach_is_asked_again(
    shop: Shop, clock: Clock, local: LocalStripe, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = intent(local, "pm_card_visa")
    with monkeypatch.context() as away:
        away.setattr(stripe, "api_base", "http://127.0.0.1:9")
        lost(shop, clock, payment_id=paid)
    assert [case.status for case in cases(shop)] == ["new"]
    clock.pass_by(timedelta(minutes=1))
    work(shop)
    assert [case.status for case in cases(shop)] == ["closed"]


def test_the_shops_hook_goes_first(shop: Shop, clock: Clock, local: LocalStripe) -> None:
    @shop.cases.reconcile
    def reconcile(payment: object) -> None:
        return None

    lost(shop, clock, payment_id=intent(local, "pm_card_visa"))
    assert [case.status for case in cases(shop)] == ["new"]


def test_other_gateways_are_not_asked(shop: Shop, clock: Clock, local: LocalStripe) -> None:
    lost(shop, clock, provider="adyen", payment_id=intent(local, "pm_card_visa"))
    assert [case.status for case in cases(shop)] == ["new"]


def test_a_payment_without_an_id_is_searched_for_by_its_checkout(
    make_app: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = Flask("stripe")

    @answers.get("/v1/payment_intents/search")
    def search() -> Any:
        asked.append(request.args["query"])
        found = {"id": "pi_1", "object": "payment_intent", "status": "succeeded"}
        return jsonify(object="search_result", data=[found], has_more=False, url=request.path)

    with running_server(answers) as url:
        monkeypatch.setattr(stripe, "api_base", url)
        shop = make_app(CHECKOUT_CASE_STRIPE_API_KEY=KEY)
        clock = set_clock(shop)
        told = {"failure_class": "network", "outcome": "unknown", "provider": "stripe"}
        send(shop, "payment_failed", clock(), checkout_ref='c"1\\', **told)
        since = int((clock() - timedelta(hours=1)).timestamp())
        clock.pass_by(timedelta(seconds=30))
        work(shop)
    assert asked == [f'metadata["checkout_ref"]:"c\\"1\\\\" AND created>{since}']
    assert [case.status for case in cases(shop)] == ["closed"]


def test_what_an_sdk_returned_is_an_answer(shop: Shop, clock: Clock, local: LocalStripe) -> None:
    paid = intent(local, "pm_card_visa")
    shop.cases.reconcile(lambda _payment: local.client().v1.payment_intents.retrieve(paid))
    lost(shop, clock, payment_id=paid)
    (case,) = cases(shop)
    assert (case.status, case.outcome) == ("closed", "self_recovered")


@pytest.mark.parametrize("answer", ["paid", {"status": "succeeded"}, 7])
def test_what_no_sdk_returned_is_none(shop: Shop, clock: Clock, answer: object) -> None:
    shop.cases.reconcile(lambda _payment: answer)
    lost(shop, clock, payment_id="pi_1")
    (case,) = cases(shop)
    assert case.status == "new"
