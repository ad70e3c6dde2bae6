"""What is no gateway's webhook, floods of those that are, and a database that is away."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select
from webtest import TestApp

from flask_checkout_case.data.models import EventRow
from flask_checkout_case.errors import SignatureError
from flask_checkout_case.gateways import GATEWAYS, paypal_certificates
from tests.support.braintree import BRAINTREE_KEYS, FORM, posted, settlement
from tests.support.due import cases, runtime_of
from tests.support.gateways import (
    ADYEN_KEYS,
    STRIPE_SECRETS,
    adyen_body,
    adyen_item,
    adyen_signed,
    stripe_event,
    stripe_failure,
    stripe_signature,
)
from tests.support.paypal import PAYPAL_IDS, paypal_capture, paypal_event, paypal_signer
from tests.support.shop import Shop

SECRETS: dict[str, Any] = {
    "stripe": list(STRIPE_SECRETS),
    "adyen": list(ADYEN_KEYS),
    "braintree": list(BRAINTREE_KEYS),
    "paypal": list(PAYPAL_IDS),
}
NONSENSE = [
    b"",
    b"{}",
    b"[]",
    b"null",
    b'"x"',
    b"\x00" * 64,
    b"\xff\xfe\xfd",
    "ä".encode("utf-16"),
    b"[" * 60_000,
    b'{"a":' * 10_000,
    b'{"notificationItems": [' + b"9" * 5_000 + b"]}",
    b"bt_signature=%ff&bt_payload=%ff",
    b"bt_signature=p|x&bt_payload=e30%3D",
    b"bt_signature=public_new|x&bt_payload=%0A",
    b"bt_signature=public_new%7C%C3%A9&bt_payload=e30%3D",
    b"bt_signature=public_new|a|b&bt_payload=%C3%A9",
    posted(b"<!DOCTYPE n [<!ENTITY x 'xxxxxxxx'>]><n>" + b"&x;" * 5_000 + b"</n>"),
    posted(b"<n>" * 9_000),
    b'{"id": "WH-1", "event_type": "PAYMENT.CAPTURE.DENIED"}',
]


@pytest.fixture
def shop(make_app: Callable[..., Shop], monkeypatch: pytest.MonkeyPatch) -> Shop:
    monkeypatch.setattr(paypal_certificates, "CERTIFICATES", paypal_signer().certificates())
    return make_app(CHECKOUT_CASE_WEBHOOK_SECRETS=SECRETS)


@pytest.fixture
def client(shop: Shop) -> TestApp:
    return TestApp(shop.app)


def url(gateway: str) -> str:
    return f"/checkout-case/webhooks/{gateway}"


def events(shop: Shop) -> int:
    with runtime_of(shop).read() as session:
        return session.scalar(select(func.count()).select_from(EventRow)) or 0


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_nonsense_is_a_400(shop: Shop, client: TestApp, gateway: str) -> None:
    chance = random.Random(gateway)
    bodies = [*NONSENSE, *(chance.randbytes(chance.randrange(2000)) for _ in range(20))]
    for body in bodies:
        for kind in ("application/json", "application/x-www-form-urlencoded", "text/plain"):
            headers = {
                "Stripe-Signature": "t=1,v1=é",
                "Content-Encoding": "gzip",
                **paypal_signer().headers(b"something else"),
                "Content-Type": kind,
            }
            answer = client.post(url(gateway), body, headers=headers, status="*")
            assert answer.status_code == 400, (body[:40], kind)
    assert events(shop) == 0


@pytest.mark.parametrize("gateway", GATEWAYS)
def test_a_megabyte_is_too_much(client: TestApp, gateway: str) -> None:
    for body in (b"x" * 2**20, posted(b"<n>" + b" " * 2**20)):
        client.post(url(gateway), body, headers={"Content-Type": "text/plain"}, status=413)


@pytest.mark.parametrize("gateway", [*GATEWAYS, "nobody"])
def test_nothing_but_a_post_is_taken(client: TestApp, gateway: str) -> None:
    client.get(url(gateway), status=405)
    client.put(url(gateway), b"{}", status=405)


@pytest.mark.parametrize("about", [{"metadata": {"checkout_ref": "c\x00\ud8001"}}, {"id": "\x00"}])
def test_signed_text_that_no_database_takes_is_cleaned(
    shop: Shop, client: TestApp, about: dict[str, Any]
) -> None:
    raw = json.dumps(stripe_event("payment_intent.succeeded", {"latest_charge": "ch_1", **about}))
    client.post(url("stripe"), raw.encode(), headers=stripe_signature(raw.encode()), status=200)
    assert events(shop) == 1


def flood() -> list[tuple[str, bytes, dict[str, str]]]:
    """Return deliveries of three checkouts' tries, each several times and in disorder."""
    stripes = [
        stripe_failure("ch_1"),
        stripe_failure("ch_2", decline_code="do_not_honor"),
        stripe_event("payment_intent.succeeded", {"latest_charge": "ch_3"}),
    ]
    raws = [json.dumps(event).encode() for event in stripes]
    items = [
        adyen_item("PSP1", merchantReference="c-2"),
        adyen_item("PSP2", merchantReference="c-2"),
    ]
    adyens = [adyen_body([adyen_signed(item)]) for item in items]
    sent = [("stripe", raw, stripe_signature(raw)) for raw in raws]
    sent += [("adyen", raw, {"Content-Type": "application/json"}) for raw in adyens]
    sent += [("braintree", posted(settlement(id=f"tx{n}", order_id="c-2")), FORM) for n in (1, 2)]
    paypals = [
        paypal_event(id=f"WH-{one}", resource=paypal_capture(id=one, custom_id="c-3"))
        for one in "AB"
    ]
    sent += [("paypal", raw, paypal_signer().headers(raw)) for raw in paypals]
    deliveries = sent * 9
    random.Random(4).shuffle(deliveries)
    return deliveries


