"""What a customer who comes back is told about what has changed."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.rescue import Difference, Kind, differences


def line(sku: str, quantity: int = 1, minor: int | None = 100, currency: str = "USD") -> Any:
    return {
        "sku": sku,
        "title": sku.title(),
        "quantity": quantity,
        "unit_minor": minor,
        "currency": currency,
    }


def checkout(*lines: Any, minor: int | None = 100, currency: str = "USD") -> dict[str, Any]:
    return {"lines": list(lines), "value_minor": minor, "currency": currency}


LINES = st.lists(
    st.builds(line, st.sampled_from("abcd"), st.integers(1, 9), st.integers(0, 999)),
    unique_by=lambda one: one["sku"],
)


@given(LINES, st.integers(0, 9999))
def test_what_is_as_it_was_is_not_mentioned(lines: list[Any], minor: int) -> None:
    now = checkout(*lines, minor=minor)
    assert differences(now, now, {one["sku"]: one["quantity"] for one in lines}) == []


@given(LINES, LINES)
def test_each_line_that_came_went_or_changed_is_told_of_once(
    old: list[Any], new: list[Any]
) -> None:
    found = differences(checkout(*old), checkout(*new), {})
    was, is_ = ({one["sku"]: one for one in lines} for lines in (old, new))
    titles = {one.title.lower() for one in found}
    assert titles == {sku for sku in {*was, *is_} if was.get(sku) != is_.get(sku)}
    assert len(found) == len(set(found))


def test_everything_at_once() -> None:
    before = checkout(line("bag", 2, 500), line("belt"), minor=1100)
    now = checkout(line("bag", 1, 450), line("wallet", 3), minor=750)
    assert differences(before, now, {"bag": 0, "wallet": None}) == [
        Difference(Kind.GONE, "Belt"),
        Difference(Kind.QUANTITY, "Bag", 2, 1),
        Difference(Kind.PRICE, "Bag", 500, 450, "USD"),
        Difference(Kind.SHORT, "Bag", 1, 0),
        Difference(Kind.ADDED, "Wallet"),
        Difference(Kind.TOTAL, "", 1100, 750, "USD"),
    ]


def test_amounts_of_two_currencies_are_not_compared() -> None:
    before, now = checkout(minor=100), checkout(minor=90, currency="EUR")
    assert differences(before, now, {}) == [Difference(Kind.TOTAL, "", None, 90, "EUR")]


def test_what_nobody_knows_is_not_mentioned() -> None:
    assert differences({}, {}, {}) == []
    assert differences(checkout(line("a", minor=None)), checkout(line("a")), {}) == []
