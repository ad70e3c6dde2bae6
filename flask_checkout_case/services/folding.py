"""Cases for which an incident stands: folded as they are opened, or by the sweep, in bulk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..data import queries_case
from ..data import queries_incident as queries
from ..data.incident_models import IncidentRow
from ..data.queries_incident import Hit
from ..rules import folding as rules
from ..rules import pauses, surge
from ..rules.policy import Policy
from ..types import EntryKind, FailureClass, IncidentInfo, Money, Status
from .entries import entry
from .runtime import Unit

OUTAGE: Final = "outage"


def stands_for(
    incidents: Iterable[IncidentInfo],
    policy: Policy,
    failure_class: FailureClass,
    attempt: Mapping[str, Any],
    value: Money | None,
) -> IncidentInfo | None:
    """Return the incident that stands for a payment that has just failed, if one does."""
    found = of_stream(incidents, attempt)
    fits = [one for one in found if failure_class in surge.classes_of(one.class_group or "")]
    return fits[0] if fits and not rules.is_individual(policy, value) else None


def of_stream(incidents: Iterable[IncidentInfo], attempt: Mapping[str, Any]) -> list[IncidentInfo]:
    """Return the outages of the gateway and the method by which an attempt was made.

    One that tells no method may have been made by any.
    """
    gateway, method = surge.stream_of(attempt)
    return [
        one
        for one in incidents
        if one.kind == OUTAGE
        and (one.gateway or "") == gateway
        and method in {one.method or "", ""}
    ]


def told(incident_id: int) -> dict[str, Any]:
    """Make the line of the timeline of a case that is folded."""
    return {"kind": EntryKind.DECISION, "data": {"action": "folded", "incident": incident_id}}


def hit_by(policy: Policy, row: IncidentRow) -> Hit:
    """Return whom an incident may hold."""
    return Hit(
        incident_id=row.id,
        gateway=row.gateway or "",
        method=row.method or "",
        classes=sorted(surge.classes_of(row.class_group or "")),
        individual=rules.individual_over(policy),
        is_over=row.resolved_at is not None,
    )


def fold(unit: Unit, hit: Hit, limit: int) -> int:
    """Fold members' cases that nobody works on; how many they were."""
    rows = queries.to_fold(unit.session, hit, limit)
    fresh = [row.id for row in rows if not row.pauses]
    if fresh:
        queries.fold(unit.session, fresh, hit.incident_id, unit.now)
    for row in rows:
        if row.pauses:
            spans = pauses.follow_status(row.pauses, Status.NEW, unit.now, folded=True)
            queries.fold_one(unit.session, row.id, spans, hit.incident_id, unit.now)
    line = told(hit.incident_id)
    lines = [{**entry(row, line["kind"], unit.now, data=line["data"])} for row in rows]
    queries_case.add_entries(
        unit.session, [{**one, "case_version": one["case_version"] + 1} for one in lines]
    )
    return len(rows)
