"""Braintree's notifications: verified, dated, read; the gaps of the official library."""

from __future__ import annotations

import base64
import builtins
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode

import pytest
from braintree.webhook_notification import WebhookNotification

from flask_checkout_case.errors import InvalidInputError, MissingExtraError, SignatureError
from flask_checkout_case.gateways import braintree, read_failure
from flask_checkout_case.types import Event
from tests.support.braintree import (
    BRAINTREE_KEYS,
    notification,
    payment,
    posted,
    sdk,
    sealed,
    settlement,
    tags,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read(raw: bytes, now: datetime | None = None) -> list[Event]:
    return braintree.read_webhook(raw, {}, BRAINTREE_KEYS, now or datetime.now(UTC))


def test_a_declined_settlement_is_a_failure() -> None:
    (event,) = read(posted(settlement(processor_settlement_response_code="4001")))
    assert (event.id, event.name, event.checkout_ref) == (
        "braintree:payment_failed:tx1",
        "payment_failed",
        "c-1",
    )
    assert (event.data["amount_minor"], event.data["currency"]) == (12000, "USD")
    assert (event.data["merchant_id"], event.data["livemode"]) == ("atelier", False)
    assert "checkout_ref" not in event.data
    failure = read_failure(event.data, "c-1")
    assert (failure.failure_class, failure.raw_code, failure.unmapped) == ("soft", "4001", False)


def test_a_settlement_is_the_money() -> None:
    (event,) = read(posted(settlement("transaction_settled")))
    assert (event.id, event.name) == ("braintree:payment_succeeded:tx1", "payment_succeeded")
    assert "failure_code" not in event.data


@pytest.mark.parametrize("kind", ["transaction_settled", "transaction_settlement_declined"])
def test_money_that_is_paid_back_is_no_payment(kind: str) -> None:
    assert read(posted(settlement(kind, type="credit"))) == []


SALE = payment(status="authorizing")


@pytest.mark.parametrize(
    ("kind", "subject", "signal"),
    [
        ("local_payment_completed", {"local_payment": {"payment_id": "p1"}}, None),
        (
            "local_payment_completed",
            {"local_payment": {"payment_id": "p1", "transaction": SALE}},
            None,
        ),
        (
            "local_payment_completed",
            {"local_payment": {"payment_id": "p1", "transaction": payment(status="settling")}},
            "payment_succeeded",
        ),
        (
            "local_payment_funded",
            {"local_payment_funded": {"payment_id": "p1", "transaction": SALE}},
            "payment_succeeded",
        ),
        (
            "local_payment_expired",
            {"local_payment_expired": {"payment_id": "p1"}},
            "payment_canceled",
        ),
        (
            "local_payment_reversed",
            {"local_payment_reversed": {"payment_id": "p1"}},
            "payment_failed",
        ),
    ],
)
def test_payments_by_local_methods(
    kind: str, subject: Mapping[str, Any], signal: str | None
) -> None:
    events = read(posted(notification(kind, subject)))
    assert [event.name for event in events] == ([signal] if signal else [])
    for event in events:
        assert (event.data["payment_id"], event.data["merchant_id"]) == ("p1", "atelier")
        named = "transaction" in next(iter(subject.values()))
        assert event.checkout_ref == ("c-1" if named else None)
        if signal == "payment_failed":
            assert read_failure(event.data, None).failure_class == "processing"


def test_a_subscription_tells_of_its_newest_payment() -> None:
    def charged(kind: str, status: str) -> list[Event]:
        newest = f"<transaction>{tags(payment(id='tx2', status=status))}</transaction>"
        older = f"<transaction>{tags(payment(id='tx1', status='settled'))}</transaction>"
        said = notification(kind, {"subscription": {"id": "s1", "transactions": "HERE"}}).decode()
        listed = f'<transactions type="array">{newest}{older}</transactions>'
        return read(posted(said.replace("<transactions>HERE</transactions>", listed).encode()))

    (failed,) = charged("subscription_charged_unsuccessfully", "processor_declined")
    assert (failed.id, failed.data["failure_code"]) == ("braintree:payment_failed:tx2", "2001")
    (paid,) = charged("subscription_charged_successfully", "submitted_for_settlement")
    assert (paid.name, paid.data["attempt_id"]) == ("payment_succeeded", "tx2")


def test_a_subscription_without_a_payment_says_nothing() -> None:
    about = {"subscription": {"id": "s1", "transactions": "HERE"}}
    xml = notification("subscription_charged_successfully", about)
    empty = xml.replace(b"<transactions>HERE", b'<transactions type="array">')
    assert read(posted(empty)) == []


SAYING = {
    "transaction_settled",
    "transaction_settlement_declined",
    "local_payment_funded",
    "local_payment_expired",
    "local_payment_reversed",
    "subscription_charged_successfully",
    "subscription_charged_unsuccessfully",
}


def kinds() -> list[str]:
    return [value for name, value in vars(WebhookNotification.Kind).items() if name[0] != "_"]


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcnow:DeprecationWarning")
@pytest.mark.parametrize("kind", [*kinds(), "of_2030"])
def test_every_kind_as_the_library_itself_makes_it(kind: str) -> None:
    made = sdk().webhook_testing.sample_notification(kind, "my_id")
    events = read(urlencode(made).encode())
    assert len(events) == (1 if kind in SAYING else 0)


@pytest.mark.parametrize("keys", BRAINTREE_KEYS, ids=["new", "old"])
def test_either_pair_of_keys_verifies(keys: Mapping[str, str]) -> None:
    assert len(read(posted(settlement(), keys))) == 1


def test_a_signature_may_name_other_keys_too() -> None:
    form = sealed(settlement())
    for signature in (f"other|{'0' * 40}&{form['bt_signature']}", f"{form['bt_signature']}&junk"):
        assert len(read(urlencode({**form, "bt_signature": signature}).encode())) == 1


def test_keys_do_not_mix() -> None:
    new, old = BRAINTREE_KEYS
    with pytest.raises(SignatureError):
        read(posted(settlement(), {**new, "private_key": old["private_key"]}))


@pytest.mark.parametrize(
    "changes",
    [
        {"bt_signature": ""},
        {"bt_signature": "x"},
        {"bt_signature": "|"},
        {"bt_signature": "public_new|"},
        {"bt_signature": "public_new|é"},
        {"bt_signature": "public_new|a|b"},
        {"bt_signature": "public_new|" + "0" * 40},
        {"bt_signature": "&" * 5_000},
        {"bt_payload": ""},
        {"bt_payload": "é"},
        {"bt_payload": "e30="},
        {"bt_payload": "e30"},
        {"bt_payload": "%%%"},
    ],
)
def test_what_does_not_verify_is_refused(changes: Mapping[str, str]) -> None:
    form = {**sealed(settlement()), **changes}
    with pytest.raises((SignatureError, InvalidInputError)):
        read(urlencode(form).encode())


def test_a_changed_payload_is_refused() -> None:
    form = sealed(settlement())
    other = sealed(settlement(order_id="c-2"))
    with pytest.raises(SignatureError):
        read(urlencode({**form, "bt_payload": other["bt_payload"]}).encode())


def test_the_library_verifies_two_forms_of_one_payload_which_are_one_event() -> None:
    xml = notification("local_payment_reversed", {"local_payment_reversed": {"payment_id": "p1"}})
    form = sealed(xml)
    bare = {**form, "bt_payload": form["bt_payload"].rstrip("\n")}
    assert form != bare
    (first,), (second,) = (read(urlencode(one).encode()) for one in (form, bare))
    assert first.id == second.id
    assert first.id.startswith("braintree:")


def test_a_field_that_is_told_twice_is_refused() -> None:
    twice = posted(settlement()) + b"&" + posted(settlement(order_id="c-2"))
    with pytest.raises(InvalidInputError):
        read(twice)


@pytest.mark.parametrize(
    ("at", "refused"),
    [
        (NOW + timedelta(days=1), True),
        (NOW + timedelta(seconds=301), True),
        (NOW + timedelta(seconds=299), False),
        (NOW - timedelta(days=1), False),
    ],
)
def test_what_is_dated_in_the_future_is_refused(at: datetime, refused: bool) -> None:
    raw = posted(notification("transaction_settled", {"transaction": payment()}, at))
    if refused:
        with pytest.raises(SignatureError):
            read(raw, NOW)
        return
    (event,) = read(raw, NOW)
    assert event.at == at


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "<timestamp/>",
        "<timestamp>2026-11-23</timestamp>",
        '<timestamp type="datetime">0001-01-01T00:00:00Z</timestamp>',
        '<timestamp type="datetime">1970-01-01T00:00:00Z</timestamp>',
    ],
)
def test_a_date_that_can_not_be_is_the_present(stamp: str) -> None:
    xml = re.sub("<timestamp.*</timestamp>", stamp, settlement().decode())
    (event,) = read(posted(xml.encode()), NOW)
    assert event.at == NOW


