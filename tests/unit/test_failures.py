from __future__ import annotations

import pytest

from flask_checkout_case.rules.failures import (
    FAILURES,
    category_of,
    customer_text,
    is_urgent,
    next_actions,
)
from flask_checkout_case.types import Category, FailureClass

PLAIN_DECLINES = [
    FailureClass.SOFT,
    FailureClass.HARD,
    FailureClass.FUNDS,
    FailureClass.LIMIT,
]


def test_every_class_is_described() -> None:
    assert set(FAILURES) == set(FailureClass)


@pytest.mark.parametrize("plain", PLAIN_DECLINES)
def test_fraud_is_told_exactly_like_a_plain_decline(plain: FailureClass) -> None:
    assert customer_text(FailureClass.FRAUD) == customer_text(plain)
    assert next_actions(FailureClass.FRAUD) == next_actions(plain)


def test_only_agents_learn_of_fraud() -> None:
    assert category_of(FailureClass.FRAUD) is Category.FRAUD
    for kind in FAILURES.values():
        told = kind.text.lower()
        assert not any(word in told for word in ("fraud", "stolen", "lost", "suspect"))


@pytest.mark.parametrize("failure_class", list(FailureClass))
def test_an_unknown_outcome_never_invites_to_pay_again(failure_class: FailureClass) -> None:
    assert "don't pay again" in customer_text(failure_class, "unknown")
    assert next_actions(failure_class, "unknown") == ("wait",)
    assert is_urgent(failure_class, "unknown")


def test_cancelling_is_no_declined_payment() -> None:
    assert category_of(FailureClass.CANCELLED) is None


@pytest.mark.parametrize("failure_class", [FailureClass.CONFIG, FailureClass.DUPLICATE])
def test_our_own_faults_are_urgent(failure_class: FailureClass) -> None:
    assert is_urgent(failure_class)
