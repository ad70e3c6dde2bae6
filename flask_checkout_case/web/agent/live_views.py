"""Checkouts that are going on: a page that keeps itself up to date, and the way to speak first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInputError
from ...i18n import N_, gettext
from ...services import live, queue
from ...services.live import LiveView, NotNowError, TooOftenError
from ..current import current_agent, runtime
from ..guard import csrf_protected
from . import fields, reasons
from .blueprint import blueprint
from .queue_views import language_mark, unchanged, with_etag


@blueprint.get("/live")
def live_view() -> ResponseReturnValue:
    """Show the checkouts that are going on."""
    return _page("live.html")


@blueprint.get("/live/part")
def live_view_part() -> ResponseReturnValue:
    """Answer a page that asks what has changed: 304 when nothing has."""
    return _page("live_part.html")


@blueprint.post("/live/start")
@csrf_protected
def live_start() -> ResponseReturnValue:
    """Begin a conversation; what was typed comes back where that can't be."""
    ref, text = fields.word("checkout"), request.form.get("text", "")
    try:
        case = live.start(runtime(), current_agent(), ref, text)
    except (NotNowError, TooOftenError, InvalidInputError) as error:
        said = _REFUSED.get(type(error))
        message = gettext(said) if said else gettext("Please write a few words first.")
        return _page("live.html", refused=(ref, message, text), status=error.status)
    return redirect(url_for(".case", reference=case.reference), 303)


_REFUSED: Final[Mapping[type[Exception], str]] = {
    NotNowError: N_(
        "Not now: this customer has a case, is paying, has bought, or is held out to compare."
    ),
    TooOftenError: N_("This customer has been spoken to as often as the policy allows."),
}


def _page(
    template: str, *, refused: tuple[str, str, str] | None = None, status: int = 200
) -> Response:
    agent = current_agent()
    view = live.live_view(runtime(), agent)
    counts = queue.counts(runtime(), agent)
    etag = language_mark(repr((agent.ref, agent.role, counts, _mark(view))))
    if refused is None and etag in request.if_none_match:
        return unchanged(etag)
    page = render_template(
        f"checkout_case/agent/{template}",
        agent=agent,
        view=view,
        views=queue.views_of(agent),
        counts=counts,
        now=view.now,
        etag=etag,
        refused=refused,
        sentences=reasons.sentences,
        key_of=lambda ref: hashlib.sha256(ref.encode()).hexdigest()[:12],
    )
    return with_etag(make_response(page, status), etag)


def _mark(view: LiveView) -> object:
    # Ages count themselves on the page.
    return view.visits, view.over, view.unwatched, view.can_watch
