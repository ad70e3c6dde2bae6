"""Handing approved changes over: what is sent, what is answered, and what happens if nothing is.

At least once, and under one id: whoever applies a change applies it once by that.
"""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from ..change_types import Change, ChangeState
from ..data import queries_case
from ..data import queries_change as queries
from ..data.change_models import ChangeRow
from ..errors import ConfigurationError, InvalidTransitionError, NotFoundError
from ..rules import changes as rules
from ..rules.changes import Refusal
from ..types import EntryKind, Outcome, Priority
from . import change_steps as steps
from . import changes
from .reading import info
from .runtime import Runtime, Unit
from .sweeping import look_at_due
from .work import Work

log = logging.getLogger(__name__)

TYPES: Final = {
    steps.HANDOVER: "order.change",
    steps.HOLD: "order.hold",
    steps.RELEASE: "order.release",
}


def begin(runtime: Runtime, change_id: str) -> tuple[Change | None, str | None]:
    """Ask the shop once more and mark an approved change as sent.

    Returns:
        The change that is to be sent now, or ``None`` and why it isn't.
    """
    seen = changes.get(runtime, change_id)
    if seen.state not in (ChangeState.APPROVED, ChangeState.SENT):
        return None, f"the change is {seen.state}"
    terms, refusal = None, None
    if seen.state is ChangeState.APPROVED:
        # What left already may have arrived: only its answer decides.
        terms, refusal = changes.look_again(runtime, seen)
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        if refusal is not None:
            steps.end(unit, work, row, ChangeState.REJECTED, refusal)
            return None, f"refused: {refusal}"
        if (
            terms is not None
            and row.state == ChangeState.APPROVED
            and terms.version != row.base_version
        ):
            changes.reprice(unit, work, row, terms)
            return None, "the order has changed: priced anew"
        after = rules.send(steps.progress_of(row))
        # Nobody waits for an answer before it has been received.
        values = {"state": after.state, "sent_at": row.sent_at or unit.now}
        queries.set_change(unit.session, row, {**values, "wake_at": row.cut_off_at})
        return steps.as_change(row, work.row.reference), None


def note(runtime: Runtime, change_id: str, what: str, outcome: str) -> None:
    """Write down a try, or an answer, for the agents."""
    with runtime.write() as unit:
        row = queries.change_by_id(unit.session, change_id)
        if row is not None:
            queries.add_handover(unit.session, row.id, unit.now, what, outcome)


def received(runtime: Runtime, change_id: str, outcome: str) -> None:
    """Note that fulfilment has got it; its answer has to come within the policy's time.

    Without an address to send to, the shop's own hook is the whole of fulfilment.
    """
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        queries.add_handover(unit.session, row.id, unit.now, "sent", outcome)
        if row.state != ChangeState.SENT:
            return
        if unit.runtime.settings.fulfilment_url is None:
            steps.acknowledge(unit, work, row)
            return
        wake_at = unit.now + unit.runtime.policy.changes.answer_within
        queries.set_change(unit.session, row, {"wake_at": wake_at})


def answer(
    runtime: Runtime,
    change_id: str,
    *,
    accepted: bool,
    order_version: str | None,
    reason: str | None,
) -> ChangeState:
    """Take fulfilment's answer; the same once more changes nothing.

    Raises:
        NotFoundError: there is no such change.
        InvalidTransitionError: it contradicts an earlier answer; agents are told.
    """
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        word = "accepted" if accepted else "rejected"
        queries.add_handover(unit.session, row.id, unit.now, word, reason or order_version or "")
        state = ChangeState(row.state)
        waited = state is ChangeState.SENT or _may_be_late(unit, row)
        if waited and accepted:
            steps.acknowledge(unit, work, row)
        elif waited or (state is ChangeState.CONFLICT and not accepted):
            steps.end(unit, work, row, ChangeState.REJECTED, Refusal.WAREHOUSE, text=reason)
        elif not _agrees(state, accepted=accepted):
            _tell_contradiction(unit, work, row, word)
            return state
        return ChangeState(row.state)


def _may_be_late(unit: Unit, row: ChangeRow) -> bool:
    """Whether an answer still can be taken that nobody waits for any more."""
    if row.state != ChangeState.CONFLICT or row.must_pay or row.sent_at is None:
        return False
    return not queries.open_changes(unit.session, row.subject)


def _agrees(state: ChangeState, *, accepted: bool) -> bool:
    taken = state in (ChangeState.ACKNOWLEDGED, ChangeState.APPLIED)
    return taken if accepted else state is ChangeState.REJECTED


def _tell_contradiction(unit: Unit, work: Work, row: ChangeRow, word: str) -> None:
    """What the warehouse does differs from what we believed: nobody may overlook that."""
    told = {
        "action": "change_contradiction",
        "change": row.public_id,
        "answer": word,
        "state": row.state,
    }
    work.append(EntryKind.ESCALATION, data=told, key=f"contradiction:{row.public_id}:{word}"[:64])
    work.change({"priority": Priority.URGENT})


