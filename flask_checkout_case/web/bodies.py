"""Request bodies that are safe to read: limited, complete, plain."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from ..errors import InvalidInputError

DEEPEST_JSON: Final = 20
LONGEST_NUMBER: Final = 20


def refuse_cut_body() -> None:
    """Refuse a chunked body that reaches the limit: what lies behind it was never read."""
    if request.content_length is None and "wsgi.input_terminated" in request.environ:
        limit = request.max_content_length or 0
        if len(request.get_data(cache=True)) >= limit:
            raise RequestEntityTooLarge


def read_json() -> dict[str, Any]:
    """Return the request's JSON object.

    Raises:
        InvalidInputError: when it is no JSON object, nested too deeply, or holds NaN, an infinite
            or an enormous number.
    """
    if not request.is_json:
        raise InvalidInputError("expected a body of type application/json")
    return parse_json(request.get_data(cache=True))


def parse_json(raw: bytes) -> dict[str, Any]:
    """Return the JSON object that bytes hold.

    Raises:
        InvalidInputError: see :func:`read_json`.
    """
    try:
        body = json.loads(
            raw,
            parse_constant=_refuse_number,
            parse_int=_whole_number,
            parse_float=_finite_number,
        )
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("expected a JSON object") from error
    if not isinstance(body, dict) or _too_deep(body):
        raise InvalidInputError("expected a JSON object that is not nested deeply")
    return body


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text} is not a number")


def _whole_number(text: str) -> int:
    return int(text) if len(text) <= LONGEST_NUMBER else int(_refuse_number("it"))


def _finite_number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number("it")


def _too_deep(body: object) -> bool:
    level: list[object] = [body]
    for _ in range(DEEPEST_JSON):
        inner: list[object] = []
        for item in level:
            if isinstance(item, Mapping):
                inner.extend(item.values())
            elif isinstance(item, list):
                inner.extend(item)
        if not inner:
            return False
        level = inner
    return True
