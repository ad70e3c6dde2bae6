"""Whether somebody may be spoken to who hasn't asked: budget, cool-down, held-out share."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from .policy_hesitation import HeldOut, Prompts

DAY: Final = timedelta(days=1)
MONTH: Final = timedelta(days=30)
PAYING_FOR: Final = timedelta(minutes=15)
"""A payment that was begun and of which nothing was heard for so long is no longer under way."""

TREATED: Final = "treated"
HELD_OUT: Final = "held_out"


@dataclass(frozen=True, slots=True)
class Contact:
    """One time that somebody was spoken to.

    Args:
        here: in this very checkout.
        dismissed_at: when they sent it away, if they did.
    """

    at: datetime
    here: bool = False
    dismissed_at: datetime | None = None


def may_prompt(rule: Prompts, contacts: Iterable[Contact], now: datetime) -> bool:
    """Whether one more prompt is within the budget. One in the future counts as of now."""
    known = list(contacts)
    day = sum(1 for one in known if now - one.at < DAY)
    month = sum(1 for one in known if now - one.at < MONTH)
    here = sum(1 for one in known if one.here)
    return (
        here < rule.per_checkout
        and day < rule.per_day
        and month < rule.per_month
        and not any(_still_holds(rule, one, now) for one in known)
    )


def _still_holds(rule: Prompts, one: Contact, now: datetime) -> bool:
    return one.dismissed_at is not None and now - one.dismissed_at < rule.dismissed_for


def is_paying(paying_at: datetime | None, now: datetime) -> bool:
    """Whether a payment or the bank's question is under way; nobody is spoken to then."""
    return paying_at is not None and now - paying_at < PAYING_FOR


def arm_of(rule: HeldOut, who: str) -> str:
    """Return in which arm of the comparison somebody is: always the same for the same ``who``.

    Args:
        who: the customer's ref, or the checkout's where nobody is logged in.
    """
    digest = hmac.new(rule.salt.encode(), who.encode(), hashlib.sha256).digest()
    place = int.from_bytes(digest[:8], "big") / 2**64
    return HELD_OUT if place < rule.share else TREATED
