"""The agents' queue: which cases somebody sees, in which order, page by page."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from ..data import queries_callback, queries_protocol
from ..data import queries_queue as queries
from ..data.callback_models import CallbackRow
from ..data.queries_protocol import Progress
from ..data.queries_queue import COUNT_LIMIT, Cursor, QueueRow, Scope, Wanted
from ..errors import InvalidInputError
from ..types import (
    Agent,
)
from .permission import may, visible_teams
from .reading import info
from .runtime import Runtime

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

__all__ = ("COUNT_LIMIT", "Cursor", "Question", "QueuePage", "QueueRow", "View", "Wanted")

PAGE: Final = 25
_PLACE: Final = re.compile(r"-?[0-9]{1,18}-[0-9]{1,18}")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class View(StrEnum):
    """The ways to cut the queue."""

    MINE = "mine"
    TEAMS = "teams"
    UNASSIGNED = "unassigned"
    ALL = "all"
    CONCIERGE = "concierge"


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody wants to see of the queue; everything of it stands in the page's address.

    Args:
        after, before: a place as :func:`write_place` gave it, never both.
    """

    view: View
    wanted: Wanted = field(default_factory=Wanted)
    after: Cursor | None = None
    before: Cursor | None = None


@dataclass(frozen=True, slots=True)
class QueuePage:
    """One page of the queue.

    Args:
        counts: live cases of each view, at most ``COUNT_LIMIT``; empty when the shop's own
            ``permission`` decides, which no statement can count.
        progress: of a concierge's cases, how many tasks have been done, and of how many.
        calls: the calls that have been asked for about a concierge's cases.
        previous, following: where the neighbouring pages begin, if there are any.
        mark: what :func:`mark` returns.
    """

    question: Question
    rows: tuple[QueueRow, ...]
    counts: dict[View, int]
    progress: Mapping[int, Progress]
    calls: Mapping[int, CallbackRow]
    previous: Cursor | None
    following: Cursor | None
    mark: str
    now: datetime


def views_of(agent: Agent) -> tuple[View, ...]:
    """Return the views that mean something to this agent, the first to show first."""
    if agent.teams:
        return View.TEAMS, View.MINE, View.UNASSIGNED, View.ALL, View.CONCIERGE
    return View.ALL, View.UNASSIGNED, View.MINE, View.CONCIERGE


def scope_of(agent: Agent, view: View) -> Scope:
    """Return which cases a view holds for an agent; supervisors see every team's."""
    teams = visible_teams(agent)
    me = str(agent.ref)
    mine_too = None if teams is None else me
    scopes: dict[View, Callable[[], Scope]] = {
        View.MINE: lambda: Scope(assignee=me),
        View.TEAMS: lambda: Scope(teams=tuple(agent.teams)),
        View.UNASSIGNED: lambda: Scope(teams=teams, unassigned=True),
        View.ALL: lambda: Scope(teams=teams, also_assignee=mine_too),
        View.CONCIERGE: lambda: Scope(teams=teams, also_assignee=mine_too, valuable=True),
    }
    return scopes[view]()


def page(runtime: Runtime, agent: Agent, question: Question) -> QueuePage:
    """Return a page of the queue: cases that this agent may see, and nothing else.

    Where the shop's ``permission`` decides, it may take cases away from what the agent's teams
    give; such a page can be shorter than others.
    """
    scope = scope_of(agent, question.view)
    with runtime.read() as session:
        found = queries.queue_page(
            session, scope, question.wanted, PAGE + 1, after=question.after, before=question.before
        )
        counted = _counts(runtime, session, agent)
        more = len(found) > PAGE
        backwards = question.before is not None
        rows = found[-PAGE:] if backwards else found[:PAGE]
        asked = [row.id for row in rows] if question.view is View.CONCIERGE else []
        progress = queries_protocol.progress_of(session, asked)
        calls = queries_callback.open_callbacks_of(session, asked)
    ended = question.wanted.ended
    has_previous = more if backwards else question.after is not None
    has_following = backwards or more
    return QueuePage(
        question=question,
        rows=tuple(row for row in rows if may(runtime, agent, "view", info(row))),
        counts=counted,
        progress=progress,
        calls=calls,
        previous=_place(rows[0], ended=ended) if rows and has_previous else None,
        following=_place(rows[-1], ended=ended) if rows and has_following else None,
        mark=_mark(agent, question, [(r.id, r.version, r.assignee_name) for r in found], counted),
        now=runtime.clock(),
    )


def counts(runtime: Runtime, agent: Agent) -> dict[View, int]:
    """Return what :class:`QueuePage` tells as ``counts``."""
    with runtime.read() as session:
        return _counts(runtime, session, agent)


def _counts(runtime: Runtime, session: Session, agent: Agent) -> dict[View, int]:
    if runtime.hooks.permission is not None:
        return {}
    found = queries.counts(session, tuple(scope_of(agent, view) for view in View))
    return dict(zip(View, found, strict=True))


def mark(runtime: Runtime, agent: Agent, question: Question) -> str:
    """Return a text that changes whenever what :func:`page` returns does."""
    scope = scope_of(agent, question.view)
    with runtime.read() as session:
        rows = queries.queue_marks(
            session, scope, question.wanted, PAGE + 1, after=question.after, before=question.before
        )
        counted = _counts(runtime, session, agent)
    return _mark(agent, question, rows, counted)


def _mark(
    agent: Agent, question: Question, rows: Sequence[tuple[Any, ...]], counted: Mapping[View, int]
) -> str:
    written = repr((agent.ref, sorted(agent.teams), agent.role, question, [*rows], counted))
    return hashlib.sha256(written.encode()).hexdigest()[:24]


def write_place(cursor: Cursor) -> str:
    """Write a place in the queue for an address."""
    return f"{(cursor.at - _EPOCH) // timedelta(microseconds=1)}-{cursor.id}"


def read_place(text: str, name: str) -> Cursor:
    """Read what :func:`write_place` wrote.

    Raises:
        InvalidInputError: it is nothing of ours.
    """
    if _PLACE.fullmatch(text) is None:
        raise InvalidInputError("this is no place in the queue", field=name)
    at, _, number = text.rpartition("-")
    try:
        return Cursor(_EPOCH + timedelta(microseconds=int(at)), int(number))
    except OverflowError as error:
        raise InvalidInputError("this is no place in the queue", field=name) from error


def _place(row: QueueRow, *, ended: bool) -> Cursor:
    return Cursor(row.ended_at or row.opened_at if ended else row.urgency_at, row.id)
