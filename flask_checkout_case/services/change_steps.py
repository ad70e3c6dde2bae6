"""The steps of a change: each inside a unit of work, with the change and its case locked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from ..change_types import Change, ChangeKind, ChangeState, Stage
from ..data import outbox, queries_case, queries_due
from ..data import queries_change as queries
from ..data.change_models import ChangeRow
from ..errors import CheckoutCaseError, NotFoundError
from ..rules import changes as rules
from ..rules.changes import Leave, Progress, Refusal
from ..types import (
    Agent,
    EntryKind,
    Money,
    Outcome,
    Status,
)
from .closing import ended
from .outreach import can_send
from .reading import info
from .runtime import Runtime, Unit
from .work import Work

HANDOVER: Final = "change"
"""The outbox's kind of an approved change; ``APPLY`` of one that fulfilment has taken."""
APPLY: Final = "change_apply"
CHECKOUT: Final = "change_checkout"
"""Of one in a checkout: the customer's own request applies it, unless that has died."""
MAIL: Final = "change_mail"
REFUND: Final = "change_refund"
HOLD: Final = "change_hold"
RELEASE: Final = "change_release"
_SURELY_DEAD: Final = timedelta(seconds=30)
_HELD: Final = frozenset({Stage.RELEASED, Stage.PICKING, Stage.PACKED})


class RefusedChangeError(CheckoutCaseError):
    """This can't be changed now; ``reason`` says why."""

    code = "refused"
    status = 409

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"this can't be changed: {reason}")
        self.reason = reason


def locked(unit: Unit, change_id: str) -> tuple[ChangeRow, Work]:
    """Return a change and its case, both locked: the case first, as everywhere.

    Raises:
        NotFoundError: there is no such change.
    """
    found = queries.change_by_id(unit.session, change_id)
    known = queries_due.case_by_id(unit.session, found.case_id) if found is not None else None
    if known is None:
        raise NotFoundError(f"there is no change {change_id}")
    reference = known.reference
    # It may have changed before the lock was ours.
    unit.session.expire(known)
    case = queries_case.case_by_reference(unit.session, reference, lock=True)
    row = queries.change_by_id(unit.session, change_id, lock=True)
    if row is None or case is None:
        raise NotFoundError(f"there is no change {change_id}")
    return row, Work(unit, case, unit.now)


def approve_now(
    unit: Unit,
    work: Work,
    row: ChangeRow,
    content: str,
    by: Leave,
    *,
    agent: Agent | None = None,
) -> None:
    """Approve a change, and write it to the outbox in the same transaction."""
    after = rules.approve(progress_of(row), content, by)
    values = {
        "state": after.state,
        "approved": after.approved,
        "approved_at": unit.now,
        "approved_by": str(agent.ref) if agent else None,
        "approved_by_name": agent.name if agent else None,
        "wake_at": row.cut_off_at,
    }
    queries.set_change(unit.session, row, values)
    if row.stage == Stage.CHECKOUT:
        put(unit, CHECKOUT, row, unit.now + _SURELY_DEAD)
    else:
        put(unit, HANDOVER, row)
    told = {"action": "change_approved", "change": row.public_id, **told_of(row)}
    work.append(EntryKind.CHANGE, agent=agent, data=told)
    unit.emit("change_approved", case=info(work.row), change=as_change(row, work.row.reference))


def go_on_from(unit: Unit, work: Work, row: ChangeRow) -> None:
    """Approve what needs nobody's leave; let the warehouse hold what somebody has to look at."""
    if row.state == ChangeState.PRICED and row.leave == Leave.AUTOMATIC:
        approve_now(unit, work, row, row.content, Leave.AUTOMATIC)
    elif row.stage in _HELD and unit.runtime.settings.fulfilment_url:
        put(unit, HOLD, row)


def end(
    unit: Unit,
    work: Work,
    row: ChangeRow,
    state: ChangeState,
    reason: Refusal | None,
    *,
    agent: Agent | None = None,
    text: str | None = None,
) -> None:
    """End a change without it being applied, and go on with the one that waits for it."""
    after = rules.end(progress_of(row), state)
    before = row.state
    was_held = row.stage in _HELD and before != ChangeState.CONFLICT
    values = {"state": after.state, "reason": reason, "reason_text": text}
    queries.set_change(
        unit.session, row, {**values, "ended_at": unit.now, "wake_at": None, "promoted_at": None}
    )
    told = {"action": f"change_{state}", "change": row.public_id, "reason": reason, **told_of(row)}
    work.append(EntryKind.CHANGE, agent=agent, text=text, data=told)
    if was_held and unit.runtime.settings.fulfilment_url and state is not ChangeState.SUPERSEDED:
        put(unit, RELEASE, row)
    change = as_change(row, work.row.reference)
    write(unit, work, row)
    if row.paid_at is not None and unit.runtime.hooks.change_refund is not None:
        put(unit, REFUND, row)
    if before == ChangeState.CONFLICT:
        forget(unit, row)
    else:
        _tell_refused(unit, work, change, reason)
    if state is not ChangeState.SUPERSEDED:
        after_end(unit, work, row, Outcome.REFUSED)


