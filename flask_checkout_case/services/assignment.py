"""Giving cases to agents, as many as they take, and taking back what lies with nobody.

Cases are given out in transactions of their own, one at a time, under a lock that is taken before
anything is counted: no limit is ever overshot, however many processes do it at once. None of these
transactions waits for a locked case, so none can deadlock with what people or the capture do.
What is freed at the desk is given out at once; the worker's sweep does the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ..data import queries_assignment as queries
from ..data import queries_case
from ..data.models import AgentRow, CaseRow
from ..rules import assignment as rules
from ..rules.assignment import Candidate
from ..rules.policy import Team
from ..types import Agent, EntryKind
from .entries import entry
from .reading import info
from .runtime import Runtime, Unit

log = logging.getLogger(__name__)

PAGE: Final = 25
AT_ONCE: Final = 200
"""Cases that one transaction gives out or takes back; the rest waits for the next sweep."""


@dataclass
class Crew:
    """A team's members and what they have, counted under the lock."""

    team: Team
    team_open: int
    members: dict[str, Candidate]
    names: dict[str, str]

    @property
    def has_room(self) -> bool:
        return rules.choose(self.team, self.team_open, self.members.values()) is not None

    def give(self, one: Candidate, at: datetime) -> None:
        """Count a case that this member has been given."""
        given = replace(one, open=one.open + 1, recent=one.recent + 1, last_at=at)
        self.members[one.ref] = given
        self.team_open += 1


def candidates(
    agents: Iterable[AgentRow], counts: Sequence[tuple[str, str, int]], now: datetime
) -> dict[str, Candidate]:
    """Return what is known of agents without looking at their past."""
    held: dict[str, int] = {}
    for ref, _, count in counts:
        held[ref] = held.get(ref, 0) + count
    return {
        row.ref: Candidate(
            ref=row.ref,
            presence=rules.presence_at(row.presence, row.seen_at, now),
            open=held.get(row.ref, 0),
            limit=row.open_limit,
        )
        for row in agents
    }


def crew_of(unit: Unit, team: Team) -> Crew:
    """Count what the team and its members have in their hands."""
    session = unit.session
    rows = [row for row in queries.all_agents(session) if rules.is_member(team, row.ref, row.teams)]
    refs = [row.ref for row in rows]
    counts = queries.open_counts(session)
    since = unit.now - team.burst.window if team.burst is not None else None
    recent = queries.given_since(session, refs, since) if since is not None else {}
    last = queries.last_given(session, refs)
    members = {
        ref: replace(one, recent=recent.get(ref, 0), last_at=last.get(ref))
        for ref, one in candidates(rows, counts, unit.now).items()
    }
    team_open = sum(count for _, key, count in counts if key == team.key)
    return Crew(team, team_open, members, {row.ref: row.name for row in rows})


def place_waiting(runtime: Runtime, teams: Iterable[str] | None = None) -> int:
    """Give what waits to who has room, the most urgent first; how many cases that were.

    Args:
        teams: keys of the teams to look at; all of them when ``None``.
    """
    wanted = runtime.policy.teams if teams is None else teams
    known = [runtime.policy.teams[key] for key in wanted if key in runtime.policy.teams]
    placed = 0
    for team in known:
        if team.assignment in rules.AUTOMATIC:
            with runtime.write() as unit:
                placed += assign_waiting(unit, team)
    return placed


def settle(runtime: Runtime) -> None:
    """Give out what a deed has freed; what fails here is left to the sweep."""
    try:
        place_waiting(runtime)
    except Exception:
        log.exception("cases could not be given out; the next sweep tries again")


def assign_waiting(unit: Unit, team: Team) -> int:
    """Give the team's waiting cases out. The first thing in its transaction."""
    queries.lock_placing(unit.session)
    crew = crew_of(unit, team)
    placed = 0
    after: tuple[datetime, int] | None = None
    while crew.has_room and placed < AT_ONCE:
        settled = unit.now - unit.runtime.policy.payments.recovers_within
        page = queries.waiting(unit.session, team.key, PAGE, after, declined_before=settled)
        since = unit.now - rules.ASKED_AGAIN_AFTER
        refused = queries.refusals(unit.session, [case_id for _, case_id in page], since)
        for after in page:
            placed += _place(unit, crew, after[1], refused.get(after[1], frozenset()))
        if len(page) < PAGE:
            break
    return placed


