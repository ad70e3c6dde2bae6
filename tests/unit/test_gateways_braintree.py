"""Braintree's results, exceptions and webhooks, as its own SDK makes and reads them."""

from __future__ import annotations

import base64
import builtins
import json
import re
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlencode

import braintree as library
import pytest
from braintree.error_result import ErrorResult
from braintree.exceptions.braintree_error import BraintreeError
from braintree.exceptions.http import connection_error, invalid_response_error, timeout_error
from braintree.successful_result import SuccessfulResult
from braintree.webhook_notification import WebhookNotification

from flask_checkout_case.errors import InvalidInputError, MissingExtraError, SignatureError
from flask_checkout_case.gateways import (
    braintree,
    dashboard_url,
    describe_exception,
    describe_result,
    read_failure,
)
from flask_checkout_case.types import Event, PaymentFailure
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
RESPONSES = ("processor_response_code", "processor_response_text")


def read(raw: bytes, now: datetime | None = None) -> list[Event]:
    return braintree.read_webhook(raw, {}, BRAINTREE_KEYS, now or datetime.now(UTC))


def transaction(**changes: Any) -> library.Transaction:
    told = {name: value for name, value in payment(**changes).items() if value is not None}
    return library.Transaction(sdk(), told)


def error(**told: Any) -> ErrorResult:
    return ErrorResult(sdk(), {"errors": {}, "message": "Braintree's sentence", **told})


def failure_of(result: object) -> PaymentFailure:
    told = describe_result(result)
    assert told is not None
    assert (told[0], told[1]["provider"]) == ("payment_failed", "braintree")
    return read_failure(told[1], "c-1")


# --- results ---


def test_a_declined_sale_tells_which_payment_it_was_and_why() -> None:
    more = {
        "network_response_code": "51",
        "processor_response_type": "soft_declined",
        "merchant_advice_code": "02",
    }
    assert describe_result(error(transaction=payment(**more))) == (
        "payment_failed",
        {
            "provider": "braintree",
            "attempt_id": "tx1",
            "checkout_ref": "c-1",
            "amount_minor": 12000,
            "currency": "USD",
            "method": "credit_card",
            "merchant_id": "atelier",
            "livemode": False,
            "failure_code": "2001",
            "network_code": "51",
            "error_type": "soft_declined",
            "advice_code": "02",
            "message": "Insufficient Funds",
        },
    )


@pytest.mark.parametrize(
    ("status", "signal"),
    [
        ("authorized", "payment_succeeded"),
        ("submitted_for_settlement", "payment_succeeded"),
        ("settling", "payment_succeeded"),
        ("settlement_pending", "payment_succeeded"),
        ("settlement_confirmed", "payment_succeeded"),
        ("settled", "payment_succeeded"),
        ("authorization_expired", "payment_failed"),
        ("failed", "payment_failed"),
        ("processor_declined", "payment_failed"),
        ("gateway_rejected", "payment_failed"),
        ("settlement_declined", "payment_failed"),
        ("settlement_failed", "payment_failed"),
        ("voided", "payment_canceled"),
        ("authorizing", None),
        ("of_2030", None),
    ],
)
def test_every_status_of_a_transaction(status: str, signal: str | None) -> None:
    about = transaction(status=status)
    for result in (about, SuccessfulResult({"transaction": about})):
        told = describe_result(result)
        assert (told and told[0]) == signal
        assert told is None or told[1]["attempt_id"] == "tx1"
        assert told is None or signal == "payment_failed" or "failure_code" not in told[1]


