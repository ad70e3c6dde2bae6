from __future__ import annotations

from dataclasses import fields

import pytest

from flask_checkout_case.config import KEYS, Settings, read_settings
from flask_checkout_case.errors import ConfigurationError


def test_the_defaults_are_valid_and_complete() -> None:
    settings = read_settings({})
    assert settings.url_prefix == "/checkout-case"
    assert {key.name for key in KEYS} == {item.name for item in fields(Settings)}


def test_keys_of_others_are_left_alone() -> None:
    assert read_settings({"SECRET_KEY": 1, "CHECKOUT": 2}) == read_settings({})


def test_an_unknown_key_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean CHECKOUT_CASE_WIDGET"):
        read_settings({"CHECKOUT_CASE_WIGDET": "off"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHECKOUT_CASE_WIDGET", "on"),
        ("CHECKOUT_CASE_ENABLED", "yes"),
        ("CHECKOUT_CASE_URL_PREFIX", "help"),
        ("CHECKOUT_CASE_PARTS", ["widgets"]),
        ("CHECKOUT_CASE_PARTS", "widget"),
        ("CHECKOUT_CASE_MAX_BODY", True),
        ("CHECKOUT_CASE_MAX_BODY", 10),
        ("CHECKOUT_CASE_POLICY", 7),
        ("CHECKOUT_CASE_WEBHOOK_SECRETS", {"stripe": ["a", "b", "c"]}),
        ("CHECKOUT_CASE_WEBHOOK_SECRETS", {"stripe": ""}),
        ("CHECKOUT_CASE_SECRET_KEYS", [1]),
        ("CHECKOUT_CASE_WIDGET_ENDPOINTS", None),
    ],
)
def test_a_bad_value_is_named_with_what_was_expected(name: str, value: object) -> None:
    expected = next(key.expected for key in KEYS if key.config_name == name)
    with pytest.raises(ConfigurationError) as caught:
        read_settings({name: value})
    assert name in str(caught.value)
    assert expected in str(caught.value)


def test_a_bad_secret_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_settings({"CHECKOUT_CASE_WEBHOOK_SECRETS": "whsec_hidden"})
    assert "whsec_hidden" not in str(caught.value)


KEY = "44782DEF547AAA06C910C43932B1EB0C71FC68D9D0C057550C48EC2ACF6BA056"
BRAINTREE = {"merchant_id": "m-hidden", "public_key": "p-hidden", "private_key": "s-hidden"}


def test_each_gateway_has_its_own_kind_of_secrets() -> None:
    given = {
        "stripe": "whsec_1",
        "adyen": [KEY, KEY.lower()],
        "paypal": "8PT597110X687430LKGECATA",
        "braintree": [BRAINTREE, {**BRAINTREE, "environment": "sandbox"}],
        "paystack": ["sk_1", "sk_2"],
    }
    found = read_settings({"CHECKOUT_CASE_WEBHOOK_SECRETS": given}).webhook_secrets
    assert found == {
        "stripe": ("whsec_1",),
        "adyen": (KEY, KEY.lower()),
        "paypal": ("8PT597110X687430LKGECATA",),
        "braintree": (BRAINTREE, {**BRAINTREE, "environment": "sandbox"}),
        "paystack": ("sk_1", "sk_2"),
    }


@pytest.mark.parametrize(
    ("gateway", "given"),
    [
        ("stripe", []),
        ("stripe", [" "]),
        ("stripe", {"secret": "s-hidden"}),
        ("adyen", "not-hidden"),
        ("adyen", [KEY, KEY, KEY]),
        ("adyen", KEY[:-1]),
        ("paypal", 5),
        ("braintree", "s-hidden"),
        ("braintree", {**BRAINTREE, "public_key": ""}),
        ("braintree", {"public_key": "p-hidden"}),
        ("braintree", {**BRAINTREE, "environment": "hidden"}),
        ("braintree", {**BRAINTREE, "private_key": "hidden\xe9"}),
        ("braintree", {**BRAINTREE, "private_key": 5}),
        ("braintree", [BRAINTREE, BRAINTREE, BRAINTREE]),
    ],
)
def test_a_bad_secret_is_named_by_its_gateway_and_not_shown(gateway: str, given: object) -> None:
    with pytest.raises(ConfigurationError, match=f"'{gateway}' takes") as caught:
        read_settings({"CHECKOUT_CASE_WEBHOOK_SECRETS": {gateway: given}})
    said = str(caught.value)
    assert "CHECKOUT_CASE_WEBHOOK_SECRETS" in said
    assert "hidden" not in said
    assert KEY[:-1] not in said
