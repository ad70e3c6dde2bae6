"""Hesitating buyers: one case a checkout, for the team that the policy's routes say."""

from __future__ import annotations

from typing import Any

from ..data import queries_case, queries_due
from ..data.models import CaseRow, CheckoutRow
from ..i18n import N_
from ..rules import hesitation
from ..types import Category, EntryKind, Family, Money, Origin
from .entries import entry
from .opening import CaseDraft, open_or_join, signal_entry
from .runtime import Runtime, Unit
from .sweeping import look_at_due


def sweep_checkouts(runtime: Runtime) -> int:
    """Open the cases of checkouts that hesitate by now; how many checkouts those were."""
    return look_at_due(runtime, queries_due.next_due_checkout, _look, queries_due.postpone_checkout)


def _look(unit: Unit, row: CheckoutRow) -> bool:
    # The row is locked and fresh: a purchase has either been seen here, or waits for our commit
    # and then closes the case we open.
    policy, value, state = unit.runtime.policy, _value(row), _state(row)
    if not hesitation.hesitates(policy, value, row.progressed_at, unit.now, **state):
        wake_at = hesitation.wake_at(policy, value, row.progressed_at, **state)
        queries_due.set_checkout_alarm(unit.session, row.id, wake_at=wake_at)
        return False
    if hesitation.has_left(row.seen_at, unit.now):
        queries_due.set_checkout_alarm(unit.session, row.id, wake_at=None)
        return False
    paying = queries_case.live_case(unit.session, row.ref, Family.PAYMENT)
    if paying is not None:
        _tell(unit, paying, row)
    else:
        open_or_join(unit, _draft(unit, row))
    queries_due.set_checkout_alarm(unit.session, row.id, wake_at=None, hesitated_at=unit.now)
    return True


def _value(row: CheckoutRow) -> Money | None:
    if row.value_minor is None or row.currency is None:
        return None
    return Money.minor(row.value_minor, row.currency)


def _state(row: CheckoutRow) -> dict[str, bool]:
    return {
        "paid": row.paid_at is not None,
        "ordered": row.ordered_at is not None,
        "hesitated": row.hesitated_at is not None,
    }


def _draft(unit: Unit, row: CheckoutRow) -> CaseDraft:
    return CaseDraft(
        family=Family.HESITATION,
        category=Category.HESITATION,
        origin=Origin.SWEEP,
        at=unit.now,
        checkout_ref=row.ref,
        order_ref=row.order_ref,
        customer_ref=row.customer_ref,
        snapshot=row.snapshot,
        about=N_("No progress in the checkout"),
        entries=(signal_entry("hesitation", _told(unit, row)),),
    )


def _tell(unit: Unit, case: CaseRow, row: CheckoutRow) -> None:
    """Add the hesitation to the payment case that is open already."""
    told = {"signal": "hesitation", **_told(unit, row)}
    line = entry(case, EntryKind.SIGNAL, unit.now, data=told)
    queries_case.add_entries(unit.session, [line])


def _told(unit: Unit, row: CheckoutRow) -> dict[str, Any]:
    idle = unit.now - row.progressed_at
    return {
        "step": row.step,
        "since": row.progressed_at.isoformat(),
        "minutes": int(idle.total_seconds() // 60),
    }
