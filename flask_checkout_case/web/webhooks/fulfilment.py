"""What fulfilment answers to an order change: signed, taken once, never lost in silence."""

from __future__ import annotations

from typing import Any, Final

from flask import jsonify, request
from flask.typing import ResponseReturnValue

from ...errors import InvalidInputError, NotFoundError
from ...services import handover
from ...standard_webhooks import verify
from ..bodies import parse_json
from ..current import runtime
from .blueprint import blueprint

ANSWERED: Final = "change.answered"
_RESULTS: Final = ("accepted", "rejected")


@blueprint.post("/fulfilment")
def fulfilment() -> ResponseReturnValue:
    """Take ``{"type": "change.answered", "data": {"change_id", "order_version", "result", …}}``.

    2xx says that it is kept; the state of the change is told, so that a late or contradicting
    answer is seen at both ends.
    """
    current = runtime()
    if not current.settings.fulfilment_secrets:
        raise NotFoundError("no fulfilment is configured")
    raw = request.get_data(cache=False)
    verify(current.settings.fulfilment_secrets, dict(request.headers), raw)
    told = parse_json(raw)
    data = told.get("data")
    if told.get("type") != ANSWERED or not isinstance(data, dict):
        raise InvalidInputError(f"expected the type {ANSWERED!r} and its data", field="type")
    state = handover.answer(
        current,
        _text(data, "change_id"),
        accepted=_result(data) == "accepted",
        order_version=_optional(data, "order_version"),
        reason=_optional(data, "reason"),
    )
    return jsonify(state=state)


def _result(data: dict[str, Any]) -> str:
    result = _text(data, "result")
    if result not in _RESULTS:
        raise InvalidInputError("expected 'accepted' or 'rejected'", field="result")
    return result


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value or len(value) > 255:
        raise InvalidInputError("expected a text", field=name)
    return value


def _optional(data: dict[str, Any], name: str) -> str | None:
    value = data.get(name)
    return str(value)[:500] if isinstance(value, str | int) and value != "" else None
