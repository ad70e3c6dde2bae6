"""What could not be sent or handed over, and what supervisors do about it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from ..change_types import Change, ChangeState
from ..data import outbox, queries_due
from ..data import queries_change as queries
from ..data.change_models import ChangeRow
from ..errors import (
    InvalidInputError,
    InvalidTransitionError,
    NotFoundError,
    PermissionDeniedError,
)
from ..rules import changes as rules
from ..rules.changes import Leave, Refusal
from ..types import Agent, CaseInfo, EntryKind
from . import change_steps as steps
from . import changes
from .change_terms import order_now, terms_of
from .permission import may
from .reading import info
from .runtime import Runtime, Unit

AT_ONCE: Final = 200
"""Letters of one page, the newest; the others come when these are done with."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that was given up.

    Args:
        kind: of the outbox.
        change: the change's id, where it is about one; it is decided on on its case's page.
        error: of the last try.
        at: when it was given up, UTC.
    """

    id: int
    kind: str
    case: CaseInfo | None
    change: str | None
    tries: int
    error: str
    at: datetime

    @property
    def is_handover(self) -> bool:
        return self.kind == steps.HANDOVER


def require_supervisor(agent: Agent) -> None:
    """Let supervisors pass.

    Raises:
        PermissionDeniedError: it is somebody else.
    """
    if not agent.is_supervisor:
        raise PermissionDeniedError("what could not be sent is for supervisors")


def letters(runtime: Runtime, agent: Agent) -> list[DeadLetter]:
    """Return what was given up of the cases that this supervisor sees, the newest first.

    Raises:
        PermissionDeniedError: the agent is no supervisor.
    """
    require_supervisor(agent)
    with runtime.read() as session:
        rows = outbox.given_up(session, AT_ONCE)
        found = queries_due.cases_by_ids(session, {row.case_id for row in rows if row.case_id})
        cases = {row.id: info(row) for row in found}
    told = [
        DeadLetter(
            row.id,
            row.kind,
            cases.get(row.case_id or 0),
            row.payload.get("change"),
            row.attempts,
            row.last_error or "",
            row.done_at or row.created_at,
        )
        for row in rows
    ]
    return [one for one in told if one.case is None or may(runtime, agent, "view", one.case)]


def again(runtime: Runtime, letter_id: int, agent: Agent) -> None:
    """Send it once more, from the beginning of its tries.

    Raises:
        NotFoundError, PermissionDeniedError: there is none, or the agent is no supervisor.
        InvalidTransitionError: it hands a change over that can't be sent again as it is.
    """
    letter = _letter(runtime, letter_id, agent)
    if letter.is_handover and letter.change and letter.case:
        send_again(
            runtime, letter.case.reference, letter.change, agent=agent, version=letter.case.version
        )
        return
    with runtime.write() as unit:
        row = outbox.given_up_by_id(unit.session, letter_id)
        if row is not None:
            outbox.again(unit.session, row.key, unit.now)


def put_away(runtime: Runtime, letter_id: int, agent: Agent) -> None:
    """Let it be: it is not tried again. A hand-over is decided on on its case's page instead.

    Raises:
        NotFoundError, PermissionDeniedError: as :func:`again`.
        InvalidTransitionError: it is a hand-over.
    """
    letter = _letter(runtime, letter_id, agent)
    if letter.is_handover:
        raise InvalidTransitionError("say on the case what has become of the change")
    with runtime.write() as unit:
        row = outbox.given_up_by_id(unit.session, letter_id)
        if row is not None:
            outbox.put_away(unit.session, row.key, unit.now)


def _letter(runtime: Runtime, letter_id: int, agent: Agent) -> DeadLetter:
    found = next((one for one in letters(runtime, agent) if one.id == letter_id), None)
    if found is None:
        raise NotFoundError(f"there is no letter {letter_id}")
    if found.change and found.case and not may(runtime, agent, "change", found.case):
        raise PermissionDeniedError("changes are not yours to decide")
    return found


# -- Changes that nobody has answered --------------------------------------------------------------


def send_again(
    runtime: Runtime, reference: str, change_id: str, *, agent: Agent, version: int | None
) -> Change:
    """Hand a change over once more, under the id that it had: who has it already knows it.

    Raises:
        NotFoundError, PermissionDeniedError, StaleVersionError: as :func:`.changes.approve`.
        InvalidTransitionError: it isn't in conflict, its money has gone back, or another change of
            the order is open.
    """
    _may_settle(runtime, reference, change_id, agent)
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        work.check(version)
        after = rules.again(steps.progress_of(row))
        _check_alone(unit, row)
        values = {"state": after.state, "reason": None, "reason_text": None, "ended_at": None}
        queries.set_change(unit.session, row, {**values, "wake_at": row.cut_off_at})
        steps.send_again(unit, row)
        told = {"action": "change_again", "change": row.public_id, **steps.told_of(row)}
        work.append(EntryKind.CHANGE, agent=agent, data=told)
        return steps.as_change(row, work.row.reference)


def settle(
    runtime: Runtime,
    reference: str,
    change_id: str,
    *,
    done: bool,
    agent: Agent,
    text: str = "",
    version: int | None,
) -> Change:
    """Say what the warehouse has done, after having asked it.

    Args:
        text: why it wasn't done; the customer reads it.

    Raises:
        NotFoundError, PermissionDeniedError, StaleVersionError: as :func:`.changes.approve`.
        InvalidInputError: it wasn't done, and no reason is given (``field="why"``).
        InvalidTransitionError: it isn't in conflict, or another change of the order is open.
    """
    _may_settle(runtime, reference, change_id, agent)
    reason = text.strip()[:500]
    if not done and not reason:
        raise InvalidInputError("say why", field="why")
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        work.check(version)
        _check_conflict(row)
        if done:
            _check_alone(unit, row)
            steps.acknowledge(unit, work, row, agent=agent)
            work.change({})
        else:
            steps.end(
                unit, work, row, ChangeState.REJECTED, Refusal.WAREHOUSE, agent=agent, text=reason
            )
        return steps.as_change(row, work.row.reference)


def correct(
    runtime: Runtime,
    reference: str,
    change_id: str,
    given: Mapping[str, Any],
    *,
    agent: Agent,
    version: int | None,
) -> Change:
    """Replace a change that nobody answered by a corrected one, and hand that over.

    It is another change, with an id and an approval of its own; what becomes of the first one is
    refused by the order's version, or comes back as a contradiction.

    Args:
        given: as the customer would ask for it, see :class:`.Change`.

    Raises:
        NotFoundError, PermissionDeniedError, StaleVersionError: as :func:`.changes.approve`.
        InvalidInputError: it can't be read.
        RefusedChangeError: the order doesn't allow it any more.
        InvalidTransitionError: it isn't in conflict, another change is open, or it costs more: that
            is for the customer to ask for.
    """
    _may_settle(runtime, reference, change_id, agent)
    seen = changes.get(runtime, change_id)
    order = order_now(runtime, seen.order_ref or "")
    terms = terms_of(runtime, order, seen.kind, {**seen.asked, **given}, runtime.clock())
    if terms.refusal is not None:
        raise steps.RefusedChangeError(terms.refusal)
    if terms.must_pay:
        raise InvalidTransitionError("it costs more: the customer has to ask for it")
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        work.check(version)
        _check_conflict(row)
        _check_alone(unit, row)
        steps.end(unit, work, row, ChangeState.SUPERSEDED, None, agent=agent)
        fresh = changes.put_change(unit, work, terms, f"corrected:{secrets.token_hex(12)}")
        told = {"action": "change_corrected", "change": fresh.public_id, **steps.told_of(fresh)}
        work.append(EntryKind.CHANGE, agent=agent, data=told)
        change = steps.as_change(fresh, work.row.reference)
        unit.emit("change_requested", case=info(work.row), change=change)
        steps.approve_now(unit, work, fresh, fresh.content, Leave.SUPERVISOR, agent=agent)
        work.change({})
        return steps.as_change(fresh, work.row.reference)


def _may_settle(runtime: Runtime, reference: str, change_id: str, agent: Agent) -> None:
    changes.may_decide(runtime, reference, change_id, agent)
    require_supervisor(agent)


def _check_conflict(row: ChangeRow) -> None:
    if row.state != ChangeState.CONFLICT:
        raise InvalidTransitionError(f"the change is {row.state}")


def _check_alone(unit: Unit, row: ChangeRow) -> None:
    open_: Sequence[ChangeRow] = queries.open_changes(unit.session, row.subject)
    if open_:
        raise InvalidTransitionError("another change of this order is open")
