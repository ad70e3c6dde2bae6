"""The closed launcher: what it is told, and what it may tell about hesitation."""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from inspect import signature
from typing import Any, Final

from flask import jsonify, request, url_for
from flask.typing import ResponseReturnValue

from ...capture import snapshot_of
from ...errors import InvalidInputError, PermissionDeniedError
from ...rules import signs
from ...rules.attention import is_unattended
from ...services import conversation, glancing
from ...services.glancing import Glance
from ..bodies import parse_json
from ..csrf import is_same_origin
from ..current import current_checkout, runtime
from ..guard import limit_rate, proves_itself, signing_keys
from . import wording
from .blueprint import blueprint
from .customer import TOKEN_COOKIE, current_viewer, line_id, look

log = logging.getLogger(__name__)

LARGEST: Final = 512
MOST: Final = 20
OLDEST: Final = timedelta(hours=1)
_PAGE: Final = re.compile(r"[A-Za-z0-9_-]{8,24}", re.ASCII)
_FIELD: Final = re.compile(r"[a-z0-9-]{1,24}", re.ASCII)
DISMISSED: Final = "dismissed"


@blueprint.get("/state")
def state() -> ResponseReturnValue:
    """Tell the closed launcher whether there is something to say. Never sets a cookie."""
    limit_rate("state", reading=True)
    viewer = current_viewer()
    ref = viewer.checkout_ref
    seen = glancing.glance(runtime(), ref) if ref is not None else Glance()
    told = _closed(seen, line_id(request.args.get("seen", type=int)))
    if ref is not None and not seen.is_over and not is_unattended(request.headers):
        if may_watch():
            told["watch"] = _watch(ref, seen)
        elif seen.has_consented:
            glancing.note_withdrawal(runtime(), ref)
    return jsonify(told)


def _closed(seen: Glance, line: int | None) -> dict[str, Any]:
    """Return what the closed launcher says; most customers have no case, and cost no query."""
    told: dict[str, Any] = {"hint": None, "unread": 0, **wording.offer(seen.prompt)}
    if seen.has_cases or TOKEN_COOKIE in request.cookies:
        _viewer, standing = look()
        unread, who = conversation.unread(runtime(), standing, line)
        told |= {"hint": wording.hint(standing.failure, unread, who), "unread": unread}
    return told


def _watch(ref: str, seen: Glance) -> dict[str, Any]:
    checkout = current_checkout()
    if checkout is not None and not seen.has_consented:
        snapshot = None if seen.is_known else snapshot_of(checkout)
        glancing.note_consent(runtime(), ref, snapshot)
    idle = glancing.idle_after(runtime(), checkout.step if checkout is not None else None)
    token = glancing.seal(signing_keys(), ref)
    where = url_for(f"{blueprint.name}.take_signals")
    return {"token": token, "idle": int(idle.total_seconds()), "to": where}


def may_watch() -> bool:
    """Whether the browser may tell: the shop's hook says so, and no header objects."""
    hook = runtime().hooks.consent_loader
    if hook is None:
        return False
    if request.headers.get("Sec-GPC") == "1" or request.headers.get("DNT") == "1":
        return False
    try:
        return bool(hook("observation") if _takes_purpose(hook) else hook())
    except Exception:
        log.exception("the consent_loader failed: nothing is observed")
        return False


def _takes_purpose(hook: Any) -> bool:
    try:
        signature(hook).bind("observation")
    except (TypeError, ValueError):
        return False
    return True


@blueprint.post("/signals")
@proves_itself
def take_signals() -> ResponseReturnValue:
    """Take what a page tells, by ``fetch`` or a beacon, and answer as ``/state`` does.

    The token in the body says which checkout it is about; a beacon can send no header.
    """
    limit_rate("signals", reading=True)
    if not is_same_origin():
        raise PermissionDeniedError("this did not come from this shop's pages")
    if (request.content_length or 0) > LARGEST:
        raise InvalidInputError(f"expected at most {LARGEST} bytes")
    body = parse_json(request.get_data(cache=True))
    token = body.get("token")
    ref = glancing.unseal(signing_keys(), token) if isinstance(token, str) else None
    if ref is None:
        raise PermissionDeniedError("the page was open for too long")
    told, dismissed = _read(body, runtime().clock())
    if is_unattended(request.headers):
        return jsonify(hint=None, unread=0)
    seen = glancing.take(runtime(), ref, told, dismissed=dismissed)
    return jsonify(_closed(seen, line_id(body.get("seen"))))


def _read(body: dict[str, Any], now: datetime) -> tuple[signs.Signs, bool]:
    page, given = body.get("page"), body.get("signals")
    if not isinstance(page, str) or not _PAGE.fullmatch(page) or not isinstance(given, list):
        raise InvalidInputError("expected a page and its signals")
    if len(given) > MOST:
        raise InvalidInputError(f"expected at most {MOST} signals")
    found: dict[str, list[signs.Occurrence]] = {}
    dismissed = False
    for one in given:
        kind, number, age = _read_one(one)
        if kind == DISMISSED:
            dismissed = True
            continue
        at = now - timedelta(milliseconds=age)
        sign = signs.FROM_BROWSER[kind]
        found.setdefault(sign, []).append(signs.occurrence(at, f"{page}:{number}"))
    return found, dismissed


def _read_one(one: Any) -> tuple[str, int, float]:
    if not isinstance(one, list) or len(one) not in (3, 4):
        raise InvalidInputError("expected a signal as [kind, number, age]")
    kind, number, age, *field = one
    if kind != DISMISSED and kind not in signs.FROM_BROWSER:
        raise InvalidInputError("this is no kind of signal")
    if type(number) is not int or not 0 <= number < 10_000:
        raise InvalidInputError("expected a number of the signal")
    if type(age) not in (int, float) or not 0 <= age <= OLDEST / timedelta(milliseconds=1):
        raise InvalidInputError("expected the signal's age in milliseconds")
    if field and not (isinstance(field[0], str) and _FIELD.fullmatch(field[0])):
        raise InvalidInputError("expected the class of a field")
    return kind, number, age
