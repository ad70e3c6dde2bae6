"""Reports: cases are counted beside the requests, day by day, and added up for a page."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..data import queries_report as queries
from ..errors import PermissionDeniedError
from ..rules import clocks, tally
from ..rules.policy import Policy
from ..rules.tally import Count, Counted, State
from ..types import Agent, Money
from .clocks import promise_of
from .runtime import Runtime

log = logging.getLogger(__name__)

DIMENSIONS: Final = ("team", "category", "failure_class", "provider", "band")


@dataclass(frozen=True, slots=True)
class Line:
    """What became of the cases of one name of a dimension."""

    name: str | None
    states: Mapping[State, Count]

    @property
    def total(self) -> Count:
        return sum(self.states.values(), Count())

    def cases(self, *states: State) -> int:
        return sum(self.states.get(state, Count()).cases for state in states)

    def value(self, *states: State) -> int:
        """Return minor units of the policy's currency."""
        return sum(self.states.get(state, Count()).value_minor for state in states)


@dataclass(frozen=True, slots=True)
class Report:
    """What the cases have come to that were opened since a day.

    Args:
        total: of all; ``by``: of each dimension's names, the most cases first.
        days: one line a day, also of those without a case.
        counted_at: since when the youngest day has been counted, if it was.
        currency: of all amounts.
    """

    since: date
    total: Line
    days: tuple[Line, ...]
    by: Mapping[str, tuple[Line, ...]]
    counted_at: datetime | None
    currency: str


def report(runtime: Runtime, agent: Agent, *, days: int) -> Report:
    """Add up what cases of the last days have come to; today alone is one day.

    Raises:
        PermissionDeniedError: it is for supervisors.
    """
    if not agent.is_supervisor:
        raise PermissionDeniedError("reports are for supervisors")
    today = runtime.clock().astimezone(UTC).date()
    since = today - timedelta(days=days - 1)
    with runtime.read() as session:
        by_day = {line.name: line for line in _lines(session, "day", since)}
        names = [(since + timedelta(days=number)).isoformat() for number in range(days)]
        filled = tuple(by_day.get(name, Line(name, {})) for name in names)
        counted = queries.days_counted(session, today.isoformat())
        by = {name: _lines(session, name, since) for name in DIMENSIONS}
    return Report(
        since=since,
        total=_added(filled),
        days=filled,
        by=by,
        counted_at=counted.get(today.isoformat()),
        currency=runtime.policy.currency,
    )


def _lines(session: Session, dimension: str, since: date) -> tuple[Line, ...]:
    found: dict[str | None, dict[State, Count]] = {}
    for row in queries.sums_by(session, dimension, since.isoformat()):
        values = {name: int(getattr(row, name)) for name in asdict(Count())}
        found.setdefault(row.name, {})[State(row.state)] = Count(**values)
    lines = [Line(name, states) for name, states in found.items()]
    return tuple(sorted(lines, key=lambda line: (-line.total.cases, line.name or "")))


def _added(lines: tuple[Line, ...]) -> Line:
    states: dict[State, Count] = {}
    for line in lines:
        for state, one in line.states.items():
            states[state] = states.get(state, Count()) + one
    return Line(None, states)


def sweep_reports(runtime: Runtime) -> bool:
    """Count the day anew that has waited longest, if one has; whether one was counted."""
    now = runtime.clock()
    with runtime.read() as session:
        oldest = (now.astimezone(UTC).date() - timedelta(days=tally.DAYS)).isoformat()
        known = queries.days_counted(session, oldest)
    counted = {date.fromisoformat(day): at for day, at in known.items()}
    day = tally.day_to_count(counted, now)
    if day is None:
        return False
    try:
        return _count(runtime, day, known.get(day.isoformat()))
    except IntegrityError:
        log.debug("another worker counts %s", day)
        return False


def _count(runtime: Runtime, day: date, before: datetime | None) -> bool:
    since = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with runtime.write() as unit:
        if not queries.claim_day(unit.session, day.isoformat(), before, unit.now):
            return False
        policy = runtime.policy
        opened = queries.cases_opened(unit.session, since, since + timedelta(days=1))
        found = tally.count((_counted(policy, row, unit.now) for row in opened), policy.exchange)
        rows = [asdict(kind) | asdict(one) for kind, one in found.items()]
        queries.replace_tally(unit.session, day.isoformat(), rows)
    return True


def _counted(policy: Policy, row: Row[Any], now: datetime) -> Counted:
    known = row.value_minor is not None and row.currency is not None
    answered = row.first_response_at
    # Whoever went on before anybody had to answer was not kept waiting.
    until = answered or row.ended_at or now
    due = _due(policy, row, until)
    return Counted(
        checkout=row.checkout_ref or f"case:{row.id}",
        team=row.team,
        category=row.category,
        failure_class=row.failure_class,
        provider=str((row.attempt or {}).get("provider") or "")[:64] or None,
        value=Money.minor(row.value_minor, row.currency) if known else None,
        ended=row.ended_at is not None,
        outcome=row.outcome,
        answered_in=answered - row.opened_at if answered is not None else None,
        due_in=due - row.opened_at if due is not None else None,
        overdue=due is not None and until > due,
    )


def _due(policy: Policy, row: Row[Any], until: datetime) -> datetime | None:
    """Return when the first answer was due, by the service levels in force.

    Args:
        until: since when it doesn't matter any more whether the clock stands still.
    """
    if row.folded_into is not None:
        return None
    spans = [span for span in row.pauses or () if datetime.fromisoformat(span[0]) < until]
    course = clocks.Course(row.opened_at, spans=spans)
    return clocks.recompute(promise_of(policy, row), course).first_response
