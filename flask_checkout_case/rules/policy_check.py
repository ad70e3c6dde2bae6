"""From the parsed TOML to a policy, or to the list of everything that is wrong with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from marshmallow import ValidationError

from ..types import Priority
from .calendars import ALWAYS
from .conditions import CONDITIONS, CURRENCY_NEEDED, Clause
from .policy import Hesitation, Outreach, Policy, Route, Sla, Team
from .policy_schema import PolicySchema, nearest
from .policy_toml import Path
from .policy_values import Rates

_NOT_YET: Final = (
    "is not supported by this version, which knows the calendar 'always' (24×7) and no escalation"
)


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong, and where: ``path`` leads to it from the top of the file."""

    path: Path
    message: str

    @property
    def key(self) -> str:
        """The path as people write it: ``routes[0].when.total_over``."""
        written = ""
        for part in self.path:
            written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
        return written or "the file"


def build(
    raw: Mapping[str, Any], *, version: str, source: str
) -> tuple[Policy | None, list[Mistake]]:
    """Return the policy, or ``None`` and every mistake."""
    mistakes = list(_unsupported(raw))
    loaded: dict[str, Any] = {}
    try:
        loaded = PolicySchema().load(_supported(raw))
    except ValidationError as error:
        mistakes += _flat(error.messages_dict)
    mistakes += _dangling(raw)
    routes, in_routes = _read_routes(raw)
    mistakes += in_routes
    mistakes += _without_rate(loaded)
    if mistakes:
        return None, mistakes
    slas = {key: Sla(key=key, **told) for key, told in loaded["sla"].items()}
    return (
        Policy(
            currency=loaded["currency"],
            rates=loaded["rates"],
            teams={
                key: Team(key=key, **{"name": key.capitalize(), **told})
                for key, told in loaded["teams"].items()
            },
            sla=slas,
            routes=tuple(
                Route(
                    **{
                        **told,
                        **clauses,
                        "sla": slas.get(told.get("sla", "")),
                        "priority": Priority(told.get("priority", Priority.NORMAL)),
                    }
                )
                for told, clauses in zip(loaded["routes"], routes, strict=True)
            ),
            hesitation=Hesitation(**loaded["hesitation"]),
            outreach=Outreach(
                after=loaded["outreach"]["payment_failed_after"],
                enabled=loaded["outreach"]["enabled"],
            ),
            version=version,
            source=source,
        ),
        [],
    )


# --- what a later version will know --------------------------------------------------------------


