"""Stripe's form encoding: ``metadata[order]=7&expand[]=latest_charge`` as nested values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any


def unflatten(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Turn flat form fields into nested dictionaries and lists."""
    tree: dict[str, Any] = {}
    for name, value in pairs:
        path = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name)
        if path:
            _place(tree, path, value)
    return {name: _lists(value) for name, value in tree.items()}


def _place(tree: dict[str, Any], path: list[str], value: str) -> None:
    node = tree
    for part in path[:-1]:
        below = node.setdefault(part or str(len(node)), {})
        if not isinstance(below, dict):
            return
        node = below
    node[path[-1] or str(len(node))] = value


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(below) for key, below in value.items()}


def truth(value: object) -> bool:
    """Read a boolean as Stripe writes it in a form."""
    return value is True or value in ("true", "True", "1")
