"""The SDK's own sale, over HTTP, reported as the documentation says, and the case that follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from braintree.error_result import ErrorResult
from sqlalchemy import select
from webtest import TestApp

from flask_checkout_case import CaseInfo
from flask_checkout_case.config import read_settings
from flask_checkout_case.data.models import EventRow
from flask_checkout_case.gateways import dashboard_url
from flask_checkout_case.types import Status
from tests.support.braintree import (
    BRAINTREE_KEYS,
    FORM,
    LocalBraintree,
    environment_at,
    invalid_sale,
    payment,
    posted,
    sdk,
    settlement,
    tags,
)
from tests.support.due import Clock, cases, checkout, runtime_of, set_clock, work
from tests.support.ports import free_port
from tests.support.readme import marked_blocks
from tests.support.shop import Shop

PAGE = Path(__file__).parents[2] / "docs" / "braintree.md"
REF = "c-81"


def sold(**about: Any) -> tuple[int, str]:
    return 201, tags({"transaction": payment(order_id=REF, **about)})


def refused(**about: Any) -> tuple[int, str]:
    """Return the answer to a sale that became a transaction, and failed."""
    failed = tags({"transaction": payment(order_id=REF, **about)})
    told = f'<errors><errors type="array"/></errors><message>Declined</message>{failed}'
    return 422, f"<api-error-response>{told}</api-error-response>"


ANSWERS = {
    "paid": sold(status="submitted_for_settlement"),
    "waiting": sold(status="authorizing"),
    "funds": refused(),
    "stolen": refused(processor_response_code="2013"),
    "of 2030": refused(processor_response_code="2600"),
    "risk": refused(status="gateway_rejected", gateway_rejection_reason="risk_threshold"),
    "twice": refused(status="gateway_rejected", gateway_rejection_reason="duplicate"),
    "mistyped": (422, invalid_sale(number="81715")),
    "no amount": (422, invalid_sale(number="81715", amount="81502")),
    "busy": (429, ""),
    "broken": (500, ""),
    "down": (503, ""),
    "slow": (504, ""),
    "forbidden": (403, ""),
    "odd": (502, ""),
    "cut": (201, "<transaction>"),
}
EXPECTED = {
    "funds": ("funds", "failed"),
    "stolen": ("fraud", "failed"),
    "of 2030": ("soft", "failed"),
    "risk": ("fraud", "failed"),
    "twice": ("duplicate", "failed"),
    "mistyped": ("card_data", "failed"),
    "no amount": ("config", "failed"),
    "busy": ("processing", "failed"),
    "broken": ("processing", "unknown"),
    "down": ("processing", "unknown"),
    "slow": ("network", "unknown"),
    "forbidden": ("config", "failed"),
    "odd": ("processing", "unknown"),
    # What the SDK can't read itself is no exception of its own.
    "cut": ("processing", "unknown"),
}


@dataclass
class Store:
    """A shop that was built as the documentation says, and the Braintree that it asks."""

    shop: Shop
    names: dict[str, Any]
    local: LocalBraintree

    def pay(self, nonce: str) -> bool | None:
        """Pay by the page's own view; ``None`` when it raises."""
        client = TestApp(self.shop.app)
        try:
            paid: bool = client.post_json("/pay", {"nonce": nonce}).json["paid"]
        except Exception:  # noqa: BLE001 - the SDK's, or its parser's
            return None
        finally:
            with self.shop.app.app_context():
                self.shop.cases.flush()
        return paid

    def case(self) -> CaseInfo:
        (case,) = cases(self.shop)
        return case

    def event(self) -> EventRow:
        with runtime_of(self.shop).read() as session:
            return session.scalars(select(EventRow)).one()


@pytest.fixture
def store(make_app: Callable[..., Shop]) -> Iterator[Store]:
    shop = make_app(CHECKOUT_CASE_WEBHOOK_SECRETS={"braintree": list(BRAINTREE_KEYS)})
    names: dict[str, Any] = {"app": shop.app, "db": shop.db, "cases": shop.cases}
    with shop.app.app_context():
        for block in marked_blocks(PAGE):
            if block.mark == "runnable":
                exec(compile(block.code, PAGE.name, "exec"), names)  # noqa: S102 - our own
    local = LocalBraintree(ANSWERS)
    with local.running() as names["gateway"]:
        yield Store(shop, names, local)


