"""What a checkout's payment events, in whatever order they came, say about its money.

Attempts are folded from the stored events; nothing is kept beside them. A success is never taken
back by a failure that is reported later, and two reports of one attempt are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from ..types import Family
from .lifecycle import dedupe_key
from .policy import Payments

STARTED: Final = "payment_started"
FAILED: Final = "payment_failed"
SUCCEEDED: Final = "payment_succeeded"
CANCELED: Final = "payment_canceled"
PAYMENT_EVENTS: Final = frozenset({STARTED, FAILED, SUCCEEDED, CANCELED})

ASK_FIRST: Final = timedelta(seconds=30)
"""So long after an unknown outcome the gateway is asked first; then whenever that time doubles."""
ASK_UNTIL: Final = timedelta(days=1)
_SECOND: Final = timedelta(microseconds=999_999)


class State(StrEnum):
    """How an attempt stands; a later one here wins over an earlier one."""

    STARTED = "started"
    ACTION = "action"
    UNKNOWN = "unknown"
    FAILED = "failed"
    CANCELED = "canceled"
    SUCCEEDED = "succeeded"


_RANK: Final = {state: rank for rank, state in enumerate(State)}


# What any report of an attempt may tell, whichever of them decides its state.
_KEPT: Final = ("method", "amount_minor", "currency", "livemode", "merchant_account")


class Conflict(StrEnum):
    """Money and orders that don't agree."""

    CHARGED_TWICE = "charged_twice"
    CHARGED_WITHOUT_ORDER = "charged_without_order"


def conflict_key(checkout_ref: str, conflict: Conflict) -> str:
    """Return the dedupe key of a checkout's conflict: it has one case, also after it has ended."""
    return dedupe_key(Family.MESSAGE, checkout_ref=checkout_ref, reason=conflict.value)


@dataclass(frozen=True, slots=True)
class Report:
    """One stored event about a payment."""

    name: str
    at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state(self) -> State:
        if self.name == STARTED:
            return State.ACTION if self.data.get("action") else State.STARTED
        if self.name == FAILED and self.data.get("outcome") == "unknown":
            return State.UNKNOWN
        return {FAILED: State.FAILED, SUCCEEDED: State.SUCCEEDED}.get(self.name, State.CANCELED)

    def text(self, name: str) -> str | None:
        value = self.data.get(name)
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to pay.

    Args:
        began_at, ended_at: the first report of it, and that of its present state, UTC.
        data: arguments of the report that decided its state, with method and amount from any other.
    """

    state: State
    began_at: datetime
    ended_at: datetime
    gateway: str | None = None
    payment_id: str | None = None
    attempt_id: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_anonymous(self) -> bool:
        """Whether nothing tells it from another one."""
        return self.payment_id is None and self.attempt_id is None


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited: for an order after the money, for a customer who confirms.

    Args:
        order_within: ``None`` where nobody tells of orders: then nothing is missed.
        action_within: for the confirmation that the bank asks for.
    """

    order_within: timedelta | None
    action_within: timedelta


@dataclass(frozen=True, slots=True)
class Judgement:
    """What is to be done about a checkout's payments.

    Args:
        conflicts: what a human has to look at now.
        expired: attempts whose confirmation never came.
        to_ask: attempts about which the gateway is to be asked now.
        check_at: when to judge again, UTC; ``None`` for never, unless something happens.
    """

    conflicts: tuple[Conflict, ...] = ()
    expired: tuple[Attempt, ...] = ()
    to_ask: tuple[Attempt, ...] = ()
    check_at: datetime | None = None


def attempts_of(reports: Iterable[Report]) -> list[Attempt]:
    """Fold the reports of one checkout into its attempts, in the order in which they began."""
    found: list[Attempt] = []
    for report in sorted(reports, key=lambda one: (_moment(one.at), _RANK[one.state])):
        place = _place(found, report)
        if place is None:
            found.append(_begun(report))
        else:
            found[place] = _followed(found[place], report)
    return found


def _moment(at: datetime) -> datetime:
    """Return when something happened at the latest: gateways tell whole seconds, shops do not.

    Else a failure that its gateway tells would come before the start that the shop has told.
    """
    return at if at.microsecond else at + _SECOND


def judge(
    attempts: Sequence[Attempt], now: datetime, limits: Limits, *, ordered: bool
) -> Judgement:
    """Say what the attempts of one checkout call for.

    Args:
        ordered: its order is there.
    """
    paid = [one for one in attempts if one.state is State.SUCCEEDED]
    conflicts = charged_twice(attempts)
    times: list[datetime] = []
    if paid and not ordered and limits.order_within is not None:
        due = min(one.ended_at for one in paid) + limits.order_within
        conflicts += [Conflict.CHARGED_WITHOUT_ORDER] if due <= now else []
        times += [due] if due > now else []
    expired = []
    for one in _waiting(attempts, paid):
        due = one.ended_at + limits.action_within
        expired += [one] if due <= now else []
        times += [due] if due > now else []
    unknown = [one for one in attempts if one.state is State.UNKNOWN]
    to_ask = tuple(one for one in unknown if _asked(one, now))
    times += [at for at in (ask_again_at(one, now) for one in unknown) if at is not None]
    return Judgement(tuple(conflicts), tuple(expired), to_ask, min(times, default=None))


