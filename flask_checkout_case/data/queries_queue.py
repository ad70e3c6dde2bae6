"""Statements of the agents' queue: keyset pages in the order of an index, and capped counts.

The queue's indexes are partial. A database uses one only when the statement repeats its condition
in the same words, so the live statuses are literals here and never parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    func,
    literal,
    literal_column,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.orm import Session

from ..types import LIVE
from .base import BIG_ID, UTCDateTime
from .models import AgentRow, CaseRow

COUNT_LIMIT = 100
"""Counting stops here; the page says 99+."""

_LIVE = CaseRow.status.in_([literal_column(f"'{status}'") for status in LIVE])
# Without its type, which SQLite would be told as "= 1".
_VALUABLE: ColumnElement[Any] = literal_column(f"{CaseRow.__tablename__}.high_value")
_QUEUED = and_(_LIVE, CaseRow.folded_into.is_(None))
_ENDED = CaseRow.ended_at.is_not(None)
# In words that no other partial index has: SQLite would take the index of all live cases.
_VALUABLE_QUEUED = and_(
    _VALUABLE,
    CaseRow.ended_at.is_(None),
    literal_column(f"+{CaseRow.__tablename__}.folded_into").is_(None),
)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the queue: between two cases, never a number of rows."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Scope:
    """Which cases a listing may show at all.

    Args:
        teams: cases of these teams; ``None`` means every team.
        assignee: only cases of this agent.
        unassigned: only cases that nobody has.
        also_assignee: besides the teams' cases, those that this agent has elsewhere.
        valuable: only cases whose checkout's total is over the policy's amount.
    """

    teams: tuple[str, ...] | None = None
    assignee: str | None = None
    unassigned: bool = False
    also_assignee: str | None = None
    valuable: bool = False


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the reader filters by; an empty tuple means everything.

    Args:
        status: one status, or ``None`` for every live one.
    """

    status: str | None = None
    teams: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    priorities: tuple[str, ...] = ()

    @property
    def ended(self) -> bool:
        return self.status is not None and self.status not in LIVE


@dataclass(frozen=True, slots=True)
class QueueRow:
    """A case as its line in the queue needs it."""

    id: int
    reference: str
    version: int
    status: str
    subject: str
    category: str
    failure_class: str | None
    priority: str
    team: str
    assignee_ref: str | None
    route: str
    outcome: str | None
    customer_ref: str | None
    customer_name: str | None
    customer_email: str | None
    checkout_ref: str | None
    order_ref: str | None
    value_minor: int | None
    currency: str | None
    occurrences: int
    opened_at: datetime
    unanswered_since: datetime | None
    first_response_at: datetime | None
    first_response_due: datetime | None
    next_response_due: datetime | None
    resolution_due: datetime | None
    checkout_due: datetime | None
    due_at: datetime | None
    sla: str | None
    pauses: list[list[str | None]]
    revision: int
    folded_into: int | None
    urgency_at: datetime
    ended_at: datetime | None
    assignee_name: str | None


_SHORT = (CaseRow.id, CaseRow.version)
_COLUMNS = tuple(getattr(CaseRow, name) for name in list(QueueRow.__slots__)[:-1])


def queue_page(
    session: Session,
    scope: Scope,
    wanted: Wanted,
    limit: int,
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
) -> list[QueueRow]:
    """Return at most ``limit`` cases in the queue's order: the most urgent, or last ended, first.

    Args:
        after: only what follows this place.
        before: only what precedes it, the nearest ``limit`` cases.
    """
    statement = page_statement(scope, wanted, limit, after=after, before=before)
    found = [QueueRow(*row) for row in session.connection().execute(statement)]
    return found[::-1] if before is not None else found


@lru_cache(maxsize=128)
def page_statement(
    scope: Scope,
    wanted: Wanted,
    limit: int,
    *,
    after: Cursor | None = None,
    before: Cursor | None = None,
    short: bool = False,
) -> Any:
    """Make the statement of :func:`queue_page`, or :func:`queue_marks` when it is ``short``.

    Pages that keep themselves up to date ask the same again and again: it is made once.
    """
    order = (_ended_order if wanted.ended else _live_order)(backwards=before is not None)
    key = CaseRow.ended_at if wanted.ended else CaseRow.urgency_at
    conditions = [*_filters(wanted), *_beyond(wanted, after, before)]
    shown = _SHORT if short else _COLUMNS
    columns = select(*shown, AgentRow.name).outerjoin(
        AgentRow, AgentRow.ref == CaseRow.assignee_ref
    )
    branches = _branches(scope, wanted)
    if not branches:
        return columns.where(literal_column("1 = 0"))
    if len(branches) == 1:
        return columns.where(*branches[0], *conditions).order_by(*order).limit(limit)
    # Each branch reads its own index and stops at the limit; only then are they merged.
    tops = [
        select(CaseRow.id, key.label("key"))
        .where(*branch, *conditions)
        .order_by(*order)
        .limit(limit)
        .subquery()
        for branch in branches
    ]
    merged = union_all(*(select(top.c.id, top.c.key) for top in tops)).subquery()
    first: list[ColumnElement[Any]] = [merged.c.key, merged.c.id]
    if _is_descending(wanted, before):
        first = [column.desc() for column in first]
    page = select(merged.c.id).order_by(*first).limit(limit).subquery()
    return columns.join(page, page.c.id == CaseRow.id).order_by(*order)


