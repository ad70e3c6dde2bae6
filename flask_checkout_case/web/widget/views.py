"""The customer's pages: one for people without JavaScript, and what the script asks for."""

from __future__ import annotations

import logging
import re
import secrets
from dataclasses import replace
from typing import Any, Final

from flask import g, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import InvalidInputError, NotFoundError
from ...i18n import current_locale, format_when, gettext, is_rtl
from ...rules.redact import mask_text
from ...services import callbacks, conversation
from ...services.access import Viewer
from ...services.callbacks import Offer
from ...services.conversation import Message, Standing, UnavailableError
from ..answers import asset
from ..current import runtime
from ..guard import (
    CsrfError,
    browser_nonce,
    check_csrf,
    csrf_protected,
    csrf_token,
    limit_rate,
    proves_itself,
    read_json,
)
from . import call_words, change_places, wording
from .blueprint import blueprint
from .customer import current_viewer, line_id, look, widen_token, writing_viewer

log = logging.getLogger(__name__)

TEXT_LIMIT: Final = 4000
ZONE_HEADER: Final = "X-Time-Zone"
"""By which the script tells the browser's time zone."""
_KEY: Final = re.compile(r"[A-Za-z0-9_-]{8,48}")
_EMAIL: Final = re.compile(r"[^@\s<>\"',;]{1,64}@[^@\s<>\"',;]{1,255}")


@blueprint.get("/panel")
def panel() -> ResponseReturnValue:
    """Give the panel its words and the conversation so far."""
    limit_rate("panel", reading=True)
    viewer, standing = look()
    body = body_of(standing, after=0)
    body |= {
        "lang": current_locale.get(),
        "dir": "rtl" if is_rtl() else "ltr",
        "texts": wording.script_texts(runtime().shop_name) | call_words.texts(),
        "presence": _presence(viewer, standing),
        "reasons": wording.reasons(standing.failure),
        "offer": call_words.offered(_offer(viewer, standing), viewer),
        "callModule": asset("call.js"),
        "change": change_places.change_link(),
        "askEmail": _asks_for_email(viewer, standing),
        "limit": TEXT_LIMIT,
    }
    return jsonify(body)


@blueprint.get("/poll")
def poll() -> ResponseReturnValue:
    """Give what is new behind the line ``after``; 304 when nothing is."""
    limit_rate("poll", reading=True)
    _viewer, standing = look()
    if not standing.cases:
        raise NotFoundError("there is no conversation")
    if request.if_none_match.contains(standing.mark):
        response = make_response("", 304)
    else:
        after = line_id(request.args.get("after", type=int))
        response = make_response(jsonify(body_of(standing, after=after or 0)))
    response.set_etag(standing.mark)
    return response


@blueprint.get("/token")
def token() -> ResponseReturnValue:
    """Give this browser what it needs to post; called when the customer does."""
    limit_rate("token", fail_closed=True)
    return jsonify(token=csrf_token())


@blueprint.post("/messages")
@proves_itself
@csrf_protected
def send() -> ResponseReturnValue:
    """Take a message from the script; ``key`` makes a repeated one one message."""
    limit_rate("message")
    body = read_json()
    message = _check(body)
    after = line_id(body.get("after"))
    _post(message)
    _viewer, standing = look()
    return jsonify(body_of(standing, after=after or 0)), 201


@blueprint.get("/help")
def help_page() -> ResponseReturnValue:
    """Show the whole of the widget as a page."""
    limit_rate("help", reading=True)
    return help_answer()


@blueprint.post("/help")
def help_post() -> ResponseReturnValue:
    """Take a message from the page's form."""
    limit_rate("message")
    try:
        check_csrf()
        message = _check(request.form)
        _post(message)
    except (CsrfError, InvalidInputError) as error:
        # What was typed comes back with the page: nobody writes it twice.
        return help_answer(error=str(error), typed=request.form), error.status
    except UnavailableError as error:
        # Not the whole page: that would ask the database again.
        log.exception("a customer's message could not be taken")
        page = "checkout_case/widget/again.html"
        return render_template(page, typed=request.form), error.status
    return redirect(url_for(f"{blueprint.name}.help_page", sent=1) + "#latest", 303)


