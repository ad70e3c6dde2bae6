"""Cases given to agents: never more than they take, the most urgent first, none forgotten."""

from __future__ import annotations

import multiprocessing
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from flask_checkout_case import Agent
from flask_checkout_case.errors import PermissionDeniedError
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services import cases
from flask_checkout_case.services.assignment import place_waiting, sweep_assignments
from flask_checkout_case.services.staff import decline, set_presence
from flask_checkout_case.types import Status
from tests.support.desk import BOSS, runtime_of
from tests.support.due import MINUTE, set_clock
from tests.support.giving import (
    arrive,
    assignments,
    give_out,
    giving_shop,
    holders,
    open_cases,
    row_of,
    who,
)
from tests.support.shop import Shop

Make = Callable[..., Shop]
AT_ONCE = 4
BALANCED = 'assignment = "balanced"\nmember_limit = 2\naccept_within = "10m"'


@pytest.fixture
def shop(make_app: Make, tmp_path: Path) -> Shop:
    return giving_shop(make_app, tmp_path, BALANCED)


def hand_back(shop: Shop, reference: str, agent: Agent) -> None:
    version = row_of(shop, reference).version
    decline(runtime_of(shop), reference, agent=agent, version=version)


def held_by(shop: Shop) -> Counter[str | None]:
    return Counter(holders(shop).values())


# --- never too many ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "most_each", "most"),
    [
        ('assignment = "balanced"\nmember_limit = 4', 4, 12),
        ('assignment = "round_robin"\nteam_limit = 7', 7, 7),
    ],
)
def test_several_processes_never_give_too_many(
    make_app: Make, tmp_path: Path, settings: str, most_each: int, most: int
) -> None:
    shop = giving_shop(make_app, tmp_path, settings)
    arrive(shop, "a", "b", "c")
    open_cases(shop, 20)
    spawn = multiprocessing.get_context("spawn")
    start = spawn.Barrier(AT_ONCE)
    workers = []
    for number in range(AT_ONCE):
        home = tmp_path / f"worker-{number}"
        home.mkdir()
        policy = str(tmp_path / "policy.toml")
        given = (shop.database_url, str(home), policy, start, 5)
        workers.append(spawn.Process(target=give_out, args=given))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert [worker.exitcode for worker in workers] == [0] * AT_ONCE
    held = held_by(shop)
    held.pop(None)
    assert sum(held.values()) == most
    assert max(held.values()) <= most_each
    given_out = assignments(shop)
    assert len(given_out) == len({row.case_id for row in given_out}) == most


# --- who gets what -------------------------------------------------------------------------------


def test_the_most_urgent_waiting_case_comes_first(shop: Shop) -> None:
    calm, urgent, *_ = open_cases(shop, 3)
    cases.set_priority(
        runtime_of(shop), urgent.reference, "urgent", agent=BOSS, version=urgent.version
    )
    arrive(shop, "a", limit=1)
    sweep(runtime_of(shop))
    assert holders(shop)[urgent.reference] == "a"
    cases.solve(runtime_of(shop), urgent.reference)
    sweep(runtime_of(shop))
    assert holders(shop)[calm.reference] == "a"


def test_the_oldest_comes_before_the_newest(shop: Shop) -> None:
    first, _, last = open_cases(shop, 3)
    arrive(shop, "a", limit=2)
    place_waiting(runtime_of(shop))
    assert holders(shop)[first.reference] == "a"
    assert holders(shop)[last.reference] is None


def test_cases_are_spread_over_who_is_there(shop: Shop) -> None:
    arrive(shop, "a", "b", "c")
    set_presence(runtime_of(shop), who("c"), "busy")
    open_cases(shop, 6)
    place_waiting(runtime_of(shop))
    assert held_by(shop) == {"a": 2, "b": 2, None: 2}
    assert {row.how for row in assignments(shop)} == {"balanced"}


def test_the_timeline_tells_who_got_the_case(shop: Shop) -> None:
    (case,) = open_cases(shop, 1)
    arrive(shop, "a")
    place_waiting(runtime_of(shop))
    with shop.app.app_context():
        now = shop.cases.get(case.reference)
    assert now is not None
    assert now.assignee == "a"
    assert now.status is Status.NEW


def test_a_team_that_takes_for_itself_is_given_nothing(make_app: Make, tmp_path: Path) -> None:
    shop = giving_shop(make_app, tmp_path, "")
    arrive(shop, "a")
    open_cases(shop, 1)
    sweep(runtime_of(shop))
    assert held_by(shop) == {None: 1}


def test_one_may_take_more_than_ones_limit(shop: Shop) -> None:
    arrive(shop, "a")
    for case in open_cases(shop, 3):
        cases.take(runtime_of(shop), case.reference, agent=who("a"), version=case.version)
    assert held_by(shop) == {"a": 3}
    assert {row.how for row in assignments(shop)} == {"taken"}
    open_cases(shop, 4)
    place_waiting(runtime_of(shop))
    assert held_by(shop) == {"a": 3, None: 1}


@pytest.mark.parametrize("how", ["solve", "transfer", "put back"])
def test_capacity_is_free_when_a_case_leaves(shop: Shop, how: str) -> None:
    arrive(shop, "a", limit=1)
    first, second = open_cases(shop, 2)
    place_waiting(runtime_of(shop))
    runtime, case = runtime_of(shop), row_of(shop, first.reference)
    if how == "solve":
        cases.solve(runtime, case.reference)
    elif how == "transfer":
        cases.transfer(runtime, case.reference, agent=BOSS, team="fulfilment", version=case.version)
    else:
        cases.assign(
            runtime, case.reference, agent=who("a"), assignee_ref=None, version=case.version
        )
    place_waiting(runtime)
    assert holders(shop)[second.reference] == "a"
    ended = [row.end for row in assignments(shop)]
    assert ended == [{"solve": "solved", "transfer": "moved", "put back": "declined"}[how], None]


