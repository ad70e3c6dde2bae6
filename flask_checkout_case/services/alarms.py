"""Cases whose alarm has gone off: clocks to tell of, a customer to write to."""

from __future__ import annotations

from ..data import queries_due
from ..data.models import CaseRow
from ..rules import outreach as rule
from . import clocks, outreach
from .runtime import Runtime, Unit
from .sweeping import look_at_due


def sweep_cases(runtime: Runtime) -> int:
    """Fire what is due on cases; on how many of them anything was."""
    return look_at_due(runtime, queries_due.next_due_case, _look, queries_due.postpone_case)


def _look(unit: Unit, row: CaseRow) -> bool:
    fired = [*row.fired, *clocks.fire(unit, row)]
    considered = outreach.consider(unit, row)
    if considered.settled:
        fired.append(rule.FIRED_KEY)
    clocks.set_alarm(unit, row, fired, outreach_at=considered.again_at)
    return len(fired) > len(row.fired)
