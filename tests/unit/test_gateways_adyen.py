"""Adyen's items, each verified; its words; what its SDK raises and returns."""

from __future__ import annotations

import builtins
import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import Adyen
import pytest
from Adyen.client import AdyenClient, AdyenResult
from Adyen.util import is_valid_hmac_notification

from flask_checkout_case.errors import InvalidInputError, MissingExtraError, SignatureError
from flask_checkout_case.gateways import (
    adyen,
    dashboard_url,
    describe_exception,
    describe_result,
    read_failure,
)
from flask_checkout_case.types import Event
from tests.support.gateways import ADYEN_KEYS, adyen_body, adyen_item, adyen_signed

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


def read(*items: Mapping[str, Any], live: str = "false") -> list[Event]:
    return adyen.read_webhook(adyen_body(items, live), {}, ADYEN_KEYS, NOW)


def test_a_refused_authorisation_is_a_failure() -> None:
    (event,) = read(adyen_signed(adyen_item()))
    assert (event.id, event.name, event.checkout_ref) == (
        "adyen:payment_failed:PSP1",
        "payment_failed",
        "c-1",
    )
    assert (event.data["amount_minor"], event.data["currency"]) == (12000, "EUR")
    assert (event.at, event.data["livemode"], event.data["method"]) == (NOW, False, "card")
    assert read_failure(event.data, "c-1").failure_class == "funds"


def test_an_authorisation_is_the_money() -> None:
    (event,) = read(adyen_signed(adyen_item(success="true")))
    assert (event.id, event.name) == ("adyen:payment_succeeded:PSP1", "payment_succeeded")
    assert "failure_code" not in event.data


@pytest.mark.parametrize("key", ADYEN_KEYS)
def test_either_key_verifies(key: str) -> None:
    assert len(read(adyen_signed(adyen_item(), key))) == 1


def test_items_may_be_signed_with_different_keys_while_one_is_rotated() -> None:
    items = [adyen_signed(adyen_item(f"P{n}"), key) for n, key in enumerate(ADYEN_KEYS)]
    assert [event.data["attempt_id"] for event in read(*items)] == ["P0", "P1"]


def test_every_item_is_verified_and_not_the_first_alone() -> None:
    genuine, forged = adyen_signed(adyen_item()), adyen_item("FORGED", success="true")
    forged = {**forged, "additionalData": genuine["additionalData"]}
    body = json.loads(adyen_body([genuine, forged]))
    assert is_valid_hmac_notification(body, ADYEN_KEYS[0]) is True, "the library is content"
    with pytest.raises(SignatureError):
        read(genuine, forged)
    with pytest.raises(SignatureError):
        read(forged, genuine)


def test_an_item_that_hides_a_genuine_one_is_refused() -> None:
    genuine = adyen_signed(adyen_item())
    hidden = [{"NotificationRequestItem": genuine}]
    forged = {**adyen_item("FORGED", success="true"), "notificationItems": hidden}
    assert is_valid_hmac_notification(forged, ADYEN_KEYS[0]) is True, "the library is content"
    with pytest.raises(SignatureError):
        read(forged)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda item: item.pop("additionalData"),
        lambda item: item.update(additionalData=None),
        lambda item: item.update(additionalData={}),
        lambda item: item.update(additionalData=[]),
        lambda item: item.update(additionalData={"hmacSignature": ""}),
        lambda item: item.update(additionalData={"hmacSignature": None}),
        lambda item: item.update(additionalData={"hmacSignature": "é"}),
        lambda item: item.update(additionalData={"hmacSignature": ["x"]}),
        lambda item: item.pop("amount"),
        lambda item: item.update(amount=None),
        lambda item: item.update(amount={"value": True, "currency": "EUR"}),
        lambda item: item.update(success=False),
        lambda item: item.update(success="true"),
        lambda item: item.update(merchantReference="c-2"),
        lambda item: item.update(pspReference="PSP2"),
        lambda item: item.update(amount={"currency": "EUR", "value": 1}),
        lambda item: item.update(eventCode="CAPTURE"),
        lambda item: item.update(merchantReference=None),
        lambda item: item.update(pspReference=7),
    ],
)
def test_what_does_not_verify_is_refused(spoil: Callable[[dict[str, Any]], Any]) -> None:
    item = adyen_signed(adyen_item())
    spoil(item)
    with pytest.raises(SignatureError):
        read(item)


