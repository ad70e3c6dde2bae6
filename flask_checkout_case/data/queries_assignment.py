"""Statements on assignments: who has which case, who has room, which cases wait."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, or_, select, text, tuple_, update
from sqlalchemy.orm import Session

from ..types import Category, Priority
from .models import AgentRow, AssignmentRow, CaseRow

_PLACING: Final = 0x0CA5E_A551
"""The name of the lock under which cases are given out, on PostgreSQL."""
_OPEN: Final = text("checkout_case_assignment.ended_at IS NULL")
"""Written out, like the next: no database proves a partial index's condition from a bound value."""
_LIVE: Final = text("checkout_case_case.status IN ('new', 'open', 'waiting')")
_WAITS: Final = text(
    "checkout_case_case.status IN ('new', 'open', 'waiting') "
    "AND checkout_case_case.status <> 'waiting' AND checkout_case_case.folded_into IS NULL"
)
_LIVE_WORDS: Final = frozenset({"new", "open", "waiting"})
_QUIET: Final = {"synchronize_session": False}


@dataclass(frozen=True, slots=True)
class Held:
    """In whose hands a live case is, and for which team."""

    agent_ref: str
    team: str


def held(row: CaseRow) -> Held | None:
    """Return who has this case; ``None`` when nobody does or it has ended."""
    if row.assignee_ref is None or row.status not in _LIVE_WORDS:
        return None
    return Held(row.assignee_ref, row.team)


def lock_placing(session: Session) -> None:
    """Wait until nobody else gives cases out; the first statement of a transaction.

    On SQLite the transaction has begun IMMEDIATE, and is the only one that writes.
    """
    if session.get_bind().dialect.name != "postgresql":
        return
    # What is counted next has to see what was committed while this one waited.
    session.connection(execution_options={"isolation_level": "READ COMMITTED"})
    session.execute(select(func.pg_advisory_xact_lock(_PLACING)))


def end(session: Session, case_id: int, at: datetime, reason: str) -> None:
    """End the case's open assignment, if there is one."""
    session.execute(
        update(AssignmentRow)
        .where(AssignmentRow.case_id == case_id, _OPEN)
        .values(ended_at=at, end=reason),
        execution_options=_QUIET,
    )


def start(session: Session, case_id: int, new: Held, at: datetime, how: str) -> None:
    """Write down that a case is in somebody's hands from now on."""
    session.add(
        AssignmentRow(case_id=case_id, agent_ref=new.agent_ref, team=new.team, how=how, at=at)
    )
    session.flush()


def keep_in_step(
    session: Session, row: CaseRow, before: Held | None, at: datetime, how: str
) -> None:
    """Let the assignments follow a case that has changed hands or team, or ended."""
    after = held(row)
    if before == after:
        return
    case_id, reason = row.id, "moved" if row.status in _LIVE_WORDS else "solved"
    if before is not None:
        end(session, case_id, at, reason)
    if after is not None:
        start(session, case_id, after, at, how)


def say_how(session: Session, case_id: int, how: str) -> None:
    """Correct how the case came into the hands in which it is."""
    session.execute(
        update(AssignmentRow).where(AssignmentRow.case_id == case_id, _OPEN).values(how=how),
        execution_options=_QUIET,
    )


def say_end(session: Session, case_id: int, agent_ref: str, reason: str) -> None:
    """Correct why the case's last assignment to this agent ended."""
    last = (
        select(func.max(AssignmentRow.id))
        .where(AssignmentRow.case_id == case_id, AssignmentRow.agent_ref == agent_ref)
        .scalar_subquery()
    )
    session.execute(
        update(AssignmentRow).where(AssignmentRow.id == last).values(end=reason),
        execution_options=_QUIET,
    )


def open_assignment(session: Session, case_id: int) -> AssignmentRow | None:
    """Return the assignment that the case is in now."""
    return session.scalar(select(AssignmentRow).where(AssignmentRow.case_id == case_id, _OPEN))


