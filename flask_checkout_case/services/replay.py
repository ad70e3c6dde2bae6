"""The last days' cases against a draft of the policy. Reads, and writes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice
from typing import Any, Final, TypeAlias

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ..data import queries_replay as queries
from ..rules.failures import category_of
from ..rules.policy import Policy
from ..rules.replay import Comparison, Difference, Hour, Recorded, Verdict, compare, staffing
from ..rules.routing import Facts
from ..types import Agent, Category, FailureClass, Money, Origin, Priority
from .permission import may
from .reading import info
from .runtime import Runtime

DIFFERENCES_TOLD: Final = 20
_FAILED: Final = "payment_failed"
_BY_SIGNAL: Final = (Origin.SIGNAL, Origin.GATEWAY)
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
Message: TypeAlias = Row[int, datetime, str, str | None]
Signal: TypeAlias = Row[int, datetime, dict[str, Any] | None]
Turns: TypeAlias = list[tuple[datetime, datetime | None]]


def replay(
    runtime: Runtime,
    draft: Policy,
    *,
    days: int,
    most: int | None = None,
    zone: tzinfo = UTC,
) -> Comparison:
    """Compare the policy in force with a draft.

    Args:
        days: how far back cases are taken from, by when they were opened.
        most: at most so many cases, the newest; ``None`` takes all.
        zone: the time zone in which the hours of the week are counted.
    """
    now = runtime.clock()
    with runtime.read() as session:
        cases = recorded(session, now - timedelta(days=days))
        found = compare(runtime.policy, draft, islice(cases, most), now, zone)
        found.is_cut = next(cases, None) is not None
    return found


def differences_for(runtime: Runtime, agent: Agent, found: Comparison) -> list[Difference]:
    """Return the differences in cases that the agent may see; sums tell of no single case."""
    if runtime.hooks.permission is None and agent.is_supervisor:
        return found.differences
    with runtime.read() as session:
        rows = queries.cases_named(session, [one.reference for one in found.differences])
    seen = {row.reference for row in rows if may(runtime, agent, "view", info(row))}
    return [one for one in found.differences if one.reference in seen]


def recorded(session: Session, since: datetime) -> Iterator[Recorded]:
    """Yield the cases opened since then as they were, the newest first."""
    for rows in queries.opened_since(session, since):
        case_ids = [row.id for row in rows]
        messages: dict[int, list[Message]] = defaultdict(list)
        for message in queries.messages_of(session, case_ids):
            messages[message.case_id].append(message)
        signals = {one.case_id: one for one in queries.first_signals_of(session, case_ids)}
        for row in rows:
            yield _recorded(row, messages[row.id], _opening_signal(row, signals.get(row.id)))


def told(found: Comparison, per_hour: int) -> Iterator[str]:
    """Yield lines for a terminal: before and after, side by side."""
    yield f"{found.cases} case(s), {found.differing} of them differ"
    if found.is_cut:
        yield "these are the newest; there are more"
    if found.incomplete:
        yield f"{found.incomplete} case(s) lack their first signal: what they say now counts"
    before, after = found.before, found.after
    ranks = list(Priority)
    keys = sorted({*before.cases, *after.cases}, key=lambda key: (key[0], -ranks.index(key[1])))
    yield from _table_of(
        ("team", "priority"), [(key, before.cases[key], after.cases[key]) for key in keys]
    )
    late = sorted({*before.missed, *after.missed})
    yield from _table_of(
        ("team", "missed"), [(key, before.missed[key], after.missed[key]) for key in late]
    )
    yield from _people(found, per_hour)
    for one in found.differences[:DIFFERENCES_TOLD]:
        yield f"{one.reference}  {_verdict(one.before)} -> {_verdict(one.after)}"
    if found.differing > DIFFERENCES_TOLD:
        yield f"and {found.differing - DIFFERENCES_TOLD} more"


def _table_of(
    heads: tuple[str, str], rows: Sequence[tuple[tuple[str, str], int, int]]
) -> Iterator[str]:
    yield ""
    yield f"{heads[0]:<20}{heads[1]:<16}{'now':>8}{'draft':>8}{'':>4}"
    for (team, word), old, new in rows:
        change = f"{new - old:+d}" if new != old else "="
        yield f"{team:<20}{word:<16}{old:>8}{new:>8}{change:>8}"


def _people(found: Comparison, per_hour: int) -> Iterator[str]:
    yield ""
    yield f"people needed in the busiest hour of each day, {per_hour} case(s) an hour each"
    yield f"{'team':<20}" + "".join(f"{day:>8}" for day in DAYS)
    for team in sorted({*found.teams_before, *found.teams_after}):
        old = staffing(found.teams_before.get(team), per_hour)
        new = staffing(found.teams_after.get(team), per_hour)
        days = [(_most(old, day), _most(new, day)) for day in range(7)]
        cells = (f"{was}>{will}" if was != will else str(was) for was, will in days)
        yield f"{team:<20}" + "".join(f"{cell:>8}" for cell in cells)
    yield ""


def _most(hours: Sequence[Hour], day: int) -> int:
    return max(hour.people for hour in hours[day * 24 : day * 24 + 24])


def _verdict(verdict: Verdict) -> str:
    late = f", missed {' '.join(verdict.missed)}" if verdict.missed else ""
    return f"{verdict.team} {verdict.priority} ({verdict.route}{late})"


def _opening_signal(row: Row[Any], first: Signal | None) -> Mapping[str, Any]:
    """Return the signal that opened the case; one that came later was no fact then."""
    return _table(first.data) if first is not None and first.at == row.opened_at else {}


def _recorded(row: Row[Any], messages: Sequence[Message], opening: Mapping[str, Any]) -> Recorded:
    # What has failed since stands in the case's own columns.
    attempt = opening if opening.get("signal") == _FAILED else _table(row.attempt)
    return Recorded(
        reference=row.reference,
        facts=_facts(row, messages, attempt, opening),
        opened_at=row.opened_at,
        outcome=str(attempt.get("outcome") or "failed"),
        first_response_at=row.first_response_at,
        ended_at=row.ended_at,
        spans=row.pauses,
        turns=_turns(messages, row.first_response_at),
        is_complete=bool(opening) or row.origin not in _BY_SIGNAL,
    )


def _facts(
    row: Row[Any],
    messages: Sequence[Message],
    attempt: Mapping[str, Any],
    opening: Mapping[str, Any],
) -> Facts:
    """Return what was known when the case was opened, as far as it was kept."""
    snapshot = _table((row.snapshot or {}).get("checkout"))
    customer = _table(snapshot.get("customer"))
    is_told = attempt is opening
    told = attempt.get("failure_class") if is_told else row.failure_class
    failure_class = FailureClass(told) if told else None
    category = category_of(failure_class) if is_told and failure_class else None
    available = opening.get("available")
    value = (
        Money.minor(row.value_minor, row.currency)
        if row.value_minor is not None and row.currency
        else None
    )
    return Facts(
        category=category or Category(row.category),
        origin=Origin(row.origin),
        failure_class=failure_class,
        decline_code=attempt.get("raw_code"),
        provider=attempt.get("provider"),
        total=value,
        country=snapshot.get("country") or customer.get("country"),
        step=snapshot.get("step"),
        tags=tuple(customer.get("tags") or ()),
        orders=customer.get("orders"),
        language=row.language or customer.get("language"),
        text=_opening_text(row, messages),
        attempts=1 if failure_class else None,
        stock=available if isinstance(available, int) else None,
        at=row.opened_at,
    )


def _opening_text(row: Row[Any], messages: Sequence[Message]) -> str | None:
    # A message that came later was no fact when the case was routed.
    first = messages[0] if messages else None
    if first is None or first.author != "customer" or first.at > row.opened_at:
        return None
    return first.text or None


def _turns(messages: Sequence[Message], answered: datetime | None) -> Turns:
    """Return each question after the first answer, with its own answer."""
    turns: Turns = []
    if answered is None:
        return turns
    asked: datetime | None = None
    for message in messages:
        if message.at <= answered:
            continue
        if message.author == "customer":
            asked = asked or message.at
        elif message.author == "agent" and asked is not None:
            turns.append((asked, message.at))
            asked = None
    return [*turns, (asked, None)] if asked is not None else turns


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
