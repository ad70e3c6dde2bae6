"""What an agent does best about a checkout's payments."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.advice import next_best_action
from flask_checkout_case.rules.payments import Attempt, Conflict, State
from flask_checkout_case.types import FailureClass

BEGAN = datetime(2026, 3, 2, 9, tzinfo=UTC)
states = st.sampled_from(State)


def attempt(state: State, minutes: int = 0) -> Attempt:
    at = BEGAN + timedelta(minutes=minutes)
    return Attempt(state, at, at)


@pytest.mark.parametrize("failure_class", FailureClass)
def test_every_class_of_failure_leads_to_something(failure_class: FailureClass) -> None:
    assert next_best_action([attempt(State.FAILED)], failure_class)


def test_without_an_attempt_there_is_nothing_to_advise() -> None:
    assert next_best_action([], None) is None


def test_agents_are_told_to_keep_the_reason_of_fraud_to_themselves() -> None:
    told = next_best_action([attempt(State.FAILED)], FailureClass.FRAUD)
    assert told is not None
    assert "tell no more" in told


@given(st.lists(states, min_size=1), st.sampled_from(FailureClass))
def test_what_has_been_paid_needs_no_other_payment(
    before: list[State], failure_class: FailureClass
) -> None:
    attempts = [attempt(one, number) for number, one in enumerate([*before, State.SUCCEEDED])]
    paid = next_best_action([attempt(State.SUCCEEDED)], None)
    assert next_best_action(attempts, failure_class) == paid
    assert next_best_action(attempts[::-1], failure_class) == paid


@given(st.lists(states, max_size=4), st.sampled_from([None, *FailureClass]))
def test_money_in_the_wrong_place_comes_first(
    told: list[State], failure_class: FailureClass | None
) -> None:
    attempts = [attempt(one, number) for number, one in enumerate(told)]
    advices = {
        next_best_action(attempts, failure_class, conflicts) for conflicts in permutations(Conflict)
    }
    assert advices == {next_best_action([], None, [Conflict.CHARGED_TWICE])}
