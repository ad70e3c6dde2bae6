"""The order of the queue: one stored instant a case, the earliest first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from math import log2
from typing import Final

from ..types import FailureClass, Priority

TAU: Final = timedelta(minutes=1)
"""How much earlier a case stands for each doubling of the value at stake.

5,000 dollars at even odds are worth 11 minutes: enough to pass others of the same promise of a
quarter of an hour, never enough to pass over a promise of today for one of tomorrow.
"""

WITHOUT_DUE: Final = timedelta(days=7)
"""A case that nothing is promised for stands as if due this long after its opening."""

LEAD: Final[Mapping[Priority, timedelta]] = {
    Priority.LOW: timedelta(hours=-12),
    Priority.NORMAL: timedelta(0),
    Priority.HIGH: timedelta(minutes=30),
    Priority.URGENT: timedelta(hours=4),
}
"""How much earlier than its due time a priority stands, so that changing it moves the case."""

ODDS: Final[Mapping[FailureClass, float]] = {
    FailureClass.AUTH: 0.7,
    FailureClass.CARD_DATA: 0.7,
    FailureClass.PROCESSING: 0.6,
    FailureClass.CONFIG: 0.6,
    FailureClass.EXPIRED: 0.6,
    FailureClass.NETWORK: 0.5,
    FailureClass.SOFT: 0.5,
    FailureClass.LIMIT: 0.4,
    FailureClass.FUNDS: 0.35,
    FailureClass.HARD: 0.3,
    FailureClass.DUPLICATE: 0.9,
    FailureClass.FRAUD: 0.05,
    FailureClass.CANCELLED: 0.1,
}
"""The share of the value that help can be expected to save, by what went wrong."""

ODDS_OTHERWISE: Final = 0.3


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a case stands where it stands in the queue.

    Args:
        due: what it is measured from, UTC: the earliest due time.
        promised: whether anything is due; else ``due`` is :data:`WITHOUT_DUE` from its opening.
        odds: the share of the value that help can be expected to save.
        by_value, by_priority: how much earlier it stands for each; later where negative.
    """

    due: datetime
    promised: bool
    odds: float
    by_value: timedelta
    by_priority: timedelta

    @property
    def at(self) -> datetime:
        """Its place: the earliest stands at the top."""
        return self.due - self.by_value - self.by_priority


def standing(
    due: datetime | None,
    opened_at: datetime,
    base_value: Decimal | None,
    failure_class: FailureClass | None,
    priority: Priority,
) -> Standing:
    """Return what makes up the place of a case; see :func:`urgency_at`."""
    odds = ODDS_OTHERWISE if failure_class is None else ODDS[failure_class]
    at_stake = max(float(base_value or 0), 0.0) * odds
    return Standing(
        due=due or opened_at + WITHOUT_DUE,
        promised=due is not None,
        odds=odds,
        by_value=TAU * log2(1 + at_stake),
        by_priority=LEAD[priority],
    )


def urgency_at(
    due: datetime | None,
    opened_at: datetime,
    base_value: Decimal | None,
    failure_class: FailureClass | None,
    priority: Priority,
) -> datetime:
    """Return ``due − τ·log2(1 + value × odds) − the priority's lead``.

    Args:
        due: the earliest due time, UTC; ``None`` counts as a week after the opening.
        base_value: major units of the base currency; ``None`` and negative ones count as nothing.
    """
    return standing(due, opened_at, base_value, failure_class, priority).at
