"""``cases.payment`` for shops that raise, return an error, redirect, or hear of it later."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import stripe
from blinker import Signal
from flask import abort, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from werkzeug.exceptions import HTTPException

from flask_checkout_case import CaseInfo, Checkout, Customer, Money
from flask_checkout_case.data.models import CaseRow, EventRow
from flask_checkout_case.errors import ConfigurationError
from flask_checkout_case.types import Category, FailureClass, Status
from tests.support.shop import Shop

CHECKOUT = Checkout(
    ref="c-1", value=Money("80.00", "EUR"), step="payment", customer=Customer(ref="7", name="Ada")
)


class GatewayError(Exception):
    """Of a gateway that we have never heard of."""


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(CHECKOUT_CASE_PARTS=[])


def events(shop: Shop) -> list[EventRow]:
    with shop.app.app_context():
        shop.cases.flush()
    with shop.app.extensions["checkout_case"].read() as session:
        return list(session.scalars(select(EventRow).order_by(EventRow.at)))


def attempts(shop: Shop) -> list[dict[str, Any]]:
    with shop.app.app_context():
        shop.cases.flush()
    with shop.app.extensions["checkout_case"].read() as session:
        return [dict(found or {}) for found in session.scalars(select(CaseRow.attempt))]


def only_case(shop: Shop) -> CaseInfo:
    with shop.app.app_context():
        shop.cases.flush()
        (case,) = shop.cases.find()
    return case


# --- shops that raise ---


def test_an_exception_is_reported_and_raised_again_as_it_was(shop: Shop) -> None:
    error = GatewayError("connection reset")
    with (
        shop.app.app_context(),
        pytest.raises(GatewayError) as raised,
        shop.cases.payment(CHECKOUT, provider="paystack"),
    ):
        raise error
    assert raised.value is error
    assert raised.value.__cause__ is None
    (attempt,) = attempts(shop)
    assert (attempt["failure_class"], attempt["outcome"]) == ("processing", "unknown")
    assert attempt["provider"] == "paystack"
    (event,) = events(shop)
    assert event.data["message"] == "connection reset"
    assert event.data["error_type"].endswith("GatewayError")


def test_an_unknown_exception_never_says_that_the_bank_declined(shop: Shop) -> None:
    with shop.app.app_context(), pytest.raises(GatewayError), shop.cases.payment(CHECKOUT):
        raise GatewayError
    case = only_case(shop)
    assert case.category is Category.PAYMENT_ERROR
    assert case.failure_class is FailureClass.PROCESSING


def declined_by_stripe() -> stripe.CardError:
    body = {
        "error": {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": "insufficient_funds",
            "charge": "ch_1",
            "payment_intent": {"id": "pi_1"},
        }
    }
    make: Any = stripe.CardError
    error: stripe.CardError = make(
        "Your card has insufficient funds.", None, "card_declined", json_body=body
    )
    return error


def test_a_known_gateways_exception_says_what_happened(shop: Shop) -> None:
    with (
        shop.app.app_context(),
        pytest.raises(stripe.CardError),
        shop.cases.payment(CHECKOUT, provider="stripe"),
    ):
        raise declined_by_stripe()
    (event,) = events(shop)
    assert event.id == "stripe:payment_failed:ch_1"
    assert event.data["payment_id"] == "pi_1"
    assert only_case(shop).failure_class is FailureClass.FUNDS


def test_wrapper_and_webhook_of_one_attempt_are_one(shop: Shop) -> None:
    with shop.app.app_context():
        with pytest.raises(stripe.CardError), shop.cases.payment(CHECKOUT, provider="stripe"):
            raise declined_by_stripe()
        shop.cases.payment_failed(
            checkout_ref="c-1",
            provider="stripe",
            attempt_id="ch_1",
            decline_code="insufficient_funds",
        )
    assert only_case(shop).occurrences == 1


def test_a_gateways_exception_without_a_code_has_an_unknown_outcome(shop: Shop) -> None:
    with (
        shop.app.app_context(),
        pytest.raises(stripe.StripeError),
        shop.cases.payment(CHECKOUT, provider="stripe"),
    ):
        raise stripe.StripeError("what now?")
    (attempt,) = attempts(shop)
    assert (attempt["failure_class"], attempt["outcome"]) == ("processing", "unknown")


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit])
def test_being_ended_leaves_the_outcome_unknown(shop: Shop, kind: type[BaseException]) -> None:
    with shop.app.app_context(), pytest.raises(kind), shop.cases.payment(CHECKOUT):
        raise kind
    (attempt,) = attempts(shop)
    assert attempt["outcome"] == "unknown"


def test_http_exceptions_and_redirects_are_no_failures(shop: Shop) -> None:
    with shop.app.test_request_context():
        for code in (302, 403, 404, 500):
            with pytest.raises(HTTPException), shop.cases.payment(CHECKOUT):
                abort(redirect("/3ds") if code == 302 else code)
    assert events(shop) == []


def test_an_exception_after_the_shops_own_word_is_not_a_second_failure(shop: Shop) -> None:
    with shop.app.app_context():
        with pytest.raises(GatewayError), shop.cases.payment(CHECKOUT) as attempt:  # noqa: PT012
            attempt.failed(code="card_declined", decline_code="insufficient_funds")
            raise GatewayError
        with pytest.raises(GatewayError), shop.cases.payment(CHECKOUT) as attempt:  # noqa: PT012
            attempt.succeeded(payment_id="pi_2")
            raise GatewayError("the order could not be saved")
    assert [event.name for event in events(shop)] == ["payment_failed", "payment_succeeded"]


def test_the_checkout_is_copied_when_the_attempt_starts(shop: Shop) -> None:
    given: dict[str, Any] = {"ref": "c-1", "value": Money("80.00", "EUR"), "step": "payment"}
    payment: Any = shop.cases.payment
    with shop.app.app_context(), pytest.raises(GatewayError), payment(given):  # noqa: PT012
        given["value"] = None
        given["step"] = "somewhere else"
        raise GatewayError
    case = only_case(shop)
    assert case.value == Money("80.00", "EUR")


# --- shops that return an error ---


def test_a_clean_exit_reports_nothing(shop: Shop) -> None:
    with shop.app.app_context(), shop.cases.payment(CHECKOUT, provider="stripe"):
        pass
    assert events(shop) == []


def test_a_gateway_that_returns_instead_of_raising(shop: Shop) -> None:
    with shop.app.app_context(), shop.cases.payment(CHECKOUT, provider="paypal") as attempt:
        attempt.failed(code="gateway_unavailable", message="503", method="card")
    (attempt_data,) = attempts(shop)
    assert attempt_data["raw_code"] == "gateway_unavailable"
    assert attempt_data["method"] == "card"


def test_success_closes_the_case(shop: Shop) -> None:
    with shop.app.app_context():
        with shop.cases.payment(CHECKOUT, provider="stripe") as attempt:
            attempt.failed("card_declined", decline_code="insufficient_funds", attempt_id="ch_1")
        with shop.cases.payment(CHECKOUT, provider="stripe") as attempt:
            attempt.succeeded(payment_id="pi_1", attempt_id="ch_2")
    assert only_case(shop).status is Status.CLOSED


def test_a_customer_who_leaves_is_no_case(shop: Shop) -> None:
    with shop.app.app_context(), shop.cases.payment(CHECKOUT, provider="paypal") as attempt:
        attempt.canceled()
    assert [event.name for event in events(shop)] == ["payment_canceled"]
    with shop.app.app_context():
        assert shop.cases.find() == []


# --- the decorator ---


def test_the_decorator_takes_the_loaders_checkout_when_it_starts(shop: Shop) -> None:
    current = {"checkout": CHECKOUT}
    loaded: list[str] = []

    @shop.cases.checkout_loader
    def load() -> Checkout | None:
        loaded.append("once")
        return current["checkout"]

    @shop.cases.payment(provider="paystack")
    def charge(amount: int, *, currency: str = "EUR") -> str:
        """Charge."""
        current["checkout"] = replace(CHECKOUT, ref="c-2")
        raise GatewayError(f"{amount} {currency}")

    assert (charge.__name__, charge.__doc__) == ("charge", "Charge.")
    assert loaded == []
    with shop.app.app_context(), pytest.raises(GatewayError, match="80 EUR"):
        charge(80)
    assert loaded == ["once"], "no loader runs once the payment has failed"
    assert only_case(shop).checkout_ref == "c-1"


def judge(result: Mapping[str, Any]) -> Mapping[str, Any] | str | bool:
    verdict: Mapping[str, Any] | str | bool = result["verdict"]
    return verdict


@pytest.mark.parametrize(
    ("verdict", "raw_code"),
    [
        ({"code": "card_declined", "decline_code": "lost_card"}, "lost_card"),
        ("expired_card", "expired_card"),
        (True, None),
    ],
)
def test_the_decorator_judges_what_is_returned(
    shop: Shop, verdict: object, raw_code: str | None
) -> None:
    @shop.cases.payment(CHECKOUT, provider="stripe", failed=judge)
    def charge() -> dict[str, object]:
        return {"verdict": verdict}

    with shop.app.app_context():
        assert charge() == {"verdict": verdict}
    (attempt,) = attempts(shop)
    assert attempt["raw_code"] == raw_code


def test_a_result_that_is_no_failure_reports_nothing(shop: Shop) -> None:
    @shop.cases.payment(CHECKOUT, failed=judge)
    def charge() -> dict[str, object]:
        return {"verdict": False}

    with shop.app.app_context():
        charge()
    assert events(shop) == []


def test_a_judge_or_loader_that_fails_changes_nothing_for_the_shop(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    @shop.cases.checkout_loader
    def load() -> Checkout | None:
        raise GatewayError("no session")

    @shop.cases.payment(failed=lambda result: result["missing"])
    def charge() -> dict[str, str]:
        return {"paid": "yes"}

    with shop.app.app_context():
        assert charge() == {"paid": "yes"}
    assert "could not be loaded" in caplog.text
    assert "the judge of a payment's result failed" in caplog.text
    assert events(shop) == []


def test_a_coroutine_is_refused_at_once(shop: Shop) -> None:
    with pytest.raises(TypeError, match="coroutines"):

        @shop.cases.payment(provider="stripe")
        async def charge() -> None:
            """Never runs."""


def test_a_decorated_function_may_call_itself(shop: Shop) -> None:
    @shop.cases.payment(CHECKOUT, provider="paystack")
    def charge(depth: int) -> None:
        if depth:
            charge(depth - 1)
        raise GatewayError(depth)

    with shop.app.app_context(), pytest.raises(GatewayError):
        charge(0)
    assert len(events(shop)) == 1


# --- shops that hear of it later ---


def test_a_cancel_url(shop: Shop) -> None:
    @shop.app.get("/paypal/cancel")
    def cancelled() -> ResponseReturnValue:
        shop.cases.payment_failed(
            checkout_ref=request.args["checkout"], provider="paypal", failure_code="declined"
        )
        return redirect("/checkout")

    answer = shop.app.test_client().get("/paypal/cancel?checkout=c-1", buffered=True)
    assert answer.status_code == 302
    assert only_case(shop).checkout_ref == "c-1"


def test_a_webhook_of_the_shops_own_sent_twice(shop: Shop) -> None:
    @shop.app.post("/hooks/adyen")
    def hook() -> ResponseReturnValue:
        for item in request.get_json()["items"]:
            shop.cases.payment_failed(
                checkout_ref=item["reference"],
                provider="adyen",
                failure_code=item["reason"],
                event_id=item["psp"],
            )
        return "[accepted]"

    body = {"items": [{"reference": "c-1", "reason": "Refused", "psp": "881"}]}
    client = shop.app.test_client()
    for _ in range(2):
        assert client.post("/hooks/adyen", json=body, buffered=True).text == "[accepted]"
    assert only_case(shop).occurrences == 1
    (event,) = events(shop)
    assert event.id == "adyen:881"


# --- the shop's own signals ---


def test_listening_to_the_shops_own_signal(shop: Shop) -> None:
    paid, failed = Signal("paid"), Signal("failed")
    shop.cases.listen(failed, as_="payment_failed")
    shop.cases.listen(
        paid,
        as_="order_completed",
        map=lambda sender, **kw: {"checkout_ref": kw["cart"], "order_ref": kw["order"]},
    )
    with shop.app.app_context():
        failed.send(shop, checkout=CHECKOUT, decline_code="insufficient_funds")
        paid.send("anybody", cart="c-1", order=17)
    case = only_case(shop)
    assert case.status is Status.CLOSED
    assert case.failure_class is FailureClass.FUNDS


def test_a_mapping_that_fails_or_declines_leaves_the_shops_call_alone(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    theirs = Signal("theirs")
    shop.cases.listen(theirs, as_="payment_failed", map=lambda sender, **kw: kw["missing"])
    shop.cases.listen(theirs, as_="payment_failed", map=lambda sender, **kw: None)
    with shop.app.app_context():
        theirs.send(None)
    assert "the mapping of a shop's signal to payment_failed failed" in caplog.text
    assert events(shop) == []


def test_an_unknown_name_is_refused_at_once(shop: Shop) -> None:
    with pytest.raises(ConfigurationError, match="order_complete"):
        shop.cases.listen(Signal("theirs"), as_="order_complete")


def test_an_attempt_that_ends_on_another_thread_is_reported_all_the_same(shop: Shop) -> None:
    watched = shop.cases.payment(CHECKOUT, provider="paystack")
    raised: list[BaseException] = []

    def leave() -> None:
        error = GatewayError("gone")
        try:
            with shop.app.app_context():
                watched.__exit__(GatewayError, error, None)
        except BaseException as other:  # noqa: BLE001 - shown by the assertion below
            raised.append(other)

    with shop.app.app_context():
        watched.__enter__()
        thread = threading.Thread(target=leave)
        thread.start()
        thread.join()
        watched.__exit__(None, None, None)
    assert raised == []
    assert only_case(shop).failure_class is FailureClass.PROCESSING


def test_a_judges_odd_mapping_never_reaches_the_shop(shop: Shop) -> None:
    @shop.cases.payment(CHECKOUT, failed=lambda _result: {1: "odd", "code": "expired_card"})
    def charge() -> str:
        return "charged"

    with shop.app.app_context():
        assert charge() == "charged"
    assert only_case(shop).failure_class is FailureClass.EXPIRED
