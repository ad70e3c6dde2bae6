"""How what a gateway sends or its SDK returns is taken apart, whatever it really is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import InvalidInputError


def json_object(raw: bytes | str) -> Mapping[str, Any]:
    """Read a body.

    Raises:
        InvalidInputError: it is no JSON object.
    """
    try:
        body = json.loads(raw.decode("utf-8") if isinstance(raw, bytes) else raw)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("the body is not JSON") from error
    if not isinstance(body, Mapping):
        raise InvalidInputError("the body is not a JSON object")
    return body


def mapping(value: Any) -> Mapping[str, Any]:
    """Return ``value`` if it is a mapping, else an empty one."""
    return value if isinstance(value, Mapping) else {}


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """Return what of a list is a mapping; of anything else, nothing."""
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def known(told: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what isn't told."""
    return {key: value for key, value in told.items() if value is not None}


def class_names(found: object, package: str) -> list[str]:
    """Return the names of the package's classes that ``found`` is of; nothing imports it."""
    return [
        cls.__name__
        for cls in type(found).__mro__
        if cls.__module__ == package or cls.__module__.startswith(f"{package}.")
    ]
