"""Conditions of the shop's own, with parameters that are checked when the policy is loaded."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from marshmallow import RAISE, Schema, ValidationError, fields

from ..policy_values import expected, unknown_key
from .base import Around, Condition, Facts, Finding, Read

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,63}", re.ASCII)

Parameters: TypeAlias = "Schema | type[Schema] | fields.Field[Any] | None"


def is_name(name: str) -> bool:
    """Whether it can name a condition: small letters, digits and underscores."""
    return _NAME.fullmatch(name) is not None


def own_condition(
    name: str, function: Callable[[Facts, Any], bool], schema: Parameters = None
) -> Condition:
    """Make a condition of the shop's function; its docstring is its documentation."""
    return Condition(
        name,
        _expected(schema),
        _reader(schema),
        lambda facts, given, _rates: Finding(held=bool(function(facts, given[0]))),
        many=False,
        about=inspect.getdoc(function) or "",
    )


def _expected(schema: Parameters) -> str:
    if schema is None:
        return "any value"
    if isinstance(schema, fields.Field):
        return "a value that its schema takes"
    return f"a table of {', '.join(_made(schema).fields)}"


def _reader(schema: Parameters) -> Read:
    if schema is None:
        return lambda given, _around: given
    if isinstance(schema, fields.Field):
        field = schema
        return lambda given, _around: field.deserialize(given)
    made = _made(schema)

    def read(given: Any, _around: Around) -> Any:
        if not isinstance(given, Mapping):
            raise ValueError(expected(_expected(made)))  # noqa: TRY004 - readers raise one kind
        errors = made.validate(given)
        if errors:
            raise ValidationError({**errors, **_unknown(made, given)})
        return made.load(given)

    return read


def _made(schema: Schema | type[Schema]) -> Schema:
    return schema() if isinstance(schema, type) else schema


def _unknown(schema: Schema, given: Mapping[str, Any]) -> dict[str, list[str]]:
    known = [field.data_key or name for name, field in schema.load_fields.items()]
    if schema.unknown != RAISE:
        return {}
    return {key: [unknown_key(key, known)] for key in given if key not in known}
