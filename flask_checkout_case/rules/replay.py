"""What a policy would have made of cases that have been: teams, priorities, missed due times.

Two policies are asked about the same facts, those of the moment the case was opened, and measured
by the same answers, those that were really given. Nothing is decided anew and nothing is changed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

from ..types import FailureClass, Priority
from .calendars import Calendar, Pauses, add_open
from .failures import priority_of
from .pauses import Span, standing
from .policy import Policy, Sla
from .routing import Facts, decide

FIRST_RESPONSE: Final = "first_response"
NEXT_RESPONSE: Final = "next_response"
RESOLUTION: Final = "resolution"
CLOCKS: Final = (FIRST_RESPONSE, NEXT_RESPONSE, RESOLUTION)
HOURS: Final = 168
MOST_DIFFERENCES: Final = 200
PER_HOUR: Final = 4
"""Cases that one person is thought to take on in an hour, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A case as it was, as far as a policy is measured by it.

    Args:
        outcome: of its payment: ``failed``, or ``unknown`` when the money may have moved.
        ended_at: when it was solved or closed; ``None`` while it is live.
        spans: when it waited for the customer, or had ended, see :mod:`.pauses`.
        turns: each further question of the customer, with the answer, if there was one.
        is_complete: the facts are those of the opening; else some are what the case says now.
    """

    reference: str
    facts: Facts
    opened_at: datetime
    outcome: str = "failed"
    first_response_at: datetime | None = None
    ended_at: datetime | None = None
    spans: Sequence[Span] = ()
    turns: Sequence[tuple[datetime, datetime | None]] = ()
    is_complete: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a policy makes of a case; ``missed`` names the clocks that ran out, once each."""

    route: str
    team: str
    priority: Priority
    missed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """A case of which the two policies make something else."""

    reference: str
    opened_at: datetime
    before: Verdict
    after: Verdict


@dataclass(slots=True)
class Tally:
    """The sums of one policy."""

    cases: Counter[tuple[str, Priority]] = field(default_factory=Counter)
    missed: Counter[tuple[str, str]] = field(default_factory=Counter)
    arrivals: Counter[tuple[int, int]] = field(default_factory=Counter)
    """By week and hour of the week, Monday at midnight being 0."""

    def add(self, verdict: Verdict, week: int, hour: int) -> None:
        self.cases[verdict.team, verdict.priority] += 1
        for clock in verdict.missed:
            self.missed[verdict.team, clock] += 1
        self.arrivals[week, hour] += 1


@dataclass(slots=True)
class Comparison:
    """Two policies, compared.

    Args:
        differences: the newest :data:`MOST_DIFFERENCES`; ``differing`` is how many there are.
        teams_before, teams_after: the same sums of each team alone.
        incomplete: of how many cases not all is known that was at their opening.
        is_cut: there are older cases that weren't looked at.
    """

    cases: int = 0
    differing: int = 0
    incomplete: int = 0
    is_cut: bool = False
    before: Tally = field(default_factory=Tally)
    after: Tally = field(default_factory=Tally)
    differences: list[Difference] = field(default_factory=list)
    teams_before: dict[str, Tally] = field(default_factory=dict)
    teams_after: dict[str, Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the week, 0 to 167 from Monday at midnight.

    Args:
        most: the most cases that came in it in any week.
        people: how many are needed for as many as that.
    """

    hour: int
    cases: int
    most: int
    people: int


def judge(policy: Policy, case: Recorded, now: datetime) -> Verdict:
    """Return what ``policy`` would have made of the case, measured at ``now``."""
    decision = decide(policy, case.facts)
    priority = decision.priority
    failure_class = case.facts.failure_class
    if failure_class is not None:
        priority = priority_of(FailureClass(failure_class), case.outcome, priority)
    sla = decision.sla
    calendar = policy.calendars.get(sla.calendar) if sla is not None else None
    missed = _missed(sla, calendar, case, now) if sla is not None else ()
    return Verdict(decision.route, decision.team, priority, missed)


def compare(
    before: Policy,
    after: Policy,
    cases: Iterable[Recorded],
    now: datetime,
    zone: tzinfo = UTC,
) -> Comparison:
    """Compare two policies by cases, taken one at a time: of as many as there are.

    Args:
        zone: the time zone in which the hours of the week are counted.
    """
    found = Comparison()
    for case in cases:
        old, new = judge(before, case, now), judge(after, case, now)
        week, hour = _place(case.opened_at, zone)
        found.cases += 1
        found.incomplete += not case.is_complete
        found.before.add(old, week, hour)
        found.after.add(new, week, hour)
        found.teams_before.setdefault(old.team, Tally()).add(old, week, hour)
        found.teams_after.setdefault(new.team, Tally()).add(new, week, hour)
        if old != new:
            found.differing += 1
            if len(found.differences) < MOST_DIFFERENCES:
                found.differences.append(Difference(case.reference, case.opened_at, old, new))
    return found


def staffing(tally: Tally | None, per_hour: int = PER_HOUR) -> tuple[Hour, ...]:
    """Return how many people each hour of the week needs, for the most that came in it.

    Args:
        per_hour: cases that one person takes on in an hour.
    """
    cases: Counter[int] = Counter()
    most: Counter[int] = Counter()
    for (_, hour), count in tally.arrivals.items() if tally is not None else ():
        cases[hour] += count
        most[hour] = max(most[hour], count)
    return tuple(
        Hour(hour, cases[hour], most[hour], math.ceil(most[hour] / per_hour))
        for hour in range(HOURS)
    )


def _place(at: datetime, zone: tzinfo) -> tuple[int, int]:
    local = at.astimezone(zone)
    monday = local.date() - timedelta(days=local.weekday())
    return monday.toordinal(), local.weekday() * 24 + local.hour


def _missed(sla: Sla, calendar: Calendar | None, case: Recorded, now: datetime) -> tuple[str, ...]:
    answered, ended = case.first_response_at, case.ended_at
    waited = standing(case.spans, answered)
    late = {
        FIRST_RESPONSE: _is_late(
            sla.first_response, calendar, case.opened_at, answered or ended or now
        ),
        NEXT_RESPONSE: any(
            _is_late(sla.next_response, calendar, asked, told or ended or now)
            for asked, told in case.turns
        ),
        RESOLUTION: _is_late(sla.resolution, calendar, case.opened_at, ended or now, waited),
    }
    return tuple(clock for clock in CLOCKS if late[clock])


def _is_late(
    length: timedelta | None,
    calendar: Calendar | None,
    start: datetime,
    done: datetime,
    pauses: Pauses = (),
) -> bool:
    if length is None:
        return False
    due = add_open(calendar, start, length, pauses)
    return due is not None and done > due
