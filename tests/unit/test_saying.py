"""Mistakes are said in English and can be said again in another language, word lists apart."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from flask_checkout_case.errors import PolicyError
from flask_checkout_case.rules.policy import parse_policy
from flask_checkout_case.rules.policy_values import expected, nearest
from flask_checkout_case.rules.saying import Said, said_by, say, translated

WRONG = """
currency = 1
teems = 1
[rates]
EUR = 0
GBP = 1e30
[teams.support]
assignment = "balance"
burst = "many"
members = "7"
team_limit = 0
[calendars.always]
mon = ["9-5"]
[calendars.office]
timezone = "Mars"
holidays = "Narnia"
day = []
tue = 1
wed = ["09:00-12:00", "10:00-11:00"]
[calendars.shut]
timezone = "UTC"
[sla.payment]
calendar = "offices"
first_response = "15 minutes"
escalate = [{ at = "200%", clock = "resolution" }, { after = "5000d", notify = "nobody" }]
[sla.empty]
[protocols.none]
tasks = []
[hesitation]
over = "5 EUR"
enabled = "yes"
[payments]
recovers_within = 1
[[routes]]
name = "First"
team = "suport"
when = { category = ["frod"], total_over = "5", orders_over = -1, text = [], nothing = 1 }
[[routes]]
name = "First"
[[routes]]
team = "support"
unless = { in_hours = "offic", language = "" }
"""


def marked(message: str, **values: Any) -> str:
    return f"<{message % values if values else message}>"


def mistakes(text: str) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        parse_policy(text, "p.toml")
    return [says for _, _, says in refused.value.mistakes]


@pytest.mark.parametrize(
    "text", [WRONG, "", "teams = [", "routes = 1\nteams = {}", "a=" + "[" * 9999]
)
def test_every_mistake_of_a_policy_can_be_said_again(text: str) -> None:
    found = mistakes(text)
    assert found
    for says in found:
        assert isinstance(says, Said), says
        assert (
            translated(says, lambda message, **values: message % values if values else message)
            == says
        )
        assert translated(says, marked).startswith("<")


def test_what_is_filled_in_is_said_again_too() -> None:
    says = expected(say("an %(thing)s", thing="axe")) + nearest("paymets", ["payments"]) + ", 100%"
    assert says == "expected an axe; did you mean 'payments'?, 100%"
    assert translated(says, marked) == "<expected <an axe>><; did you mean 'payments'?><, 100%>"


def test_it_outlives_marshmallows_copies_and_formats_and_leaves_plain_texts_alone() -> None:
    says = say("expected { a = %(what)s }", what="100%")
    for kept in (copy.deepcopy(says), says.format(input=1)):
        assert isinstance(kept, Said)
        assert translated(kept, marked) == "<expected { a = 100% }>"
    assert translated("of the shop's own schema", marked) == "of the shop's own schema"


@pytest.mark.parametrize("error", [ValueError(), ValueError(7), ValueError("no", "way")])
def test_errors_of_other_code_are_said_as_they_are(error: ValueError) -> None:
    assert said_by(error) == str(error)
    assert said_by(ValueError(say("none"))) == "none"
