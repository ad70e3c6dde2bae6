from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.errors import ConfigurationError
from flask_checkout_case.rules import conditions
from flask_checkout_case.rules.policy import Policy, load_policy, parse_policy
from flask_checkout_case.rules.routing import Decision, Facts, decide
from flask_checkout_case.types import Category, FailureClass, Money, Origin, Priority

DEFAULT = load_policy(None)


def facts(category: Category = Category.OTHER, **more: Any) -> Facts:
    return Facts(category=category, origin=Origin.SIGNAL, **more)


def policy(condition: str, part: str = "when") -> Policy:
    text = f"""
        [rates]
        EUR = 1.1
        [teams.a]
        [teams.b]
        [[routes]]
        name = "First"
        team = "a"
        {part} = {{ {condition} }}
        [[routes]]
        name = "Rest"
        team = "b"
    """
    return parse_policy(text, "p.toml")


def takes(condition: str, asked: Facts, part: str = "when") -> bool:
    return decide(policy(condition, part), asked).team == "a"


# --- the default policy --------------------------------------------------------------------------

USUAL = Money(120, "USD")
HIGH = Money("5000.01", "USD")


@pytest.mark.parametrize(
    ("asked", "team", "priority"),
    [
        (facts(Category.PAYMENT_CONFLICT, total=HIGH), "payments", Priority.URGENT),
        (facts(Category.FRAUD, total=HIGH), "risk", Priority.HIGH),
        (facts(Category.ADDRESS_CHANGE, total=HIGH), "fulfilment", Priority.HIGH),
        (facts(Category.ORDER_CHANGE), "fulfilment", Priority.HIGH),
        (facts(Category.HESITATION, total=HIGH), "concierge", Priority.URGENT),
        (facts(Category.PAYMENT_DECLINED, total=HIGH), "concierge", Priority.URGENT),
        (facts(Category.PAYMENT_DECLINED, total=USUAL), "payments", Priority.HIGH),
        (facts(Category.PAYMENT_DECLINED, total=Money(5000, "USD")), "payments", Priority.HIGH),
        (facts(Category.PAYMENT_DECLINED, total=Money(9999, "EUR")), "payments", Priority.HIGH),
        (facts(Category.PAYMENT_ERROR), "payments", Priority.HIGH),
        (facts(Category.AUTHENTICATION), "payments", Priority.HIGH),
        (facts(Category.STOCK), "support", Priority.NORMAL),
        (facts(Category.OTHER), "support", Priority.NORMAL),
    ],
)
def test_the_default_policy_routes(asked: Facts, team: str, priority: Priority) -> None:
    decision = decide(DEFAULT, asked)
    assert (decision.team, decision.priority) == (team, priority)
    assert decision.sla is not None


words = st.one_of(st.none(), st.text(max_size=12))
amounts = st.one_of(
    st.none(),
    st.builds(
        Money.minor, st.integers(0, 10**9), st.sampled_from(["USD", "EUR", "JPY", "BHD", "XXX"])
    ),
)
any_facts = st.builds(
    Facts,
    category=st.sampled_from(Category),
    origin=st.sampled_from(Origin),
    failure_class=st.one_of(st.none(), st.sampled_from(FailureClass)),
    decline_code=words,
    provider=words,
    total=amounts,
    country=words,
    step=words,
    tags=st.lists(st.text(max_size=8), max_size=3).map(tuple),
    language=words,
    text=words,
)


@given(any_facts)
def test_every_case_finds_a_route(asked: Facts) -> None:
    decision = decide(DEFAULT, asked)
    assert decision.team in DEFAULT.teams
    assert [reason.matched for reason in decision.reasons][-1]
    assert not any(reason.matched for reason in decision.reasons[:-1])
    tried = [route.name for route in DEFAULT.routes][: len(decision.reasons)]
    assert [reason.route for reason in decision.reasons] == tried


@given(any_facts)
def test_reasons_are_plain_json(asked: Facts) -> None:
    told = [reason.as_json() for reason in decide(DEFAULT, asked).reasons]
    assert json.loads(json.dumps(told)) == told


@given(any_facts)
def test_a_route_is_taken_as_its_conditions_say(asked: Facts) -> None:
    decision = decide(DEFAULT, asked)
    for reason in decision.reasons:
        favourable = all(check.finding.held == (check.part == "when") for check in reason.checks)
        assert favourable == reason.matched


