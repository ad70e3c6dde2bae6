"""When a case is due, and which of its thresholds have passed.

Everything is computed from what the case has stored, from its origin on, never from when a job
happened to look: a scheduler that was down catches up, each threshold fires once, and a change of
the service level or its calendar keeps the time that has run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from .calendars import Calendar, Pauses, add_open
from .pauses import Span, standing
from .policy import Sla, Step

WARNING: Final = 75
BREACH: Final = 100
CHECKOUT: Final = "checkout"
"""Not of a service level: what the checkout itself runs out of, such as a stock reservation."""
_TARGET: Final = "target:"


@dataclass(frozen=True, slots=True)
class Promise:
    """A service level and the hours in which its time runs; ``None`` is around the clock."""

    sla: Sla | None
    calendar: Calendar | None = None

    @property
    def target(self) -> str:
        """Changes with what is promised: the service level, its lengths, its hours."""
        sla, hours = self.sla, self.calendar
        if sla is None:
            return f"{_TARGET}none"
        told: list[object] = [sla.key, sla.first_response, sla.next_response, sla.resolution]
        if hours is not None:
            told += [hours.timezone.key, sorted(hours.shifts.items()), sorted(hours.breaks.items())]
            if isinstance(hours.holidays, frozenset):
                told.append(sorted(hours.holidays))
        return _TARGET + hashlib.sha256(repr(told).encode()).hexdigest()[:8]


@dataclass(frozen=True, slots=True)
class Course:
    """What has happened to a case, as far as its clocks ask.

    Args:
        first_response_at: when a human first answered in public.
        unanswered_since: the first message of the customer that nobody has answered.
        spans: when it waited for the customer, or had ended, see :mod:`.pauses`.
        checkout_due: when the checkout itself runs out of time.
        revision: how often its target has changed, from 1.
        ended: the case is solved or closed, or left to an incident; nothing runs.
    """

    opened_at: datetime
    first_response_at: datetime | None = None
    unanswered_since: datetime | None = None
    spans: Sequence[Span] = ()
    checkout_due: datetime | None = None
    revision: int = 1
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Dues:
    """Due times that are still running, UTC; ``None`` where none is."""

    first_response: datetime | None = None
    next_response: datetime | None = None
    resolution: datetime | None = None
    checkout: datetime | None = None

    @property
    def earliest(self) -> datetime | None:
        """The next due time of them all."""
        dues = (self.first_response, self.next_response, self.resolution, self.checkout)
        return min((due for due in dues if due is not None), default=None)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A moment on a clock, reached at ``at``.

    Args:
        percent: of the open time to ``due``; what comes after it is at 100.
        after: so long after ``due``, by the wall clock.
        steps: of the escalation, that act now.
        key: what is stored when it has fired: clock, moment, revision, and what a clock that may
            run several times runs for.
    """

    at: datetime
    percent: int
    after: timedelta
    clock: str
    due: datetime
    steps: tuple[Step, ...]
    key: str

    @property
    def breaches(self) -> bool:
        """Whether this is the due time itself, not what comes before or long after it."""
        return self.percent == BREACH and not self.after


@dataclass(frozen=True, slots=True)
class _Running:
    clock: str
    start: datetime
    length: timedelta
    due: datetime
    calendar: Calendar | None = None
    pauses: Pauses = ()
    turn: str = ""

    def at(self, percent: int) -> datetime | None:
        if percent == BREACH:
            return self.due
        return add_open(self.calendar, self.start, self.length * percent / 100, self.pauses)

    def key(self, moment: str, revision: int) -> str:
        return f"{self.clock}:{moment}:{revision}" + (f":{self.turn}" if self.turn else "")


def recompute(promise: Promise, course: Course, fired: Collection[str] = ()) -> Dues:
    """Return the due times that are still running, from the case's origin.

    Args:
        fired: the keys that have; a checkout whose time has run out is due no more.
    """
    found = {
        one.clock: one.due
        for one in _running(promise, course)
        if one.clock != CHECKOUT or one.key(str(BREACH), course.revision) not in fired
    }
    return Dues(**found)


def first_dues(sla: Sla | None, opened_at: datetime, calendar: Calendar | None = None) -> Dues:
    """Return the due times of a case that has just been opened."""
    return recompute(Promise(sla, calendar), Course(opened_at))


