"""The tables of codes, and which of several codes of one failure is believed."""

from __future__ import annotations

import logging

import pytest

from flask_checkout_case import gateways
from flask_checkout_case.gateways import GATEWAYS, gateway_of, read_failure
from flask_checkout_case.types import FailureClass
from tests.support.gateways import (
    ADYEN_CODES,
    BRAINTREE_CODES,
    PAYPAL_CODES,
    PAYPAL_ISSUES,
    STRIPE_CODES,
    listed,
)


@pytest.mark.parametrize(("code", "expected"), listed(STRIPE_CODES))
def test_every_decline_code_of_stripe_has_its_class(code: str, expected: str) -> None:
    told = {"provider": "stripe", "failure_code": "card_declined", "decline_code": code}
    for given in (told, {"provider": "stripe", "failure_code": code}):
        failure = read_failure(given, "c-1")
        assert (failure.failure_class, failure.unmapped, failure.raw_code) == (
            expected,
            False,
            code,
        )


REFUSALS = [
    *(("adyen", *row) for row in listed(ADYEN_CODES)),
    *(("braintree", *row) for row in listed(BRAINTREE_CODES)),
    *(("paypal", *row) for row in [*listed(PAYPAL_CODES), *listed(PAYPAL_ISSUES)]),
]


@pytest.mark.parametrize(("gateway", "code", "expected"), REFUSALS)
def test_every_refusal_has_its_class(gateway: str, code: str, expected: str) -> None:
    failure = read_failure({"provider": gateway, "failure_code": code}, "c-1")
    assert (failure.failure_class, failure.unmapped, failure.raw_code) == (expected, False, code)


@pytest.mark.parametrize("issue", ["INSTRUMENT_DECLINED", "DECLINED", "FAILED"])
@pytest.mark.parametrize(("code", "expected"), [*listed(PAYPAL_CODES), ("PPZZ", "config")])
def test_a_processors_code_says_more_than_paypals_issue(
    issue: str, code: str, expected: str
) -> None:
    told = {"provider": "paypal", "failure_code": issue, "decline_code": code}
    failure = read_failure(told, None)
    assert (failure.failure_class, failure.unmapped, failure.raw_code) == (expected, False, code)


def test_faults_of_3d_secure_itself_are_the_gateways_to_mend() -> None:
    fixers = {
        code: read_failure({"provider": "adyen", "failure_code": code}, None).fixer
        for code in ADYEN_CODES["auth"].split()
    }
    assert {code for code, fixer in fixers.items() if fixer == "gateway"} == {"39", "42"}


@pytest.mark.parametrize("name", GATEWAYS)
def test_every_gateway_keeps_the_interface(name: str) -> None:
    gateway = GATEWAYS[name]
    assert name == gateway.NAME
    assert {*gateway.CODES.values()} <= {*FailureClass}
    assert gateway.describe_exception(ValueError("of somebody else")) is None
    assert gateway.describe_result({"status": "succeeded"}) is None
    assert gateway.dashboard_url({}) is None


def test_a_gateway_is_found_however_its_name_is_written() -> None:
    assert gateway_of("Stripe") is GATEWAYS["stripe"]
    assert gateway_of("paystack") is None
    assert gateway_of(None) is None


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        # Advice never to try again, where another try with this card was the way out.
        ({"decline_code": "do_not_honor", "advice_code": "do_not_try_again"}, ("hard", "never")),
        (
            {"decline_code": "insufficient_funds", "advice_code": "do_not_try_again"},
            ("hard", "never"),
        ),
        ({"failure_code": "card_declined", "advice_code": "do_not_try_again"}, ("hard", "never")),
        ({"decline_code": "of 2030", "advice_code": "do_not_try_again"}, ("hard", "never")),
        # Fraud stays with the risk team, a mistyped number with whom can correct it.
        ({"decline_code": "stolen_card", "advice_code": "do_not_try_again"}, ("fraud", "never")),
        (
            {"decline_code": "invalid_number", "advice_code": "do_not_try_again"},
            ("card_data", "never"),
        ),
        ({"decline_code": "do_not_honor", "advice_code": "try_again_later"}, ("soft", "once")),
        # What a scheme means by its own advice differs by year: it is shown, not believed.
        ({"decline_code": "do_not_honor", "advice_code": "03"}, ("soft", "once")),
        # A specific code before the network's, and that before "declined".
        ({"decline_code": "expired_card", "network_code": "51"}, ("expired", "after_edit")),
        ({"failure_code": "card_declined", "network_code": "51"}, ("funds", "later")),
        ({"decline_code": "of 2030", "network_code": "54"}, ("expired", "after_edit")),
        ({"network_code": "43 : Stolen card"}, ("fraud", "never")),
        ({"network_code": "91"}, ("network", "reconcile")),
        # The network's code before the gateway's flag.
        ({"network_code": "05", "error_type": "hard_declined"}, ("soft", "once")),
        ({"decline_code": "of 2030", "error_type": "hard_declined"}, ("hard", "never")),
        ({"failure_code": "card_declined", "error_type": "soft_declined"}, ("soft", "once")),
        # The shop's own word before all.
        ({"failure_class": "limit", "decline_code": "stolen_card"}, ("limit", "later")),
    ],
)
def test_the_most_binding_word_is_believed(told: dict[str, str], expected: tuple[str, str]) -> None:
    failure = read_failure({"provider": "stripe", **told}, None)
    assert (failure.failure_class, failure.retry) == expected


@pytest.mark.parametrize("provider", ["stripe", "adyen", "braintree", "paypal", "paystack", None])
def test_an_unknown_code_is_soft_and_flagged(provider: str | None) -> None:
    failure = read_failure({"provider": provider, "failure_code": "of 2030"}, None)
    assert (failure.failure_class, failure.unmapped) == (FailureClass.SOFT, True)


def test_declined_does_not_make_an_unknown_code_known() -> None:
    told = {"provider": "stripe", "failure_code": "card_declined", "decline_code": "of 2030"}
    assert read_failure(told, None).unmapped


def test_an_unknown_code_is_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "_reported", set())
    with caplog.at_level(logging.WARNING, "flask_checkout_case.gateways"):
        for code in ("of 2030", "of 2030", "of 2031\nof 2032", "4242424242424242"):
            read_failure({"provider": "adyen", "failure_code": code}, None)
        read_failure({"provider": "adyen"}, None)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 3
    assert not any("\n" in line or "42424242424242" in line for line in said)


def test_a_flood_of_unknown_codes_does_not_flood_the_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateways, "_reported", set())
    with caplog.at_level(logging.WARNING, "flask_checkout_case.gateways"):
        for number in range(2 * gateways.MOST_UNKNOWN):
            read_failure({"failure_code": f"x{number}"}, None)
    assert len(caplog.records) == gateways.MOST_UNKNOWN
