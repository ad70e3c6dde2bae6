"""Changes of what is about to be bought: applied while the customer waits, or refused visibly.

Nobody decides on them, no warehouse is asked, and what they cost is paid with the rest.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ..change_types import Change, ChangeKind, ChangeState
from ..data import queries_change as queries
from ..errors import InvalidTransitionError
from ..rules import changes as rules
from ..rules.changes import Refusal
from ..types import Order
from . import change_steps as steps
from . import changes, handover
from .runtime import Runtime

log = logging.getLogger(__name__)


def ask(
    runtime: Runtime, order: Order, kind: ChangeKind, given: Mapping[str, Any], **more: Any
) -> Change:
    """Take a customer's request and apply it; arguments and errors as of :func:`.changes.ask`.

    Args:
        order: what the checkout would become.

    Raises:
        RefusedChangeError: the shop's hook could not do it; that has been written down.
    """
    change = changes.ask(runtime, order, kind, given, **more)
    if change.state is ChangeState.APPROVED:
        change = apply(runtime, change.id)
    if change.state is ChangeState.REJECTED:
        raise steps.RefusedChangeError(Refusal(change.reason or Refusal.REFUSED))
    return change


def apply(runtime: Runtime, change_id: str) -> Change:
    """Let the shop's hook apply an approved change, and write down what became of it.

    Nothing is tried again hours later: by then the customer has gone on without it. Called again
    after a crash, it asks the hook again, which applies each id once.
    """
    seen, _why = handover.begin(runtime, change_id)
    hook = runtime.hooks.checkout_applier
    if seen is None or hook is None:
        return changes.get(runtime, change_id)
    try:
        with runtime.apart():
            hook(seen)
    except Exception:
        log.exception("the checkout_applier failed: the change is refused")
        return _settle(runtime, change_id, is_done=False)
    return _settle(runtime, change_id, is_done=True)


def _settle(runtime: Runtime, change_id: str, *, is_done: bool) -> Change:
    with runtime.write() as unit:
        row, work = steps.locked(unit, change_id)
        try:
            if is_done:
                after = rules.acknowledge(steps.progress_of(row))
                queries.set_change(unit.session, row, {"state": after.state})
                handover.note_applied(unit, work, row)
            else:
                steps.end(unit, work, row, ChangeState.REJECTED, Refusal.REFUSED)
        except InvalidTransitionError:
            log.info("change %s is %s already", row.public_id, row.state)
        return steps.as_change(row, work.row.reference)
