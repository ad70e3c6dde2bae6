"""The conditions of a policy's routes: ``when`` and ``unless``, read by the registry."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from marshmallow import ValidationError

from ..i18n import N_
from .calendars import Calendar
from .conditions import CONDITIONS, Around, Clause
from .policy_toml import Mistake, Path, flat, rows, tables
from .policy_values import Rates, nearest, parse_rate
from .saying import said_by, say


def read_routes(
    raw: Mapping[str, Any], calendars: Mapping[str, Calendar]
) -> tuple[list[dict[str, tuple[Clause, ...]]], list[Mistake]]:
    """Return ``{"when": …, "unless": …}`` for each route, and what is wrong with them."""
    around = Around(rates_of(raw), _also_broken(raw, calendars))
    mistakes: list[Mistake] = []
    found: list[dict[str, tuple[Clause, ...]]] = []
    for index, route in rows(raw.get("routes")):
        clauses: dict[str, tuple[Clause, ...]] = {}
        for part in ("when", "unless"):
            given = route.get(part, {})
            # Anything but a table is the schema's to complain about.
            pairs = given.items() if isinstance(given, Mapping) else ()
            read = [_clause(("routes", index, part, name), value, around) for name, value in pairs]
            clauses[part] = tuple(one for one in read if isinstance(one, Clause))
            mistakes += [one for several in read if isinstance(several, list) for one in several]
        found.append(clauses)
    return found, mistakes


def _clause(path: Path, value: Any, around: Around) -> Clause | list[Mistake]:
    name = str(path[-1])
    condition = CONDITIONS.get(name)
    if condition is None:
        known = sorted(CONDITIONS)
        message = say(N_("is no condition: expected one of %(words)s"), words=", ".join(known))
        return [Mistake(path, message + nearest(name, known))]
    is_list = condition.many and isinstance(value, list)
    if is_list and not value:
        return [Mistake(path, say(N_("expected %(what)s, at least one"), what=condition.expected))]
    expected: list[Any] = []
    mistakes: list[Mistake] = []
    for number, one in enumerate(value if is_list else [value]):
        try:
            expected.append(condition.read(one, around))
        except ValidationError as error:
            mistakes += flat(error.messages, path)
        except ValueError as error:
            where = (*path, number) if is_list else path
            mistakes.append(Mistake(where, said_by(error) + nearest(one, condition.words)))
    return mistakes or Clause(condition, _plain(value), tuple(expected))


def _also_broken(
    raw: Mapping[str, Any], calendars: Mapping[str, Calendar]
) -> Mapping[str, Calendar]:
    """Add calendars that have been complained about, so that naming one is no further mistake."""
    told = {key: Calendar(key, ZoneInfo("UTC"), {}) for key, _ in tables(raw.get("calendars"))}
    return {**told, **calendars}


def _plain(value: Any) -> Any:
    """Make a TOML value plain JSON, for the stored reasons."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (str, int, bool)) else str(value)


def rates_of(raw: Mapping[str, Any]) -> Rates:
    """Return the exchange rates, as far as they can be read."""
    rates, currency = raw.get("rates"), raw.get("currency")
    table = rates if isinstance(rates, Mapping) else {}
    return Rates(
        currency if isinstance(currency, str) else "USD",
        {key: _rate(value) for key, value in table.items()},
    )


def _rate(value: Any) -> Decimal:
    try:
        return parse_rate(value)
    except ValueError:
        # It has been complained about: an amount in this currency is no further mistake.
        return Decimal(1)
