"""Teams and who is there, and how present one is oneself."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...rules.assignment import Presence
from ...services import queue, staff, teams
from ...services.teams import Member, TeamBoard
from ..current import current_agent, runtime
from ..guard import csrf_protected
from . import fields
from .blueprint import blueprint
from .queue_views import language_mark, unchanged, with_etag

_JUST_NOW: Final = timedelta(minutes=1)


@blueprint.get("/teams")
def team_board() -> ResponseReturnValue:
    """Show the teams: who is there, how much they have, what waits."""
    return _page("teams.html")


@blueprint.get("/teams/live")
def team_board_part() -> ResponseReturnValue:
    """Answer a page that asks what has changed: 304 when nothing has."""
    return _page("teams_part.html")


@blueprint.post("/presence")
@csrf_protected
def presence() -> ResponseReturnValue:
    """Say how present one is, or, as a supervisor, somebody else."""
    agent = current_agent()
    whose = fields.word("of") if request.form.get("of") else None
    staff.set_presence(runtime(), agent, fields.word("presence"), of=whose)
    return redirect(_back(fields.word("back")), 303)


def _page(template: str) -> Response:
    agent, now = current_agent(), runtime().clock()
    boards = teams.boards(runtime(), agent)
    counts = queue.counts(runtime(), agent)
    standing = teams.standing(runtime(), agent)
    etag = language_mark(repr((agent.ref, agent.role, standing, counts, _seen(boards, now))))
    if etag in request.if_none_match:
        return unchanged(etag)
    page = render_template(
        f"checkout_case/agent/{template}",
        agent=agent,
        boards=boards,
        views=queue.views_of(agent),
        counts=counts,
        left=_left,
        now=now,
        etag=etag,
    )
    return with_etag(make_response(page), etag)


def _seen(boards: Sequence[TeamBoard], now: datetime) -> list[object]:
    """Return what the boards show; when members who are there were last heard of isn't shown."""
    return [
        (
            (board.team, board.open, board.waiting, board.oldest, board.stuck),
            [(m.ref, m.name, m.presence, m.open, m.limit, _left(m, now)) for m in board.members],
        )
        for board in boards
    ]


def _left(member: Member, now: datetime) -> datetime | None:
    """Return when a member who is gone was last heard of, unless that is just now."""
    if member.presence is not Presence.GONE or now - member.seen_at < _JUST_NOW:
        return None
    return member.seen_at


def _back(path: str) -> str:
    """Return the page of ours that the form stood on; anything else leads to the queue."""
    home = url_for(".queue")
    return path if path.startswith(home) and "\\" not in path and path.isprintable() else home