def _unsupported(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    if "calendars" in raw:
        yield Mistake(("calendars",), _NOT_YET)
    for key, sla in _tables(raw.get("sla")):
        if "escalate" in sla:
            yield Mistake(("sla", key, "escalate"), _NOT_YET)
        if sla.get("calendar", ALWAYS) != ALWAYS:
            yield Mistake(("sla", key, "calendar"), f"expected 'always': any other {_NOT_YET}")


def _supported(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what has been complained about, so that it isn't complained about twice."""
    kept = {key: value for key, value in raw.items() if key != "calendars"}
    slas = raw.get("sla")
    if isinstance(slas, Mapping):
        kept["sla"] = {
            key: {
                name: value for name, value in sla.items() if name not in {"escalate", "calendar"}
            }
            if isinstance(sla, Mapping)
            else sla
            for key, sla in slas.items()
        }
    return kept


# --- names that lead nowhere, routes in a bad order ----------------------------------------------


def _dangling(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    routes = list(_routes(raw))
    teams = [key for key, _ in _tables(raw.get("teams"))]
    slas = [key for key, _ in _tables(raw.get("sla"))]
    names: set[object] = set()
    for index, route in routes:
        for key, known in (("team", teams), ("sla", slas)):
            named = route.get(key)
            if isinstance(named, str) and named not in known:
                table = "teams" if key == "team" else key
                message = f"expected one of [{table}]: {', '.join(known) or 'there are none'}"
                yield Mistake(("routes", index, key), message + nearest(named, known))
        name = route.get("name")
        if isinstance(name, str) and name in names:
            message = f"expected a name of its own; there is a route {name!r} above"
            yield Mistake(("routes", index, "name"), message)
        names.add(name if isinstance(name, str) else None)
        is_open = not route.get("when") and not route.get("unless")
        is_last = index == len(routes) - 1
        if is_open and not is_last:
            message = "expected `when` or `unless`: no case would ever reach the routes below"
            yield Mistake(("routes", index), message)
        if is_last and not is_open:
            message = "expected a last route without `when` and `unless`, for everything else"
            yield Mistake(("routes", index), message)


# --- conditions ----------------------------------------------------------------------------------


def _read_routes(
    raw: Mapping[str, Any],
) -> tuple[list[dict[str, tuple[Clause, ...]]], list[Mistake]]:
    rates, mistakes = _rates(raw), []
    found: list[dict[str, tuple[Clause, ...]]] = []
    for index, route in _routes(raw):
        clauses: dict[str, tuple[Clause, ...]] = {}
        for part in ("when", "unless"):
            given = route.get(part, {})
            # Anything but a table is the schema's to complain about.
            pairs = given.items() if isinstance(given, Mapping) else ()
            read = [_clause(("routes", index, part, name), value, rates) for name, value in pairs]
            clauses[part] = tuple(one for one in read if isinstance(one, Clause))
            mistakes += [one for several in read if isinstance(several, list) for one in several]
        found.append(clauses)
    return found, mistakes


def _clause(path: Path, value: Any, rates: Rates) -> Clause | list[Mistake]:
    name = str(path[-1])
    condition = CONDITIONS.get(name)
    if condition is None:
        known = sorted(CONDITIONS)
        message = f"is no condition: expected one of {', '.join(known)}"
        return [Mistake(path, message + nearest(name, known))]
    is_list = condition.many and isinstance(value, list)
    if is_list and not value:
        return [Mistake(path, f"expected {condition.expected}, at least one")]
    expected, mistakes = [], []
    for number, one in enumerate(value if is_list else [value]):
        try:
            expected.append(condition.read(one, rates))
        except ValueError as error:
            where = (*path, number) if is_list else path
            mistakes.append(Mistake(where, f"{error}{nearest(one, condition.words)}"))
    return mistakes or Clause(condition, _plain(value), tuple(expected))


def _plain(value: Any) -> Any:
    """Make a TOML value plain JSON, for the stored reasons."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def _rates(raw: Mapping[str, Any]) -> Rates:
    rates, currency = raw.get("rates"), raw.get("currency")
    table = rates if isinstance(rates, Mapping) else {}
    return Rates(
        currency if isinstance(currency, str) else "USD",
        {
            key: Decimal(value)
            for key, value in table.items()
            if isinstance(value, (int, Decimal)) and not isinstance(value, bool)
        },
    )


def _without_rate(loaded: Mapping[str, Any]) -> Iterator[Mistake]:
    if loaded:
        over = loaded["hesitation"]["over"]
        if Rates(loaded["currency"], loaded["rates"]).in_base(over) is None:
            yield Mistake(("hesitation", "over"), f"expected {CURRENCY_NEEDED}")


# --- reading what may be anything ----------------------------------------------------------------


def _tables(value: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    items = value.items() if isinstance(value, Mapping) else ()
    return [(key, one) for key, one in items if isinstance(one, Mapping)]


def _routes(raw: Mapping[str, Any]) -> Iterable[tuple[int, Mapping[str, Any]]]:
    routes = raw.get("routes")
    items = enumerate(routes) if isinstance(routes, list) else ()
    return [(index, one) for index, one in items if isinstance(one, Mapping)]


def _flat(messages: Any, path: Path = ()) -> Iterator[Mistake]:
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from _flat(below, path if key == "_schema" else (*path, key))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield Mistake(path, str(message))