def test_a_colon_can_not_move_what_is_signed_into_another_field() -> None:
    genuine = adyen_signed(adyen_item(merchantReference="c-1:9:USD:AUTHORISATION"))
    (event,) = read(genuine)
    assert event.checkout_ref == "c-1:9:USD:AUTHORISATION"
    # The same signed text: PSP1::Atelier:c-1:9:USD:AUTHORISATION:12000:EUR:AUTHORISATION:false
    moved = {
        **genuine,
        "merchantAccountCode": "Atelier:c-1:9:USD:AUTHORISATION",
        "merchantReference": "12000",
        "amount": {"value": "EUR", "currency": "AUTHORISATION"},
        "eventCode": "false",
    }
    shifted = {
        **genuine,
        "merchantAccountCode": "Atelier:c-1",
        "merchantReference": "9:USD:AUTHORISATION",
    }
    assert is_valid_hmac_notification(shifted, ADYEN_KEYS[0]) is True, "the library is content"
    for forged in (moved, shifted):
        with pytest.raises(SignatureError):
            read(forged)


@pytest.mark.parametrize("reference", [":c-1", "\\:/\\/c-1", "é", "c\u20ac1"])
def test_odd_references_are_kept_as_they_are(reference: str) -> None:
    (event,) = read(adyen_signed(adyen_item(merchantReference=reference)))
    assert event.checkout_ref == reference


@pytest.mark.parametrize(
    ("date", "refused"),
    [
        (NOW + timedelta(days=1), True),
        (NOW + timedelta(seconds=301), True),
        (NOW + timedelta(seconds=299), False),
        (NOW - timedelta(days=30), False),
    ],
)
def test_what_is_dated_in_the_future_is_refused(date: datetime, refused: bool) -> None:
    item = adyen_signed(adyen_item(eventDate=date.isoformat()))
    if not refused:
        assert len(read(item)) == 1
        return
    with pytest.raises(SignatureError):
        read(item)


@pytest.mark.parametrize("date", [None, 5, "yesterday", "2026-13-45T00:00:00Z", "2126-01-01"])
def test_a_date_that_tells_no_instant_says_nothing(date: Any) -> None:
    (event,) = read(adyen_signed(adyen_item(eventDate=date)))
    assert event.at == NOW


def test_what_is_unsigned_chooses_the_class_and_nothing_else() -> None:
    item = adyen_signed(adyen_item())
    forged = {
        **item,
        "reason": "Expired Card",
        "eventDate": "2020-01-01T00:00:00Z",
        "paymentMethod": "mc",
        "additionalData": {
            **item["additionalData"],
            "merchantReference": "c-2",
            "success": "true",
            "checkout_ref": "c-2",
            "merchantAdviceCode": "03 : Do not try again",
            "refusalReasonRaw": "43 : Stolen card",
        },
    }
    (genuine,), (event,) = read(item), read(forged)
    assert (event.id, event.name, event.at) == (genuine.id, genuine.name, genuine.at)
    assert event.checkout_ref == genuine.checkout_ref
    assert event.data["amount_minor"] == genuine.data["amount_minor"]
    assert read_failure(event.data, None).failure_class == "expired"


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Refused", "soft"),
        ("FRAUD", "fraud"),
        ("CVC Declined", "card_data"),
        ("3d-secure: Authentication failed", "auth"),
        ("3DS Authentication Error", "auth"),
        ("Issuer Unavailable", "network"),
        ("Shopper Cancelled", "cancelled"),
        ("12 : Not enough balance", "funds"),
    ],
)
def test_a_webhook_tells_words_for_the_code(reason: str, expected: str) -> None:
    (event,) = read(adyen_signed(adyen_item(reason=reason)))
    failure = read_failure(event.data, None)
    assert (failure.failure_class, failure.unmapped) == (expected, False)


def test_new_words_are_flagged() -> None:
    (event,) = read(adyen_signed(adyen_item(reason="A reason of 2030")))
    failure = read_failure(event.data, None)
    assert (failure.failure_class, failure.unmapped) == ("soft", True)
    assert failure.raw_code == "A reason of 2030"


@pytest.mark.parametrize("code", ["CAPTURE", "REFUND", "CHARGEBACK", "REPORT_AVAILABLE"])
@pytest.mark.parametrize("success", ["true", "false"])
def test_other_events_say_nothing_about_the_checkout(code: str, success: str) -> None:
    assert read(adyen_signed(adyen_item(eventCode=code, success=success))) == []


@pytest.mark.parametrize(
    ("currency", "value", "minor"),
    [("EUR", 12000, 12000), ("JPY", 500, 500), ("CLP", 1000, 10), ("IDR", 10, 1000)],
)
def test_amounts_are_in_minor_units_of_iso_4217(currency: str, value: int, minor: int) -> None:
    amount = {"currency": currency, "value": value}
    (event,) = read(adyen_signed(adyen_item(amount=amount)))
    assert (event.data["amount_minor"], event.data["currency"]) == (minor, currency)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"notificationItems": []}',
        b'{"notificationItems": {}}',
        b'{"notificationItems": [1]}',
        b'{"notificationItems": [{}]}',
        b'{"notificationItems": [{"NotificationRequestItem": []}]}',
        b"[" * 50_000,
    ],
)
def test_what_is_no_notification_is_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInputError):
        adyen.read_webhook(raw, {}, ADYEN_KEYS, NOW)


