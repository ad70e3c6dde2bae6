"""Asking to be called: by the script, and by the form of the help page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from flask import g, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from ...errors import CheckoutCaseError, InvalidInputError
from ...services import callbacks
from ...services.callbacks import Wish
from ..current import runtime
from ..guard import browser_nonce, check_csrf, csrf_protected, limit_rate, proves_itself, read_json
from . import call_words
from .blueprint import blueprint
from .customer import current_viewer, line_id, look, widen_token, writing_viewer
from .views import body_of, help_answer, read_key


@blueprint.post("/callback")
@proves_itself
@csrf_protected
def callback() -> ResponseReturnValue:
    """Take the wish to be called from the script, or take it back (``cancel``)."""
    limit_rate("message")
    body = read_json()
    _do(body, cancels=body.get("cancel") is True)
    _viewer, standing = look()
    return jsonify(body_of(standing, after=line_id(body.get("after")) or 0)), 201


@blueprint.post("/help/callback")
def help_callback() -> ResponseReturnValue:
    """Take the same from the page's form."""
    limit_rate("message")
    try:
        check_csrf()
        _do(request.form, cancels=request.form.get("do") == "cancel")
    except CheckoutCaseError as error:
        if error.status not in (400, 403):
            raise
        # What was typed comes back with the page: nobody writes it twice.
        return help_answer(call_error=str(error), typed=request.form), error.status
    return redirect(url_for(f"{blueprint.name}.help_page") + "#call", 303)


def _do(given: Mapping[str, Any], *, cancels: bool) -> None:
    viewer = current_viewer()
    if cancels:
        callbacks.cancel(runtime(), viewer)
        return
    wish = _wish(given)
    try:
        posted = callbacks.ask(runtime(), writing_viewer(viewer), wish, browser_nonce())
    except InvalidInputError as error:
        raise InvalidInputError(call_words.refused(error.field), field=error.field) from error
    grant = widen_token(viewer, posted)
    g.checkout_case_viewer = replace(viewer, grant=grant)


def _wish(given: Mapping[str, Any]) -> Wish:
    fields = [given.get(name) or "" for name in ("slot", "phone", "zone", "about")]
    if not all(isinstance(value, str) for value in fields):
        raise InvalidInputError(call_words.refused(None))
    slot, phone, zone, about = fields
    if len(phone) > call_words.PHONE_LIMIT:
        raise InvalidInputError(call_words.refused("phone"), field="phone")
    if len(about) > callbacks.ABOUT_LIMIT:
        raise InvalidInputError(call_words.refused("about"), field="about")
    return Wish(_instant(slot), phone, zone, read_key(given.get("key")), about)


def _instant(given: str) -> datetime:
    try:
        at = datetime.fromisoformat(given)
    except ValueError as error:
        raise InvalidInputError(call_words.choose_a_time(), field="slot") from error
    if at.tzinfo is None:
        raise InvalidInputError(call_words.choose_a_time(), field="slot")
    return at
