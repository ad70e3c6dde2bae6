"""How a live case follows what is learnt later: who it is, what it is worth, what went wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..data import queries_case as queries
from ..data.models import CaseRow, with_values
from ..rules.failures import category_of, is_urgent
from ..rules.routing import Decision, Facts, decide
from ..types import EntryKind, FailureClass, Priority, Status
from . import protocols
from .clocks import clock_values
from .entries import entry
from .reading import info, value_of
from .runtime import Unit

if TYPE_CHECKING:
    from ..types import PaymentFailure

_LEARNT: Final = (
    "customer_ref",
    "customer_name",
    "customer_email",
    "language",
    "order_ref",
    "value_minor",
    "currency",
    "snapshot",
    "attempt",
)
_RANK: Final = {priority: rank for rank, priority in enumerate(Priority)}


def follow(unit: Unit, row: CaseRow, told: CaseRow, facts: Facts, failure: PaymentFailure) -> None:
    """Write on a joined case what the new occurrence tells more, and route it again if need be.

    A case that nobody has touched goes where its facts belong now; one that turns out to be fraud
    goes to the risk team whoever has it. A priority is only ever raised.

    Args:
        row: the live case, locked.
        told: the case as the new occurrence alone would have opened it.
        facts: of the new occurrence.
    """
    values = _learnt(row, told)
    merged = with_values(row, values)
    values |= _routed(unit, merged, facts, failure)
    if not values:
        return
    moved = values.get("route", row.route) != row.route
    before, protocol = row.team, row.protocol
    values |= clock_values(unit.runtime.policy, with_values(row, values))
    queries.change_case(unit.session, row, {**values, "changed_at": unit.now})
    if moved:
        line = {"action": "routed", "from": before, "to": row.team, "route": row.route}
        queries.add_entries(unit.session, [entry(row, EntryKind.DECISION, unit.now, data=line)])
        protocols.replace(unit, row, protocol)
        unit.emit("case_routed", case=info(row), reasons=row.reasons)


def _learnt(row: CaseRow, told: CaseRow) -> dict[str, Any]:
    strangers = row.customer_ref is not None and told.customer_ref not in (None, row.customer_ref)
    if strangers:
        return {}
    found = {
        name: getattr(told, name)
        for name in _LEARNT
        if getattr(row, name) is None and getattr(told, name) is not None
    }
    if found.keys() & {"customer_name", "value_minor"}:
        found["subject"] = told.subject
    return found


def _routed(unit: Unit, row: CaseRow, facts: Facts, failure: PaymentFailure) -> dict[str, Any]:
    failure_class = FailureClass(row.failure_class) if row.failure_class else None
    category = category_of(failure_class) if failure_class else None
    if failure_class is None or category is None:
        return {}
    known = replace(
        facts, category=category, failure_class=failure_class, total=value_of(row) or facts.total
    )
    decision = decide(unit.runtime.policy, known)
    fraud = failure_class is FailureClass.FRAUD
    found: dict[str, Any] = {}
    if fraud and row.folded_into is not None and not _is_card_testing(unit, row.folded_into):
        found["folded_into"] = None
    if category != row.category:
        found["category"] = category
    if decision.route != row.route and (fraud or _is_untouched(row)):
        found |= _destination(unit, row, decision)
    wanted = decision.priority if "route" in found else Priority(row.priority)
    if is_urgent(failure.failure_class, failure.outcome):
        wanted = Priority.URGENT
    if _RANK[wanted] > _RANK[Priority(row.priority)]:
        found["priority"] = wanted
    return found


def _is_untouched(row: CaseRow) -> bool:
    return (
        Status(row.status) is Status.NEW
        and row.assignee_ref is None
        and row.first_response_at is None
    )


def _destination(unit: Unit, row: CaseRow, decision: Decision) -> dict[str, Any]:
    return {
        "team": decision.team,
        "route": decision.route,
        "sla": decision.sla.key if decision.sla else None,
        "protocol": decision.protocol,
        "reasons": [reason.as_json() for reason in decision.reasons],
        "policy_version": unit.runtime.policy.version,
        "assignee_ref": row.assignee_ref if decision.team == row.team else None,
    }


def _is_card_testing(unit: Unit, incident_id: int) -> bool:
    known = unit.runtime.incidents.known
    return any(one.id == incident_id and one.kind == "card_testing" for one in known)
