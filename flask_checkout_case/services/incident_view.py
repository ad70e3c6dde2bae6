"""Incidents as agents see them: above the queue, on the cases that they hold, and whom they hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ..data import queries_case
from ..data import queries_incident as queries
from ..data.models import CaseRow
from ..data.queries_incident import Member
from ..errors import NotFoundError
from ..types import Agent, Family, IncidentInfo
from .permission import may, require
from .reading import info
from .runtime import Runtime

PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Banner:
    """An incident, told to an agent.

    Args:
        may_open: whether this agent may see its case.
        own: the page is that of its case.
        folded: the page is that of a case for which it stands.
        members: the first of them, on the page of its case.
    """

    incident: IncidentInfo
    may_open: bool
    own: bool = False
    folded: bool = False
    members: MembersPage | None = None


@dataclass(frozen=True, slots=True)
class MembersPage:
    """Some members of an incident whose cases this agent may see; ``following`` begins the next."""

    incident: IncidentInfo
    rows: tuple[Member, ...]
    following: int | None


def banners(runtime: Runtime, agent: Agent) -> list[Banner]:
    """Return what has broken now, the oldest first."""
    found = runtime.incidents.current(runtime.database)
    return [Banner(one, _may_open(runtime, agent, one)) for one in found]


def mark(runtime: Runtime) -> str:
    """Return a text that changes whenever what :func:`banners` returns does."""
    found = runtime.incidents.current(runtime.database)
    return repr([(one.id, one.members) for one in found])


def banner_of(runtime: Runtime, agent: Agent, row: CaseRow) -> Banner | None:
    """Return the incident to which a case belongs."""
    own = row.dedupe_key.startswith("own:incident:")
    known = row.folded_into is not None or runtime.incidents.current(runtime.database)
    if not own and not (row.family == Family.PAYMENT and known):
        return None
    with runtime.read() as session:
        found = queries.incident_of_case(session, row.id)
    if found is None:
        return None
    own = found.case == row.reference
    shown = _members(runtime, agent, found, 0) if own and found.members else None
    may_open = own or _may_open(runtime, agent, found)
    return Banner(found, may_open, own, row.folded_into == found.id, shown)


def members(runtime: Runtime, agent: Agent, incident_id: int, after: int = 0) -> MembersPage:
    """Return a page of an incident's members.

    Raises:
        NotFoundError: there is no such incident, or its case isn't this agent's to see.
    """
    with runtime.read() as session:
        found = queries.incident_by_id(session, incident_id)
        row = queries_case.case_by_reference(session, found.case) if found and found.case else None
    if found is None or row is None:
        raise NotFoundError(f"there is no incident {incident_id}")
    require(runtime, agent, "view", info(row))
    return _members(runtime, agent, found, after)


def _members(runtime: Runtime, agent: Agent, incident: IncidentInfo, after: int) -> MembersPage:
    with runtime.read() as session:
        found = queries.members_page(session, incident.id, PAGE + 1, after)
    shown = found[:PAGE]
    return MembersPage(
        incident,
        tuple(one for one in shown if may(runtime, agent, "view", info(one.case))),
        shown[-1].id if len(found) > PAGE else None,
    )


def _may_open(runtime: Runtime, agent: Agent, incident: IncidentInfo) -> bool:
    if incident.case is None:
        return False
    with runtime.read() as session:
        row = queries_case.case_by_reference(session, incident.case)
    return row is not None and may(runtime, agent, "view", info(row))