def thresholds(promise: Promise, course: Course) -> Iterator[Threshold]:
    """Yield every threshold of the clocks that run, fired or not."""
    steps = promise.sla.escalate if promise.sla is not None else ()
    for one in _running(promise, course):
        of_clock = [step for step in steps if step.clock == one.clock]
        percents = {step.percent for step in of_clock if step.percent is not None}
        for percent in sorted({WARNING, BREACH} | percents):
            at = one.at(percent)
            if at is not None:
                acting = tuple(step for step in of_clock if step.percent == percent)
                key = one.key(str(percent), course.revision)
                yield Threshold(at, percent, timedelta(0), one.clock, one.due, acting, key)
        for after in sorted({step.after for step in of_clock if step.after is not None}):
            acting = tuple(step for step in of_clock if step.after == after)
            key = one.key(f"{BREACH}+{after.total_seconds():.0f}", course.revision)
            yield Threshold(one.due + after, BREACH, after, one.clock, one.due, acting, key)


def warns_at(promise: Promise, course: Course, clock: str) -> datetime | None:
    """Return when a clock warns, past or to come; ``None`` when it doesn't run."""
    start, due = course.opened_at, course.checkout_due
    if clock == CHECKOUT:
        return None if due is None else start + (due - start) * WARNING / 100
    for name, since, length, pauses, _ in _clocks(promise.sla, course):
        if name == clock and since is not None and length is not None:
            return add_open(promise.calendar, since, length * WARNING / 100, pauses)
    return None


def fired_now(
    promise: Promise, course: Course, fired: Collection[str], now: datetime
) -> list[Threshold]:
    """Return the thresholds reached by ``now`` that haven't fired, in the order they passed.

    Args:
        fired: the keys of those that have.
    """
    reached = [one for one in thresholds(promise, course) if one.at <= now and one.key not in fired]
    return sorted(reached, key=lambda one: (one.at, one.percent, one.after, one.clock))


def wake_at(promise: Promise, course: Course, fired: Collection[str]) -> datetime | None:
    """Return when the next threshold fires, which may be in the past; ``None`` when all have."""
    waiting = thresholds(promise, course)
    return min((one.at for one in waiting if one.key not in fired), default=None)


def retarget(
    promise: Promise, course: Course, fired: Sequence[str], now: datetime
) -> tuple[int, list[str]]:
    """Return the revision and the fired keys that hold for what is promised now.

    A new target is a new revision, whose thresholds fire anew. One that had fired and has passed
    by the new target too isn't told of again; one that comes later now will be.
    """
    kept = [key for key in fired if not key.startswith(_TARGET)]
    if promise.target in fired:
        return course.revision, list(fired)
    if not fired:  # a case that has just been opened
        return course.revision, [promise.target]
    renewed = replace(course, revision=course.revision + 1)
    told = {
        place
        for revision in range(1, renewed.revision)
        for place, one in enumerate(thresholds(promise, replace(course, revision=revision)))
        if one.key in fired
    }
    again = [
        one.key
        for place, one in enumerate(thresholds(promise, renewed))
        if place in told and one.at <= now
    ]
    return renewed.revision, [promise.target, *kept, *again]


def _running(promise: Promise, course: Course) -> Iterator[_Running]:
    if course.ended:
        return
    for clock, start, length, pauses, turn in _clocks(promise.sla, course):
        if start is None or length is None:
            continue
        due = add_open(promise.calendar, start, length, pauses)
        if due is not None:
            yield _Running(clock, start, length, due, promise.calendar, pauses, turn)
    start, due = course.opened_at, course.checkout_due
    if due is not None and due > start:
        yield _Running(CHECKOUT, start, due - start, due, turn=_turn(due))


def _clocks(
    sla: Sla | None, course: Course
) -> Iterator[tuple[str, datetime | None, timedelta | None, Pauses, str]]:
    if sla is None:
        return
    shut = standing(course.spans, None)
    if course.first_response_at is None:
        yield "first_response", course.opened_at, sla.first_response, shut, ""
    else:
        since = course.unanswered_since
        yield "next_response", since, sla.next_response, (), _turn(since) if since else ""
    waited = standing(course.spans, course.first_response_at)
    yield "resolution", course.opened_at, sla.resolution, waited, ""


def _turn(at: datetime) -> str:
    return f"{int(at.timestamp() * 1000):x}"
