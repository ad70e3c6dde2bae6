"""Hesitating buyers: one case a checkout, for the team that the policy's routes say."""

from __future__ import annotations

from typing import Any

from ..data import queries_due
from ..data.models import CheckoutRow
from ..rules import hesitation
from . import proactive, watching
from .runtime import Runtime, Unit
from .sweeping import look_at_due


def sweep_checkouts(runtime: Runtime) -> int:
    """Look at checkouts in which something happened, or nothing for too long.

    Returns:
        How many cases were opened, or told that their buyer hesitates.
    """
    return look_at_due(runtime, queries_due.next_due_checkout, _look, queries_due.postpone_checkout)


def _look(unit: Unit, row: CheckoutRow) -> bool:
    # The row is locked and fresh: a purchase has either been seen here, or waits for our commit
    # and then closes the case we open.
    opened = proactive.act(unit, row, watching.look(unit, row)) or _is_inactive(unit, row)
    wake_at = hesitation.wake_at(
        unit.runtime.policy, watching.value_of(row), row.progressed_at, **_state(row)
    )
    if wake_at is not None and hesitation.has_left(row.seen_at, unit.now):
        wake_at = None
    queries_due.set_checkout_alarm(unit.session, row.id, wake_at=wake_at)
    return opened


def _is_inactive(unit: Unit, row: CheckoutRow) -> bool:
    """Open the case of somebody who stopped at high value, whatever the score says."""
    policy, value = unit.runtime.policy, watching.value_of(row)
    if not hesitation.hesitates(policy, value, row.progressed_at, unit.now, **_state(row)):
        return False
    if hesitation.has_left(row.seen_at, unit.now):
        return False
    if not proactive.is_treated(unit, row, "case"):
        return False
    idle = unit.now - row.progressed_at
    since = row.progressed_at.isoformat()
    minutes = int(idle.total_seconds() // 60)
    proactive.open_case(unit, row, None, since=since, minutes=minutes)
    return True


def _state(row: CheckoutRow) -> dict[str, Any]:
    return {
        "paid": row.paid_at is not None,
        "ordered": row.ordered_at is not None,
        "hesitated": row.hesitated_at is not None or row.arm == "held_out",
    }
