"""One service e-mail to a customer whose payment failed and who hasn't tried again.

Decided by the sweep, sent by the outbox, and looked at once more right before it leaves: who has
paid in the meantime reads nothing about a payment that failed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from ..data import outbox, queries_case, queries_due
from ..data.models import CaseRow
from ..rules import lifecycle, outreach
from ..rules.prompts import HELD_OUT
from ..types import EntryKind, FailureClass, Status
from . import rescue
from .clocks import outreach_at
from .entries import entry
from .runtime import Runtime, Unit

log = logging.getLogger(__name__)

KIND: Final = "payment_failed_mail"
INVITATION: Final = "payment_again_mail"
"""After an outage: the customer can try again."""

UNPAID: Final = frozenset({"pending", "unpaid", "failed", "cancelled", "canceled"})
"""Statuses of an order that don't mean it was bought: some shops make the order before the payment.
"""


@dataclass(frozen=True, slots=True)
class Considered:
    """What came of looking at a case: ``settled`` for good, or to be looked at ``again_at``."""

    settled: bool = False
    again_at: datetime | None = None


def can_send(runtime: Runtime) -> bool:
    """Whether the shop has a mailer or named a mail server."""
    return runtime.hooks.mailer is not None or runtime.settings.mail_url is not None


def consider(unit: Unit, row: CaseRow) -> Considered:
    """Decide whether the customer is written to now. The caller has locked the case."""
    policy = unit.runtime.policy
    due = outreach_at(policy, row)
    if due is None or unit.now < due or row.last_failed_at is None:
        return Considered()
    if not can_send(unit.runtime) or outreach.is_too_late(policy, row.last_failed_at, unit.now):
        return Considered(settled=True)
    retried = _retried_at(unit.session, row)
    if retried is not None and unit.now < retried + policy.outreach.after:
        return Considered(again_at=retried + policy.outreach.after)
    if _is_held_out(unit.session, row):
        record(unit, row, {"state": "withheld"})
    elif why_not(unit.runtime, unit.session, row, unit.now) is None:
        key = f"payment_failed:{row.reference}"
        link = rescue.make(unit, row)
        told = {"rescue": link} if link else {}
        outbox.put(unit.session, KIND, key, told, now=unit.now, case_id=row.id)
    return Considered(settled=True)


def _is_held_out(session: Session, row: CaseRow) -> bool:
    checkout = queries_case.checkout_by_ref(session, row.checkout_ref) if row.checkout_ref else None
    return checkout is not None and checkout.arm == HELD_OUT


def why_not(
    runtime: Runtime, session: Session, row: CaseRow, now: datetime, *, invited: bool = False
) -> str | None:
    """Return why this customer must not get the mail now; ``None`` when they may.

    Args:
        invited: it is the mail after an outage, in which the case has been folded.
    """
    failure = FailureClass(row.failure_class) if row.failure_class else None
    failed_at = row.last_failed_at
    checkout = queries_case.checkout_by_ref(session, row.checkout_ref) if row.checkout_ref else None
    reasons = {
        f"the case is {row.status}": not lifecycle.is_live(Status(row.status)),
        "an incident stands for it": (row.folded_into is not None) is not invited,
        "a human has written": row.first_response_at is not None,
        "not to this customer": failure is None
        or failure in outreach.NEVER
        or not row.customer_email,
        "the money may have moved": (row.attempt or {}).get("outcome") == "unknown",
        "too late": failed_at is None or outreach.is_too_late(runtime.policy, failed_at, now),
        "paid or ordered": checkout is not None
        and (checkout.paid_at is not None or checkout.ordered_at is not None),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)


def why_not_now(
    runtime: Runtime, case_id: int | None, *, invited: bool = False
) -> tuple[CaseRow | None, str | None]:
    """Look at everything once more, right before sending: the case, and why not to send.

    The shop's ``order_for_checkout`` is asked too, when it is set; an exception in it is the
    caller's, who tries again later.
    """
    with runtime.read() as session:
        row = queries_due.case_by_id(session, case_id) if case_id is not None else None
        if row is None:
            return None, "the case is gone"
        reason = why_not(runtime, session, row, runtime.clock(), invited=invited)
        retried = _retried_at(session, row)
        if reason is None and retried is not None and _is_recent(runtime, retried):
            reason = "being retried"
    if reason is None and _has_ordered(runtime, row.checkout_ref):
        reason = "ordered"
    return row, reason


def record(unit: Unit, row: CaseRow, told: dict[str, Any], kind: str = KIND) -> None:
    """Put what became of the mail into the case's timeline."""
    told = {"mail": kind.removesuffix("_mail"), **told}
    line = entry(row, EntryKind.MAIL, unit.now, data=told)
    queries_case.add_entries(unit.session, [line])


def _retried_at(session: Session, row: CaseRow) -> datetime | None:
    """Return when a payment was started after the failed one; how it ended isn't known yet."""
    if row.checkout_ref is None or row.last_failed_at is None:
        return None
    started = queries_due.last_event_at(session, row.checkout_ref, "payment_started")
    return started if started is not None and started > row.last_failed_at else None


def _has_ordered(runtime: Runtime, checkout_ref: str | None) -> bool:
    ask = runtime.hooks.order_for_checkout
    order = ask(checkout_ref) if ask is not None and checkout_ref else None
    return order is not None and (order.status or "").lower() not in UNPAID


def _is_recent(runtime: Runtime, at: datetime) -> bool:
    return runtime.clock() < at + runtime.policy.outreach.after
