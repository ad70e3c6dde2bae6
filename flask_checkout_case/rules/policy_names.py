"""What a policy names has to exist, and its routes have to be within reach."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..i18n import N_
from .calendars import ALWAYS
from .policy_schema import CLOCKS
from .policy_toml import Mistake, Path, rows, tables
from .policy_values import nearest
from .saying import say


def dangling(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    """Yield a mistake for each name that leads nowhere and each route that stands wrongly."""
    teams = _keys(raw, "teams")
    yield from _service_levels(raw, teams)
    for key, protocol in tables(raw.get("protocols")):
        for number, task in rows(protocol.get("tasks")):
            path: Path = ("protocols", key, "tasks", number, "owner")
            owners = ["assignee", "supervisors", *teams]
            yield from _unknown(path, task.get("owner"), owners, "assignee, supervisors or [teams]")
    yield from _callbacks(raw)
    yield from _routes(raw, teams)


def _callbacks(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    told = raw.get("callbacks")
    if isinstance(told, Mapping):
        calendars = dict.fromkeys([ALWAYS, *_keys(raw, "calendars")])
        path: Path = ("callbacks", "calendar")
        yield from _unknown(path, told.get("calendar"), calendars, f"{ALWAYS} or [calendars]")


def _service_levels(raw: Mapping[str, Any], teams: list[str]) -> Iterator[Mistake]:
    calendars = dict.fromkeys([ALWAYS, *_keys(raw, "calendars")])
    protocols = _keys(raw, "protocols")
    for key, sla in tables(raw.get("sla")):
        path: Path = ("sla", key)
        told = f"{ALWAYS} or [calendars]"
        yield from _unknown((*path, "calendar"), sla.get("calendar"), calendars, told)
        moments: set[tuple[Any, Any, Any]] = set()
        for number, step in rows(sla.get("escalate")):
            where = (*path, "escalate", number)
            yield from _unknown((*where, "team"), step.get("team"), teams, "[teams]")
            yield from _unknown(
                (*where, "protocol"), step.get("protocol"), protocols, "[protocols]"
            )
            clock = step.get("clock", CLOCKS[0])
            if clock in CLOCKS and clock not in sla:
                targets = [one for one in CLOCKS if one in sla]
                message = say(
                    N_("expected a clock that %(table)s sets: %(words)s"),
                    table=f"[sla.{key}]",
                    words=", ".join(targets) or say(N_("none")),
                )
                yield Mistake((*where, "clock"), message)
            moment = (str(clock), str(step.get("at")), str(step.get("after")))
            if moment in moments:
                yield Mistake(where, say(N_("expected one step for a moment: there is one above")))
            moments.add(moment)


def _routes(raw: Mapping[str, Any], teams: list[str]) -> Iterator[Mistake]:
    routes = list(rows(raw.get("routes")))
    named = {"team": ("teams", teams)} | {
        key: (table, _keys(raw, table))
        for key, table in (("sla", "sla"), ("protocol", "protocols"))
    }
    names: set[object] = set()
    for index, route in routes:
        for key, (table, known) in named.items():
            yield from _unknown(("routes", index, key), route.get(key), known, f"[{table}]")
        name = route.get("name")
        if isinstance(name, str) and name in names:
            message = N_("expected a name of its own; there is a route %(name)s above")
            yield Mistake(("routes", index, "name"), say(message, name=repr(name)))
        names.add(name if isinstance(name, str) else None)
        is_open = not route.get("when") and not route.get("unless")
        is_last = index == len(routes) - 1
        if is_open and not is_last:
            message = N_("expected `when` or `unless`: no case would ever reach the routes below")
            yield Mistake(("routes", index), say(message))
        if is_last and not is_open:
            message = N_("expected a last route without `when` and `unless`, for everything else")
            yield Mistake(("routes", index), say(message))


def _unknown(path: Path, word: Any, known: Iterable[str], where: str) -> Iterator[Mistake]:
    known = list(known)
    if isinstance(word, str) and word not in known:
        message = say(
            N_("expected one of %(where)s: %(words)s"),
            where=where,
            words=", ".join(known) or say(N_("there are none")),
        )
        yield Mistake(path, message + nearest(word, known))


def _keys(raw: Mapping[str, Any], table: str) -> list[str]:
    return [key for key, _ in tables(raw.get(table))]
