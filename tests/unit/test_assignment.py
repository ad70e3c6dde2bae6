"""Who gets a case: the laws of the choice, and what presence means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.assignment import (
    AWAY_AFTER,
    GONE_AFTER,
    HIDDEN,
    Candidate,
    Presence,
    can_take,
    choose,
    heard_in_background,
    is_back,
    is_full,
    is_member,
    presence_at,
    time_to_return,
)
from flask_checkout_case.rules.policy import Burst, Team, parse_policy

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HERE = Presence.AVAILABLE

counts = st.integers(0, 6)
limits = st.none() | st.integers(0, 6)
teams = st.builds(
    Team,
    key=st.just("payments"),
    name=st.just("Payments"),
    team_limit=limits,
    member_limit=limits,
    assignment=st.sampled_from(["manual", "round_robin", "balanced"]),
    burst=st.none() | st.builds(Burst, st.integers(1, 4), st.just(MINUTE)),
)
candidates = st.lists(
    st.builds(
        Candidate,
        ref=st.sampled_from("abcdef"),
        presence=st.sampled_from(Presence),
        open=counts,
        limit=limits,
        recent=counts,
        last_at=st.none() | st.integers(0, 5).map(lambda back: NOW - back * MINUTE),
    ),
    unique_by=lambda one: one.ref,
)
refusals = st.frozensets(st.sampled_from("abcdef"))


def team(**given: object) -> Team:
    return replace(Team("payments", "Payments", assignment="balanced"), **given)  # type: ignore[arg-type]


@given(teams, counts, candidates, refusals)
def test_nobody_is_given_more_than_they_take(
    team: Team, team_open: int, crew: list[Candidate], refused: frozenset[str]
) -> None:
    chosen = choose(team, team_open, crew, refused)
    if chosen is None:
        return
    assert team.assignment != "manual"
    assert chosen.presence is Presence.AVAILABLE
    assert chosen.ref not in refused
    assert team.team_limit is None or team_open < team.team_limit
    limit = chosen.limit if chosen.limit is not None else team.member_limit
    assert limit is None or chosen.open < limit
    assert team.burst is None or chosen.recent < team.burst.cases


@given(teams, counts, candidates, refusals)
def test_a_case_waits_only_when_nobody_can_take_it(
    team: Team, team_open: int, crew: list[Candidate], refused: frozenset[str]
) -> None:
    waits = choose(team, team_open, crew, refused) is None
    somebody = any(can_take(team, one) and one.ref not in refused for one in crew)
    open_to_it = team.assignment != "manual" and not is_full(team, team_open)
    assert waits is not (somebody and open_to_it)


@given(teams, counts, candidates, st.randoms())
def test_the_order_in_which_members_are_listed_decides_nothing(
    team: Team, team_open: int, crew: list[Candidate], random: object
) -> None:
    shuffled = list(crew)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert choose(team, team_open, shuffled) == choose(team, team_open, crew)


@given(st.integers(1, 5), st.integers(0, 40))
def test_balanced_never_lets_two_idle_members_drift_apart(members: int, cases: int) -> None:
    crew = [Candidate(str(number), HERE) for number in range(members)]
    for number in range(cases):
        chosen = choose(team(), number, crew)
        assert chosen is not None
        given_now = replace(chosen, open=chosen.open + 1, last_at=NOW + number * MINUTE)
        crew = [given_now if one.ref == chosen.ref else one for one in crew]
    held = [one.open for one in crew]
    assert sum(held) == cases
    assert max(held) - min(held) <= 1


def test_balanced_gives_to_the_fewest_open_then_to_who_waited_longest() -> None:
    crew = [
        Candidate("a", HERE, open=1, last_at=NOW - 9 * MINUTE),
        Candidate("b", HERE, open=0, last_at=NOW - 1 * MINUTE),
        Candidate("c", HERE, open=0, last_at=NOW - 2 * MINUTE),
    ]
    assert choose(team(), 1, crew) == crew[2]
    assert choose(team(), 1, [*crew, Candidate("d", HERE)]) == Candidate("d", HERE)


def test_round_robin_gives_to_who_waited_longest_however_much_they_have() -> None:
    crew = [
        Candidate("a", HERE, open=5, last_at=NOW - 9 * MINUTE),
        Candidate("b", HERE, open=0, last_at=NOW - 1 * MINUTE),
    ]
    assert choose(team(assignment="round_robin"), 5, crew) == crew[0]


def test_a_personal_limit_counts_before_the_teams() -> None:
    busy = Candidate("a", HERE, open=3, limit=5)
    assert choose(team(member_limit=2), 3, [busy]) == busy
    assert choose(team(member_limit=2), 3, [replace(busy, limit=None)]) is None
    assert choose(team(), 3, [replace(busy, limit=0)]) is None


def test_who_declined_is_passed_over_even_when_nobody_else_is_there() -> None:
    alone = [Candidate("a", HERE)]
    assert choose(team(), 0, alone, frozenset("a")) is None
    assert choose(team(), 0, alone) == alone[0]


def test_members_are_those_of_the_shop_and_those_of_the_policy() -> None:
    listed = team(members=("8",))
    assert is_member(listed, "7", ["payments"])
    assert is_member(listed, "8", [])
    assert not is_member(listed, "9", ["fulfilment"])


@pytest.mark.parametrize("chosen", Presence)
def test_who_was_not_seen_for_long_is_gone(chosen: Presence) -> None:
    assert presence_at(chosen, NOW - GONE_AFTER, NOW) is chosen
    assert presence_at(chosen, NOW - GONE_AFTER - MINUTE, NOW) is Presence.GONE


@pytest.mark.parametrize("chosen", ["available", "busy", "away"])
@pytest.mark.parametrize("since", [MINUTE, timedelta(days=3)])
def test_a_visit_leaves_what_was_chosen(chosen: str, since: timedelta) -> None:
    assert not is_back(chosen, NOW - since, NOW)


def test_an_open_page_brings_nobody_back_but_the_next_days_visit_does() -> None:
    assert not is_back("gone", NOW - MINUTE, NOW)
    assert is_back("gone", NOW - timedelta(hours=15), NOW)


@pytest.mark.parametrize(
    ("stored", "kept"),
    [("available", HIDDEN), (HIDDEN, HIDDEN), ("busy", "busy"), ("away", "away"), ("gone", None)],
)
def test_a_page_in_the_background_makes_away_and_nobody_available(
    stored: str, kept: str | None
) -> None:
    assert heard_in_background(stored, NOW - AWAY_AFTER, NOW) is None
    assert heard_in_background(stored, NOW - AWAY_AFTER - MINUTE, NOW) == kept
    if kept is not None:
        assert presence_at(kept, NOW, NOW) is (Presence.AWAY if kept == HIDDEN else Presence(kept))
        assert presence_at(kept, NOW - GONE_AFTER - MINUTE, NOW) is Presence.GONE


def test_a_visit_ends_the_background() -> None:
    assert is_back(HIDDEN, NOW - MINUTE, NOW)


def test_some_questions_of_a_hidden_page_may_get_lost() -> None:
    between = timedelta(minutes=2)  # a minute, and what a browser adds to timers of hidden pages
    assert AWAY_AFTER + 2 * between < GONE_AFTER


def test_the_example_of_the_documentation_is_a_policy() -> None:
    page = (Path(__file__).parents[2] / "docs" / "assignment.md").read_text()
    written = page.split("```toml\n")[1].split("```")[0]
    rest = '[[routes]]\nname = "everything"\nteam = "payments"\n'
    payments = parse_policy(f'currency = "USD"\n{written}{rest}', "assignment.md").teams["payments"]
    assert payments == Team(
        "payments",
        "Payments",
        team_limit=40,
        member_limit=8,
        assignment="balanced",
        burst=Burst(3, 10 * MINUTE),
        accept_within=5 * MINUTE,
        members=("7", "8"),
    )


def test_how_long_the_gone_keep_a_case() -> None:
    assert time_to_return(team()) == GONE_AFTER
    assert time_to_return(team(accept_within=MINUTE)) == GONE_AFTER
    assert time_to_return(team(accept_within=60 * MINUTE)) == 60 * MINUTE
    assert time_to_return(team(assignment="manual")) is None
