"""The case page, and what agents do on it."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import (
    CheckoutCaseError,
    InvalidInputError,
    InvalidTransitionError,
    StaleVersionError,
    VersionRequiredError,
)
from ...i18n import gettext
from ...rules.lifecycle import moves_from
from ...services import (
    agent_mail,
    assignment,
    callbacks,
    cases,
    caseview,
    incident_view,
    protocols,
    queue,
    staff,
)
from ...services.caseview import CaseView
from ...services.change_steps import RefusedChangeError
from ...services.change_terms import stock_of
from ...services.changes import TermsChangedError
from ...types import Agent, CaseInfo, Outcome, Priority, Status
from ..current import current_agent, runtime
from ..guard import csrf_protected
from . import change_words, explaining, timeline
from .blueprint import blueprint
from .fields import row_number, version, word
from .queue_views import language_mark, unchanged, with_etag

KEY_LIMIT = 64
_UNSENT = ("reply_text", "note_text")
_REASON = "reason"

Deed = Callable[[str, Agent], CaseInfo]


@blueprint.get("/cases/<reference>")
def case(reference: str) -> ResponseReturnValue:
    """Show a case."""
    agent = current_agent()
    return _page(reference, agent)


@blueprint.get("/cases/<reference>/live")
def case_part(reference: str) -> ResponseReturnValue:
    """Answer a page that asks what has changed: 304 when nothing has."""
    agent = current_agent()
    if request.if_none_match:
        etag = language_mark(caseview.mark(runtime(), reference, agent))
        if etag in request.if_none_match:
            return unchanged(etag)
    return _page(reference, agent, template="case_part.html")


@blueprint.post("/cases/<reference>/reply")
@csrf_protected
def reply(reference: str) -> ResponseReturnValue:
    """Answer the customer, and solve the case if that is wanted."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        solves = request.form.get("then") == Status.SOLVED
        return cases.reply(
            runtime(),
            reference,
            request.form.get("reply_text", ""),
            agent=agent,
            key=form_key("reply_key"),
            status=Status.SOLVED if solves else None,
            outcome=Outcome.ASSISTED if solves else None,
            reason=request.form.get(_REASON),
            with_link=request.form.get("with_link") == "yes",
        )

    return do(reference, deed, sent="reply_text")


@blueprint.post("/cases/<reference>/note")
@csrf_protected
def note(reference: str) -> ResponseReturnValue:
    """Write an internal note."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        text = request.form.get("note_text", "")
        return cases.note(runtime(), reference, text, agent=agent, key=form_key("note_key"))

    return do(reference, deed, sent="note_text")


@blueprint.post("/cases/<reference>/take")
@csrf_protected
def take(reference: str) -> ResponseReturnValue:
    """Assign the case to oneself."""
    return do(
        reference,
        lambda ref, agent: cases.take(runtime(), ref, agent=agent, version=version()),
    )


@blueprint.post("/cases/<reference>/decline")
@csrf_protected
def decline(reference: str) -> ResponseReturnValue:
    """Hand back a case that one was given automatically."""
    return do(
        reference,
        lambda ref, agent: staff.decline(runtime(), ref, agent=agent, version=version()),
    )


@blueprint.post("/cases/<reference>/assign")
@csrf_protected
def assign(reference: str) -> ResponseReturnValue:
    """Give the case to a colleague, or to nobody."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        to, seen = word("assignee") or None, version()
        return cases.assign(runtime(), reference, agent=agent, assignee_ref=to, version=seen)

    return do(reference, deed)


@blueprint.post("/cases/<reference>/transfer")
@csrf_protected
def transfer(reference: str) -> ResponseReturnValue:
    """Hand the case to another team."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        team = request.form.get("team", "")
        return cases.transfer(runtime(), reference, agent=agent, team=team, version=version())

    return do(reference, deed)


@blueprint.post("/cases/<reference>/status")
@csrf_protected
def status(reference: str) -> ResponseReturnValue:
    """Move the case along its lifecycle; ``solved assisted`` names the outcome too."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        new, _, outcome = request.form.get("status", "").partition(" ")
        return cases.set_status(
            runtime(),
            reference,
            new,
            agent=agent,
            version=version(),
            outcome=outcome or None,
            reason=request.form.get(_REASON),
        )

    return do(reference, deed)


@blueprint.post("/cases/<reference>/priority")
@csrf_protected
def priority(reference: str) -> ResponseReturnValue:
    """Change how urgent the case is held to be."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        new = request.form.get("priority", "")
        return cases.set_priority(runtime(), reference, new, agent=agent, version=version())

    return do(reference, deed)


@blueprint.post("/cases/<reference>/tick")
@csrf_protected
def tick(reference: str) -> ResponseReturnValue:
    """Tick a task of a protocol (``task`` is ``12 done``) or untick it (``12 open``)."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        number, _, wanted = request.form.get("task", "").partition(" ")
        if not re.fullmatch("[0-9]{1,18}", number) or wanted not in ("done", "open"):
            raise InvalidInputError("expected a task, and done or open", field="task")
        return protocols.tick(
            runtime(),
            reference,
            int(number),
            agent=agent,
            version=version(),
            done=wanted == "done",
        )

    return do(reference, deed)