def apply(runtime: Runtime, change_id: str) -> str | None:
    """Let the shop's hook apply what fulfilment has taken; why not, when there is nothing to do.

    Raises:
        Exception: whatever the hook raises; it is tried again.
    """
    seen = changes.get(runtime, change_id)
    if seen.state is not ChangeState.ACKNOWLEDGED:
        return f"the change is {seen.state}"
    hook = runtime.hooks.change_applier
    if hook is not None:
        with runtime.apart():
            hook(seen)
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        if row.state != ChangeState.ACKNOWLEDGED:
            return f"the change is {row.state}"
        note_applied(unit, work, row)
    return None


def note_applied(unit: Unit, work: Work, row: ChangeRow) -> None:
    """Write down that a change is made which fulfilment has taken."""
    after = rules.apply(steps.progress_of(row))
    queries.set_change(unit.session, row, {"state": after.state, "ended_at": unit.now})
    told = {"action": "change_applied", "change": row.public_id, "kind": row.kind}
    work.append(EntryKind.CHANGE, data=told)
    steps.write(unit, work, row)
    unit.emit("change_applied", case=info(work.row), change=steps.as_change(row, None))
    steps.after_end(unit, work, row, Outcome.SAVED_CHANGE)


def give_back(runtime: Runtime, change_id: str) -> None:
    """Let the shop's hook give back what was paid for a change that has ended.

    Raises:
        Exception: whatever the hook raises; it is tried again.
    """
    hook = runtime.hooks.change_refund
    if hook is None:
        raise ConfigurationError("there is no change_refund hook any more")
    with runtime.apart():
        hook(changes.get(runtime, change_id))
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        told = {"action": "change_refunded", "change": row.public_id, "kind": row.kind}
        work.append(EntryKind.CHANGE, data=told, key=f"refunded:{row.public_id}")


def give_up(runtime: Runtime, change_id: str, why: str) -> None:
    """End what can't be handed over: somebody has to call the warehouse."""
    with runtime.write() as unit:
        try:
            row, work = steps.locked(unit, change_id)
        except NotFoundError:
            return
        queries.add_handover(unit.session, row.id, unit.now, "gave_up", why)
        _conflict(unit, work, row, Refusal.NO_ANSWER)


def give_up_applying(runtime: Runtime, change_id: str, why: str) -> None:
    """Tell that the warehouse has taken a change which the shop's own hook can't apply."""
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        queries.add_handover(unit.session, row.id, unit.now, "gave_up", why)
        told = {"action": "change_unapplied", "change": row.public_id, "kind": row.kind}
        work.append(EntryKind.ESCALATION, data=told)
        work.change({"priority": Priority.URGENT})


def _conflict(unit: Unit, work: Work, row: ChangeRow, reason: Refusal) -> None:
    try:
        steps.end(unit, work, row, ChangeState.CONFLICT, reason)
    except InvalidTransitionError:
        log.info("change %s has gone on meanwhile: %s", row.public_id, row.state)
        return
    live = queries_case.case_by_reference(unit.session, work.row.reference, lock=True)
    if live is not None:
        Work(unit, live, unit.now).change({"priority": Priority.URGENT})


def sweep_changes(runtime: Runtime) -> int:
    """End what nobody decided, paid or answered in time; how many changes that were."""
    _reprice_promoted(runtime)
    return look_at_due(runtime, queries.next_due_change, _look, _postpone)


def _look(unit: Unit, row: ChangeRow) -> bool:
    row, work = steps.locked(unit, row.public_id)
    if row.wake_at is None or row.wake_at > unit.now:
        return False
    state = ChangeState(row.state)
    if state is ChangeState.SENT:
        _conflict(unit, work, row, Refusal.NO_ANSWER)
        return True
    if state is ChangeState.APPROVED:
        steps.end(unit, work, row, ChangeState.REJECTED, Refusal.TOO_LATE)
        return True
    if state in rules.UNDECIDED:
        unpaid = state is ChangeState.AWAITING_PAYMENT
        reason = Refusal.NOT_PAID if unpaid else Refusal.NOT_DECIDED
        steps.end(unit, work, row, ChangeState.EXPIRED, reason)
        return True
    queries.set_change(unit.session, row, {"wake_at": None})
    return False


def _postpone(session: Session, change_id: int, until: datetime) -> None:
    queries.wake_change(session, change_id, until)


def _reprice_promoted(runtime: Runtime) -> None:
    """Look anew at changes that have waited for another one: the order is another one by now."""
    with runtime.read() as session:
        found = [row.public_id for row in queries.promoted(session, runtime.clock())]
    for change_id in found:
        changes.go_on(runtime, change_id)
