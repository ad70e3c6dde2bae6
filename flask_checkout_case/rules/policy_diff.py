"""What differs between two policies: in parts for people, and line by line."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from .policy import Policy

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"
MOVED: Final = "moved"
_TABLES: Final = (
    ("team", "teams"),
    ("calendar", "calendars"),
    ("sla", "sla"),
    ("protocol", "protocols"),
)
_SINGLE: Final = (
    "currency",
    "rates",
    "hesitation",
    "prompts",
    "held_out",
    "outreach",
    "payments",
    "card_testing",
    "callbacks",
    "changes",
)


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    Args:
        what: ``added``, ``removed``, ``changed`` or ``moved`` (a route, among the routes).
        part: ``route``, ``team``, ``sla``, ``calendar``, ``protocol``, ``currency``, ``rates``,
            ``hesitation``, ``prompts``, ``held_out``, ``outreach``, ``payments``,
            ``card_testing``, ``callbacks`` or ``changes``.
        name: the key or name of it; empty where there is only one.
    """

    what: str
    part: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of a difference: ``sign`` is ``+``, ``-`` or a space; ``…`` stands for a gap."""

    sign: str
    old: int | None
    new: int | None
    text: str


def differences(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Return how ``new`` differs from ``old``; nothing for two that decide alike."""
    found = [*_routes(old, new)]
    for part, attribute in _TABLES:
        found += _table(part, getattr(old, attribute), getattr(new, attribute))
    found += [Change(CHANGED, part) for part in _SINGLE if getattr(old, part) != getattr(new, part)]
    return tuple(found)


def write_changes(changes: Sequence[Change]) -> str:
    """Write changes down, to be read by :func:`read_changes`."""
    return json.dumps([asdict(change) for change in changes])


def write_mistakes(count: int) -> str:
    """Write down, in the place of changes, that a text can't be compared: it has mistakes."""
    return json.dumps({"mistakes": count})


def read_changes(written: str | None) -> tuple[Change, ...]:
    """Read what :func:`write_changes` wrote; nothing where nothing was written."""
    found = _read(written)
    return tuple(Change(**one) for one in found) if isinstance(found, list) else ()


def read_mistakes(written: str | None) -> int:
    """Read what :func:`write_mistakes` wrote; 0 for a text that could be compared."""
    found = _read(written)
    return int(found["mistakes"]) if isinstance(found, dict) else 0


def _read(written: str | None) -> Any:
    return json.loads(written) if written else None


def line_difference(old: str, new: str, context: int = 3) -> tuple[DiffLine, ...]:
    """Return the lines that differ, each with ``context`` lines around it."""
    before, after = old.splitlines(), new.splitlines()
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    lines: list[DiffLine] = []
    for group in matcher.get_grouped_opcodes(context):
        if lines:
            lines.append(DiffLine("…", None, None, ""))
        for tag, old_from, old_to, new_from, new_to in group:
            if tag == "equal":
                pairs = zip(range(old_from, old_to), range(new_from, new_to), strict=True)
                lines += [DiffLine(" ", i + 1, j + 1, before[i]) for i, j in pairs]
                continue
            lines += [DiffLine("-", i + 1, None, before[i]) for i in range(old_from, old_to)]
            lines += [DiffLine("+", None, j + 1, after[j]) for j in range(new_from, new_to)]
    return tuple(lines)


def _table(part: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    for name in new:
        if name not in old:
            yield Change(ADDED, part, name)
        elif old[name] != new[name]:
            yield Change(CHANGED, part, name)
    for name in old:
        if name not in new:
            yield Change(REMOVED, part, name)


def _routes(old: Policy, new: Policy) -> Iterator[Change]:
    before = {route.name: _route(route) for route in old.routes}
    after = {route.name: _route(route) for route in new.routes}
    yield from _table("route", before, after)
    order = [name for name in before if name in after]
    for name in _moved(order, [name for name in after if name in before]):
        yield Change(MOVED, "route", name)


def _moved(old: list[str], new: list[str]) -> list[str]:
    """Return the fewest names whose moving makes ``new`` of ``old``."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    blocks = matcher.get_matching_blocks()
    staying = {name for block in blocks for name in old[block.a : block.a + block.size]}
    return [name for name in new if name not in staying]


def _route(route: Any) -> dict[str, Any]:
    """A route without its service level's details: a changed level is told once."""
    return {
        "team": route.team,
        "when": _clauses(route.when),
        "unless": _clauses(route.unless),
        "sla": route.sla.key if route.sla else None,
        "priority": route.priority,
        "protocol": route.protocol,
    }


def _clauses(clauses: Sequence[Any]) -> list[tuple[str, str]]:
    # Loading makes new condition objects: what they were given is compared.
    return [(clause.condition.name, repr(clause.given)) for clause in clauses]