def test_the_library_has_no_status_that_is_not_tested() -> None:
    known = {value for name, value in vars(library.Transaction.Status).items() if name[0] != "_"}
    (mark,) = test_every_status_of_a_transaction.pytestmark  # type: ignore[attr-defined]
    assert known <= {status for status, _ in mark.args[1]}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, "funds"),
        ({"processor_response_code": "2014"}, "fraud"),
        # A code of the range says no more than declined: network and kind of decline go first.
        ({"processor_response_code": "2150"}, "soft"),
        ({"processor_response_code": "2150", "network_response_code": "54"}, "expired"),
        ({"processor_response_code": "2150", "processor_response_type": "hard_declined"}, "hard"),
        ({"processor_response_code": "2001", "network_response_code": "54"}, "funds"),
        ({"processor_response_code": "2001", "processor_response_type": "hard_declined"}, "funds"),
        ({"processor_response_code": None}, "soft"),
        ({"processor_response_code": None, "status": None}, "processing"),
        ({"processor_response_code": None, "processor_response_type": "hard_declined"}, "hard"),
        ({"status": "failed", "processor_response_code": "3000"}, "network"),
        ({"status": "failed", "processor_response_code": ""}, "processing"),
        ({"status": "authorization_expired", "processor_response_code": None}, "config"),
        # The processor had approved it, Braintree or the bank later not.
        (
            {
                "status": "gateway_rejected",
                "gateway_rejection_reason": "cvv",
                "processor_response_code": "1000",
            },
            "card_data",
        ),
        (
            {
                "status": "settlement_declined",
                "processor_response_code": "1000",
                "processor_settlement_response_code": "4005",
            },
            "fraud",
        ),
        ({"status": "settlement_declined", "processor_response_code": "1000"}, "soft"),
        ({"status": "settlement_failed"}, "processing"),
    ],
)
def test_the_most_specific_word_is_believed(told: Mapping[str, Any], expected: str) -> None:
    shown = {name: value for name, value in payment(**told).items() if value is not None}
    failure = failure_of(error(transaction=shown))
    assert (failure.failure_class, failure.outcome, failure.unmapped) == (expected, "failed", False)


def reasons() -> list[str]:
    found = vars(library.Transaction.GatewayRejectionReason)
    return [value for name, value in found.items() if name[0] != "_"]


@pytest.mark.parametrize("reason", reasons())
def test_every_reason_of_a_rejection_that_the_library_knows_is_mapped(reason: str) -> None:
    about = payment(status="gateway_rejected", gateway_rejection_reason=reason)
    failure = failure_of(error(transaction=about))
    assert (failure.raw_code, failure.unmapped) == (reason, False)


def test_a_rejection_without_a_reason_is_flagged() -> None:
    failure = failure_of(error(transaction=payment(status="gateway_rejected")))
    assert (failure.failure_class, failure.unmapped) == ("soft", True)


def invalid(*codes: str, **more: str) -> ErrorResult:
    wrong = [{"code": code, "attribute": "x", "message": "It is wrong"} for code in codes]
    nested = [{"code": code, "attribute": "y", "message": "It is wrong"} for code in more.values()]
    return error(
        errors={"transaction": {"errors": nested, "credit_card": {"errors": wrong}}, "errors": []}
    )


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        (invalid("81715"), ("card_data", "81715")),
        (invalid("81710", "81707"), ("card_data", "81710")),
        (invalid("81799"), ("card_data", "81799")),
        (invalid("81703"), ("hard", "81703")),
        (invalid(amount="81502"), ("config", "81502")),
        (invalid("81715", amount="81502"), ("config", "81502")),
        (invalid("81717"), ("config", "81717")),
        (invalid("91564"), ("config", "91564")),
        (invalid("no_code_of_theirs"), ("config", "no_code_of_theirs")),
        (invalid(), ("config", None)),
    ],
)
def test_what_is_wrong_with_a_request(result: ErrorResult, expected: tuple[str, str]) -> None:
    told = describe_result(result)
    assert told is not None
    assert told[1]["message"] == "Braintree's sentence"
    failure = failure_of(result)
    assert (failure.failure_class, failure.raw_code) == expected


def test_a_card_whose_verification_failed() -> None:
    card = {
        "status": "processor_declined",
        "processor_response_code": "2010",
        "processor_response_text": "Card Issuer Declined CVV",
    }
    assert failure_of(error(verification=card)).failure_class == "card_data"


