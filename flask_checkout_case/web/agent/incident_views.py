"""Whom an incident has hit, page by page."""

from __future__ import annotations

from flask import render_template, request
from flask.typing import ResponseReturnValue

from ...errors import NotFoundError
from ...services import incident_view, queue
from ..current import current_agent, runtime
from .blueprint import blueprint
from .fields import MOST_ROWS, row_number


@blueprint.get("/incidents/<int:number>")
def incident(number: int) -> ResponseReturnValue:
    """Show the members of an incident."""
    agent = current_agent()
    if number > MOST_ROWS:
        raise NotFoundError(f"there is no incident {number}")
    after = request.args.get("after", default=0, type=row_number)
    return render_template(
        "checkout_case/agent/incident.html",
        agent=agent,
        page=incident_view.members(runtime(), agent, number, after),
        after=after,
        now=runtime().clock(),
        teams={key: team.name for key, team in runtime().policy.teams.items()},
        views=queue.views_of(agent),
        counts=queue.counts(runtime(), agent),
    )
