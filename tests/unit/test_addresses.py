"""Addresses: what a country needs, and nothing that was typed changed in silence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.change_types import ADDRESS_FIELDS
from flask_checkout_case.rules import addresses

LONDON = {"line1": "1 High Street", "city": "London", "postcode": "SW1A 1AA", "country": "GB"}


@pytest.mark.parametrize(
    "given",
    [
        LONDON,
        {**LONDON, "postcode": " sw1a 1aa "},
        {
            "line1": "1 Main St",
            "city": "Beverly Hills",
            "region": "CA",
            "postcode": " 90001 ",
            "country": "us",
        },
        {"line1": "12 Main Street", "city": "Dublin", "postcode": "d02 af30", "country": "IE"},
        {"line1": "Dam 1", "city": "Amsterdam", "postcode": "1012jx", "country": "NL"},
        {
            "line1": "1-1 Chiyoda",
            "city": "Tokyo",
            "region": "Tokyo",
            "postcode": "100-0001",
            "country": "JP",
        },
        {"line1": "Sheikh Zayed Road 1", "city": "Dubai", "region": "Dubai", "country": "AE"},
        {
            "line1": "1 Queen's Road",
            "region": "Hong Kong Island",
            "city": "Central",
            "country": "HK",
        },
        {
            "line1": "Calle 1",
            "city": "Barcelona",
            "region": "Catalonia",
            "postcode": "08001",
            "country": "ES",
        },
        {"line1": "Brīvības 1", "city": "Rīga", "postcode": "LV-1010", "country": "LV"},
    ],
)
def test_a_right_address_is_kept_as_it_was_typed(given: dict[str, str]) -> None:
    checked = addresses.check(given)
    assert not checked.problems
    for name, typed in given.items():
        plain = typed.strip()
        expected = plain.upper() if name in ("postcode", "country") else plain
        assert checked.address[name] == expected


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({}, {"country": "missing"}),
        ({**LONDON, "country": "XX"}, {"country": "invalid"}),
        ({**LONDON, "line1": "   "}, {"line1": "missing"}),
        ({**LONDON, "postcode": "12345"}, {"postcode": "invalid"}),
        ({**LONDON, "postcode": ""}, {"postcode": "missing"}),
        ({**LONDON, "city": "x" * 161}, {"city": "too_long"}),
        ({**LONDON, "city": ["London"]}, {"city": "missing"}),
    ],
)
def test_what_is_wrong_is_said_by_field(given: dict[str, str], problems: dict[str, str]) -> None:
    assert addresses.check(given).problems == problems


@given(st.dictionaries(st.sampled_from(ADDRESS_FIELDS), st.text(max_size=40)))
def test_nothing_is_lost_and_a_second_check_changes_nothing(typed: dict[str, str]) -> None:
    once = addresses.check(typed)
    assert addresses.check(once.address) == once
    for name, text in typed.items():
        if any(c.isprintable() and not c.isspace() for c in text):
            assert once.address.get(name)


def test_differences_come_in_the_order_of_an_address() -> None:
    after = {**LONDON, "postcode": "YO1 7HH", "city": "York"}
    assert addresses.differences(LONDON, after) == ("city", "postcode")
    assert addresses.differences(LONDON, {**LONDON, "line2": ""}) == ()