@pytest.mark.parametrize(
    "result",
    [
        SuccessfulResult({"customer": library.Customer(sdk(), {"id": "1"})}),
        SuccessfulResult(),
        SuccessfulResult({"transaction": None}),
        SuccessfulResult({"transaction": transaction(type="credit", status="settled")}),
        error(transaction=payment(type="credit")),
        sdk(),
    ],
)
def test_what_is_no_payment_tells_nothing(result: object) -> None:
    assert describe_result(result) is None


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("120.00", "USD", 12000),
        ("120", "usd", 12000),
        ("500", "JPY", 500),
        ("1.234", "BHD", 1234),
        ("0.001", "USD", None),
        ("10.00", None, None),
        ("10.00", "DOLLAR", None),
        (Decimal("NaN"), "USD", None),
        (Decimal("Infinity"), "USD", None),
        (Decimal("1E+999999"), "USD", None),
        (Decimal("1E+400"), "USD", None),
    ],
)
def test_amounts_are_in_minor_units(amount: Any, currency: str | None, minor: int | None) -> None:
    told = describe_result(transaction(amount=amount, currency_iso_code=currency))
    assert told is not None
    assert told[1].get("amount_minor") == minor
    assert ("currency" in told[1]) is (minor is not None)


# --- exceptions ---

EXCEPTIONS = {
    "AuthenticationError": ("config", "failed"),
    "AuthorizationError": ("config", "failed"),
    "ConfigurationError": ("config", "failed"),
    "InvalidChallengeError": ("config", "failed"),
    "InvalidSignatureError": ("config", "failed"),
    "NotFoundError": ("config", "failed"),
    "TestOperationPerformedInProductionError": ("config", "failed"),
    "UpgradeRequiredError": ("config", "failed"),
    "TooManyRequestsError": ("processing", "failed"),
    "ServerError": ("processing", "unknown"),
    "ServiceUnavailableError": ("processing", "unknown"),
    "UnexpectedError": ("processing", "unknown"),
    "InvalidResponseError": ("processing", "unknown"),
    "BraintreeError": ("processing", "unknown"),
    "GatewayTimeoutError": ("network", "unknown"),
    "RequestTimeoutError": ("network", "unknown"),
    "ConnectionError": ("network", "unknown"),
    "TimeoutError": ("network", "unknown"),
    "ConnectTimeoutError": ("network", "unknown"),
    "ReadTimeoutError": ("network", "unknown"),
}


def exceptions(cls: type[Exception] = BraintreeError) -> Iterator[type[Exception]]:
    yield cls
    for one in cls.__subclasses__():
        yield from exceptions(one)


def test_the_library_has_no_exception_that_is_not_tested() -> None:
    assert {connection_error, invalid_response_error, timeout_error}
    assert {cls.__name__ for cls in exceptions()} == EXCEPTIONS.keys()


@pytest.mark.parametrize("cls", [*exceptions()], ids=lambda cls: cls.__name__)
def test_every_exception_is_read(cls: type[Exception]) -> None:
    told = describe_exception(cls("It says"))
    assert told is not None
    assert (told["provider"], told["error_type"]) == ("braintree", cls.__name__)
    assert told["message"] == "It says"
    failure = read_failure(told, None)
    assert (failure.failure_class, failure.outcome) == EXCEPTIONS[cls.__name__]
    assert "message" not in (describe_exception(cls()) or {})


# --- the dashboard ---


def test_the_dashboard_is_that_of_the_payments_mode_and_merchant() -> None:
    told = {"provider": "braintree", "merchant_id": "atelier", "attempt_id": "tx1"}
    live = "https://www.braintreegateway.com/merchants/atelier/transactions/tx1"
    assert dashboard_url(told) == live
    assert dashboard_url({**told, "livemode": True}) == live
    assert dashboard_url({**told, "livemode": False}) == live.replace("www", "sandbox")
    for unsafe in ("../../evil", "a b", "", None, 5, "x" * 65, "tx1\n"):
        assert dashboard_url({**told, "attempt_id": unsafe}) is None
        assert dashboard_url({**told, "merchant_id": unsafe}) is None
    # That of a local payment is no transaction's.
    assert dashboard_url({**told, "attempt_id": None, "payment_id": "p1"}) is None


# --- webhooks ---


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
    began = time.perf_counter()
    with pytest.raises((SignatureError, InvalidInputError)):
        read(posted(xml))
    assert time.perf_counter() - began < 2


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
