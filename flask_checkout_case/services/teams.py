"""Teams at a glance: who is there, how much they have, what waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ..data import queries_assignment as queries
from ..rules.assignment import (
    AUTOMATIC,
    Candidate,
    Presence,
    can_take,
    is_member,
    limit_of,
    presence_at,
)
from ..rules.policy import Policy, Team
from ..types import Agent
from .assignment import candidates
from .permission import visible_teams
from .runtime import Runtime


@dataclass(frozen=True, slots=True)
class Standing:
    """How an agent stands: what they have chosen, and how many cases they have of how many.

    Args:
        limit: ``None`` when they take any number.
    """

    presence: Presence
    open: int
    limit: int | None


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a team; ``open`` counts the cases of all their teams."""

    ref: str
    name: str
    presence: Presence
    open: int
    limit: int | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class TeamBoard:
    """A team as it is now.

    Args:
        open: cases in the hands of the team.
        waiting: cases that nobody has.
        oldest: when the oldest of them was opened.
        stuck: cases wait that would be given out if somebody were available and had room.
    """

    team: Team
    members: tuple[Member, ...]
    open: int
    waiting: int
    oldest: datetime | None
    stuck: bool

    @property
    def available(self) -> int:
        return sum(one.presence is Presence.AVAILABLE for one in self.members)


def standing(runtime: Runtime, agent: Agent) -> Standing:
    """Return how present the agent is, and how full their hands are."""
    ref = str(agent.ref)
    with runtime.read() as session:
        chosen, held = queries.standing(session, ref)
    # Who asks is there: what counts is what they have chosen.
    now = runtime.clock()
    presence = presence_at(chosen, now, now) if chosen is not None else Presence.AVAILABLE
    return Standing(presence, held, _own_limit(runtime.policy, agent))


def boards(runtime: Runtime, agent: Agent) -> Sequence[TeamBoard]:
    """Return the teams that this agent may see, in the policy's order; supervisors see all."""
    seen = visible_teams(agent)
    now = runtime.clock()
    with runtime.read() as session:
        teams = runtime.policy.teams.values()
        rows = queries.all_agents(session)
        counts = queries.open_counts(session)
        waiting = queries.waiting_by_team(session)
    known = candidates(rows, counts, now)
    found = []
    for team in teams:
        if seen is not None and not is_member(team, str(agent.ref), seen):
            continue
        crew = [row for row in rows if is_member(team, row.ref, row.teams)]
        members = [
            Member(
                row.ref,
                row.name,
                known[row.ref].presence,
                known[row.ref].open,
                limit_of(team, row.open_limit),
                row.seen_at,
            )
            for row in crew
        ]
        count, oldest = waiting.get(team.key, (0, None))
        members.sort(key=lambda one: list(Presence).index(one.presence))
        found.append(
            TeamBoard(
                team=team,
                members=tuple(members),
                open=sum(number for _, key, number in counts if key == team.key),
                waiting=count,
                oldest=oldest,
                stuck=bool(count) and _is_stuck(team, [known[row.ref] for row in crew]),
            )
        )
    return found


def _is_stuck(team: Team, crew: Sequence[Candidate]) -> bool:
    return team.assignment in AUTOMATIC and not any(can_take(team, one) for one in crew)


def _own_limit(policy: Policy, agent: Agent) -> int | None:
    if agent.limit is not None:
        return agent.limit
    limits = [
        team.member_limit
        for team in policy.teams.values()
        if is_member(team, str(agent.ref), tuple(agent.teams)) and team.member_limit is not None
    ]
    return max(limits, default=None)