def write(unit: Unit, work: Work, row: ChangeRow) -> None:
    """Let the customer be written to about what has become of their change."""
    wanted = unit.runtime.policy.changes.mail and row.state != ChangeState.SUPERSEDED
    reachable = work.row.customer_email is not None and can_send(unit.runtime)
    if wanted and reachable and row.stage != Stage.CHECKOUT:
        key = f"{MAIL}:{row.public_id}:{row.state}"
        told = {"change": row.public_id, "state": row.state}
        outbox.put(unit.session, MAIL, key, told, now=unit.now, case_id=row.case_id)


def _tell_refused(unit: Unit, work: Work, change: Change, reason: Refusal | None) -> None:
    if change.state is not ChangeState.SUPERSEDED:
        unit.emit("change_refused", case=info(work.row), change=change, reason=reason)


def forget(unit: Unit, row: ChangeRow) -> None:
    """Put a hand-over that was given up away: somebody has decided what becomes of it."""
    outbox.put_away(unit.session, _key(HANDOVER, row), unit.now)


def send_again(unit: Unit, row: ChangeRow) -> None:
    """Hand a change over once more, under the id that it had."""
    if not outbox.again(unit.session, _key(HANDOVER, row), unit.now):
        put(unit, HANDOVER, row)


def acknowledge(unit: Unit, work: Work, row: ChangeRow, *, agent: Agent | None = None) -> None:
    """Note that fulfilment has taken a change; then the shop's hook applies it.

    Args:
        agent: who has asked the warehouse; ``None`` where it has answered itself.
    """
    late = row.state == ChangeState.CONFLICT
    after = rules.acknowledge(progress_of(row), by_hand=agent is not None)
    if late:
        forget(unit, row)
    queries.set_change(
        unit.session,
        row,
        {
            "state": after.state,
            "wake_at": None,
            "ended_at": None,
            "reason": None,
            "reason_text": None,
        },
    )
    told = {"action": "change_acknowledged", "change": row.public_id, "kind": row.kind}
    work.append(EntryKind.CHANGE, agent=agent, data=told)
    put(unit, APPLY, row)


def after_end(unit: Unit, work: Work, row: ChangeRow, outcome: Outcome) -> None:
    """Let the waiting change be looked at; solve the case when nothing of it is open."""
    open_ = queries.open_changes(unit.session, row.subject)
    for waiting in open_:
        if waiting.waits:
            queries.set_change(unit.session, waiting, {"waits": False, "promoted_at": unit.now})
    in_conflict = row.state == ChangeState.CONFLICT
    if (
        not open_
        and not in_conflict
        and Status(work.row.status) not in (Status.SOLVED, Status.CLOSED)
    ):
        before = work.row.status
        work.end(ended(Status.SOLVED, outcome, unit.now))
        told = {"action": "status", "from": before, "to": Status.SOLVED, "outcome": outcome}
        work.append(EntryKind.DECISION, data=told)
        unit.emit("case_solved", case=info(work.row), outcome=outcome)


def put(unit: Unit, kind: str, row: ChangeRow, due_at: datetime | None = None) -> None:
    """Write something about a change to the outbox, once."""
    outbox.put(
        unit.session,
        kind,
        _key(kind, row),
        {"change": row.public_id},
        now=unit.now,
        due_at=due_at,
        case_id=row.case_id,
    )


def _key(kind: str, row: ChangeRow) -> str:
    return f"{kind}:{row.public_id}:{row.content[:12]}"


def progress_of(row: ChangeRow) -> Progress:
    """Return what the rules need of a change."""
    return Progress(
        state=ChangeState(row.state),
        content=row.content,
        leave=Leave(row.leave),
        must_pay=row.must_pay,
        paid=row.paid_at is not None,
        approved=row.approved,
        waits=row.waits,
        sent=row.sent_at is not None,
    )


def as_change(row: ChangeRow, case: str | None) -> Change:
    """Return a change as code reads it."""
    known = row.delta_minor is not None and row.currency is not None
    return Change(
        id=row.public_id,
        kind=ChangeKind(row.kind),
        state=ChangeState(row.state),
        order_ref=row.order_ref,
        checkout_ref=row.checkout_ref,
        asked=dict(row.asked),
        before=dict(row.before),
        delta=Money.minor(row.delta_minor or 0, row.currency or "USD") if known else None,
        base_version=row.base_version,
        payment_id=row.payment_id,
        reason=row.reason,
        case=case,
        requested_at=row.requested_at,
        # What the warehouse says is for agents.
        explanation=row.reason_text if row.reason == Refusal.REFUSED else None,
    )


def told_of(row: ChangeRow) -> dict[str, Any]:
    """Return what a line of the timeline keeps of a change."""
    return {"kind": row.kind, "before": row.before, "asked": row.asked}


def peek(runtime: Runtime, change_id: str) -> Change:
    """Return a change as it is stored; raises ``NotFoundError``."""
    with runtime.read() as session:
        row = queries.change_by_id(session, change_id)
        case = queries_due.case_by_id(session, row.case_id) if row is not None else None
        if row is None:
            raise NotFoundError(f"there is no change {change_id}")
        return as_change(row, case.reference if case is not None else None)
