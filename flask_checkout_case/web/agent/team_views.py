"""Teams and who is there, and how present one is oneself."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...services import queue, staff, teams
from ..current import current_agent, runtime
from ..guard import csrf_protected
from . import fields
from .blueprint import blueprint


@blueprint.get("/teams")
def team_board() -> ResponseReturnValue:
    """Show the teams: who is there, how much they have, what waits."""
    agent = current_agent()
    return render_template(
        "checkout_case/agent/teams.html",
        agent=agent,
        boards=teams.boards(runtime(), agent),
        views=queue.views_of(agent),
        counts=queue.counts(runtime(), agent),
        now=runtime().clock(),
    )


@blueprint.post("/presence")
@csrf_protected
def presence() -> ResponseReturnValue:
    """Say how present one is, or, as a supervisor, somebody else."""
    agent = current_agent()
    whose = fields.word("of") if request.form.get("of") else None
    staff.set_presence(runtime(), agent, fields.word("presence"), of=whose)
    return redirect(_back(fields.word("back")), 303)


def _back(path: str) -> str:
    """Return the page of ours that the form stood on; anything else leads to the queue."""
    home = url_for(".queue")
    return path if path.startswith(home) and "\\" not in path and path.isprintable() else home
