"""What the gateways' SDKs return, given to ``cases.payment``, becomes cases and attempts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from Adyen.client import AdyenResult
from sqlalchemy import select
from stripe import PaymentIntent

from flask_checkout_case import CaseInfo, Checkout, Customer, Money
from flask_checkout_case.data.models import EventRow
from tests.support.shop import Shop

CHECKOUT = Checkout(
    ref="c-1", value=Money("80.00", "EUR"), step="payment", customer=Customer(ref="7", name="Ada")
)
REFUSED = AdyenResult(
    {
        "pspReference": "PSP1",
        "resultCode": "Refused",
        "refusalReasonCode": "12",
        "refusalReason": "Not enough balance",
    }
)
PAID = AdyenResult({"pspReference": "PSP2", "resultCode": "Authorised"})


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(CHECKOUT_CASE_PARTS=[])


def told(shop: Shop) -> list[tuple[str, str | None]]:
    with shop.app.app_context():
        shop.cases.flush()
    with shop.app.extensions["checkout_case"].read() as session:
        found = session.scalars(select(EventRow).order_by(EventRow.at, EventRow.id))
        return [(one.name, one.data.get("attempt_id")) for one in found]


def cases(shop: Shop) -> list[CaseInfo]:
    with shop.app.app_context():
        return shop.cases.find()


def pay(shop: Shop, result: object) -> bool:
    with shop.app.app_context(), shop.cases.payment(CHECKOUT, provider="adyen") as attempt:
        return attempt.returned(result)


def test_a_refusal_that_is_returned_opens_a_case(shop: Shop) -> None:
    assert pay(shop, REFUSED)
    assert told(shop) == [("payment_failed", "PSP1")]
    (case,) = cases(shop)
    assert (case.failure_class, case.value) == ("funds", Money("80.00", "EUR"))


def test_what_is_paid_then_closes_it(shop: Shop) -> None:
    pay(shop, REFUSED)
    pay(shop, PAID)
    assert told(shop) == [("payment_failed", "PSP1"), ("payment_succeeded", "PSP2")]
    (case,) = cases(shop)
    assert (case.status, case.outcome) == ("closed", "self_recovered")


def test_a_decorated_functions_result_is_read(shop: Shop) -> None:
    @shop.cases.payment(CHECKOUT, provider="adyen")
    def charge() -> AdyenResult:
        return REFUSED

    with shop.app.app_context():
        assert charge() is REFUSED
    assert told(shop) == [("payment_failed", "PSP1")]


def test_a_judge_of_the_shops_own_is_asked_instead(shop: Shop) -> None:
    @shop.cases.payment(CHECKOUT, provider="adyen", failed=lambda _result: False)
    def charge() -> AdyenResult:
        return REFUSED

    with shop.app.app_context():
        charge()
    assert told(shop) == []


def test_a_stripe_intent_that_asks_the_customer_is_no_failure(shop: Shop) -> None:
    intent = PaymentIntent.construct_from(
        {
            "id": "pi_1",
            "object": "payment_intent",
            "amount": 8000,
            "currency": "eur",
            "status": "requires_action",
            "latest_charge": None,
            "last_payment_error": None,
            "metadata": {},
            "livemode": False,
        },
        "sk_test_1",
    )
    with shop.app.app_context(), shop.cases.payment(CHECKOUT, provider="stripe") as attempt:
        assert attempt.returned(intent)
    assert [name for name, _ in told(shop)] == ["payment_started"]
    assert cases(shop) == []


class Strange:
    """Of no gateway that we know."""


class Hostile(AdyenResult):  # type: ignore[misc]
    """Breaks whoever looks into it."""

    @property
    def message(self) -> Any:
        raise RuntimeError("not today")

    @message.setter
    def message(self, _value: Any) -> None:
        return


@pytest.mark.parametrize("result", [None, "ok", 7, {"resultCode": "Refused"}, Strange()])
def test_what_no_sdk_returned_reports_nothing(shop: Shop, result: object) -> None:
    assert not pay(shop, result)
    assert told(shop) == []


def test_a_result_that_cannot_be_read_harms_nobody(shop: Shop) -> None:
    assert not pay(shop, Hostile({}))
    assert told(shop) == []