def charged_twice(attempts: Sequence[Attempt]) -> list[Conflict]:
    """Return the conflict of several charges, where there are surely several."""
    paid = [one for one in attempts if one.state is State.SUCCEEDED]
    return [Conflict.CHARGED_TWICE] if _charges(paid) > 1 else []


def check_at(
    name: str, at: datetime, data: Mapping[str, Any], allowed: Payments
) -> datetime | None:
    """Return when one more report calls for a judgement; ``None`` when it alone doesn't."""
    state = Report(name, at, data).state if name in PAYMENT_EVENTS else None
    if state is State.SUCCEEDED:
        # A second charge is found at once; a missing order only when it has had its time.
        return at
    if state is State.ACTION:
        return at + allowed.action_within
    return at + ASK_FIRST if state is State.UNKNOWN else None


def ask_again_at(attempt: Attempt, now: datetime) -> datetime | None:
    """Return when the gateway is asked next about an unknown outcome: each time waited twice as
    long as before, for a day."""
    waited = ASK_FIRST
    while attempt.ended_at + waited <= now:
        waited *= 2
    return attempt.ended_at + waited if waited <= ASK_UNTIL else None


def _asked(attempt: Attempt, now: datetime) -> bool:
    return ASK_FIRST <= now - attempt.ended_at <= ASK_UNTIL


def _waiting(attempts: Sequence[Attempt], paid: Sequence[Attempt]) -> list[Attempt]:
    """Return who has to confirm still: nothing later was tried, and nothing has been paid."""
    last = attempts[-1:] if not paid else []
    return [one for one in last if one.state is State.ACTION]


def _charges(paid: Sequence[Attempt]) -> int:
    """Count the charges that are surely apart: of two gateways, or of two ids of one kind."""
    gateways = {one.gateway for one in paid if one.gateway is not None}
    attempts = {one.attempt_id for one in paid if one.attempt_id is not None}
    payments = {one.payment_id for one in paid if one.payment_id is not None}
    return max(len(gateways), len(attempts), len(payments))


def _place(attempts: Sequence[Attempt], report: Report) -> int | None:
    gateway = report.text("provider")
    for place in range(len(attempts) - 1, -1, -1):
        one = attempts[place]
        if None not in (one.gateway, gateway) and one.gateway != gateway:
            continue
        if _is_of(one, report):
            return place
    return None


def _is_of(attempt: Attempt, report: Report) -> bool:
    attempt_id, payment_id = report.text("attempt_id"), report.text("payment_id")
    if attempt_id is not None and attempt.attempt_id is not None:
        return attempt_id == attempt.attempt_id
    if payment_id is not None and attempt.payment_id is not None:
        # A payment repeats over retries: what has failed is over, and the next try is another.
        return payment_id == attempt.payment_id and _goes_on(attempt, report)
    both = attempt.is_anonymous or (attempt_id is None and payment_id is None)
    return both and _goes_on(attempt, report)


def _goes_on(attempt: Attempt, report: Report) -> bool:
    if attempt.state in {State.STARTED, State.ACTION, State.UNKNOWN}:
        return report.state not in {State.STARTED, State.ACTION} or attempt.state is State.STARTED
    return attempt.state is report.state and report.state is State.SUCCEEDED


def _begun(report: Report) -> Attempt:
    return Attempt(
        state=report.state,
        began_at=report.at,
        ended_at=report.at,
        gateway=report.text("provider"),
        payment_id=report.text("payment_id"),
        attempt_id=report.text("attempt_id"),
        data=report.data,
    )


def _followed(attempt: Attempt, report: Report) -> Attempt:
    kept = {name: attempt.data.get(name, report.data.get(name)) for name in _KEPT}
    known = replace(
        attempt,
        data={**attempt.data, **_told(kept)},
        gateway=attempt.gateway or report.text("provider"),
        payment_id=attempt.payment_id or report.text("payment_id"),
        attempt_id=attempt.attempt_id or report.text("attempt_id"),
    )
    if _RANK[report.state] <= _RANK[attempt.state]:
        return known
    data = {**_told(kept), **report.data}
    ended_at = max(report.at, attempt.began_at)
    return replace(known, state=report.state, ended_at=ended_at, data=data)


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
