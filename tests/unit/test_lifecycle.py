from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.errors import InvalidTransitionError
from flask_checkout_case.rules import lifecycle
from flask_checkout_case.types import Status

statuses = st.sampled_from(Status)


@given(statuses, statuses)
def test_a_move_passes_exactly_when_it_is_listed(old: Status, new: Status) -> None:
    if new == old or new in lifecycle.moves_from(old):
        lifecycle.check_move(old, new)
    else:
        with pytest.raises(InvalidTransitionError):
            lifecycle.check_move(old, new)


@given(statuses)
def test_what_messages_do_is_allowed(status: Status) -> None:
    lifecycle.check_move(status, lifecycle.after_agent_reply(status))
    lifecycle.check_move(status, lifecycle.after_customer_message(status))


@given(statuses)
def test_a_customers_message_always_leaves_a_live_case(status: Status) -> None:
    assert lifecycle.is_live(lifecycle.after_customer_message(status))


@given(statuses)
def test_nothing_goes_back_to_new(status: Status) -> None:
    assert Status.NEW not in lifecycle.moves_from(status)
