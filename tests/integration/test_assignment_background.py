"""Agents whose workspace is open in a background tab: away, and gone only when it falls silent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import request

from flask_checkout_case import Agent
from flask_checkout_case.services import cases
from flask_checkout_case.services.assignment import sweep_assignments
from flask_checkout_case.services.staff import set_presence
from flask_checkout_case.services.teams import boards, standing
from tests.support.desk import BOSS, decline, runtime_of
from tests.support.due import MINUTE, Clock
from tests.support.giving import giving_shop, holders, who
from tests.support.shop import Shop

HIDDEN = {"X-Checkout-Case-Tab": "hidden"}


@pytest.fixture
def shop(make_app: Callable[..., Shop], tmp_path: Path) -> Shop:
    shop = giving_shop(make_app, tmp_path, 'assignment = "balanced"')

    @shop.cases.agent_loader
    def load_agent() -> Agent:
        return who(request.headers.get("X-Who", "a"))

    return shop


def ask(shop: Shop, headers: dict[str, str] | None = None) -> None:
    """Ask what has changed in the queue, as a page does that is open."""
    answer = shop.app.test_client().get("/checkout-case/agent/queue", headers=headers or {})
    assert answer.status_code == 200


def leave_open(shop: Shop, clock: Clock, minutes: int) -> None:
    """Let the page ask from a background tab, each minute."""
    for _ in range(minutes):
        clock.pass_by(MINUTE)
        ask(shop, HIDDEN)
        sweep_assignments(runtime_of(shop))


def presence_of(shop: Shop, ref: str = "a") -> str:
    team = boards(runtime_of(shop), BOSS)[0]
    return next(one.presence for one in team.members if one.ref == ref)


def test_who_works_in_another_tab_is_away_and_keeps_their_cases(shop: Shop, clock: Clock) -> None:
    ask(shop)
    first = decline(shop, "c-1")
    sweep_assignments(runtime_of(shop))
    leave_open(shop, clock, 10)
    assert presence_of(shop) == "available"
    leave_open(shop, clock, 120)
    assert presence_of(shop) == "away"
    second = decline(shop, "c-2")
    leave_open(shop, clock, 10)
    assert holders(shop) == {first.reference: "a", second.reference: None}


def test_who_looks_again_is_given_cases_again(shop: Shop, clock: Clock) -> None:
    ask(shop)
    leave_open(shop, clock, 30)
    case = decline(shop, "c-1")
    ask(shop)
    assert presence_of(shop) == standing(runtime_of(shop), who("a")).presence == "available"
    sweep_assignments(runtime_of(shop))
    assert holders(shop) == {case.reference: "a"}


def test_a_page_that_falls_silent_makes_gone(shop: Shop, clock: Clock) -> None:
    ask(shop)
    case = decline(shop, "c-1")
    sweep_assignments(runtime_of(shop))
    leave_open(shop, clock, 60)
    assert holders(shop) == {case.reference: "a"}
    clock.pass_by(16 * MINUTE)
    assert presence_of(shop) == "gone"
    sweep_assignments(runtime_of(shop))
    assert holders(shop) == {case.reference: None}


@pytest.mark.parametrize("chosen", ["busy", "away"])
def test_what_was_chosen_stays(shop: Shop, clock: Clock, chosen: str) -> None:
    ask(shop)
    set_presence(runtime_of(shop), who("a"), chosen)
    leave_open(shop, clock, 60)
    assert presence_of(shop) == chosen
    ask(shop)
    assert presence_of(shop) == chosen


def test_who_was_set_to_gone_is_not_kept_by_a_page_that_was_left_open(
    shop: Shop, clock: Clock
) -> None:
    ask(shop)
    set_presence(runtime_of(shop), BOSS, "gone", of="a")
    leave_open(shop, clock, 60)
    assert presence_of(shop) == "gone"
    clock.pass_by(timedelta(hours=14))
    ask(shop)
    assert presence_of(shop) == "available"


def test_another_tab_in_front_keeps_one_available(shop: Shop, clock: Clock) -> None:
    for _ in range(30):
        ask(shop)
        leave_open(shop, clock, 1)
    assert presence_of(shop) == "available"


def test_the_customer_finds_somebody_else_than_who_is_away(shop: Shop, clock: Clock) -> None:
    ask(shop)
    case = decline(shop, "c-1")
    sweep_assignments(runtime_of(shop))
    cases.solve(runtime_of(shop), case.reference, agent=who("a"))
    leave_open(shop, clock, 30)
    ask(shop, {"X-Who": "b"})
    cases.customer_message(runtime_of(shop), case.reference, "It is back.")
    sweep_assignments(runtime_of(shop))
    assert holders(shop) == {case.reference: "b"}