def _is_descending(wanted: Wanted, before: Cursor | None) -> bool:
    return wanted.ended != (before is not None)


def queue_marks(
    session: Session, scope: Scope, wanted: Wanted, limit: int, **places: Cursor | None
) -> Sequence[tuple[Any, ...]]:
    """Return id, version and assignee's name of each case of a page: what it shows, in short."""
    statement = page_statement(scope, wanted, limit, short=True, **places)
    return [tuple(row) for row in session.connection().execute(statement)]


def counts(session: Session, scopes: tuple[Scope, ...]) -> list[int]:
    """Count the live cases of each scope, at most :data:`COUNT_LIMIT` each, in one statement."""
    found = session.connection().execute(counts_statement(scopes)).one()
    return [min(int(count), COUNT_LIMIT) for count in found]


@lru_cache(maxsize=64)
def counts_statement(scopes: tuple[Scope, ...]) -> Any:
    """Make the statement of :func:`counts`."""
    columns: list[ColumnElement[Any]] = []
    for scope in scopes:
        branches = [
            # The order makes it read the partial index, however many ended cases there are.
            select(CaseRow.id)
            .where(*branch)
            .order_by(*_live_order(backwards=False))
            .limit(COUNT_LIMIT)
            for branch in _branches(scope, Wanted())
        ]
        if not branches:
            columns.append(literal(0))
            continue
        parts = [select(branch.subquery().c.id) for branch in branches]
        capped = union_all(*parts).subquery()
        columns.append(select(func.count()).select_from(capped).scalar_subquery())
    return select(*columns)


def agents(session: Session, limit: int = 500) -> Sequence[AgentRow]:
    """Return the known agents by name."""
    statement = select(AgentRow).order_by(AgentRow.name, AgentRow.ref).limit(limit)
    return session.scalars(statement).all()


def _branches(scope: Scope, wanted: Wanted) -> list[list[ColumnElement[bool]]]:
    """Split a scope into conditions that one index answers each; no case is in two of them."""
    # Without saying that it has ended, SQLite would take the index of the ended for the live too.
    state = and_(CaseRow.status == wanted.status, _ENDED) if wanted.ended else _QUEUED
    if scope.valuable:
        state = and_(state, _VALUABLE) if wanted.ended else _VALUABLE_QUEUED
    if scope.assignee is not None:
        return [[state, CaseRow.assignee_ref == scope.assignee]]
    nobody = [CaseRow.assignee_ref.is_(None)] if scope.unassigned else []
    teams = scope.teams
    if wanted.teams:
        teams = tuple(team for team in wanted.teams if teams is None or team in teams)
    if teams is None:
        return [[state, *nobody]]
    if wanted.ended:
        # The history is read by its own index; splitting it by team would win nothing.
        mine = [CaseRow.assignee_ref == scope.also_assignee] if scope.also_assignee else []
        return [[state, *nobody, or_(CaseRow.team.in_(teams), *mine)]] if teams or mine else []
    found = [[state, CaseRow.team == team, *nobody] for team in teams]
    if scope.also_assignee is not None:
        elsewhere = CaseRow.team.not_in(scope.teams or ())
        found.append([state, CaseRow.assignee_ref == scope.also_assignee, elsewhere])
    return found


def _filters(wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if wanted.status is not None and not wanted.ended:
        found.append(CaseRow.status == wanted.status)
    for column, words in (
        (CaseRow.team, wanted.teams),
        (CaseRow.category, wanted.categories),
        (CaseRow.priority, wanted.priorities),
    ):
        if words:
            found.append(column.in_(words))
    return found


def _beyond(
    wanted: Wanted, after: Cursor | None, before: Cursor | None
) -> list[ColumnElement[bool]]:
    cursor = after or before
    if cursor is None:
        return []
    place = tuple_(literal(cursor.at, UTCDateTime()), literal(cursor.id, BIG_ID))
    if wanted.ended:
        here = tuple_(CaseRow.ended_at, CaseRow.id)
        return [here < place if after is not None else here > place]
    here = tuple_(CaseRow.urgency_at, CaseRow.id)
    return [here > place if after is not None else here < place]


def _live_order(*, backwards: bool) -> tuple[ColumnElement[Any], ...]:
    if backwards:
        return CaseRow.urgency_at.desc(), CaseRow.id.desc()
    return CaseRow.urgency_at.asc(), CaseRow.id.asc()


def _ended_order(*, backwards: bool) -> tuple[ColumnElement[Any], ...]:
    if backwards:
        return CaseRow.ended_at.asc(), CaseRow.id.asc()
    return CaseRow.ended_at.desc(), CaseRow.id.desc()
