"""Events, signatures and codes that the gateways themselves have published."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from Adyen.client import AdyenResult

from flask_checkout_case.errors import InvalidInputError, SignatureError
from flask_checkout_case.gateways import (
    GATEWAYS,
    adyen,
    braintree,
    describe_result,
    paypal,
    paypal_webhooks,
    read_failure,
    stripe,
    stripe_webhooks,
)
from flask_checkout_case.gateways.adyen_codes import REASONS
from flask_checkout_case.types import Event, FailureClass
from tests.support import shared_data
from tests.support.braintree import BRAINTREE_KEYS
from tests.support.gateways import ADYEN_KEYS, STRIPE_SECRETS, adyen_body, adyen_signed
from tests.support.gateways import stripe_signature as signature
from tests.support.paypal import PAYPAL_IDS, paypal_signer

EVENTS = shared_data.root() / "gateway_events"
CODES = shared_data.root() / "decline_codes"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
# Of the published events, those that say something about a payment.
STRIPE_SAYS = {
    "charge.failed.json": [],  # it names no checkout: the intent's event may
    "checkout.session.completed.json": ["payment_succeeded"],
    "payment_intent.amount_capturable_updated.json": ["payment_succeeded"],
    "payment_intent.payment_failed.json": ["payment_failed"],
    "payment_intent.succeeded.json": ["payment_succeeded"],
}
ADYEN_SAYS = {
    "authorisation-true.json": ["payment_succeeded"],
    "node_authorisationTrue.json": ["payment_succeeded"],
}
BRAINTREE_SAYS = {
    "transaction_settled": ["payment_succeeded"],
    "transaction_settlement_declined": ["payment_failed"],
    "local_payment_funded": ["payment_succeeded"],
    "local_payment_reversed": ["payment_failed"],
    "subscription_charged_unsuccessfully": ["payment_failed"],
}
PAYPAL_SAYS = {
    "PAYMENT.AUTHORIZATION.CREATED": ["payment_succeeded"],
    "PAYMENT.CAPTURE.COMPLETED": ["payment_succeeded"],
    "PAYMENT.SALE.COMPLETED": ["payment_succeeded"],
}


def files(gateway: str) -> list[Path]:
    with (EVENTS / "manifest.csv").open(newline="") as file:
        listed = [EVENTS / row["file"] for row in csv.DictReader(file) if row["gateway"] == gateway]
    return [path for path in listed if not path.name.endswith("_vectors.json")]


def vectors(path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((EVENTS / path).read_text())
    return found


def names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


@pytest.mark.parametrize(
    "vector", vectors("stripe/signature_vectors.json"), ids=lambda vector: vector["name"]
)
def test_stripes_signatures(vector: dict[str, Any]) -> None:
    now = datetime.fromtimestamp(vector["now"], UTC)
    given = (vector["payload"].encode(), vector["header"], (vector["secret"],), now)
    with time_machine.travel(now, tick=False):
        if vector["valid"]:
            assert stripe_webhooks.verify(*given) == vector["payload"]
        else:
            with pytest.raises(SignatureError):
                stripe_webhooks.verify(*given)


@pytest.mark.parametrize(
    "vector", vectors("adyen/hmac_vectors.json"), ids=lambda vector: vector["name"]
)
def test_adyens_signatures(vector: dict[str, Any]) -> None:
    raw, keys = adyen_body([vector["item"]]), (vector["hmac_key"],)
    if not vector["valid"]:
        with pytest.raises(SignatureError):
            adyen.read_webhook(raw, {}, keys, NOW)
        return
    events = adyen.read_webhook(raw, {}, keys, NOW)
    is_payment = vector["item"]["eventCode"] == "AUTHORISATION"
    assert names(events) == (["payment_succeeded"] if is_payment else [])
    assert {event.checkout_ref for event in events} <= {vector["item"]["merchantReference"]}


@pytest.mark.parametrize("path", files("stripe"), ids=lambda path: path.name)
def test_stripes_own_events(path: Path) -> None:
    raw = path.read_bytes()
    events = stripe.read_webhook(raw, signature(raw), STRIPE_SECRETS, datetime.now(UTC))
    assert names(events) == STRIPE_SAYS.get(path.name, [])
    for event in events:
        assert event.at < NOW
        if event.name == "payment_failed":
            failure = read_failure(event.data, None)
            assert (failure.failure_class, failure.unmapped) == ("soft", False)


@pytest.mark.parametrize("path", files("stripe"), ids=lambda path: path.name)
def test_stripes_own_events_signed_by_others(path: Path) -> None:
    raw = path.read_bytes()
    with pytest.raises(SignatureError):
        stripe.read_webhook(raw, signature(raw, "whsec_x"), STRIPE_SECRETS, datetime.now(UTC))


@pytest.mark.parametrize("path", files("adyen"), ids=lambda path: path.name)
def test_adyens_own_notifications(path: Path) -> None:
    body = json.loads(path.read_text())
    items = [one["NotificationRequestItem"] for one in body.get("notificationItems", [])]
    if not items:
        # Answers of the API, and webhooks of other products, which are signed in another way.
        with pytest.raises(InvalidInputError):
            adyen.read_webhook(path.read_bytes(), {}, ADYEN_KEYS, NOW)
        return
    with pytest.raises(SignatureError):
        adyen.read_webhook(path.read_bytes(), {}, ADYEN_KEYS, NOW)
    signed = adyen_body([adyen_signed(item) for item in items], body["live"])
    events = adyen.read_webhook(signed, {}, ADYEN_KEYS, NOW)
    assert names(events) == ADYEN_SAYS.get(path.name, [])
    assert [event.data["livemode"] for event in events] == [False for _ in events]


def notifications() -> list[dict[str, Any]]:
    told = json.loads((EVENTS / "braintree/notifications.json").read_text())
    keys = {name: told[name] for name in ("merchant_id", "public_key", "private_key")}
    return [{**one, "keys": keys} for one in told["notifications"]]


@pytest.mark.parametrize(
    "one", notifications(), ids=lambda one: f"{one['kind']} {one.get('why', '')}".strip()
)
def test_braintrees_own_notifications(one: dict[str, Any]) -> None:
    raw = urlencode({name: one[name] for name in ("bt_signature", "bt_payload")}).encode()
    with pytest.raises(SignatureError):
        braintree.read_webhook(raw, {}, BRAINTREE_KEYS, NOW)
    secrets = (BRAINTREE_KEYS[0], one["keys"])
    if not one["valid"]:
        with pytest.raises(SignatureError):
            braintree.read_webhook(raw, {}, secrets, NOW)
        return
    events = braintree.read_webhook(raw, {}, secrets, NOW)
    assert names(events) == BRAINTREE_SAYS.get(one["kind"], [])
    assert all(event.at < NOW for event in events)


@pytest.mark.parametrize(
    ("name", "signal", "failure_class"),
    [
        ("api.authorise-error-cvc-declined.json", "payment_failed", "card_data"),
        ("api.authorise-success-3d.json", "payment_started", None),
        ("api.authorise-success-3ds2.json", "payment_succeeded", None),
    ],
)
def test_adyens_own_answers(name: str, signal: str, failure_class: str | None) -> None:
    told = describe_result(AdyenResult(json.loads((EVENTS / "adyen" / name).read_text())))
    assert told is not None
    assert told[0] == signal
    if failure_class is not None:
        assert read_failure(told[1], None).failure_class == failure_class


@pytest.mark.parametrize("gateway", ["stripe", "adyen", "braintree", "paypal"])
def test_the_listed_codes_have_the_listed_classes(gateway: str) -> None:
    listed = json.loads((CODES / "payment_codes.json").read_text())[gateway]
    ours = GATEWAYS[gateway].CODES
    wrong = [
        (code, ours.get(code), cls)
        for cls, words in listed.items()
        for code in (words.replace(",", " ").split() if isinstance(words, str) else words)
        if ours.get(code) != cls
    ]
    assert wrong == []


def test_adyens_words_for_its_codes_are_the_listed_ones() -> None:
    with (CODES / "decline_codes.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["gateway"] == "adyen_refusal_reason"]
    listed = {row["code"]: row["name"] for row in rows}
    assert {code: REASONS[code] for code in listed} == listed


def test_braintrees_listed_codes_are_known() -> None:
    with (CODES / "decline_codes.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["gateway"].startswith("braintree_")]
    assert {row["code"] for row in rows} - braintree.CODES.keys() == set()


def paypal_events() -> list[dict[str, Any]]:
    several = json.loads((EVENTS / "paypal" / "events_in_other_tests.json").read_text())
    signed = json.loads((EVENTS / "paypal" / "payment_sale_completed_signed.json").read_text())
    one = json.loads((EVENTS / "paypal" / "webhooks_v1.json").read_text())
    return [*several, json.loads(signed["body"]), one]


@pytest.mark.parametrize("body", paypal_events(), ids=lambda body: body["event_type"])
def test_paypals_own_events(body: dict[str, Any]) -> None:
    signer, raw = paypal_signer(), json.dumps(body).encode()
    headers, certificates = signer.headers(raw, at=NOW), signer.certificates()
    events = paypal.read_webhook(raw, headers, PAYPAL_IDS, NOW, certificates)
    assert names(events) == PAYPAL_SAYS.get(body["event_type"], [])
    for event in events:
        resource = body["resource"]
        assert event.data["attempt_id"] == resource["id"]
        assert event.data["currency"] in resource["amount"].values()
    with pytest.raises(SignatureError):
        paypal.read_webhook(raw, headers, ("another",), NOW, certificates)


def test_what_paypal_signs_is_put_together_as_paypal_does() -> None:
    vector = json.loads((EVENTS / "paypal" / "payment_sale_completed_signed.json").read_text())
    headers, raw = vector["headers"], vector["body"].encode()
    text = paypal_webhooks.signed_text(
        headers["PAYPAL-TRANSMISSION-ID"],
        headers["PAYPAL-TRANSMISSION-TIME"],
        vector["webhook_id"],
        raw,
    )
    assert text.decode() == vector["signed_text"]
    asked: list[str] = []
    signer = paypal_signer()
    certificates = signer.certificates(asked.append)
    # Signed by PayPal's key, and ours is given for it.
    with pytest.raises(SignatureError):
        paypal.read_webhook(raw, headers, (vector["webhook_id"],), NOW, certificates)
    assert asked == [headers["PAYPAL-CERT-URL"]]


@pytest.mark.parametrize("kind", ["paypal_processor_response", "paypal_issue"])
def test_every_listed_code_of_paypal_is_known(kind: str) -> None:
    rows = list(shared_data.rows("decline_codes/decline_codes.csv"))
    codes = {row["code"]: row["category"] for row in rows if row["gateway"] == kind}
    assert codes
    assert {code for code in codes if code not in GATEWAYS["paypal"].CODES} == set()
    classes = {GATEWAYS["paypal"].CODES[code] for code, said in codes.items() if said == "fraud"}
    # 5160, an unauthorized user, is hard in the table that wins.
    assert classes <= {FailureClass.FRAUD, FailureClass.HARD}
