"""Counting cases for reports: what a case counts as, and when a day is counted again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from ..types import Money, Outcome, currency_digits
from .policy_values import Rates

DAYS: Final = 30
"""Reports go back so far."""
_BANDS: Final = ((0, "up to 100"), (100, "up to 1000"), (1000, "up to 5000"), (5000, "over 5000"))
UNKNOWN: Final = "unknown"
BANDS: Final = (*(name for _over, name in _BANDS), UNKNOWN)
"""Of a checkout's value in the policy's currency; each includes its upper end."""


class State(StrEnum):
    """What became of a case."""

    OPEN = "open"
    ALONE = "alone"
    LINK = "link"
    HELPED = "helped"
    CHANGED = "changed"
    LOST = "lost"
    OTHER = "other"


_STATES: Final[Mapping[str, State]] = {
    Outcome.SELF_RECOVERED: State.ALONE,
    Outcome.RESCUED: State.LINK,
    Outcome.ASSISTED: State.HELPED,
    Outcome.SAVED_CHANGE: State.CHANGED,
    Outcome.LOST: State.LOST,
}
_CREDIT: Final = (State.HELPED, State.LINK, State.ALONE)
"""Who has the credit for a checkout with several cases, the strongest claim first."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted of one case.

    Args:
        checkout: its ref, or whatever else tells purchases apart.
        provider: the gateway, where a payment failed.
        ended: it has come to an end, by ``outcome`` or without one.
        answered_in: until the first answer, of which ``due_in`` was allowed.
        overdue: nobody has answered in time, as of now.
    """

    checkout: str
    team: str
    category: str
    failure_class: str | None
    provider: str | None
    value: Money | None
    ended: bool
    outcome: str | None
    answered_in: timedelta | None = None
    due_in: timedelta | None = None
    overdue: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """What cases have in common that are counted together."""

    team: str
    category: str
    failure_class: str | None
    provider: str | None
    band: str
    state: State


@dataclass(frozen=True, slots=True)
class Count:
    """Cases of a kind.

    Args:
        value_minor: in the policy's currency, each checkout once.
        due: those of which it is known whether the first answer was ``in_time``.
    """

    cases: int = 0
    value_minor: int = 0
    due: int = 0
    in_time: int = 0
    answered: int = 0
    answer_seconds: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(
            self.cases + other.cases,
            self.value_minor + other.value_minor,
            self.due + other.due,
            self.in_time + other.in_time,
            self.answered + other.answered,
            self.answer_seconds + other.answer_seconds,
        )


def state_of(case: Counted) -> State:
    """Return what became of a case."""
    if not case.ended:
        return State.OPEN
    return _STATES.get(case.outcome or "", State.OTHER)


def band_of(value: Money | None, rates: Rates) -> str:
    """Return a value's band; that of an unknown one, or one without a rate, is unknown."""
    worth = rates.in_base(value)
    if worth is None:
        return UNKNOWN
    reached = [name for over, name in _BANDS if worth > over]
    return reached[-1] if reached else _BANDS[0][1]


def count(cases: Iterable[Counted], rates: Rates) -> dict[Kind, Count]:
    """Count the cases of a day."""
    found: dict[Kind, Count] = {}
    credited = _credited(cases := list(cases))
    for case in cases:
        kind = _kind(case, rates)
        one = _one(case)
        if credited.get(case.checkout) is case:
            one = replace(one, value_minor=_minor(case.value, rates))
        found[kind] = found.get(kind, Count()) + one
    return found


def _kind(case: Counted, rates: Rates) -> Kind:
    band = band_of(case.value, rates)
    state = state_of(case)
    return Kind(case.team, case.category, case.failure_class, case.provider, band, state)


def _one(case: Counted) -> Count:
    answered = case.answered_in is not None
    in_time = (
        case.answered_in is not None and case.due_in is not None and case.answered_in <= case.due_in
    )
    is_known = case.due_in is not None and (answered or case.overdue)
    return Count(
        cases=1,
        due=int(is_known),
        in_time=int(in_time),
        answered=int(answered),
        answer_seconds=int(case.answered_in.total_seconds()) if case.answered_in else 0,
    )


def _minor(value: Money | None, rates: Rates) -> int:
    worth = rates.in_base(value)
    if worth is None:
        return 0
    return int(worth.scaleb(currency_digits(rates.currency)).to_integral_value())


def _credited(cases: Sequence[Counted]) -> dict[str, Counted]:
    """Return of each checkout the one case that its value is put down to."""

    def claim(case: Counted) -> int:
        state = state_of(case)
        return _CREDIT.index(state) if state in _CREDIT else len(_CREDIT)

    best: dict[str, Counted] = {}
    for case in cases:
        other = best.get(case.checkout)
        if other is None or claim(case) < claim(other):
            best[case.checkout] = case
    return best


def day_to_count(counted: Mapping[date, datetime], now: datetime) -> date | None:
    """Return the day that is to be counted next, if one is.

    Young days change all the time and are counted often, old ones hardly and seldom.

    Args:
        counted: when each day was counted last.
        now: aware UTC; days are those of UTC.
    """
    today = now.astimezone(UTC).date()
    late: list[tuple[float, date]] = []
    for age in range(DAYS + 1):
        day = today - timedelta(days=age)
        wait = _pause(age)
        last = counted.get(day)
        waited = (now - last) / wait if last is not None else float("inf")
        if waited >= 1:
            late.append((waited, day))
    return max(late, default=(0.0, None))[1]


def _pause(age: int) -> timedelta:
    if age == 0:
        return timedelta(minutes=1)
    return timedelta(minutes=15) if age == 1 else timedelta(hours=3)