BOMB = b"""<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">]>"""
FILE = b'<!DOCTYPE b [<!ENTITY d SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("declared", [BOMB, FILE, b"<!DOCTYPE b>"])
def test_entities_are_refused_even_when_signed(declared: bytes) -> None:
    xml = declared + settlement(order_id="ORDER").replace(b"ORDER", b"&d;")
    with pytest.raises(InvalidInputError):
        read(posted(xml))


@pytest.mark.parametrize(
    "xml",
    [
        b"",
        b"<notification/>",
        b"<notification><kind>check</kind></notification>",
        b"<other><kind>check</kind><subject/></other>",
        b"no xml",
        b"\xff\xfe",
        b"<a>" * 12_000,
        b"<a>" * 12_000 + b"</a>" * 12_000,
        notification("transaction_settled", {"check": "true"}),
        notification("transaction_settled", {"transaction": {"id": "tx1"}}),
        notification("transaction_settled", {"transaction": payment(amount="x")}),
        notification("local_payment_funded", {"check": "true"}),
        notification("subscription_charged_unsuccessfully", {"subscription": {"id": "s1"}}),
        notification("subscription_charged_unsuccessfully", {"check": "true"}),
    ],
)
def test_what_is_signed_and_can_not_be_read_is_refused(xml: bytes) -> None:
    with pytest.raises((SignatureError, InvalidInputError)):
        read(posted(xml))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"\xff",
        b"bt_signature=x",
        b"bt_payload=x",
        b"bt_signature=%ff&bt_payload=%ff",
        b"a=1&" * 20 + posted(settlement()),
        b"&" * 60_000,
        json.dumps(parse_qs(posted(settlement()).decode())).encode(),
        base64.b64encode(settlement()),
    ],
)
def test_what_is_no_form_of_theirs_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInputError):
        read(raw)


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_braintree(name: str, *arguments: Any) -> Any:
        if name == "braintree":
            raise ImportError(name)
        return real(name, *arguments)

    raw = posted(settlement())
    monkeypatch.setattr(builtins, "__import__", without_braintree)
    with pytest.raises(MissingExtraError, match=r"flask-checkout-case\[braintree\]"):
        read(raw)