def test_duplicates_disorder_and_floods_change_nothing(shop: Shop) -> None:
    def deliver(one: tuple[str, bytes, dict[str, str]]) -> int:
        gateway, raw, headers = one
        status: int = (
            TestApp(shop.app).post(url(gateway), raw, headers=headers, status="*").status_code
        )
        return status

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(deliver, flood()))
    assert {*answers} <= {200, 503}, "503 is sent again"
    assert answers.count(200) > len(answers) / 2
    for one in flood():
        assert deliver(one) == 200
    assert events(shop) == 9
    by_ref = {case.checkout_ref: case for case in cases(shop)}
    assert by_ref["c-2"].occurrences == 4
    assert by_ref["c-3"].occurrences == 2
    assert "c-1" not in by_ref or by_ref["c-1"].status == "closed"


def test_while_the_database_is_away_the_gateway_has_to_send_it_again(
    shop: Shop, client: TestApp
) -> None:
    raw = json.dumps(stripe_failure()).encode()
    with shop.app.app_context():
        shop.db.drop_all()
    client.post(url("stripe"), raw, headers=stripe_signature(raw), status=503)
    with shop.app.app_context():
        shop.db.create_all()
    client.post(url("stripe"), raw, headers=stripe_signature(raw), status=200)
    assert [case.occurrences for case in cases(shop)] == [1]


Reader = Callable[[bytes, Mapping[str, str]], Any]


def own(shop: Shop, read: Reader) -> None:
    shop.cases.gateway("paystack")(read)


def test_a_reader_that_yields_may_refuse_at_its_first_step(shop: Shop, client: TestApp) -> None:
    def read(body: bytes, headers: Mapping[str, str]) -> Any:
        if headers.get("X-Signature") != "good":
            raise SignatureError("no")
        yield "payment_failed", {"checkout_ref": "c-7", "failure_code": "expired_card"}

    own(shop, read)
    client.post(url("paystack"), b"{}", status=400)
    for _ in range(2):
        client.post(url("paystack"), b"{}", headers={"x-signature": "good"}, status=200)
    (case,) = cases(shop)
    assert (case.failure_class, case.occurrences) == ("expired", 1)


@pytest.mark.parametrize(
    "told",
    [
        5,
        "payment_failed",
        [5],
        ["payment_failed"],
        [("payment_failed",)],
        [("payment_failed", None)],
        [("payment_failed", [1])],
        [("no_signal_of_ours", {})],
        [(["payment_failed"], {})],
    ],
)
def test_a_reader_that_answers_nonsense_is_a_400(shop: Shop, client: TestApp, told: Any) -> None:
    own(shop, lambda body, headers: told)
    client.post(url("paystack"), b"{}", status=400)
    assert events(shop) == 0
