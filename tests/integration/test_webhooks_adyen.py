"""Adyen's notifications: from the signed bytes to the case, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from webtest import TestApp

from flask_checkout_case.types import Status
from tests.support.due import cases, checkout, send
from tests.support.gateways import ADYEN_KEYS, adyen_body, adyen_item, adyen_signed
from tests.support.shop import Shop

URL = "/checkout-case/webhooks/adyen"


@pytest.fixture
def shop(make_app: Callable[..., Shop]) -> Shop:
    return make_app(CHECKOUT_CASE_WEBHOOK_SECRETS={"adyen": list(ADYEN_KEYS)})


@pytest.fixture
def client(shop: Shop) -> TestApp:
    return TestApp(shop.app)


def post(client: TestApp, *items: Mapping[str, Any], status: int = 200) -> Any:
    return client.post(
        URL, adyen_body(items), headers={"Content-Type": "application/json"}, status=status
    )


@pytest.mark.parametrize("key", ADYEN_KEYS)
def test_a_refused_payment_becomes_a_case(shop: Shop, client: TestApp, key: str) -> None:
    answer = post(client, adyen_signed(adyen_item(), key))
    assert answer.text == "[accepted]"
    (case,) = cases(shop)
    assert (case.checkout_ref, case.failure_class, case.team) == ("c-1", "funds", "payments")


def test_a_redelivery_changes_nothing(shop: Shop, client: TestApp) -> None:
    for _ in range(3):
        post(client, adyen_signed(adyen_item()))
    assert [case.occurrences for case in cases(shop)] == [1]


def test_all_items_of_one_notification_are_taken(shop: Shop, client: TestApp) -> None:
    items = [adyen_item(f"PSP{n}", merchantReference=f"c-{n}") for n in range(3)]
    post(client, *map(adyen_signed, items))
    assert sorted(case.checkout_ref or "" for case in cases(shop)) == ["c-0", "c-1", "c-2"]


def test_one_forged_item_and_nothing_is_taken(shop: Shop, client: TestApp) -> None:
    genuine = adyen_signed(adyen_item())
    post(client, genuine, {**genuine, "success": "true"}, status=400)
    assert cases(shop) == []


def test_the_shops_report_and_the_webhook_are_one(shop: Shop, client: TestApp) -> None:
    told = {"provider": "adyen", "attempt_id": "PSP1", "failure_code": "12"}
    runtime = shop.app.extensions["checkout_case"]
    post(client, adyen_signed(adyen_item()))
    send(shop, "payment_failed", runtime.clock(), checkout=checkout(), **told)
    (case,) = cases(shop)
    assert (case.occurrences, case.customer_ref, str(case.value)) == (1, "42", "120.00 USD")


def test_a_late_refusal_does_not_reopen_a_paid_checkout(shop: Shop, client: TestApp) -> None:
    post(client, adyen_signed(adyen_item("PSP1")))
    post(client, adyen_signed(adyen_item("PSP2", success="true")))
    post(client, adyen_signed(adyen_item("PSP0")))
    (case,) = cases(shop)
    assert (case.status, case.occurrences) == (Status.CLOSED, 1)


@pytest.mark.parametrize("reason", ["Cancelled", "Shopper Cancelled"])
def test_who_has_cancelled_has_no_case(shop: Shop, client: TestApp, reason: str) -> None:
    post(client, adyen_signed(adyen_item(reason=reason)))
    assert cases(shop) == []
