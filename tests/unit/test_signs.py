"""What was seen of a checkout is a set: order and repetition change nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules import hesitation, signs
from flask_checkout_case.rules.policy import Policy, load_policy, parse_policy, read_policy_text
from flask_checkout_case.rules.policy_hesitation import WEIGHTS
from flask_checkout_case.rules.signs import Strength, occurrence
from flask_checkout_case.types import Money

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = load_policy(None)
KINDS = sorted(WEIGHTS)
PLAIN = [kind for kind in KINDS if kind not in ("back_and_forth", "late_shipping", "line_removed")]

Seen = tuple[str, int, str]
moments = st.integers(0, 3600)
seen = st.tuples(st.sampled_from([*PLAIN, signs.VIEW]), moments, st.sampled_from("abcd"))
many = st.lists(seen, max_size=12, unique=True)
strength = st.builds(
    Strength,
    st.sampled_from(KINDS),
    st.floats(0, 1),
    moments.map(lambda seconds: NOW - timedelta(seconds=seconds)),
)


def as_signs(found: list[Seen]) -> signs.Signs:
    merged: signs.Signs = {}
    for kind, ago, more in found:
        at = NOW - timedelta(seconds=ago)
        one = occurrence(at, f"{kind}{ago}{more}", *([more] if kind == signs.VIEW else []))
        merged = signs.merge(merged, {kind: [one]})
    return merged


def score_of(found: signs.Signs, now: datetime = NOW, progressed: datetime | None = None) -> int:
    return hesitation.judge(POLICY, None, signs.strengths(found, progressed), now).score


def one(kind: str, ago: timedelta = timedelta(0), times: int = 1) -> signs.Signs:
    return {kind: [occurrence(NOW - ago, f"{kind}{n}") for n in range(times)]}


@pytest.mark.parametrize(
    ("found", "score"),
    [
        (one("payment_failed"), 45),
        (one("idle"), 34),
        (one("validation", times=3), 42),
        (one("validation", times=1), 16),
        ({}, 0),
    ],
)
def test_what_single_signs_score(found: signs.Signs, score: int) -> None:
    assert score_of(found) == score


def test_idleness_turning_back_and_a_coupon() -> None:
    views = [
        occurrence(NOW - timedelta(seconds=9 - n), str(n), step)
        for n, step in enumerate(["contact", "shipping", "contact", "shipping"])
    ]
    idle = one("idle")
    assert score_of(signs.merge(idle, {signs.VIEW: views})) == 61
    assert score_of(signs.merge({**idle, signs.VIEW: views}, one("coupon_rejected"))) == 73


def test_after_its_half_life_a_sign_counts_half() -> None:
    # 100·(1 − exp(−0.3)) = 25.9
    assert score_of(one("payment_failed", timedelta(minutes=10))) == 25


def test_who_has_gone_on_is_no_longer_idle() -> None:
    found = one("idle", timedelta(seconds=30))
    assert score_of(found, progressed=NOW - timedelta(minutes=5)) > 30
    assert score_of(found, progressed=NOW) == 0


def test_coming_back_the_next_day_is_a_return() -> None:
    views = [
        occurrence(NOW - timedelta(days=1), "a", "payment"),
        occurrence(NOW, "b", "payment"),
    ]
    (found,) = signs.strengths({signs.VIEW: views})
    assert (found.kind, found.amount) == ("return_visit", 1.0)


@pytest.mark.parametrize(
    ("carts", "kinds"),
    [
        ([(10_000, 9000, 2), (5000, 4000, 1)], ["line_removed"]),
        ([(10_000, 10_000, 1), (11_001, 10_000, 1)], ["late_shipping"]),
        ([(10_000, 10_000, 1), (11_000, 10_000, 1)], []),
        ([(10_000, 10_000, 1), (20_000, 20_000, 2)], []),
    ],
)
def test_carts_tell_what_was_taken_out_and_what_came_on_top(
    carts: list[tuple[int, int, int]], kinds: list[str]
) -> None:
    kept = [
        occurrence(NOW - timedelta(minutes=5 - n), str(n), *cart) for n, cart in enumerate(carts)
    ]
    assert [found.kind for found in signs.strengths({signs.CART: kept})] == kinds


@given(many, st.randoms())
def test_the_order_of_arrival_is_irrelevant(found: list[Seen], chance: Any) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    assert as_signs(found) == as_signs(shuffled)


@given(many, many)
def test_a_repetition_changes_nothing(first: list[Seen], second: list[Seen]) -> None:
    both = signs.merge(as_signs(first), as_signs(second))
    assert signs.merge(both, as_signs(second)) == both
    assert signs.merge(as_signs(second), as_signs(first)) == both


@given(many, seen)
def test_another_sign_never_lowers_the_score(found: list[Seen], more: Seen) -> None:
    assert score_of(as_signs([*found, more])) >= score_of(as_signs(found))


@given(st.lists(strength, max_size=30), moments)
def test_a_score_is_bounded_and_only_fades(strengths: list[Strength], later: int) -> None:
    now = hesitation.judge(POLICY, None, strengths, NOW)
    then = hesitation.judge(POLICY, None, strengths, NOW + timedelta(seconds=later))
    assert 0 <= then.score <= now.score <= 100
    weights = [part.weight for part in now.contributions]
    assert weights == sorted(weights, reverse=True)


@given(st.lists(strength, max_size=8), st.integers(0, 10**9), st.integers(0, 10**9))
def test_more_at_stake_never_means_less_help(
    strengths: list[Strength], first: int, second: int
) -> None:
    low, high = sorted((first, second))
    acts = [
        hesitation.judge(POLICY, Money.minor(value, "USD"), strengths, NOW).acts
        for value in (low, high)
    ]
    assert set(acts[0]) <= set(acts[1])


@pytest.mark.parametrize(
    ("value", "kinds", "acts"),
    [
        ("0.00", ["payment_failed", "idle"], ()),
        ("0.01", ["payment_failed", "idle"], ("hint",)),
        ("100.00", ["payment_failed", "idle"], ("hint",)),
        ("100.01", ["payment_failed", "idle"], ("hint", "offer")),
        ("1000.01", ["idle", "exit_intent", "field_dwell"], ("case",)),
        ("1000.00", ["idle", "exit_intent", "field_dwell"], ()),
        ("1000.01", ["payment_failed"], ()),
        ("5000.00", ["idle", "slow_page"], ()),
        ("5000.01", ["idle", "slow_page"], ("concierge",)),
        ("5000.01", ["idle"], ()),
        ("5000.01", ["payment_failed"], ("concierge",)),
        ("5000.01", ["idle", "exit_intent", "field_dwell"], ("case", "concierge")),
    ],
)
def test_the_amount_decides_and_must_be_exceeded(
    value: str, kinds: list[str], acts: tuple[str, ...]
) -> None:
    found = [Strength(kind, 1.0, NOW) for kind in kinds]
    assert hesitation.judge(POLICY, Money(value, "USD"), found, NOW).acts == acts


def test_any_failed_payment_is_enough_for_the_concierge() -> None:
    faded = [Strength("payment_failed", 1.0, NOW - timedelta(hours=2))]
    assert hesitation.judge(POLICY, Money("5200.00", "USD"), faded, NOW).acts == ("concierge",)


def with_rule(text: str) -> Policy:
    shipped, name = read_policy_text(None)
    return parse_policy(shipped + "\n" + text, name)


def test_amounts_are_converted_by_the_policys_rates() -> None:
    policy = with_rule("[rates]\nEUR = 2.0")
    found = [Strength("idle", 1.0, NOW), Strength("validation", 0.8, NOW)]
    assert hesitation.judge(policy, Money("500.01", "EUR"), found, NOW).acts == ("case",)
    assert hesitation.judge(policy, Money("500.00", "EUR"), found, NOW).acts == ()
    assert hesitation.judge(policy, Money("9000.00", "CHF"), found, NOW).acts == ()


def test_a_policy_may_weigh_otherwise() -> None:
    policy = with_rule("[hesitation.weights]\nidle = 2\nexit_intent = 0")
    found = [Strength("idle", 1.0, NOW), Strength("exit_intent", 1.0, NOW)]
    verdict = hesitation.judge(policy, None, found, NOW)
    assert verdict.score == 86
    assert [part.kind for part in verdict.contributions] == ["idle"]
