from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from flask_checkout_case.rules import outreach
from flask_checkout_case.rules.policy import load_policy, parse_policy
from flask_checkout_case.types import FailureClass

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
POLICY = load_policy(None)


def wake_at(**changes: Any) -> datetime | None:
    given: dict[str, Any] = {
        "failure_class": FailureClass.FUNDS,
        "outcome": "failed",
        "failed_at": START,
        "answered": False,
        "address": "ada@example.com",
        "fired": [],
    }
    return outreach.wake_at(changes.pop("policy", POLICY), **{**given, **changes})


def test_a_declined_payment_is_written_about_after_the_policys_time() -> None:
    assert wake_at() == START + timedelta(minutes=10)


@pytest.mark.parametrize(
    "change",
    [
        {"failure_class": FailureClass.FRAUD},
        {"failure_class": FailureClass.CANCELLED},
        {"failure_class": FailureClass.DUPLICATE},
        {"failure_class": None},
        {"outcome": "unknown"},
        {"failed_at": None},
        {"answered": True},
        {"address": None},
        {"address": ""},
        {"fired": [outreach.FIRED_KEY]},
    ],
)
def test_nobody_is_written_to_who_should_not_be(change: dict[str, Any]) -> None:
    assert wake_at(**change) is None


def test_the_policy_can_switch_it_off() -> None:
    text = '[teams.a]\n[[routes]]\nname = "x"\nteam = "a"\n[outreach]\nenabled = false\n'
    assert wake_at(policy=parse_policy(text, "p.toml")) is None


def test_after_a_day_it_is_too_late() -> None:
    last = START + timedelta(minutes=10) + outreach.USEFUL_FOR
    assert not outreach.is_too_late(POLICY, START, last)
    assert outreach.is_too_late(POLICY, START, last + timedelta(seconds=1))