def test_the_reasons_say_by_how_much() -> None:
    decision = decide(policy('total_over = "5000 USD"'), facts(total=Money("4999.99", "USD")))
    assert decision.reasons[0].as_json() == {
        "route": "First",
        "matched": False,
        "checks": [
            {
                "part": "when",
                "condition": "total_over",
                "expected": "5000 USD",
                "actual": "4999.99 USD",
                "held": False,
                "by": "-0.01 USD",
            }
        ],
    }


# --- conditions ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "asked", "held"),
    [
        ('category = "fraud"', facts(Category.FRAUD), True),
        ('category = ["stock", "fraud"]', facts(Category.FRAUD), True),
        ('category = ["stock"]', facts(Category.FRAUD), False),
        ('failure_class = "funds"', facts(failure_class=FailureClass.FUNDS), True),
        ('failure_class = "funds"', facts(), False),
        ('origin = "signal"', facts(), True),
        ('decline_code = "do_not_honor"', facts(decline_code="do_not_honor"), True),
        ('provider = ["Stripe", "adyen"]', facts(provider="stripe"), True),
        ('provider = "stripe"', facts(), False),
        ('country = "DE"', facts(country="de"), True),
        ('step = "payment"', facts(step="shipping"), False),
        ('tags = ["vip", "press"]', facts(tags=("new", "VIP")), True),
        ('tags = "vip"', facts(tags=("new",)), False),
        ('tags = "vip"', facts(), False),
        ('language = "de"', facts(language="de-AT"), True),
        ('language = "de"', facts(language="de_AT"), True),
        ('language = "de-AT"', facts(language="de"), False),
        ('language = "de"', facts(language="den"), False),
        ('language = "de"', facts(), False),
        ('total_over = "100 USD"', facts(total=Money("100.01", "USD")), True),
        ('total_over = "100 USD"', facts(total=Money("100.00", "USD")), False),
        ('total_over = "100 EUR"', facts(total=Money("110.00", "USD")), False),
        ('total_over = "100 EUR"', facts(total=Money("110.01", "USD")), True),
        ('total_over = "109.99 USD"', facts(total=Money(100, "EUR")), True),
        ('total_over = "0 USD"', facts(total=Money(100, "GBP")), False),
        ('total_over = "0 USD"', facts(), False),
        ('total_under = "100 USD"', facts(total=Money("99.99", "USD")), True),
        ('total_under = "100 USD"', facts(total=Money(100, "USD")), False),
        ('total_under = "100 USD"', facts(), False),
        ('total_over = "1 USD", step = "payment"', facts(total=USUAL, step="payment"), True),
        ('total_over = "1 USD", step = "payment"', facts(total=USUAL), False),
    ],
)
def test_a_condition_holds_or_not(condition: str, asked: Facts, held: bool) -> None:
    assert takes(condition, asked) is held


def test_unless_needs_one_that_holds() -> None:
    clauses = 'category = "fraud", step = "payment"'
    assert takes(clauses, facts(), "unless")
    assert not takes(clauses, facts(step="payment"), "unless")
    assert not takes(clauses, facts(Category.FRAUD), "unless")


@given(st.integers(0, 10**12), st.integers(0, 10**12))
def test_over_and_under_are_strict_and_exclude_each_other(total: int, limit: int) -> None:
    written = f"{Decimal(limit).scaleb(-2):f} USD"
    asked = facts(total=Money.minor(total, "USD"))
    assert takes(f'total_over = "{written}"', asked) is (total > limit)
    assert takes(f'total_under = "{written}"', asked) is (total < limit)


# --- the shop's own conditions -------------------------------------------------------------------


@pytest.fixture
def own_condition() -> Iterator[None]:
    conditions.register("orders_at_least", lambda asked, given: (asked.orders or 0) >= given)
    yield
    del conditions.CONDITIONS["orders_at_least"]


@pytest.mark.usefixtures("own_condition")
def test_the_shop_can_add_a_condition() -> None:
    assert takes("orders_at_least = 3", facts(orders=3))
    assert not takes("orders_at_least = 3", facts(orders=2))


@pytest.mark.usefixtures("own_condition")
@pytest.mark.parametrize("part", ["when", "unless"])
def test_a_condition_that_raises_costs_its_route_and_nothing_else(part: str) -> None:
    decision: Decision = decide(policy('orders_at_least = "three"', part), facts(orders=3))
    assert decision.team == "b"
    (check,) = decision.reasons[0].as_json()["checks"]
    assert check["error"] == "TypeError"


@pytest.mark.parametrize("name", ["category", "Is VIP", "", "vip-customer"])
def test_a_condition_needs_a_free_plain_name(name: str) -> None:
    with pytest.raises(ConfigurationError):
        conditions.register(name, lambda asked, given: True)
