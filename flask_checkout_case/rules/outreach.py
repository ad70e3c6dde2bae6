"""Who is written to when a payment failed: once, about their own payment, and only if it helps."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from ..types import FailureClass
from .policy import Policy

FIRED_KEY: Final = "mail:payment_failed"
"""What is stored on the case when the mail was decided, or was found to be of no use any more."""

NEVER: Final = frozenset({FailureClass.FRAUD, FailureClass.CANCELLED, FailureClass.DUPLICATE})
"""A suspected thief isn't warned, who left on purpose is left alone, and who may have paid twice
isn't asked to pay."""

USEFUL_FOR: Final = timedelta(days=1)
"""A mail that is later than this, after an outage, surprises more than it helps."""


def wake_at(
    policy: Policy,
    *,
    failure_class: FailureClass | None,
    outcome: str | None,
    failed_at: datetime | None,
    answered: bool,
    address: str | None,
    fired: Collection[str],
) -> datetime | None:
    """Return when to write to this customer; ``None`` for never.

    Args:
        outcome: of the attempt; ``unknown`` money is never asked for again.
        failed_at: the last failed attempt, UTC.
        answered: a human has written to the customer; a machine would only disturb.
        fired: the case's fired keys.
    """
    if not policy.outreach.enabled or FIRED_KEY in fired or answered or not address:
        return None
    if failed_at is None or failure_class is None or failure_class in NEVER:
        return None
    return None if outcome == "unknown" else failed_at + policy.outreach.after


def is_too_late(policy: Policy, failed_at: datetime, now: datetime) -> bool:
    """Whether the time in which a mail helps is over."""
    return now > failed_at + policy.outreach.after + USEFUL_FOR
