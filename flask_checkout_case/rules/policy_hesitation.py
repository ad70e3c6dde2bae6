"""The parts of a policy about hesitation: weights, thresholds, how often somebody is spoken to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from ..types import Money

HINT: Final = "hint"
OFFER: Final = "offer"
CASE: Final = "case"
CONCIERGE: Final = "concierge"
ACTS: Final = (HINT, OFFER, CASE, CONCIERGE)

WEIGHTS: Final[Mapping[str, float]] = MappingProxyType(
    {
        "coupon_away": 0.7,
        "payment_failed": 0.6,
        "idle": 0.42,
        "back_and_forth": 0.55,
        "return_visit": 0.55,
        "validation": 0.55,
        "rage_click": 0.5,
        "policy_page": 0.45,
        "line_removed": 0.4,
        "coupon_rejected": 0.35,
        "late_shipping": 0.35,
        "field_reentry": 0.3,
        "exit_intent": 0.3,
        "field_dwell": 0.15,
        "dead_click": 0.1,
        "away": 0.1,
        "slow_page": 0.05,
    }
)
"""Fitted to simulated sessions of other seeds than ``benchmarks.hesitation`` prints.

A failed payment has a case of its own, and most who mistype a card don't waver. A pause alone is no
reason to call the concierge.
"""

NORMS: Final[Mapping[str, timedelta]] = MappingProxyType(
    {
        "contact": timedelta(seconds=60),
        "shipping": timedelta(seconds=90),
        "payment": timedelta(seconds=120),
    }
)


@dataclass(frozen=True, slots=True)
class Act:
    """What is done for checkouts strictly ``over`` an amount from a ``score`` on.

    Args:
        act: ``hint``, ``offer``, ``case`` or ``concierge``.
        on_failure: any failed payment is enough, whatever the score.
    """

    act: str
    over: Money
    score: int
    on_failure: bool = False


def default_acts(currency: str = "USD") -> tuple[Act, ...]:
    """Return the design's table."""
    return (
        Act(HINT, Money(0, currency), 60),
        Act(OFFER, Money(100, currency), 60),
        Act(CASE, Money(1000, currency), 55),
        Act(CONCIERGE, Money(5000, currency), 35, on_failure=True),
    )


@dataclass(frozen=True, slots=True)
class Hesitation:
    """When somebody hesitates.

    Args:
        over, after: strictly over this amount, no progress for this time opens a case.
        watch_over: agents see checkouts that go on strictly over this amount.
        half_life: after this time a sign counts half.
        weights: kind of sign → weight.
        norm, norms: how long nothing may happen, at any step and at a step of this name.
    """

    over: Money
    after: timedelta
    watch_over: Money
    enabled: bool = True
    half_life: timedelta = timedelta(minutes=10)
    weights: Mapping[str, float] = field(default_factory=lambda: WEIGHTS)
    norm: timedelta = timedelta(seconds=90)
    norms: Mapping[str, timedelta] = field(default_factory=lambda: NORMS)
    acts: tuple[Act, ...] = field(default_factory=default_acts)


@dataclass(frozen=True, slots=True)
class Prompts:
    """How often one customer is spoken to without having asked, whoever speaks.

    Args:
        per_checkout, per_day, per_month: at most so many in one checkout, 24 hours, 30 days.
        dismissed_for: who has sent one away is left alone for this long.
    """

    per_checkout: int = 1
    per_day: int = 1
    per_month: int = 3
    dismissed_for: timedelta = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The share of customers from whom proactive help is withheld, to measure what it does.

    Args:
        share: from 0 to 1.
        salt: another one makes another choice.
    """

    share: float = 0.0
    salt: str = "1"
