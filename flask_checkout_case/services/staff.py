"""What we know of the staff, and what they say of themselves."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ..data import queries_assignment
from ..data import queries_case as queries
from ..errors import InvalidInputError, NotFoundError, PermissionDeniedError
from ..rules.assignment import AUTOMATIC, Presence, belongs, heard_in_background, is_back
from ..types import Agent, CaseInfo
from . import assignment
from .permission import require
from .reading import info
from .runtime import Runtime
from .work import on_case

_REMEMBERED_FOR: Final = timedelta(minutes=1)


def with_policy_teams(runtime: Runtime, agent: Agent) -> Agent:
    """Return the agent with the teams that the policy lists them in, beside the loader's."""
    policy, ref = runtime.policy, str(agent.ref)
    listed = (
        key
        for key in policy.teams
        if key not in agent.teams and belongs(policy, key, ref, agent.teams)
    )
    return replace(agent, teams=(*agent.teams, *listed))


def remember_agent(runtime: Runtime, agent: Agent) -> None:
    """Keep what the loader said of an agent, at most once a minute unless it changed.

    A visit leaves the presence that was chosen, see :func:`..rules.assignment.is_back`.
    """
    seen: dict[str, tuple[Agent, datetime]] = runtime.extras.setdefault("agents_seen", {})
    now, ref = runtime.clock(), str(agent.ref)
    last = seen.get(ref)
    if last is not None and last[0] == agent and now - last[1] < _REMEMBERED_FOR:
        return
    with runtime.write() as unit:
        known = queries.agent_by_ref(unit.session, ref)
        values = {
            "ref": ref,
            "name": agent.name,
            "email": agent.email,
            "teams": list(agent.teams),
            "role": agent.role,
            "open_limit": agent.limit,
            "presence": Presence.AVAILABLE,
            "seen_at": now,
        }
        queries.put_agent(unit.session, values)
        if known is not None and is_back(known.presence, known.seen_at, now):
            queries_assignment.set_presence(unit.session, ref, Presence.AVAILABLE, now)
    seen[ref] = (agent, now)


def hear_of(runtime: Runtime, agent: Agent) -> None:
    """Keep that an agent has the workspace open, in a tab that they don't look at."""
    ref = str(agent.ref)
    with runtime.read() as session:
        known = queries.agent_by_ref(session, ref)
    now = runtime.clock()
    kept = heard_in_background(known.presence, known.seen_at, now) if known is not None else None
    if known is None or kept is None:
        return
    with runtime.write() as unit:
        queries_assignment.keep_presence(unit.session, ref, kept, known.seen_at, now)


def set_presence(runtime: Runtime, agent: Agent, presence: str, *, of: str | None = None) -> None:
    """Say how present one is; supervisors may say it of others.

    Args:
        of: the ref of whom it is said; the agent when ``None``.

    Raises:
        InvalidInputError: there is no such presence.
        PermissionDeniedError: only supervisors speak for others.
        NotFoundError: no such agent has ever been seen.
    """
    ref = str(agent.ref) if of is None else of
    if ref != str(agent.ref) and not agent.is_supervisor:
        raise PermissionDeniedError("only supervisors say how present others are")
    try:
        chosen = Presence(presence)
    except ValueError as error:
        raise InvalidInputError(f"{presence!r} is no presence", field="presence") from error
    with runtime.write() as unit:
        if not queries_assignment.set_presence(unit.session, ref, chosen, unit.now):
            raise NotFoundError("there is no such agent")
    if chosen is Presence.AVAILABLE:
        assignment.settle(runtime)


def decline(
    runtime: Runtime, reference: str, *, agent: Agent, version: int | None = None
) -> CaseInfo:
    """Hand back a case that one was given automatically; somebody else gets it.

    Args:
        version: on which version of the case this is based; any when ``None``.

    Raises:
        NotFoundError, StaleVersionError.
        PermissionDeniedError: it is not in the agent's hands, or was not given automatically.
    """
    with on_case(runtime, reference) as work:
        require(runtime, agent, "view", info(work.row))
        if version is not None:
            work.check(version)
        now = queries_assignment.open_assignment(work.unit.session, work.row.id)
        if now is None or now.agent_ref != str(agent.ref) or now.how not in AUTOMATIC:
            raise PermissionDeniedError("only a case that was given to you can be declined")
        assignment.give_back(work.unit, work.row, "declined", agent=agent)
        result = work.result
    assignment.settle(runtime)
    return result