def touch(session: Session, row: CaseRow, at: datetime) -> None:
    """Note that the assignee has begun to work on a case; its version stays."""
    if row.touched_at is not None:
        return
    session.execute(
        update(CaseRow)
        .where(CaseRow.id == row.id, CaseRow.touched_at.is_(None))
        .values(touched_at=at)
        .returning(CaseRow),
        execution_options={"populate_existing": True, **_QUIET},
    ).all()


def open_counts(session: Session) -> Sequence[tuple[str, str, int]]:
    """Return how many cases are in whose hands: ``(agent, team, count)``."""
    statement = (
        select(AssignmentRow.agent_ref, AssignmentRow.team, func.count())
        .where(_OPEN)
        .group_by(AssignmentRow.agent_ref, AssignmentRow.team)
    )
    return [(ref, team, count) for ref, team, count in session.execute(statement)]


def standing(session: Session, agent_ref: str) -> tuple[str | None, int]:
    """Return what an agent has chosen to be (``None`` if unknown), and how many cases they have."""
    chosen = select(AgentRow.presence).where(AgentRow.ref == agent_ref).scalar_subquery()
    statement = select(chosen, func.count()).where(AssignmentRow.agent_ref == agent_ref, _OPEN)
    presence, held_now = session.execute(statement).one()
    return presence, held_now


def given_since(session: Session, refs: Sequence[str], since: datetime) -> Mapping[str, int]:
    """Return how many cases each of these agents was given since then; taken ones don't count."""
    statement = (
        select(AssignmentRow.agent_ref, func.count())
        .where(
            AssignmentRow.agent_ref.in_(refs),
            AssignmentRow.at > since,
            AssignmentRow.how != "taken",
        )
        .group_by(AssignmentRow.agent_ref)
    )
    return {ref: int(count) for ref, count in session.execute(statement)}


def last_given(session: Session, refs: Sequence[str]) -> Mapping[str, datetime]:
    """Return when each of these agents last got a case; one look at the index for each."""
    latest = (
        select(func.max(AssignmentRow.at))
        .where(AssignmentRow.agent_ref == AgentRow.ref)
        .correlate(AgentRow)
        .scalar_subquery()
    )
    statement = select(AgentRow.ref, latest).where(AgentRow.ref.in_(refs))
    return {ref: at for ref, at in session.execute(statement) if at is not None}


def all_agents(session: Session) -> Sequence[AgentRow]:
    """Return every agent who has ever been seen, by name."""
    return session.scalars(select(AgentRow).order_by(AgentRow.name, AgentRow.ref)).all()


def set_presence(session: Session, ref: str, presence: str, at: datetime) -> bool:
    """Write what an agent has chosen, or a supervisor for them."""
    statement = (
        update(AgentRow)
        .where(AgentRow.ref == ref)
        .values(presence=presence, presence_at=at)
        .returning(AgentRow.id)
    )
    return session.scalar(statement, execution_options=_QUIET) is not None


def keep_presence(
    session: Session, ref: str, presence: str, seen_before: datetime, at: datetime
) -> None:
    """Note that an agent was heard of, unless they have been seen since ``seen_before``."""
    session.execute(
        update(AgentRow)
        .where(AgentRow.ref == ref, AgentRow.seen_at == seen_before)
        .values(presence=presence, seen_at=at),
        execution_options=_QUIET,
    )


def waiting(
    session: Session,
    team: str,
    limit: int,
    after: tuple[datetime, int] | None = None,
    *,
    declined_before: datetime,
) -> Sequence[tuple[datetime, int]]:
    """Return ``(urgency_at, id)`` of cases that nobody has, the most urgent first.

    Args:
        declined_before: a plain decline that was opened later is left out, unless it is urgent or
            its customer has written: most of them pay in a moment.
    """
    place = tuple_(CaseRow.urgency_at, CaseRow.id)
    statement = select(CaseRow.urgency_at, CaseRow.id).where(
        CaseRow.team == team,
        CaseRow.assignee_ref.is_(None),
        _WAITS,
        or_(
            CaseRow.opened_at <= declined_before,
            CaseRow.category != Category.PAYMENT_DECLINED,
            CaseRow.priority == Priority.URGENT,
            CaseRow.unanswered_since.is_not(None),
        ),
    )
    if after is not None:
        statement = statement.where(place > after)
    statement = statement.order_by(CaseRow.urgency_at, CaseRow.id).limit(limit)
    return [(at, case_id) for at, case_id in session.execute(statement)]


