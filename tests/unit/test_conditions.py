"""What each condition takes and refuses; how routes use them is in ``test_routing``."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, fields, validate

from flask_checkout_case.errors import PolicyError
from flask_checkout_case.rules import conditions
from flask_checkout_case.rules.conditions import CONDITIONS, Facts
from flask_checkout_case.rules.conditions.shipped import SHIPPED
from flask_checkout_case.rules.conditions.words import read_phrase, split
from flask_checkout_case.rules.policy import Policy, parse_policy
from flask_checkout_case.rules.routing import decide
from flask_checkout_case.types import Category, Origin

REST = """
[calendars.office]
timezone = "America/New_York"
"mon-fri" = ["09:00-17:00"]
holidays = [2026-12-25]
[calendars.night]
timezone = "Europe/Berlin"
"fri" = ["22:00-06:00"]
[teams.a]
[teams.b]
[[routes]]
name = "First"
team = "a"
when = { CONDITION }
[[routes]]
name = "Rest"
team = "b"
"""


def policy(condition: str) -> Policy:
    return parse_policy(REST.replace("CONDITION", condition), "p.toml")


def refused(condition: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        policy(condition)
    return str(caught.value).splitlines()


def facts(**more: Any) -> Facts:
    return Facts(category=Category.OTHER, origin=Origin.WIDGET, **more)


def takes(condition: str, **more: Any) -> bool:
    return decide(policy(condition), facts(**more)).team == "a"


def told(condition: str, **more: Any) -> dict[str, Any]:
    (check,) = decide(policy(condition), facts(**more)).reasons[0].as_json()["checks"]
    return dict(check)


# --- the registry --------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", SHIPPED, ids=lambda one: one.name)
def test_each_is_documented_with_an_example_that_loads(condition: conditions.Condition) -> None:
    assert condition.about.endswith(".")
    assert condition.strictness.endswith(".")
    assert list(tomllib.loads(condition.example)) == [condition.name]
    (clause,) = policy(condition.example).routes[0].when
    assert clause.condition is condition
    assert CONDITIONS[condition.name] is condition


# --- numbers -------------------------------------------------------------------------------------


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_counts_are_compared_strictly(count: int, limit: int) -> None:
    assert takes(f"orders_over = {limit}", orders=count) is (count > limit)
    assert takes(f"orders_under = {limit}", orders=count) is (count < limit)
    assert takes(f"attempts_over = {limit}", attempts=count) is (count > limit)
    assert takes(f"stock_under = {limit}", stock=count) is (count < limit)


@pytest.mark.parametrize("name", ["orders_over", "orders_under", "attempts_over", "stock_under"])
def test_an_unknown_count_is_over_and_under_nothing(name: str) -> None:
    assert not takes(f"{name} = 0")


def test_a_count_says_by_how_much() -> None:
    assert told("orders_over = 10", orders=8) == {
        "part": "when",
        "condition": "orders_over",
        "expected": 10,
        "actual": 8,
        "held": False,
        "by": "-2",
    }


@pytest.mark.parametrize("value", ["-1", "1.5", '"3"', "true", "[3]"])
def test_a_count_is_a_whole_number(value: str) -> None:
    (line,) = refused(f"orders_over = {value}")
    assert "when.orders_over: expected a whole number of at least 0" in line


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "text", "held"),
    [
        ('"refund"', "I want a REFUND!", True),
        ('"refund"', "I was refunded", False),
        ('"refund*"', "I was refunded", True),
        ('"refund*"', "I want a refund", True),
        ('"refund*"', "a prerefund", False),
        ('"*refund"', "a prerefund", True),
        ('"*versand*"', "Die Versandkosten?", True),
        ('"r*f*d"', "refund", True),
        ('"r*f*d"', "refunds", False),
        ('"ab*ba"', "aba", False),
        ('"money back"', "I want my money-back.", True),
        ('"money back"', "my money is back", False),
        ('"charg* twice"', "You charged\n twice", True),
        ('"don\'t"', "I don’t know", True),
        ('["chargeback", "lawyer"]', "my lawyer", True),
        ('["chargeback", "lawyer"]', "my law yer", False),
        ('"straße"', "STRASSE", True),
        ('"café"', "cafe\u0301", True),
        ('"cafe"', "café", False),
        ('"*返金*"', "返金してください", True),
        ('"धनवापसी"', "मुझे धनवापसी चाहिए", True),
        ('"धनवापस"', "मुझे धनवापसी चाहिए", False),
        ('"استرداد"', "أريد استرداد المال", True),
        ('"c++"', "C", True),
        ('"refund?"', "a refund", True),
        ('"(refund|return)"', "a refund", False),
        ('"refund"', "", False),
    ],
)
def test_words_are_whole_and_of_any_case(words: str, text: str, held: bool) -> None:
    assert takes(f"words = {words}", text=text) is held


def test_a_case_without_a_message_has_no_words() -> None:
    assert not takes('words = "*a*"')


def test_the_reason_is_what_the_customer_said() -> None:
    check = told('words = ["refund*", "charg* twice"]', text="Charged twice. Refund! Refund!")
    assert check["actual"] == ["refund", "charged twice"]


@pytest.mark.parametrize("value", ['""', '"*"', '"* *"', '"?!"', "3", f'"{"x" * 101}"'])
def test_what_is_no_word_is_refused(value: str) -> None:
    (line,) = refused(f'words = ["refund", {value}]')
    assert "when.words[1]: expected a " in line


def test_what_is_read_of_a_message_is_bounded() -> None:
    assert not takes('words = "refund"', text="x " * 5000 + "refund")
    assert max(map(len, split("x" * 5000))) == 64


spoken = st.text(st.characters(codec="utf-8"), max_size=30)


@given(spoken)
def test_a_message_has_each_of_its_own_words(text: str) -> None:
    message = split(text)
    for word in message:
        assert read_phrase(word).find(message) == word
    if message:
        assert read_phrase(" ".join(message)).find(message) is not None


@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", min_size=1, max_size=8))
def test_a_star_stands_for_any_letters(pattern: str, word: str) -> None:
    def fits(left: str, rest: str) -> bool:
        if not left:
            return not rest
        if left[0] == "*":
            return any(fits(left[1:], rest[at:]) for at in range(len(rest) + 1))
        return rest[:1] == left[0] and fits(left[1:], rest[1:])

    if pattern.strip("*"):
        assert (read_phrase(pattern).find((word,)) is not None) is fits(pattern, word)


# --- hours ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "opened"),
    [
        (datetime(2026, 11, 23, 14, 0, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 13, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 21, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 11, 23, 22, 0, tzinfo=UTC), False),
        # In summer New York is an hour nearer.
        (datetime(2026, 7, 1, 13, 0, tzinfo=UTC), True),
        (datetime(2026, 7, 1, 21, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 22, 15, 0, tzinfo=UTC), False),
        (datetime(2026, 12, 25, 15, 0, tzinfo=UTC), False),
    ],
)
def test_inside_and_outside_are_each_others_opposite(at: datetime, opened: bool) -> None:
    assert takes('inside = "office"', at=at) is opened
    assert takes('outside = "office"', at=at) is not opened


def test_of_several_calendars_one_is_enough() -> None:
    friday_night = datetime(2026, 11, 20, 23, 0, tzinfo=UTC)
    assert takes('inside = ["office", "night"]', at=friday_night)
    assert takes('outside = ["office", "night"]', at=friday_night)


def test_the_reason_is_the_local_time() -> None:
    at = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
    assert told('inside = "office"', at=at)["actual"] == "mon 2026-11-23 09:30 America/New_York"


def test_without_an_instant_neither_holds() -> None:
    assert not takes('inside = "office"')
    assert not takes('outside = "office"')


def test_a_calendar_that_is_not_there_is_named() -> None:
    (line,) = refused('inside = "ofice"')
    assert "when.inside: expected one of [calendars]: office, night" in line
    assert "did you mean 'office'?" in line


def test_a_broken_calendar_is_complained_about_once() -> None:
    text = REST.replace("CONDITION", 'inside = "office"').replace("New_York", "New_Yrok")
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.toml")
    (line,) = str(caught.value).splitlines()
    assert "calendars.office.timezone" in line


# --- the shop's own ------------------------------------------------------------------------------


class BasketSchema(Schema):
    at_least = fields.Integer(required=True, validate=validate.Range(min=1))
    prefix = fields.String(load_default="")


@pytest.fixture
def own() -> Iterator[Callable[..., None]]:
    before = set(CONDITIONS)
    yield conditions.register
    for name in set(CONDITIONS) - before:
        del CONDITIONS[name]


def test_a_table_of_parameters_is_loaded(own: Callable[..., None]) -> None:
    seen = []

    def basket(asked: Facts, wanted: dict[str, Any]) -> bool:
        """The basket is large."""
        seen.append(wanted)
        return (asked.orders or 0) >= int(wanted["at_least"])

    own("basket", basket, BasketSchema)
    assert takes("basket = { at_least = 3 }", orders=3)
    assert seen == [{"at_least": 3, "prefix": ""}]
    assert CONDITIONS["basket"].about == "The basket is large."
    assert told("basket = { at_least = 3 }", orders=1)["expected"] == {"at_least": 3}


@pytest.mark.parametrize(
    ("given_", "key", "says"),
    [
        ("{ at_least = 0 }", "basket.at_least", "Must be greater than or equal to 1."),
        ("{ at_least = 3, prefx = 'x' }", "basket.prefx", "did you mean 'prefix'?"),
        ("{ }", "basket.at_least", "Missing data for required field."),
        ("3", "basket", "expected a table of at_least, prefix"),
    ],
)
def test_parameters_are_checked_when_the_policy_is_loaded(
    own: Callable[..., None], given_: str, key: str, says: str
) -> None:
    own("basket", lambda asked, wanted: True, BasketSchema())
    (line,) = refused(f"basket = {given_}")
    assert line.startswith(f"p.toml:14: routes[0].when.{key}: ")
    assert says in line


def test_one_parameter_may_be_a_field(own: Callable[..., None]) -> None:
    own("at_least", lambda asked, wanted: asked.orders == wanted, fields.Integer(strict=True))
    assert takes("at_least = 3", orders=3)
    (line,) = refused('at_least = "many"')
    assert "when.at_least: Not a valid integer." in line
