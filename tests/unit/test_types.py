from __future__ import annotations

import uuid
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case import Money
from flask_checkout_case.errors import InvalidInputError
from flask_checkout_case.types import currency_digits, make_ref


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("5200.00", "USD", 520000),
        (Decimal("0.01"), "EUR", 1),
        (1500, "JPY", 1500),
        ("1.234", "BHD", 1234),
        ("-3.5", "usd", -350),
        ("12.30", "IQD", 12300),
        ("7.25", "RSD", 725),
    ],
)
def test_money_is_counted_in_minor_units(
    amount: str | Decimal | int, currency: str, minor: int
) -> None:
    assert Money(amount, currency).minor_units == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.234", "USD"),
        ("1.5", "JPY"),
        ("abc", "USD"),
        ("NaN", "USD"),
        ("1e999", "USD"),
        ("1", "US"),
    ],
)
def test_money_refuses_what_it_cannot_hold(amount: str, currency: str) -> None:
    with pytest.raises(InvalidInputError):
        Money(amount, currency)


def test_money_refuses_floats() -> None:
    with pytest.raises(InvalidInputError, match="float"):
        Money(19.99, "USD")  # type: ignore[arg-type]


@given(st.integers(-(10**15), 10**15), st.sampled_from(["USD", "JPY", "BHD", "CLF"]))
def test_major_and_minor_units_agree(minor: int, currency: str) -> None:
    made = Money.minor(minor, currency)
    assert Money(made.amount, currency) == made
    assert made.amount.scaleb(currency_digits(currency)) == minor


def test_references_become_text() -> None:
    number = uuid.uuid4()
    assert [make_ref(7), make_ref(number), make_ref("c-1"), make_ref(None), make_ref("")] == [
        "7",
        str(number),
        "c-1",
        None,
        None,
    ]


@pytest.mark.parametrize("bad", [True, 1.5, b"x", "x" * 256])
def test_other_things_are_no_references(bad: object) -> None:
    with pytest.raises(InvalidInputError):
        make_ref(bad)  # type: ignore[arg-type]