def refusals(
    session: Session, case_ids: Sequence[int], since: datetime
) -> Mapping[int, frozenset[str]]:
    """Return who has declined each of these cases, or let it lie, since then."""
    statement = select(AssignmentRow.case_id, AssignmentRow.agent_ref).where(
        AssignmentRow.case_id.in_(case_ids),
        AssignmentRow.end.in_(("declined", "timed_out", "left")),
        AssignmentRow.ended_at > since,
    )
    found: dict[int, set[str]] = {}
    for case_id, ref in session.execute(statement):
        found.setdefault(case_id, set()).add(ref)
    return {case_id: frozenset(refs) for case_id, refs in found.items()}


def waiting_case(session: Session, case_id: int, team: str) -> CaseRow | None:
    """Return a case that still waits in this team, locked; ``None`` when somebody is at it."""
    found: CaseRow | None = session.scalar(
        select(CaseRow)
        .where(CaseRow.id == case_id, CaseRow.team == team, CaseRow.assignee_ref.is_(None), _WAITS)
        .with_for_update(skip_locked=True),
        execution_options={"populate_existing": True},
    )
    return found


def held_case(session: Session, case_id: int, agent_ref: str) -> CaseRow | None:
    """Return a live case that this agent still has, locked; ``None`` when somebody is at it."""
    found: CaseRow | None = session.scalar(
        select(CaseRow)
        .where(CaseRow.id == case_id, CaseRow.assignee_ref == agent_ref, _LIVE)
        .with_for_update(skip_locked=True),
        execution_options={"populate_existing": True},
    )
    return found


def untouched(
    session: Session, team: str, given_before: datetime, limit: int
) -> Sequence[tuple[int, str]]:
    """Return ``(case, agent)`` of what lies untouched since then."""
    statement = (
        _of_team(team)
        .where(CaseRow.touched_at.is_(None), CaseRow.assigned_at <= given_before)
        .order_by(AssignmentRow.case_id)
        .limit(limit)
    )
    return [(case_id, ref) for case_id, ref in session.execute(statement)]


def left_behind(
    session: Session, team: str, seen_before: datetime, limit: int
) -> Sequence[tuple[int, str]]:
    """Return ``(case, agent)`` of what nobody has answered whose agent was last seen by then."""
    statement = (
        _of_team(team)
        .join(AgentRow, AgentRow.ref == AssignmentRow.agent_ref)
        .where(
            AgentRow.seen_at <= seen_before,
            CaseRow.first_response_at.is_(None),
            CaseRow.status != "waiting",
        )
        .order_by(AssignmentRow.case_id)
        .limit(limit)
    )
    return [(case_id, ref) for case_id, ref in session.execute(statement)]


def _of_team(team: str) -> Any:
    return (
        select(AssignmentRow.case_id, AssignmentRow.agent_ref)
        .join(CaseRow, CaseRow.id == AssignmentRow.case_id)
        .where(_OPEN, CaseRow.team == team)
    )


def waiting_by_team(session: Session) -> Mapping[str, tuple[int, datetime]]:
    """Return for each team how many cases nobody has, and since when the oldest waits."""
    statement = (
        select(CaseRow.team, func.count(), func.min(CaseRow.opened_at))
        .where(CaseRow.assignee_ref.is_(None), _WAITS)
        .group_by(CaseRow.team)
    )
    return {team: (count, oldest) for team, count, oldest in session.execute(statement)}
