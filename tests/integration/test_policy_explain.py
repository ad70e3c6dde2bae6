"""What ``policy explain`` says, line by line; how the command reads its event is in test_cli."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from flask_checkout_case.errors import InvalidInputError
from flask_checkout_case.rules import conditions
from flask_checkout_case.rules.policy import load_policy, parse_policy
from flask_checkout_case.services.explain import explain

NOW = datetime(2026, 11, 20, 21, 45, tzinfo=UTC)  # Friday, 16:45 in New York

POLICY = parse_policy(
    """
    [calendars.office]
    timezone = "America/New_York"
    "mon-fri" = ["09:00-17:00"]

    [teams.fulfilment]
    [teams.support]

    [protocols.parcels]
    [[protocols.parcels.tasks]]
    title = "Stop the parcel"
    owner = "fulfilment"
    within = "30m"
    [[protocols.parcels.tasks]]
    title = "Tell the customer"
    required = false

    [sla.office]
    calendar = "office"
    first_response = "1h"
    resolution = "8h"
    next_response = "1h"
    escalate = [
      { at = "50%", notify = ["assignee", "team"] },
      { after = "15m", team = "support", priority = "urgent", protocol = "parcels" },
      { clock = "next_response", at = "100%", notify = "team" },
    ]

    [[routes]]
    name = "Sold out"
    when = { stock_under = 1 }
    team = "fulfilment"

    [[routes]]
    name = "Often failed"
    when = { attempts_over = 2, orders_over = 3 }
    team = "support"

    [[routes]]
    name = "Return"
    when = { words = ["return*"], inside = "office" }
    team = "fulfilment"
    sla = "office"
    protocol = "parcels"

    [[routes]]
    name = "All"
    team = "support"
    """,
    "p.toml",
)


@pytest.fixture
def own_condition() -> Iterator[str]:
    conditions.register("tagged", lambda facts, expected: expected in facts.tags)
    yield "tagged"
    del conditions.CONDITIONS["tagged"]


def lines(**told: Any) -> list[str]:
    return list(explain(POLICY, told, NOW))


def test_times_are_those_of_the_calendar() -> None:
    told = lines(text="Where do I find the returns form?")
    at = told.index("matches: Return")
    assert told[at:] == [
        "matches: Return",
        "    when words = ['return*']: held, it is ['returns']",
        "    when inside = office: held, it is fri 2026-11-20 16:45 America/New_York",
        "team fulfilment, priority normal, protocol parcels",
        (
            "service level office, calendar office: "
            "first response within 1h (2026-11-23 09:45 America/New_York), "
            "resolution within 8h (2026-11-23 16:45 America/New_York)"
        ),
        "    50% of the first response (2026-11-23 09:15 America/New_York): notify assignee, team",
        (
            "    15m after the first response was due (2026-11-23 10:00 America/New_York): "
            "priority urgent, team support, protocol parcels"
        ),
        "    100% of the next response: notify team",
        "protocol parcels: Parcels",
        "    1. Stop the parcel: fulfilment, within 30m (2026-11-23 09:15 America/New_York)",
        "    2. Tell the customer: assignee, may be left out",
    ]


def test_an_event_may_say_when_it_happened() -> None:
    told = lines(text="My return", at="2026-11-21T12:00:00-05:00")
    assert (
        "    when inside = office: didn't hold, it is sat 2026-11-21 12:00 America/New_York" in told
    )
    assert told[-2:] == ["team support, priority normal", "no service level: nothing is due"]


def test_counts_are_taken_from_the_event() -> None:
    assert "matches: Sold out" in lines(signal="stock_short", available=0)
    told = lines(
        signal="payment_failed",
        provider="stripe",
        decline_code="card_declined",
        attempts=3,
        checkout={"customer": {"orders": 2}},
    )
    assert "    when attempts_over = 2: held, it is 3 (+1)" in told
    assert "    when orders_over = 3: didn't hold, it is 2 (-1)" in told


@pytest.mark.parametrize(("tags", "held"), [(["vip"], "held"), ([], "didn't hold")])
def test_a_condition_of_the_shop_holds_or_not(
    own_condition: str, tags: list[str], held: str
) -> None:
    text = (
        f"[teams.a]\n[[routes]]\nname = 'Vip'\nteam = 'a'\nwhen = {{ {own_condition} = 'vip' }}\n"
    )
    policy = parse_policy(text + "[[routes]]\nname = 'All'\nteam = 'a'\n", "p.toml")
    told = {"category": "other", "checkout": {"customer": {"tags": tags}}}
    assert f"    when {own_condition} = vip: {held}" in list(explain(policy, told, NOW))


def test_a_first_failure_is_the_first_attempt() -> None:
    told = lines(signal="payment_failed", provider="stripe", decline_code="card_declined")
    assert "    when attempts_over = 2: didn't hold, it is 1 (-1)" in told


@pytest.mark.parametrize(
    ("told", "says"),
    [
        ({"category": "other", "at": "yesterday"}, "at: expected an instant with its offset"),
        ({"category": "other", "at": "2026-11-23T09:30:00"}, "at: expected an instant"),
        ({"category": "other", "at": 3}, "at: expected an instant"),
        ({"category": "other", "attempts": "3"}, "attempts: expected a whole number"),
        ({"category": "stock", "available": True}, "available: expected a whole number"),
    ],
)
def test_what_cannot_be_read_is_named(told: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        lines(**told)


def test_the_default_says_what_happens_when_nobody_answers() -> None:
    event = {"signal": "hesitation", "checkout": {"value": "9000 USD"}}
    told = list(explain(load_policy(None), event, NOW))
    assert "service level concierge: first response within 5m, resolution within 4h" in told
    assert "    75% of the first response: notify assignee" in told
    assert "    100% of the first response: notify team, priority urgent" in told
    assert "    15m after the first response was due: team supervisors" in told
    assert "protocol white-glove: White glove" in told