# --- nothing stalls ------------------------------------------------------------------------------


def test_a_declined_case_goes_to_somebody_else(shop: Shop) -> None:
    arrive(shop, "a", "b")
    (case,) = open_cases(shop, 1)
    place_waiting(runtime_of(shop))
    first = holders(shop)[case.reference]
    assert first is not None
    hand_back(shop, case.reference, who(first))
    assert holders(shop)[case.reference] not in (None, first)


def test_a_case_declined_by_the_only_agent_is_offered_again(shop: Shop) -> None:
    clock = set_clock(shop)
    arrive(shop, "a")
    declined, other = open_cases(shop, 2)
    place_waiting(runtime_of(shop))
    hand_back(shop, declined.reference, who("a"))
    assert holders(shop) == {declined.reference: None, other.reference: "a"}
    clock.pass_by(6 * MINUTE)
    sweep_assignments(runtime_of(shop))
    assert holders(shop)[declined.reference] == "a"


def test_only_what_was_given_can_be_declined(shop: Shop) -> None:
    arrive(shop, "a", "b")
    given, taken = open_cases(shop, 2)
    cases.take(runtime_of(shop), taken.reference, agent=who("a"), version=taken.version)
    place_waiting(runtime_of(shop))
    assert holders(shop)[given.reference] == "b"
    for reference in (given.reference, taken.reference):
        with pytest.raises(PermissionDeniedError):
            hand_back(shop, reference, who("a"))


def test_an_untouched_case_goes_on(shop: Shop) -> None:
    clock = set_clock(shop)
    arrive(shop, "a", "b")
    (case,) = open_cases(shop, 1)
    place_waiting(runtime_of(shop))
    clock.pass_by(9 * MINUTE)
    arrive(shop, "a", "b")
    assert sweep_assignments(runtime_of(shop)) == 0
    clock.pass_by(1 * MINUTE)
    sweep_assignments(runtime_of(shop))
    assert [(row.agent_ref, row.end) for row in assignments(shop)] == [
        ("a", "timed_out"),
        ("b", None),
    ]
    assert holders(shop)[case.reference] == "b"


@pytest.mark.parametrize("deed", ["reply", "note"])
def test_a_touched_case_stays(shop: Shop, deed: str) -> None:
    clock = set_clock(shop)
    arrive(shop, "a", "b")
    (case,) = open_cases(shop, 1)
    place_waiting(runtime_of(shop))
    getattr(cases, deed)(runtime_of(shop), case.reference, "I look at it.", agent=who("a"))
    clock.pass_by(12 * MINUTE)
    arrive(shop, "a", "b")
    sweep_assignments(runtime_of(shop))
    assert holders(shop)[case.reference] == "a"


def test_who_vanished_keeps_no_unanswered_case(shop: Shop) -> None:
    clock = set_clock(shop)
    arrive(shop, "a")
    noted, answered = open_cases(shop, 2)
    place_waiting(runtime_of(shop))
    cases.note(runtime_of(shop), noted.reference, "I look at it.", agent=who("a"))
    cases.reply(runtime_of(shop), answered.reference, "Please wait.", agent=who("a"))
    clock.pass_by(16 * MINUTE)
    arrive(shop, "b")
    sweep_assignments(runtime_of(shop))
    assert holders(shop) == {noted.reference: "b", answered.reference: "a"}


# --- who comes back ------------------------------------------------------------------------------


@pytest.mark.parametrize("presence", ["available", "busy", "away", "gone"])
def test_a_reopened_case_returns_to_who_is_there_alone(shop: Shop, presence: str) -> None:
    arrive(shop, "a")
    (case,) = open_cases(shop, 1)
    place_waiting(runtime_of(shop))
    cases.solve(runtime_of(shop), case.reference)
    set_presence(runtime_of(shop), who("a"), presence)
    arrive(shop, "b")
    cases.customer_message(runtime_of(shop), case.reference, "It is not solved.")
    place_waiting(runtime_of(shop))
    assert holders(shop)[case.reference] == ("a" if presence == "available" else "b")


def test_who_becomes_available_is_given_what_waits(shop: Shop) -> None:
    arrive(shop, "a")
    set_presence(runtime_of(shop), who("a"), "away")
    open_cases(shop, 1)
    sweep(runtime_of(shop))
    assert held_by(shop) == {None: 1}
    set_presence(runtime_of(shop), who("a"), "available")
    assert held_by(shop) == {"a": 1}


def test_a_visit_leaves_the_presence_that_was_chosen(shop: Shop) -> None:
    clock = set_clock(shop)
    arrive(shop, "a")
    set_presence(runtime_of(shop), who("a"), "busy")
    clock.pass_by(timedelta(hours=14))
    arrive(shop, "a")
    open_cases(shop, 1)
    place_waiting(runtime_of(shop))
    assert held_by(shop) == {None: 1}


def test_who_was_set_to_gone_comes_back_with_the_next_shift(shop: Shop) -> None:
    clock = set_clock(shop)
    arrive(shop, "a")
    set_presence(runtime_of(shop), BOSS, "gone", of="a")
    open_cases(shop, 1)
    arrive(shop, "a")
    place_waiting(runtime_of(shop))
    assert held_by(shop) == {None: 1}
    clock.pass_by(timedelta(hours=14))
    arrive(shop, "a")
    place_waiting(runtime_of(shop))
    assert held_by(shop) == {"a": 1}


def test_only_supervisors_speak_for_others(shop: Shop) -> None:
    arrive(shop, "a", "b")
    with pytest.raises(PermissionDeniedError):
        set_presence(runtime_of(shop), who("a"), "gone", of="b")
