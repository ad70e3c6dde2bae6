"""Order changes: what an order's state allows, whose leave a change needs, and its way to the end.

Pure: the clock, the order and the price are arguments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from ..change_types import ChangeKind, ChangeState, Stage
from ..errors import InvalidTransitionError
from ..types import Money, Order
from .addresses import same_place
from .policy_changes import Changes
from .policy_values import Rates

State = ChangeState
OPEN: Final = frozenset(
    {
        State.REQUESTED,
        State.PRICED,
        State.AWAITING_PAYMENT,
        State.APPROVED,
        State.SENT,
        State.ACKNOWLEDGED,
    }
)
UNDECIDED: Final = frozenset({State.REQUESTED, State.PRICED, State.AWAITING_PAYMENT})
"""States in which a newer request takes an older one's place."""
ENDED: Final = frozenset(State) - OPEN


class Leave(StrEnum):
    """Whose leave a change needs."""

    AUTOMATIC = "automatic"
    AGENT = "agent"
    SUPERVISOR = "supervisor"


class Refusal(StrEnum):
    """Why a change isn't made; a stable word, told in words elsewhere."""

    NOT_OFFERED = "not_offered"
    TOO_LATE = "too_late"
    SHIPPED = "shipped"
    CANCELLED = "cancelled"
    UNCHANGED = "unchanged"
    OUT_OF_STOCK = "out_of_stock"
    NO_PRICE = "no_price"
    REFUSED = "refused"
    WAREHOUSE = "warehouse"
    NOT_PAID = "not_paid"
    NOT_DECIDED = "not_decided"
    VERSION = "version"
    NO_ANSWER = "no_answer"


# -- What the order allows ------------------------------------------------------------------------


def stage_of(order: Order) -> Stage:
    """Return how far an order is; one of which nobody says it counts as released."""
    try:
        return Stage(order.stage) if order.stage is not None else Stage.RELEASED
    except ValueError:
        return Stage.RELEASED


def why_refused(
    policy: Changes, kind: ChangeKind, stage: Stage, cut_off: datetime | None, now: datetime
) -> Refusal | None:
    """Return why this can't be changed now; ``None`` when it can."""
    if not policy.enabled or kind not in policy.kinds:
        return Refusal.NOT_OFFERED
    if stage is Stage.SHIPPED:
        return Refusal.SHIPPED
    if stage is Stage.CANCELLED:
        return Refusal.CANCELLED
    if kind not in policy.allowed.get(stage, frozenset()):
        return Refusal.NOT_OFFERED if stage is Stage.CHECKOUT else Refusal.TOO_LATE
    if cut_off is not None and now >= cut_off:
        return Refusal.TOO_LATE
    return None


def closes_at(
    policy: Changes, stage: Stage, placed_at: datetime | None, cut_off: datetime | None
) -> datetime | None:
    """Return until when what is allowed now is made without anybody's leave, if that ends."""
    ends = [cut_off] if cut_off is not None else []
    if stage is Stage.PLACED and placed_at is not None:
        ends.append(placed_at + policy.grace)
    return min(ends, default=None)


@dataclass(frozen=True, slots=True)
class Asked:
    """What decides whose leave a change needs.

    Args:
        value: the order's total; ``delta``: what the change adds to it.
        placed_at, secured_at: as :class:`.Order` has them.
    """

    kind: ChangeKind
    stage: Stage
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    value: Money | None
    delta: Money | None
    placed_at: datetime | None
    secured_at: datetime | None


def leave_for(policy: Changes, rates: Rates, asked: Asked, now: datetime) -> Leave:
    """Return whose leave a change needs, whatever it costs."""
    is_address = asked.kind is ChangeKind.ADDRESS
    if asked.stage is Stage.CHECKOUT:
        return Leave.AUTOMATIC
    if is_address and _is_risky(policy, rates, asked, now):
        return Leave.SUPERVISOR
    if asked.stage in (Stage.PICKING, Stage.PACKED):
        return Leave.AGENT
    if asked.kind in (ChangeKind.GIFT_NOTE, ChangeKind.INSTRUCTIONS):
        return Leave.AUTOMATIC
    is_free = asked.delta is None or asked.delta.minor_units == 0
    if is_address and is_free and same_place(asked.before, asked.after):
        return Leave.AUTOMATIC
    in_grace = asked.placed_at is not None and now < asked.placed_at + policy.grace
    return Leave.AUTOMATIC if asked.stage is Stage.PLACED and in_grace else Leave.AGENT


def _is_risky(policy: Changes, rates: Rates, asked: Asked, now: datetime) -> bool:
    """Whether somebody may be sending a stolen order to themselves."""
    worth, limit = rates.in_base(asked.value), rates.in_base(policy.over)
    if worth is None or limit is None or worth > limit:
        return True
    if asked.before.get("country") != asked.after.get("country"):
        return True
    return asked.secured_at is not None and now < asked.secured_at + policy.secured_within


