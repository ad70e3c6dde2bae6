"""The queue: a page, and the part of it that keeps itself up to date."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from flask import Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from ...i18n import current_locale
from ...services import incident_view
from ...services import queue as service
from ...services.due import next_clock
from ...services.queue import Question, QueuePage, View
from ...services.reading import value_of
from ...types import Agent, Category, Priority, Status
from ..current import current_agent, runtime
from . import filters, wording
from .blueprint import blueprint


@blueprint.get("/")
def queue() -> ResponseReturnValue:
    """Show a page of the queue."""
    agent = current_agent()
    page = service.page(runtime(), agent, _question(agent))
    etag = _etag(page.mark)
    return render_template("checkout_case/agent/queue.html", etag=etag, **names(agent, page))


@blueprint.get("/queue")
def queue_part() -> ResponseReturnValue:
    """Answer a page that asks what has changed: 304 when nothing has."""
    agent = current_agent()
    question = _question(agent)
    if request.if_none_match:
        etag = _etag(service.mark(runtime(), agent, question))
        if etag in request.if_none_match:
            return unchanged(etag)
    page = service.page(runtime(), agent, question)
    etag = _etag(page.mark)
    text = render_template("checkout_case/agent/queue_part.html", etag=etag, **names(agent, page))
    return with_etag(make_response(text), etag)


def names(agent: Agent, page: QueuePage) -> dict[str, Any]:
    """Return what the queue's templates are given."""
    question = page.question
    teams = {key: team.name for key, team in runtime().policy.teams.items()}
    return {
        "agent": agent,
        "page": page,
        "question": question,
        "teams": teams,
        "views": service.views_of(agent),
        "counts": page.counts,
        "now": page.now,
        "here": filters.arguments_of(question),
        "view_arguments": {
            view: filters.arguments_of(Question(view, question.wanted)) for view in View
        },
        "active": filters.active_filters(question),
        "cleared": {"view": str(question.view)},
        "previous": _place(question, "before", page.previous),
        "following": _place(question, "after", page.following),
        "clock_of": partial(next_clock, runtime().policy),
        "value_of": value_of,
        "valuable_over": wording.money(runtime().policy.hesitation.over),
        "choices": {
            "team": list(teams),
            "category": [str(item) for item in Category],
            "priority": [str(item) for item in reversed(Priority)],
        },
        "statuses": [str(item) for item in Status],
        "banners": incident_view.banners(runtime(), agent),
    }


def _etag(mark: str) -> str:
    return language_mark(f"{mark} {incident_view.mark(runtime())}")


def _place(question: Question, name: str, cursor: Any) -> dict[str, Any] | None:
    if cursor is None:
        return None
    place = {"after": None, "before": None, name: service.write_place(cursor)}
    return filters.arguments_of(question, **place)


def _question(agent: Agent) -> Question:
    return filters.read_question(request.args, agent, list(runtime().policy.teams))


def language_mark(mark: str) -> str:
    """Return an ETag for what a reader of this language sees."""
    return hashlib.sha256(f"{mark} {current_locale.get()}".encode()).hexdigest()[:24]


def unchanged(etag: str) -> Response:
    """Answer that nothing has changed since ``etag``."""
    return with_etag(make_response("", 304), etag)


def with_etag(response: Response, etag: str) -> Response:
    """Name what is shown, so that the script can ask whether it still holds."""
    response.set_etag(etag)
    return response
