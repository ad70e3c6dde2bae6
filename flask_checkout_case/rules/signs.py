"""What has been seen of a checkout that may say that somebody hesitates, and what follows of it.

Occurrences are kept as sets: the same one twice is one, and the order in which they arrive doesn't
matter. They are plain JSON, as a checkout's row holds them: kind → ``[[milliseconds, id, …], …]``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

Occurrence = list[Any]
Signs = Mapping[str, Sequence[Occurrence]]

MOST: Final = 12
"""Occurrences of a kind that are kept, the newest; more than any kind needs."""
MOST_VIEWS: Final = 40
RETURNED_AFTER: Final = timedelta(minutes=30)
LATE_SHARE: Final = 1.1
"""A total that has grown by more than a tenth while the goods stayed the same: shipping cost."""

VIEW: Final = "view"
CART: Final = "cart"
IDLE: Final = "idle"

FROM_BROWSER: Final[Mapping[str, str]] = {
    "rage": "rage_click",
    "dead": "dead_click",
    "error": "validation",
    "reentry": "field_reentry",
    "dwell": "field_dwell",
    "idle": IDLE,
    "away": "away",
    "coupon_away": "coupon_away",
    "exit": "exit_intent",
    "back": "back_and_forth",
    "slow": "slow_page",
    "policy": "policy_page",
}
"""What the browser calls a sign, and the kind that it counts as."""

FROM_SHOP: Final[Mapping[str, str]] = {
    "payment_failed": "payment_failed",
    "validation_shown": "validation",
    "coupon_rejected": "coupon_rejected",
    "policy_viewed": "policy_page",
    "checkout_step_viewed": VIEW,
}
"""The shop's signals that are signs by themselves."""

NEEDED: Final[Mapping[str, int]] = {"validation": 3, "back_and_forth": 2, "field_reentry": 2}
"""How many occurrences say all that a kind can say; one for every other kind."""


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly a kind is there.

    Args:
        amount: from 0 to 1.
        latest: when it last occurred, UTC.
        count: how often, as far as is kept.
    """

    kind: str
    amount: float
    latest: datetime
    count: int = 1


def merge(first: Signs, second: Signs) -> dict[str, list[Occurrence]]:
    """Return all occurrences of both, each once, of each kind the newest."""
    merged: dict[str, list[Occurrence]] = {}
    for kind in sorted({*first, *second}):
        by_id: dict[str, Occurrence] = {}
        for one in (*first.get(kind, ()), *second.get(kind, ())):
            known = by_id.get(one[1])
            # One id told with two times is the earlier: the later one is a repetition.
            if known is None or list(one) < known:
                by_id[one[1]] = list(one)
        most = MOST_VIEWS if kind in (VIEW, CART) else MOST
        merged[kind] = sorted(by_id.values())[-most:]
    return merged


def occurrence(at: datetime, ident: str, *more: Any) -> Occurrence:
    """Return one occurrence as it is kept; ``ident`` makes a repetition the same one."""
    return [int(at.timestamp() * 1000), ident, *more]


def strengths(signs: Signs, progressed_at: datetime | None = None) -> list[Strength]:
    """Return how strongly each kind is there.

    Args:
        progressed_at: who has gone on since has not been idle.
    """
    counted: dict[str, list[int]] = {}
    for kind, kept in signs.items():
        if kind not in (VIEW, CART):
            counted.setdefault(kind, []).extend(one[0] for one in kept)
    for kind, moments in (*_of_views(signs.get(VIEW, ())), *_of_carts(signs.get(CART, ()))):
        counted.setdefault(kind, []).extend(moments)
    if progressed_at is not None:
        since = progressed_at.timestamp() * 1000
        counted[IDLE] = [moment for moment in counted.get(IDLE, ()) if moment > since]
    return [
        Strength(
            kind,
            min(1.0, len(moments) / NEEDED.get(kind, 1)),
            datetime.fromtimestamp(max(moments) / 1000, UTC),
            len(moments),
        )
        for kind, moments in sorted(counted.items())
        if moments
    ]


def _of_views(views: Sequence[Occurrence]) -> Iterable[tuple[str, list[int]]]:
    """Coming back to a step that was seen before, and coming back after a while."""
    turns, returns = [], []
    seen: set[str] = set()
    before: Occurrence | None = None
    for view in sorted(views):
        at, step = view[0], view[2]
        if before is not None and step != before[2] and step in seen:
            turns.append(at)
        if before is not None and at - before[0] > RETURNED_AFTER / timedelta(milliseconds=1):
            returns.append(at)
        seen.add(step)
        before = view
    return ("back_and_forth", turns), ("return_visit", returns)


def _of_carts(carts: Sequence[Occurrence]) -> Iterable[tuple[str, list[int]]]:
    """Goods that were taken out, and a total that grew though the goods stayed the same."""
    removed, late = [], []
    before: Occurrence | None = None
    for cart in sorted(carts):
        at, _ident, total, goods, pieces = cart
        if before is not None:
            _then, _id, old_total, old_goods, old_pieces = before
            if pieces < old_pieces:
                removed.append(at)
            if (goods, pieces) == (old_goods, old_pieces) and total > old_total * LATE_SHARE:
                late.append(at)
        before = cart
    return ("line_removed", removed), ("late_shipping", late)
