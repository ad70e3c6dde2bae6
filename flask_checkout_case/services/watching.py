"""What was seen of a checkout: from its stored events and from the browser, to its score.

What a browser tells is no event of the history: it is folded into the checkout's row, many at once,
and a repetition changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from ..data import queries_hesitation as queries
from ..data.models import CheckoutRow
from ..gateways import read_failure
from ..rules import hesitation, signs
from ..rules.hesitation import Verdict
from ..rules.policy import Policy
from ..rules.signs import Signs
from ..types import Event, FailureClass, Money, Origin
from . import proactive
from .runtime import Unit

NAME: Final = "browser_signs"
"""Of the event that carries what a browser has told."""
SEEN: Final = "widget_seen"
"""Of the event that makes a checkout known of which the shop's signals haven't told."""
UNATTENDED: Final = "checkout_case_unattended"
"""Of an event's data: nobody looked at the page, a crawler or a prefetch asked for it."""
ATTENDED: Final = frozenset(
    {
        "checkout_started",
        "checkout_step_viewed",
        "checkout_step_completed",
        "coupon_rejected",
        "policy_viewed",
        "validation_shown",
    }
)
"""Signals that are told of nobody who isn't there; a failed payment is one whoever made it."""
LOOK: Final = frozenset(signs.FROM_SHOP) - {"checkout_step_viewed"}
"""Signals after which the score may be higher; a view is one where it leads back."""
_READ: Final = (
    *signs.FROM_SHOP,
    "checkout_started",
    "checkout_step_completed",
    "payment_info_entered",
    "payment_started",
)
_CART: Final = "checkout_case_cart"


def browser_event(ref: str, told: Signs, at: datetime, **more: bool) -> Event:
    """Make the event of what a browser has told.

    Args:
        told: as :mod:`..rules.signs` keeps it.
        more: ``consent`` or ``dismissed``.
    """
    ident = f"{NAME}:{secrets.token_hex(8)}"
    return Event(ident, NAME, at, ref, data={"signs": told, **more}, origin=Origin.WIDGET)


def with_cart(event: Event) -> dict[str, Any]:
    """Return an event's data with what its checkout held: the total, the goods, the pieces."""
    # Under a name of ours: what else a shop tells is its own.
    data = {key: value for key, value in event.data.items() if key != _CART}
    snapshot = event.checkout or {}
    lines = snapshot.get("lines")
    total = snapshot.get("value_minor")
    if isinstance(total, int) and isinstance(lines, list) and lines and event.name in _READ:
        quantities = [int(line.get("quantity") or 0) for line in lines]
        prices = [line.get("unit_minor") for line in lines]
        if all(isinstance(price, int) for price in prices):
            goods = sum(n * price for n, price in zip(quantities, prices, strict=True))
            data[_CART] = [total, goods, sum(quantities)]
    return data


def is_unattended(event: Any) -> bool:
    """Whether nobody was there when a shop told of an event."""
    return event.name in ATTENDED and bool(event.data.get(UNATTENDED))


def note(unit: Unit, events: Sequence[Event]) -> int:
    """Fold what browsers have told into their checkouts, in one go; how many were folded."""
    told: dict[str, list[Event]] = {}
    for event in events:
        if event.checkout_ref is not None:
            told.setdefault(event.checkout_ref, []).append(event)
    if not told:
        return 0
    rows = queries.lock_checkouts(unit.session, list(told))
    if len(rows) < len(told):
        # What the shop itself tells may still be on its way.
        unknown = told.keys() - {row.ref for row in rows}
        queries.add_checkouts(unit.session, {ref: told[ref][0].at for ref in unknown})
        rows = queries.lock_checkouts(unit.session, list(told))
    changed = []
    for row in rows:
        known = row.signs or {}
        merged: Signs = known
        for event in told[row.ref]:
            # What a browser told is forgotten with the consent; what the shop knows is read again.
            forgotten = event.data.get("consent") is False
            merged = {} if forgotten else signs.merge(merged, event.data.get("signs") or {})
            _note_wishes(unit, row, event)
        if merged != known:
            seen_at = max(row.seen_at, *(event.at for event in told[row.ref]))
            changed.append(_weighed(unit, row, merged, seen_at))
    queries.set_signs(unit.session, changed)
    return len(events)


def _note_wishes(unit: Unit, row: CheckoutRow, event: Event) -> None:
    if "consent" in event.data:
        queries.set_consent(unit.session, row.ref, event.at if event.data["consent"] else None)
    if event.data.get("dismissed"):
        proactive.dismiss(unit, row, event.at)


def _weighed(unit: Unit, row: CheckoutRow, found: Signs, seen_at: datetime) -> dict[str, Any]:
    verdict = judge(unit.runtime.policy, row, found, unit.now)
    proactive.act(unit, row, verdict)
    return {"row_id": row.id, "signs": found, "seen_at": seen_at, **_scored(verdict)}


def look(unit: Unit, row: CheckoutRow) -> Verdict:
    """Weigh all that is known of a checkout, and do what follows. The caller has locked it."""
    found = signs.merge(row.signs or {}, _from_events(unit, row.ref))
    verdict = judge(unit.runtime.policy, row, found, unit.now)
    before = (row.signs or {}, row.score, row.score_reasons)
    scored = _scored(verdict)
    if (found, scored["score"], scored["score_reasons"]) != before:
        queries.set_signs(
            unit.session, [{"row_id": row.id, "signs": found, "seen_at": row.seen_at, **scored}]
        )
    return verdict


def judge(policy: Policy, row: Any, found: Signs, now: datetime) -> Verdict:
    """Weigh these signs of a checkout as of ``now``."""
    strengths = signs.strengths(found, row.progressed_at)
    return hesitation.judge(policy, value_of(row), strengths, now)


def value_of(row: Any) -> Money | None:
    """Return a checkout's total, where it is known."""
    if row.value_minor is None or row.currency is None:
        return None
    return Money.minor(row.value_minor, row.currency)


def _scored(verdict: Verdict) -> dict[str, Any]:
    reasons = [one.as_json() for one in verdict.contributions]
    return {"score": verdict.score, "score_reasons": reasons}


def _from_events(unit: Unit, ref: str) -> Signs:
    found: dict[str, list[signs.Occurrence]] = {}
    for event in queries.events_of(unit.session, ref, _READ):
        if is_unattended(event):
            continue
        kind = signs.FROM_SHOP.get(event.name)
        if kind == signs.VIEW:
            if event.step:
                view = signs.occurrence(event.at, event.id, event.step)
                found.setdefault(kind, []).append(view)
        elif kind is not None and not _is_cancelled(event, ref):
            found.setdefault(kind, []).append(signs.occurrence(event.at, event.id))
        if _CART in event.data:
            cart = signs.occurrence(event.at, event.id, *event.data[_CART])
            found.setdefault(signs.CART, []).append(cart)
    return found


def _is_cancelled(event: Any, ref: str) -> bool:
    """Whether a payment was left on purpose: that is no failure."""
    if event.name != "payment_failed":
        return False
    return read_failure(event.data, ref).failure_class is FailureClass.CANCELLED
