"""Looking at everything that is due by now."""

from __future__ import annotations

from dataclasses import dataclass

from ..services.alarms import sweep_cases
from ..services.assignment import sweep_assignments
from ..services.card_testing import sweep_card_testing
from ..services.due_calls import sweep_callbacks
from ..services.handover import sweep_changes
from ..services.hesitation import sweep_checkouts
from ..services.incidents import sweep_incidents
from ..services.overdue import sweep_overdue
from ..services.payments import sweep_payments
from ..services.policies import note_file
from ..services.reports import sweep_reports
from ..services.runtime import Runtime
from .drain import drain


@dataclass(frozen=True, slots=True)
class Swept:
    """On how many cases and checkouts something happened, how many tasks are newly late.

    ``assigned``: how many cases were given to somebody, or taken back; ``payments``: in how many
    checkouts something was found about their money; ``incidents``: how much changed about outages
    and card testing, and the cases that they hold; ``calls``: how many calls are due, of which
    somebody was told; ``changes``: how many changes of orders ended.
    """

    cases: int
    checkouts: int
    tasks: int = 0
    assigned: int = 0
    payments: int = 0
    incidents: int = 0
    calls: int = 0
    changes: int = 0


def sweep(runtime: Runtime) -> Swept:
    """Fire the clocks of cases, write to customers, open cases for who hesitates, give cases out.

    The spool goes first: what a customer did a moment ago decides, not what was known before.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    note_file(runtime)
    drain(runtime)
    payments = sweep_payments(runtime)
    # Before clocks fire and cases are given out: an outage may stand for many of them.
    # Somebody who tries cards must not look like an outage.
    incidents = sweep_card_testing(runtime) + sweep_incidents(runtime)
    checkouts = sweep_checkouts(runtime)
    tasks = sweep_overdue(runtime)
    calls = sweep_callbacks(runtime)
    changes = sweep_changes(runtime)
    cases = sweep_cases(runtime)
    # Last: what was opened or escalated a moment ago is given out too.
    assigned = sweep_assignments(runtime)
    sweep_reports(runtime)
    return Swept(
        cases=cases,
        checkouts=checkouts,
        tasks=tasks,
        assigned=assigned,
        payments=payments,
        incidents=incidents,
        calls=calls,
        changes=changes,
    )
