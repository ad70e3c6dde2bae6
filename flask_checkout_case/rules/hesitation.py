"""Who wavers: a checkout over the policy's amount without progress for the policy's time.

The seam for the score that comes later: callers ask :func:`wake_at` when to look and
:func:`hesitates` what to think, and hand over the checkout's whole state. A score adds an argument
and another way to say yes; neither callers nor tables change.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from ..types import Money
from .policy import Policy

LEFT_AFTER: Final = timedelta(days=1)
"""Who has not been seen for this long has left: a concierge can't reach them in the page."""


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
