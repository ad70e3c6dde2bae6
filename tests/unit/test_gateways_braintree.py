"""Braintree's results and exceptions, as its own SDK makes them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import braintree as library
import pytest
from braintree.error_result import ErrorResult
from braintree.exceptions.braintree_error import BraintreeError
from braintree.exceptions.http import connection_error, invalid_response_error, timeout_error
from braintree.successful_result import SuccessfulResult

from flask_checkout_case.gateways import (
    dashboard_url,
    describe_exception,
    describe_result,
    read_failure,
)
from flask_checkout_case.types import PaymentFailure
from tests.support.braintree import payment, sdk


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