# -- The way of a change --------------------------------------------------------------------------


def content_hash(
    subject: str, base_version: str | None, kind: str, after: Mapping[str, Any], delta: Money | None
) -> str:
    """Return what an approval binds: the order as it was, what changes, and its price."""
    price = [delta.minor_units, delta.currency] if delta is not None else None
    content = [subject, base_version, kind, after, price]
    plain = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a change stands.

    Args:
        content: the hash of what it is now; ``approved``: of what was agreed to.
        must_pay: it costs something; ``paid``: that has been paid.
        waits: another one that is approved has to end first.
        sent: fulfilment may know of it.
    """

    state: State
    content: str
    leave: Leave = Leave.AUTOMATIC
    must_pay: bool = False
    paid: bool = False
    approved: str | None = None
    waits: bool = False
    sent: bool = False


def price(progress: Progress, content: str, *, must_pay: bool, leave: Leave) -> Progress:
    """Say what it costs and whose leave it needs; an earlier approval of other content is void."""
    if progress.state not in (*UNDECIDED, State.APPROVED):
        raise _not_from(progress, "priced")
    same = content == progress.content
    return replace(
        progress,
        state=State.AWAITING_PAYMENT if must_pay and not progress.paid else State.PRICED,
        content=content,
        must_pay=must_pay,
        leave=leave,
        approved=progress.approved if same else None,
        sent=progress.sent and same,
    )


def pay(progress: Progress) -> Progress:
    """Note that what it costs has been paid."""
    if progress.state is not State.AWAITING_PAYMENT:
        raise _not_from(progress, "paid")
    return replace(progress, state=State.PRICED, paid=True)


def approve(progress: Progress, content: str, by: Leave) -> Progress:
    """Agree to this very content.

    Args:
        by: who agrees; the system may where nobody's leave is needed.
    """
    if progress.state is not State.PRICED or progress.waits:
        raise _not_from(progress, "approved")
    if content != progress.content:
        raise InvalidTransitionError("this is not what was agreed to: it has changed meanwhile")
    if list(Leave).index(by) < list(Leave).index(progress.leave):
        raise InvalidTransitionError(f"this needs the leave of: {progress.leave}")
    return replace(progress, state=State.APPROVED, approved=content)


def send(progress: Progress) -> Progress:
    """Hand it over; again, when nobody knows whether it arrived."""
    if progress.state not in (State.APPROVED, State.SENT) or progress.approved != progress.content:
        raise _not_from(progress, "sent")
    return replace(progress, state=State.SENT, sent=True)


def again(progress: Progress) -> Progress:
    """Hand over once more what nobody answered; what was to be paid has gone back since then."""
    lost = progress.state is State.CONFLICT and progress.approved == progress.content
    if not lost or progress.must_pay:
        raise _not_from(progress, "sent again")
    return replace(progress, state=State.APPROVED)


def acknowledge(progress: Progress, *, by_hand: bool = False) -> Progress:
    """Note that fulfilment has taken it, in time or late.

    Args:
        by_hand: somebody has asked the warehouse. Without that, what never left can't have been
            taken, and what was to be paid can't be late: the money has gone back.
    """
    late = progress.state is State.CONFLICT and progress.approved == progress.content
    may_be_late = late and (by_hand or (progress.sent and not progress.must_pay))
    if progress.state is not State.SENT and not may_be_late:
        raise _not_from(progress, "acknowledged")
    return replace(progress, state=State.ACKNOWLEDGED)


def apply(progress: Progress) -> Progress:
    """Note that the order is changed."""
    if progress.state is not State.ACKNOWLEDGED:
        raise _not_from(progress, "applied")
    return replace(progress, state=State.APPLIED)


def end(progress: Progress, state: State) -> Progress:
    """End it without having been applied.

    ``expired`` only while it is undecided, ``superseded`` then or in a conflict; ``conflict`` when
    it was approved; ``rejected`` at any time before fulfilment has taken it.
    """
    may = {
        State.EXPIRED: UNDECIDED,
        State.SUPERSEDED: UNDECIDED | {State.CONFLICT},
        State.CONFLICT: frozenset({State.APPROVED, State.SENT}),
        State.REJECTED: OPEN - {State.ACKNOWLEDGED} | {State.CONFLICT},
    }
    if progress.state not in may.get(state, frozenset()):
        raise _not_from(progress, state)
    return replace(progress, state=state)


def _not_from(progress: Progress, what: str) -> InvalidTransitionError:
    return InvalidTransitionError(f"a change that is {progress.state} can't be {what}")