@blueprint.post("/cases/<reference>/callback")
@csrf_protected
def callback(reference: str) -> ResponseReturnValue:
    """Note that the customer was called: ``callback`` is ``reached`` or ``missed``."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        how, seen = word("callback"), version()
        if how not in ("reached", "missed"):
            raise InvalidInputError("expected reached or missed", field="callback")
        return callbacks.finish(
            runtime(), reference, agent=agent, version=seen, reached=how == "reached"
        )

    return do(reference, deed)


def do(reference: str, deed: Deed, *, sent: str | None = None) -> ResponseReturnValue:
    """Do it and show the case; what can't be done is said on the same page, nothing typed is lost.

    Args:
        sent: the form's field that the deed has used up.
    """
    agent = current_agent()
    try:
        deed(reference, agent)
    except StaleVersionError as error:
        return _page(reference, agent, conflict=error, status=error.status)
    except (
        InvalidInputError,
        InvalidTransitionError,
        RefusedChangeError,
        TermsChangedError,
        VersionRequiredError,
    ) as error:
        asks = isinstance(error, InvalidInputError) and error.field == _REASON
        problem = None if asks and not _reason_is_long() else _told(error)
        return _page(reference, agent, problem=problem, asks=asks, status=error.status)
    assignment.settle(runtime())
    unsent = {name: request.form.get(name, "") for name in _UNSENT if name != sent}
    if any(text.strip() for text in unsent.values()):
        # A redirect would lose the text that was being typed beside this.
        return _page(reference, agent, typed=unsent)
    return redirect(url_for(".case", reference=reference), 303)


def _reason_is_long() -> bool:
    return len(request.form.get(_REASON, "")) > protocols.REASON_LIMIT


def _told(error: CheckoutCaseError) -> str:
    if (
        isinstance(error, RefusedChangeError | TermsChangedError)
        or getattr(error, "field", None) == "why"
    ):
        return change_words.told(error)
    if isinstance(error, InvalidInputError) and error.field == _REASON:
        return gettext(
            "That is too long: at most %(most)s characters.", most=protocols.REASON_LIMIT
        )
    if isinstance(error, InvalidInputError) and error.field == "text":
        texts = [request.form.get(name, "").strip() for name in _UNSENT]
        if any(len(text) > cases.TEXT_LIMIT for text in texts):
            return gettext("That is too long: at most %(most)s characters.", most=cases.TEXT_LIMIT)
        return gettext("Write something first.")
    if isinstance(error, InvalidTransitionError):
        return gettext("The case can't become that from what it is now.")
    return gettext("Something in what was sent is not right.")


def _page(
    reference: str,
    agent: Agent,
    *,
    template: str = "case.html",
    conflict: StaleVersionError | None = None,
    problem: str | None = None,
    asks: bool = False,
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    older = request.args.get("before", type=row_number) if request.method == "GET" else None
    view = caseview.view(runtime(), reference, agent, before=older)
    if typed is None:
        typed = {name: request.form.get(name, "") for name in _UNSENT}
    asks = asks or (conflict is not None and bool(request.form.get(_REASON, "").strip()))
    etag = language_mark(view.mark)
    page = render_template(
        f"checkout_case/agent/{template}",
        etag=etag,
        older=older,
        conflict=conflict,
        changes=_changes(view, conflict),
        problem=problem,
        asked=_asked() if asks and view.held_by else None,
        typed=typed,
        may_link=agent_mail.may_send(runtime(), view.row),
        counts=queue.counts(runtime(), agent) if template == "case.html" else {},
        **_names(view, agent),
    )
    return with_etag(make_response(page, status), etag)


def _asked() -> dict[str, str]:
    """Return the deed for which a reason is asked, so that the page can offer it again."""
    deed = (request.endpoint or "").rpartition(".")[2]
    name = "then" if deed == "reply" else "status"
    return {
        "deed": deed,
        "name": name,
        "value": request.form.get(name, ""),
        "reason": request.form.get(_REASON, ""),
    }


def _names(view: CaseView, agent: Agent) -> dict[str, Any]:
    teams = {key: team.name for key, team in runtime().policy.teams.items()}
    now = Status(view.case.status)
    moves = [status for status in Status if status in moves_from(now)]
    return {
        "agent": agent,
        "view": view,
        "case": view.case,
        "row": view.row,
        "now": view.now,
        "teams": teams,
        "tried": explaining.tried(view.row.reasons, codes="codes" in view.allowed),
        "place": explaining.place(view),
        "banner": incident_view.banner_of(runtime(), agent, view.row),
        "team_name": lambda key: teams.get(key, key),
        "views": queue.views_of(agent),
        "lines": timeline.lines(view, str(agent.ref), lambda key: teams.get(key, key)),
        "order_changes": change_words.cards(view, partial(stock_of, runtime()), request.form),
        "moves": [str(status) for status in moves],
        "priorities": [str(item) for item in reversed(Priority)],
        "reply_key": secrets.token_urlsafe(12),
        "note_key": secrets.token_urlsafe(12),
    }


def _changes(view: CaseView, conflict: StaleVersionError | None) -> list[dict[str, Any]]:
    """Say who changed what since the page was made."""
    if conflict is None:
        return []
    teams = runtime().policy.teams
    told = []
    for change in conflict.changes:
        who = change["name"] or gettext("The system")
        if change["kind"] in ("message", "note"):
            what = gettext("wrote a note") if change["kind"] == "note" else gettext("wrote")
            text = f"{who} {what}: “{_short(change['text'] or '')}”"
        else:
            text, _ = timeline.sentence(
                change["kind"],
                change["name"],
                change["data"] or {},
                lambda key: teams[key].name if key in teams else key,
                view.name_of,
            )
        told.append({"at": change["at"], "text": text})
    return told


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 120 else flat[:119] + "…"


def form_key(name: str) -> str | None:
    return word(name)[:KEY_LIMIT] or None