def test_without_the_extra_its_name_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_adyen(name: str, *arguments: Any) -> Any:
        if name.startswith("Adyen"):
            raise ImportError(name)
        return real(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_adyen)
    with pytest.raises(MissingExtraError, match=r"flask-checkout-case\[adyen\]"):
        read(adyen_signed(adyen_item()))


def api_error(status: int, body: Mapping[str, Any]) -> Adyen.AdyenError:
    with pytest.raises(Adyen.AdyenError) as caught:
        AdyenClient._raise_http_error("https://x", body, status, "PSP9", "{}", "", {})
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "expected"),
    [
        (401, "000", ("config", "failed")),
        (403, "010", ("config", "failed")),
        (404, None, ("config", "failed")),
        (400, "702", ("config", "failed")),
        (422, "101", ("card_data", "failed")),
        (422, "103", ("card_data", "failed")),
        (422, "167", ("config", "failed")),
        (429, None, ("processing", "failed")),
        (500, "905", ("processing", "unknown")),
        (503, None, ("processing", "unknown")),
    ],
)
def test_the_sdks_exceptions_are_read(
    status: int, code: str | None, expected: tuple[str, str]
) -> None:
    error = api_error(status, {"errorCode": code, "message": "It says"})
    told = describe_exception(error)
    assert told is not None
    failure = read_failure(told, "c-1")
    assert (failure.failure_class, failure.outcome) == expected
    assert (told["provider"], told["attempt_id"], told["message"]) == ("adyen", "PSP9", "It says")


def test_an_sdk_that_is_not_set_up_is_the_shops_to_mend() -> None:
    told = describe_exception(Adyen.AdyenInvalidRequestError("Please set your webservice username"))
    assert told is not None
    assert read_failure(told, None).failure_class == "config"


@pytest.mark.parametrize(
    ("message", "signal", "failure_class"),
    [
        ({"resultCode": "Authorised"}, "payment_succeeded", None),
        ({"resultCode": "Refused", "refusalReasonCode": "12"}, "payment_failed", "funds"),
        ({"resultCode": "Refused", "refusalReasonCode": 20}, "payment_failed", "fraud"),
        ({"resultCode": "Refused", "refusalReason": "CVC Declined"}, "payment_failed", "card_data"),
        ({"resultCode": "Error", "refusalReasonCode": "4"}, "payment_failed", "processing"),
        ({"resultCode": "Error"}, "payment_failed", "processing"),
        ({"resultCode": "Cancelled"}, "payment_canceled", None),
        ({"resultCode": "RedirectShopper"}, "payment_started", None),
        ({"resultCode": "ChallengeShopper"}, "payment_started", None),
    ],
)
def test_the_sdks_results_are_read(
    message: dict[str, Any], signal: str, failure_class: str | None
) -> None:
    told = describe_result(AdyenResult({"pspReference": "PSP1", **message}))
    assert told is not None
    name, arguments = told
    assert (name, arguments["provider"], arguments["attempt_id"]) == (signal, "adyen", "PSP1")
    assert arguments.get("action") is (True if signal == "payment_started" else None)
    if failure_class is not None:
        assert read_failure(arguments, None).failure_class == failure_class


@pytest.mark.parametrize(
    "message",
    [None, [], {}, {"resultCode": "Pending"}, {"resultCode": "Received"}, {"resultCode": ["x"]}],
)
def test_a_result_that_ends_nothing_tells_nothing(message: Any) -> None:
    assert describe_result(AdyenResult(message)) is None


def test_the_dashboard_is_that_of_the_payments_mode() -> None:
    test = {"provider": "adyen", "attempt_id": "PSP1", "livemode": False}
    url = dashboard_url({**test, "merchant_account": "Atelier & Co"})
    assert url == (
        "https://ca-test.adyen.com/ca/ca/accounts/showTx.shtml"
        "?txType=Payment&pspReference=PSP1&accountKey=MerchantAccount.Atelier+%26+Co"
    )
    live = dashboard_url({"provider": "adyen", "attempt_id": "PSP1"})
    assert live is not None
    assert live.startswith("https://ca-live.adyen.com/")
    assert dashboard_url({**test, "attempt_id": "../../evil"}) is None