@pytest.mark.parametrize("nonce", EXPECTED)
def test_a_sale_that_fails_becomes_a_case(store: Store, nonce: str) -> None:
    raised = EXPECTED[nonce][1] == "unknown" or nonce in {"busy", "forbidden"}
    assert store.pay(nonce) is (None if raised else False)
    (sale,) = store.local.sales
    assert (sale["order_id"], sale["amount"]) == (REF, "129.00")
    case, event = store.case(), store.event()
    assert (case.checkout_ref, str(case.value)) == (REF, "129.00 USD")
    assert (case.failure_class, event.data["provider"]) == (EXPECTED[nonce][0], "braintree")
    assert event.data.get("outcome", "failed") == EXPECTED[nonce][1]


def test_agents_find_the_transaction(store: Store) -> None:
    store.pay("funds")
    told = store.event().data
    assert (told["failure_code"], told["message"]) == ("2001", "Insufficient Funds")
    assert dashboard_url(told) == (
        "https://sandbox.braintreegateway.com/merchants/atelier/transactions/tx1"
    )


def test_a_sale_that_goes_through_closes_the_case(store: Store) -> None:
    store.pay("funds")
    assert store.pay("paid") is True
    assert store.case().status is Status.CLOSED


def test_a_sale_that_has_not_ended_says_nothing(store: Store) -> None:
    assert store.pay("waiting") is True
    assert cases(store.shop) == []


def test_a_sale_and_its_webhook_are_one(store: Store) -> None:
    store.pay("paid")
    client = TestApp(store.shop.app)
    raw = posted(settlement("transaction_settled", order_id=REF))
    client.post("/checkout-case/webhooks/braintree", raw, headers=FORM)
    assert store.event().id == "braintree:payment_succeeded:tx1"


def test_nobody_answers(store: Store) -> None:
    store.names["gateway"] = sdk(environment_at(free_port()), wrap_http_exceptions=True)
    assert store.pay("paid") is None
    assert (store.case().failure_class, store.event().data["outcome"]) == ("network", "unknown")
    assert store.event().data["error_type"] == "ConnectionError"


def test_a_time_out_of_the_http_library_itself_is_unknown_too(store: Store) -> None:
    store.names["gateway"] = sdk(environment_at(free_port()))
    assert store.pay("paid") is None
    assert (store.case().failure_class, store.event().data["outcome"]) == ("processing", "unknown")


@pytest.mark.parametrize(
    ("found", "after", "status"),
    [
        ([payment(id="tx2", status="settling")], timedelta(minutes=1), Status.CLOSED),
        ([payment(id="tx2")], timedelta(minutes=1), Status.NEW),
        ([], timedelta(minutes=1), Status.NEW),
    ],
)
def test_what_became_of_an_unknown_outcome_is_asked(
    store: Store, found: list[dict[str, Any]], after: timedelta, status: Status
) -> None:
    clock: Clock = set_clock(store.shop)
    store.pay("slow")
    store.local.found = found
    clock.pass_by(after)
    work(store.shop)
    assert store.case().status is status
    assert store.local.searches[0]["order_id"] == {"is": REF}


def test_a_sale_that_never_arrived_has_failed(store: Store) -> None:
    class Lost:
        gateway, checkout_ref = "braintree", REF
        began_at = runtime_of(store.shop).clock() - timedelta(hours=2)

    ask = store.names["ask_braintree"]
    assert ask(Lost) == ("payment_failed", {"failure_class": "network"})
    store.local.found = [payment(status="settled")]
    assert ask(Lost) == ("payment_succeeded", {"attempt_id": "tx1"})
    Lost.gateway = "stripe"
    assert ask(Lost) is None


def test_a_result_that_can_not_be_read_does_not_reach_the_shop(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    result = ErrorResult(sdk(), {"errors": {}, "message": "It is invalid."})
    del result.transaction
    with store.shop.app.app_context(), store.shop.cases.payment(checkout(REF)) as attempt:
        attempt.returned(result)
        attempt.returned(None)
        assert not attempt.reported
    assert "a gateway's result could not be read" in caplog.text


def test_a_result_tells_the_checkout_where_the_shop_does_not(store: Store) -> None:
    told = store.names["gateway"].transaction.sale(
        {"amount": "1.00", "payment_method_nonce": "funds"}
    )
    with store.shop.app.app_context():
        with store.shop.cases.payment(provider="braintree") as attempt:
            attempt.returned(told)
        store.shop.cases.flush()
    assert store.case().checkout_ref == REF


def test_the_settings_of_the_documentation_are_taken(store: Store) -> None:
    secrets = read_settings(store.shop.app.config).webhook_secrets
    assert secrets["braintree"][0]["environment"] == "sandbox"
