"""Who is there, and which of them gets a case. Pure; instants are aware UTC."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from .policy import Policy, Team

ROUND_ROBIN: Final = "round_robin"
BALANCED: Final = "balanced"
AUTOMATIC: Final = frozenset({ROUND_ROBIN, BALANCED})

GONE_AFTER: Final = timedelta(minutes=15)
"""Who was not heard of for this long is gone, whatever they have chosen."""
AWAY_AFTER: Final = timedelta(minutes=10)
"""Who has the workspace in background tabs alone for this long is away. A page there still asks
each minute, so some may get lost before this makes somebody gone."""
HIDDEN: Final = "hidden"
"""Stored instead of available: away, and available again with the next visit."""
ASKED_AGAIN_AFTER: Final = timedelta(minutes=5)
"""Whoever declined a case, or let it lie, is offered it again no sooner than this."""

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class Presence(StrEnum):
    """Whether somebody is at their desk; only who is available is given cases."""

    AVAILABLE = "available"
    BUSY = "busy"
    AWAY = "away"
    GONE = "gone"


def presence_at(stored: str, seen_at: datetime, now: datetime) -> Presence:
    """Return how present somebody is of whom this is stored and who was last heard of then."""
    if now - seen_at > GONE_AFTER:
        return Presence.GONE
    return Presence.AWAY if stored == HIDDEN else Presence(stored)


def is_back(stored: str, seen_at: datetime, now: datetime) -> bool:
    """Whether a visit makes somebody available.

    Who had the workspace in the background is, and, with the first visit after a break, who had
    been set to gone; a page that was left open brings nobody back. Busy and away stay what they are
    until one chooses otherwise.
    """
    return stored == HIDDEN or (stored == Presence.GONE and now - seen_at > GONE_AFTER)


def heard_in_background(stored: str, seen_at: datetime, now: datetime) -> str | None:
    """Return what to store, as heard of now, when a page in a background tab asks.

    ``None`` is nothing: a visit was not long ago, or who was set to gone has left a page open.
    """
    if stored == Presence.GONE or now - seen_at <= AWAY_AFTER:
        return None
    return HIDDEN if stored == Presence.AVAILABLE else stored


@dataclass(frozen=True, slots=True)
class Candidate:
    """A member of a team, as far as the choice needs to know.

    Args:
        open: cases in their hands, of all teams.
        limit: their personal limit; the team's ``member_limit`` when ``None``.
        recent: cases they were given within the team's burst window.
        last_at: when they last got a case; ``None`` for never.
    """

    ref: str
    presence: Presence
    open: int = 0
    limit: int | None = None
    recent: int = 0
    last_at: datetime | None = None


def is_member(team: Team, ref: str, teams: Sequence[str]) -> bool:
    """Whether an agent belongs to a team: the shop says so, or the policy does."""
    return team.key in teams or ref in team.members


def belongs(policy: Policy, team: str, ref: str, teams: Sequence[str]) -> bool:
    """Whether an agent belongs to the team of this key, which the policy may have no more."""
    known = policy.teams.get(team)
    return team in teams if known is None else is_member(known, ref, teams)


def limit_of(team: Team, personal: int | None) -> int | None:
    """Return how many open cases a member of this team takes; ``None`` is any number."""
    return personal if personal is not None else team.member_limit


def is_full(team: Team, team_open: int) -> bool:
    """Whether the team as a whole takes no more cases."""
    return team.team_limit is not None and team_open >= team.team_limit


def can_take(team: Team, one: Candidate) -> bool:
    """Whether this member is there and has room for one case more."""
    limit = limit_of(team, one.limit)
    return (
        one.presence is Presence.AVAILABLE
        and (limit is None or one.open < limit)
        and (team.burst is None or one.recent < team.burst.cases)
    )


def choose(
    team: Team,
    team_open: int,
    candidates: Iterable[Candidate],
    refused: AbstractSet[str] = frozenset(),
) -> Candidate | None:
    """Return who gets the team's next case; ``None`` when it has to wait.

    ``balanced``: whoever has the fewest open cases, of several who waited longest for one.
    ``round_robin``: whoever waited longest. Who never had a case has waited longest of all.

    Args:
        team_open: cases in the hands of the whole team.
        refused: refs of those who declined this very case, or let it lie, a short while ago.
    """
    if team.assignment not in AUTOMATIC or is_full(team, team_open):
        return None
    fit = [one for one in candidates if one.ref not in refused and can_take(team, one)]
    balanced = team.assignment == BALANCED
    return min(
        fit,
        key=lambda one: (one.open if balanced else 0, one.last_at or _LONG_AGO, one.ref),
        default=None,
    )


def time_to_return(team: Team) -> timedelta | None:
    """Return how long after one was last heard of an unanswered case leaves who has gone."""
    if team.assignment not in AUTOMATIC and team.accept_within is None:
        return None
    return max(GONE_AFTER, team.accept_within or GONE_AFTER)
