"""What we know of the staff."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ..data import queries_case as queries
from ..types import Agent
from .runtime import Runtime

_REMEMBERED_FOR: Final = timedelta(minutes=1)


def remember_agent(runtime: Runtime, agent: Agent) -> None:
    """Keep what the loader said of an agent, at most once a minute unless it changed."""
    seen: dict[str, tuple[Agent, datetime]] = runtime.extras.setdefault("agents_seen", {})
    now = runtime.clock()
    last = seen.get(str(agent.ref))
    if last is not None and last[0] == agent and now - last[1] < _REMEMBERED_FOR:
        return
    with runtime.write() as unit:
        values = {
            "ref": str(agent.ref),
            "name": agent.name,
            "email": agent.email,
            "teams": list(agent.teams),
            "role": agent.role,
            "open_limit": agent.limit,
            "presence": "available",
            "seen_at": now,
        }
        queries.put_agent(unit.session, values)
    seen[str(agent.ref)] = (agent, now)
