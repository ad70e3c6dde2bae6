"""What a route may ask about a case. The shop adds its own with ``@cases.condition("name")``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from ...errors import ConfigurationError
from .base import Around, Clause, Condition, Facts, Finding
from .own import Parameters, is_name, own_condition
from .shipped import SHIPPED

__all__ = [
    "CONDITIONS",
    "Around",
    "Clause",
    "Condition",
    "Facts",
    "Finding",
    "is_own",
    "register",
]

_OURS: Final[Mapping[str, Condition]] = {condition.name: condition for condition in SHIPPED}
CONDITIONS: Final[dict[str, Condition]] = dict(_OURS)
"""Every condition by its name, the shop's own included."""


def is_own(name: str) -> bool:
    """Whether a condition is the shop's: it holds or doesn't, and tells of no value it found."""
    return name not in _OURS


def register(name: str, function: Callable[[Facts, Any], bool], schema: Parameters = None) -> None:
    """Make ``function(facts, given)`` a condition that policies use as ``name = …``.

    Args:
        name: small letters, digits and underscores.
        function: ``given`` is what the schema has made of the policy's value; without a schema
            whatever TOML can hold. When it raises, the routes that ask it don't match.
        schema: a marshmallow ``Schema`` when a table is given, a field when one value is. What it
            refuses stops the policy from being loaded, with file, line and key.

    Raises:
        ConfigurationError: the name is no such word, or one of our own conditions'.
    """
    if not is_name(name):
        raise ConfigurationError(f"{name!r} can't name a condition: expected a word like 'is_vip'")
    if name in _OURS:
        raise ConfigurationError(f"there is a condition {name!r} already")
    CONDITIONS[name] = own_condition(name, function, schema)