def _place(unit: Unit, crew: Crew, case_id: int, refused: frozenset[str]) -> bool:
    team = crew.team
    chosen = rules.choose(team, crew.team_open, crew.members.values(), refused)
    if chosen is None:
        return False
    row = queries.waiting_case(unit.session, case_id, team.key)
    if row is None:
        return False
    values = {"assignee_ref": chosen.ref, "changed_at": unit.now}
    queries_case.change_case(unit.session, row, values, how=team.assignment)
    crew.give(chosen, unit.now)
    told: dict[str, Any] = {"action": "placed", "to": chosen.ref, "name": crew.names[chosen.ref]}
    told |= {"how": team.assignment, "open": chosen.open + 1}
    _append(unit, row, told)
    unit.emit("case_assigned", case=info(row), agent_ref=chosen.ref)
    return True


def give_back(unit: Unit, row: CaseRow, reason: str, *, agent: Agent | None = None) -> None:
    """Take a locked case out of its assignee's hands.

    Args:
        reason: ``declined``, ``timed_out`` or ``left``.
        agent: who did it; the system when ``None``.
    """
    before = row.assignee_ref
    known = queries_case.agent_by_ref(unit.session, before) if before is not None else None
    queries.end(unit.session, row.id, unit.now, reason)
    values = {"assignee_ref": None, "changed_at": unit.now}
    queries_case.change_case(unit.session, row, values)
    told = {"action": reason, "from": before, "name": known.name if known else before}
    _append(unit, row, told, agent)


def _append(unit: Unit, row: CaseRow, told: dict[str, Any], agent: Agent | None = None) -> None:
    line = entry(row, EntryKind.DECISION, unit.now, agent=agent, data=told)
    queries_case.add_entries(unit.session, [line])


# --- what people do ------------------------------------------------------------------------------


def moved(unit: Unit, row: CaseRow, before: str | None, how: str, agent: Agent) -> None:
    """Keep how a case has just come into hands, or left them, by an agent's own deed."""
    if row.assignee_ref is not None:
        queries.say_how(unit.session, row.id, how)
    if row.assignee_ref == str(agent.ref):
        queries.touch(unit.session, row, unit.now)
    elif row.assignee_ref is None and before == str(agent.ref):
        queries.say_end(unit.session, row.id, before, "declined")


def holder_on_return(unit: Unit, assignee_ref: str | None) -> str | None:
    """Return who has a case that is opened again: its old assignee, if they are there."""
    if assignee_ref is None:
        return None
    row = queries_case.agent_by_ref(unit.session, assignee_ref)
    if row is None:
        return None
    presence = rules.presence_at(row.presence, row.seen_at, unit.now)
    return assignee_ref if presence is rules.Presence.AVAILABLE else None


# --- what time does ------------------------------------------------------------------------------


def sweep_assignments(runtime: Runtime) -> int:
    """Take back what lies untouched or left behind, then give out what waits.

    Returns:
        How many cases changed hands.
    """
    taken_back = sum(_take_back(runtime, team) for team in runtime.policy.teams.values())
    return taken_back + place_waiting(runtime)


def _take_back(runtime: Runtime, team: Team) -> int:
    lies, left = team.accept_within, rules.time_to_return(team)
    if left is None:
        return 0
    with runtime.write() as unit:
        done = _left_behind(unit, team, left)
        return done + (_timed_out(unit, team, lies) if lies is not None else 0)


def _timed_out(unit: Unit, team: Team, within: timedelta) -> int:
    found = queries.untouched(unit.session, team.key, unit.now - within, AT_ONCE)
    return sum(_return(unit, case_id, ref, "timed_out") for case_id, ref in found)


def _left_behind(unit: Unit, team: Team, within: timedelta) -> int:
    found = queries.left_behind(unit.session, team.key, unit.now - within, AT_ONCE)
    return sum(_return(unit, case_id, ref, "left") for case_id, ref in found)


def _return(unit: Unit, case_id: int, agent_ref: str, reason: str) -> bool:
    row = queries.held_case(unit.session, case_id, agent_ref)
    if row is None:
        return False
    give_back(unit, row, reason)
    return True
