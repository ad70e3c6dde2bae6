"""The difference of two policies, in parts and line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.policy import Policy, load_policy, parse_policy, read_policy_text
from flask_checkout_case.rules.policy_diff import (
    Change,
    differences,
    line_difference,
    read_changes,
    write_changes,
)

TEXT, _ = read_policy_text(None)
DEFAULT = load_policy(None)
EXTRA_ROUTE = """
[[routes]]
name = "Wholesale"
when = { tags = ["wholesale"] }
team = "concierge"
"""
LAST = '[[routes]]\nname = "Everything else"'


def changed(old: str, new: str) -> Policy:
    assert old in TEXT
    return parse_policy(TEXT.replace(old, new, 1), "policy.toml")


def test_the_same_policy_differs_in_nothing() -> None:
    again = parse_policy(TEXT + "\n# A remark decides nothing.\n", "other.toml")
    assert differences(DEFAULT, again) == ()


def test_a_route_is_added_and_removed() -> None:
    more = changed(LAST, EXTRA_ROUTE + "\n" + LAST)
    assert differences(DEFAULT, more) == (Change("added", "route", "Wholesale"),)
    assert differences(more, DEFAULT) == (Change("removed", "route", "Wholesale"),)


def test_a_condition_of_a_route_is_a_change_of_that_route() -> None:
    other = changed('when = { total_over = "5000 USD" }', 'when = { total_over = "4000 USD" }')
    assert differences(DEFAULT, other) == (Change("changed", "route", "High-value checkout"),)


def test_a_service_level_is_told_once_whatever_routes_use_it() -> None:
    other = changed('first_response = "15m"', 'first_response = "10m"')
    assert differences(DEFAULT, other) == (Change("changed", "sla", "payment"),)


def test_a_route_that_moves_is_told_alone() -> None:
    first = TEXT.index('[[routes]]\nname = "Fraud suspected"')
    second = TEXT.index('[[routes]]\nname = "Change before it ships"')
    third = TEXT.index('[[routes]]\nname = "High-value checkout"')
    swapped = TEXT[:first] + TEXT[second:third] + TEXT[first:second] + TEXT[third:]
    (moved,) = differences(DEFAULT, parse_policy(swapped, "policy.toml"))
    assert (moved.what, moved.part) == ("moved", "route")
    assert moved.name in ("Fraud suspected", "Change before it ships")


def test_what_there_is_one_of_has_no_name() -> None:
    other = changed('over = "5000 USD"', 'over = "900 USD"')
    assert differences(DEFAULT, other) == (Change("changed", "hesitation"),)


def test_teams_and_protocols() -> None:
    other = changed('[teams.risk]\nname = "Risk"', '[teams.risk]\nname = "Fraud and risk"')
    assert differences(DEFAULT, other) == (Change("changed", "team", "risk"),)
    other = changed('title = "Offer another way to pay', 'title = "Suggest another way to pay')
    assert differences(DEFAULT, other) == (Change("changed", "protocol", "white-glove"),)


def test_changes_are_read_as_they_were_written() -> None:
    changes = (Change("added", "route", "Für „Großkunden“"), Change("changed", "rates"))
    assert read_changes(write_changes(changes)) == changes
    assert read_changes(None) == ()


LINES = st.lists(st.sampled_from(["a", "b", "c", "", "  x = 1"]), max_size=20)


@given(LINES, LINES)
def test_the_lines_that_stay_and_come_are_the_new_text(old: list[str], new: list[str]) -> None:
    lines = line_difference("\n".join(old), "\n".join(new), context=100)
    if not lines:
        assert "\n".join(old).splitlines() == "\n".join(new).splitlines()
        return
    kept = [line.text for line in lines if line.sign in " +"]
    gone = [line.text for line in lines if line.sign in " -"]
    assert kept == "\n".join(new).splitlines()
    assert gone == "\n".join(old).splitlines()


def test_far_lines_are_left_out() -> None:
    old = [str(number) for number in range(100)]
    new = [*old]
    new[3], new[90] = "three", "ninety"
    lines = line_difference("\n".join(old), "\n".join(new))
    assert [line.sign for line in lines] == [*"   -+   ", "…", *"   -+   "]
    assert [line.new for line in lines if line.sign == "+"] == [4, 91]