def help_answer(
    error: str | None = None, typed: Any = None, *, call_error: str | None = None
) -> str:
    """Make the page, with what was wrong on it and what was typed."""
    viewer, standing = look()
    lines = conversation.lines(runtime(), standing)
    browser_nonce()
    return render_template(
        "checkout_case/widget/help.html",
        lines=lines,
        failure=wording.failure_texts(standing.failure),
        status=_status(standing, lines),
        presence=_presence(viewer, standing),
        contact=wording.contact(standing.contact),
        reasons=wording.reasons(standing.failure),
        ask_email=_asks_for_email(viewer, standing),
        back=wording.safe_url((viewer.checkout or {}).get("url")) or "/",
        texts=wording.script_texts(runtime().shop_name) | call_words.texts(),
        offer=call_words.offered(_offer(viewer, standing), viewer),
        call=call_words.promised(standing.call),
        call_error=call_error,
        change=change_places.change_link(),
        key=secrets.token_urlsafe(12),
        limit=TEXT_LIMIT,
        error=error,
        sent=error is None and call_error is None and request.args.get("sent") == "1",
        typed=typed or {},
        when=lambda at: f"{format_when(at)} UTC",
    )


def _offer(viewer: Viewer, standing: Standing) -> Offer | None:
    # Without scripts, who has chosen a time before goes on in the zone of that.
    before = standing.call.call_zone if standing.call is not None else None
    return callbacks.offer(runtime(), viewer, request.headers.get(ZONE_HEADER) or before)


def _post(message: Message) -> None:
    viewer = current_viewer()
    try:
        posted = conversation.post(runtime(), writing_viewer(viewer), message, browser_nonce())
    except InvalidInputError as error:
        # Nothing is left of it without its control characters.
        raise InvalidInputError(gettext("Please write a few words first."), field="text") from error
    grant = widen_token(viewer, posted)
    g.checkout_case_viewer = replace(viewer, grant=grant)


def _check(given: Any) -> Message:
    """Read a message out of a form or a JSON object."""
    fields = [given.get(name) or "" for name in ("text", "key", "reason", "email")]
    if not all(isinstance(value, str) for value in fields):
        raise InvalidInputError(gettext("That did not work"))
    text, key, reason, email = fields
    if not text.strip():
        raise InvalidInputError(gettext("Please write a few words first."), field="text")
    if len(text) > TEXT_LIMIT:
        raise InvalidInputError(
            gettext("Please keep it below %(count)s characters.", count=TEXT_LIMIT), field="text"
        )
    if email.strip() and not _is_address(email.strip()):
        raise InvalidInputError(gettext("This e-mail address can't be right."), field="email")
    _label, category = wording.REASONS.get(reason, ("", None))
    return Message(text, read_key(key), category, email=email.strip() or None)


def read_key(given: object) -> str:
    """Return the key that makes a repeated post one, as the timeline keeps it."""
    if not isinstance(given, str) or not _KEY.fullmatch(given):
        raise InvalidInputError(gettext("That did not work"), field="key")
    return f"w:{given}"


def _is_address(email: str) -> bool:
    # Whoever types a card number here has taken the field for another one.
    local = email.partition("@")[0]
    return bool(_EMAIL.fullmatch(email)) and mask_text(email) == email and mask_text(local) == local


def body_of(standing: Standing, *, after: int) -> dict[str, Any]:
    """What changes while the panel is open: the same from ``panel``, ``poll`` and ``messages``."""
    lines = conversation.lines(runtime(), standing, after)
    return {
        "cursor": standing.last_line,
        "live": bool(standing.cases),
        "mark": standing.mark,
        "failure": wording.failure_texts(standing.failure),
        "status": _status(standing, lines),
        "ended": standing.is_ended,
        "contact": wording.contact(standing.contact),
        "call": call_words.promised(standing.call),
        "lines": [
            {
                "id": line.id,
                "mine": line.author == "customer",
                "name": line.author_name if line.author == "agent" else None,
                "text": line.text,
                "at": line.at.isoformat(),
                "key": line.key[2:] if line.key and line.author == "customer" else None,
            }
            for line in lines
        ],
    }


def _status(standing: Standing, lines: list[Any]) -> dict[str, str] | None:
    if not standing.last_line:
        return None
    if not lines:
        lines = conversation.lines(runtime(), standing, standing.last_line - 1)
    newest = lines[-1]
    return wording.status(newest.author, newest.author_name, ended=standing.is_ended)


def _presence(viewer: Viewer, standing: Standing) -> str:
    within = conversation.answered_within(runtime(), writing_viewer(viewer), standing.failure)
    return wording.presence(within)


def _asks_for_email(viewer: Viewer, standing: Standing) -> bool:
    known = viewer.customer.get("email") or any(case.customer_email for case in standing.cases)
    return not known
