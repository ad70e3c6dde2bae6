"""Who wavers, how much, and what is done about it.

Two rules stand beside each other. The *score* (0 to 100) adds up what was seen of a checkout, each
sign the weaker the longer it is ago; what a score leads to depends on how much is at stake. And a
checkout over the policy's amount without progress for the policy's time hesitates whatever its
score: idleness alone scores 39.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ..types import Money
from .policy import Policy
from .policy_hesitation import Act, Hesitation
from .signs import Strength

LEFT_AFTER: Final = timedelta(days=1)
"""Who has not been seen for this long has left: a concierge can't reach them in the page."""
TOLD: Final = 3
"""So many reasons are told to people."""


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one kind of sign adds to a score.

    Args:
        weight: of the sum whose exponential is the score; points of several kinds don't add up.
    """

    kind: str
    weight: float
    latest: datetime
    count: int

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "weight": round(self.weight, 4),
            "latest": self.latest.isoformat(),
            "count": self.count,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a checkout's signs come to at one moment.

    Args:
        score: whole points from 0 to 100.
        contributions: the greatest first.
        acts: what is to be done at this score and amount, see :class:`.Act`.
    """

    score: int
    contributions: tuple[Contribution, ...]
    acts: tuple[str, ...]


def judge(
    policy: Policy, value: Money | None, strengths: Iterable[Strength], now: datetime
) -> Verdict:
    """Weigh what was seen; see the design's formula ``100·(1 − exp(−Σ w·x·2^(−age/half-life)))``.

    Args:
        value: the checkout's total; the acts' amounts are strictly less.
        now: UTC; what lies in the future counts as of now.
    """
    rule = policy.hesitation
    found = contributions(rule, strengths, now)
    points = score(found)
    failed = any(one.kind == "payment_failed" for one in found)
    return Verdict(points, found, _acts(policy, value, points, failed=failed))


def contributions(
    rule: Hesitation, strengths: Iterable[Strength], now: datetime
) -> tuple[Contribution, ...]:
    """Return what each kind adds, the greatest first; kinds without a weight add nothing."""
    found = (
        Contribution(one.kind, _decayed(rule, one, now), one.latest, one.count) for one in strengths
    )
    kept = [one for one in found if one.weight > 0]
    return tuple(sorted(kept, key=lambda one: (-one.weight, one.kind)))


def _decayed(rule: Hesitation, one: Strength, now: datetime) -> float:
    age = max(timedelta(0), now - one.latest)
    weight: float = rule.weights.get(one.kind, 0.0)
    return weight * one.amount * math.exp2(-(age / rule.half_life))


def score(found: Sequence[Contribution]) -> int:
    """Return the whole points of a sum of contributions."""
    total = sum(one.weight for one in found)
    # What is a whole number but for the last bit of a float is that number.
    return math.floor(100 * (1 - math.exp(-total)) + 1e-9)


def _acts(policy: Policy, value: Money | None, points: int, *, failed: bool) -> tuple[str, ...]:
    total = policy.in_base(value)
    if total is None or not policy.hesitation.enabled:
        return ()
    reached = (
        act.act
        for act in policy.hesitation.acts
        if total > _amount(policy, act) and (points >= act.score or (act.on_failure and failed))
    )
    return tuple(dict.fromkeys(reached))


def _amount(policy: Policy, act: Act) -> Any:
    return policy.exchange.required(act.over)


def norm_of(policy: Policy, step: str | None) -> timedelta:
    """Return for how long nothing may happen at a step before somebody counts as idle."""
    norms: Mapping[str, timedelta] = policy.hesitation.norms
    return norms.get(step or "", policy.hesitation.norm)


def wake_at(
    policy: Policy,
    value: Money | None,
    progressed_at: datetime,
    *,
    paid: bool,
    ordered: bool,
    hesitated: bool,
) -> datetime | None:
    """Return when this checkout hesitates unless something happens; ``None`` for never.

    Args:
        value: the checkout's total; strictly more than the policy's amount counts.
        progressed_at: the last progress, UTC.
        hesitated: a case has been opened for it already.
    """
    if paid or ordered or hesitated or not policy.hesitation.enabled:
        return None
    total, limit = policy.in_base(value), policy.in_base(policy.hesitation.over)
    if total is None or limit is None or total <= limit:
        return None
    return progressed_at + policy.hesitation.after


def hesitates(
    policy: Policy,
    value: Money | None,
    progressed_at: datetime,
    now: datetime,
    *,
    paid: bool,
    ordered: bool,
    hesitated: bool,
) -> bool:
    """Whether the checkout hesitates at ``now``. The exact instant counts, nothing earlier."""
    due = wake_at(policy, value, progressed_at, paid=paid, ordered=ordered, hesitated=hesitated)
    return due is not None and now >= due


def has_left(seen_at: datetime, now: datetime) -> bool:
    """Whether nobody has been seen in the checkout for so long that nobody hesitates there.

    A worker that was down for days would otherwise open cases for all who left meanwhile.
    """
    return now - seen_at > LEFT_AFTER
