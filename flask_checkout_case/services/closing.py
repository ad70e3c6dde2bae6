"""How a case ends: solved by an agent, or by the purchase itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from ..data import queries_case as queries
from ..data.models import CaseRow
from ..rules.payments import Conflict, conflict_key
from ..types import EntryKind, Event, Family, Outcome, Status
from . import rescue
from .clocks import ended_pauses
from .entries import entry
from .reading import info
from .runtime import Unit

_ENDED_BY_PURCHASE: Final = (Family.PAYMENT, Family.HESITATION)


def ended(status: Status, outcome: Outcome | None, at: datetime) -> dict[str, Any]:
    """Return the columns of a case that ends now: its clocks stop, nothing is due any more."""
    return {
        "status": status,
        "outcome": outcome,
        "ended_at": at,
        "wake_at": None,
        "due_at": None,
        "unanswered_since": None,
        "next_response_due": None,
        "changed_at": at,
    }


def close_recovered(
    unit: Unit, checkout_refs: Sequence[str], order_ref: str | None, event: Event
) -> None:
    """End the payment and hesitation cases of a checkout that has been paid.

    With a public reply of a human the case was won together (solved, ``assisted``). Without one a
    link of ours that was used shortly before has the credit (closed, ``rescued``), else the
    customer recovered alone (closed, ``self_recovered``).
    """
    rows = [*queries.live_cases_of(unit.session, checkout_refs, order_ref, _ENDED_BY_PURCHASE)]
    if event.name == "order_completed":
        rows += _missed_the_order(unit, checkout_refs)
    for row in rows:
        assisted = row.first_response_at is not None
        status = Status.SOLVED if assisted else Status.CLOSED
        outcome = Outcome.ASSISTED if assisted else _without_a_human(unit, row, event.at)
        before = row.status
        stopped = {"pauses": ended_pauses(row, status, event.at)}
        queries.change_case(unit.session, row, ended(status, outcome, event.at) | stopped)
        told = {
            "action": "recovered",
            "from": before,
            "to": row.status,
            "outcome": row.outcome,
            "signal": event.name,
        }
        line = entry(row, EntryKind.DECISION, event.at, data=told)
        queries.add_entries(unit.session, [line])
        unit.emit("case_solved" if assisted else "case_closed", case=info(row), outcome=outcome)
        unit.emit("checkout_recovered", case=info(row), outcome=outcome)


def _without_a_human(unit: Unit, row: CaseRow, paid_at: datetime) -> Outcome:
    is_ours = rescue.has_brought_back(unit.session, row, paid_at)
    return Outcome.RESCUED if is_ours else Outcome.SELF_RECOVERED


def _missed_the_order(unit: Unit, checkout_refs: Sequence[str]) -> Iterator[CaseRow]:
    for ref in checkout_refs:
        key = conflict_key(ref, Conflict.CHARGED_WITHOUT_ORDER)
        row = queries.live_case_by_key(unit.session, key)
        if row is not None:
            yield row


def note_order(unit: Unit, checkout_refs: Sequence[str], event: Event) -> None:
    """Write the order that a checkout became on its cases, also on those that have ended.

    The payment is often reported before the order exists, and has ended them by then.
    """
    for row in queries.cases_without_order(unit.session, checkout_refs):
        changed = {"order_ref": event.order_ref, "changed_at": unit.now}
        queries.change_case(unit.session, row, changed)
        told = {"signal": event.name, "order_ref": event.order_ref}
        line = entry(row, EntryKind.SIGNAL, event.at, data=told)
        queries.add_entries(unit.session, [line])
