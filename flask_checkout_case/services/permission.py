"""Who may do what to which case. Nothing is allowed that was not given."""

from __future__ import annotations

import logging
from typing import Final

from ..errors import NotFoundError, PermissionDeniedError
from ..types import Agent, CaseInfo
from .runtime import Runtime

log = logging.getLogger(__name__)

ACTIONS: Final = frozenset(
    {
        "view",
        "reply",
        "note",
        "take",
        "assign",
        "transfer",
        "status",
        "priority",
        "tick",
        "codes",
        "watch",
        "customer",
        "change",
    }
)


def visible_teams(agent: Agent) -> tuple[str, ...] | None:
    """Return the teams whose cases this agent sees; ``None`` means every team (supervisors)."""
    return None if agent.is_supervisor else tuple(agent.teams)


def may(runtime: Runtime, agent: Agent, action: str, case: CaseInfo | None) -> bool:
    """Whether ``agent`` may do ``action`` to ``case``.

    The shop's ``permission`` hook decides when there is one, and an exception in it means no.
    Otherwise supervisors may do everything, and agents everything to the cases of their teams and
    to those assigned to them.
    """
    if action not in ACTIONS:
        return False
    if runtime.hooks.permission is not None:
        try:
            return runtime.hooks.permission(agent, action, case) is True
        except Exception:
            log.exception("the permission hook failed; %s is denied", action)
            return False
    if agent.is_supervisor:
        return True
    return case is not None and (case.team in agent.teams or case.assignee == str(agent.ref))


def require(runtime: Runtime, agent: Agent, action: str, case: CaseInfo) -> None:
    """Let the action pass, or raise.

    Raises:
        NotFoundError: the agent may not even see the case; told like an absent one.
        PermissionDeniedError: the agent sees the case but may not do this.
    """
    if not may(runtime, agent, "view", case):
        raise NotFoundError(f"there is no case {case.reference}")
    if action != "view" and not may(runtime, agent, action, case):
        raise PermissionDeniedError(f"you may not do this to {case.reference}: {action}")
