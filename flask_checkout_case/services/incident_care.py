"""What becomes of an incident's members: attached, folded, invited back, closed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from ..data import outbox, queries_case, queries_due
from ..data import queries_incident as queries
from ..data.incident_models import IncidentRow
from ..data.models import CaseRow
from ..rules import lifecycle, surge
from ..rules import outreach as outreach_rules
from ..rules.surge import Watch
from ..types import EntryKind, Outcome, Status
from . import folding, outreach
from .clocks import ended_pauses
from .closing import ended
from .entries import entry
from .reading import info
from .runtime import Runtime, Unit

TOGETHER: Final = 100
"""Members of one transaction: others wait for a long one."""
ROUNDS: Final = 200
OVERLAP: Final = timedelta(minutes=2)
"""So far back is looked again: a transaction may have become visible late."""
STRAGGLERS: Final = timedelta(minutes=5)
"""So long after its end an incident still gets members: a process may not have heard of it."""
INVITE_AFTER: Final = timedelta(minutes=1)
INVITED_A_MINUTE: Final = 60
LOST_AFTER: Final = timedelta(days=1)


def care_for(runtime: Runtime, incident_id: int) -> int:
    """Do what is due about an incident; how many cases or incidents changed."""
    changed = 0
    for _ in range(ROUNDS):
        with runtime.database.letting_others_write():
            more = _gather(runtime, incident_id)
        changed += more
        if more < TOGETHER:
            break
    with runtime.write() as unit:
        row = queries.locked(unit.session, incident_id)
        if row is None:
            return changed
        if row.resolved_at is None:
            return changed + _judge(unit, row)
        return changed + _follow_up(unit, row)


def _gather(runtime: Runtime, incident_id: int) -> int:
    """Attach and fold, at most :data:`TOGETHER` each; how many of the larger."""
    with runtime.write() as unit:
        row = queries.locked(unit.session, incident_id)
        if row is None or row.kind != folding.OUTAGE:
            return 0
        if row.resolved_at is not None and unit.now - row.resolved_at > STRAGGLERS:
            return 0
        hit = folding.hit_by(runtime.policy, row)
        attached = queries.attach(unit.session, hit, _since(row), TOGETHER)
        if attached:
            queries.count_members(unit.session, row.id, attached, unit.now)
        folded = folding.fold(unit, hit, TOGETHER) if row.resolved_at is None else 0
        if attached < TOGETHER:
            _note(unit, row, attached_until=unit.now.isoformat())
        return max(attached, folded)


def _since(row: IncidentRow) -> datetime:
    first = row.opened_at - surge.NORMAL_FOR
    until = row.evidence.get("attached_until")
    return max(first, datetime.fromisoformat(until) - OVERLAP) if until else first


def _note(unit: Unit, row: IncidentRow, **told: Any) -> None:
    queries.set_incident(unit.session, row.id, {"evidence": {**row.evidence, **told}})


def _judge(unit: Unit, row: IncidentRow) -> int:
    """End an incident when all has been well for a while, or an agent has ended its case."""
    case = queries_due.case_by_id(unit.session, row.case_id) if row.case_id is not None else None
    stream = queries.stream(unit.session, row.gateway or "", row.method or "")
    ill_until = Watch.from_json(stream.state).ill_until if stream is not None else None
    quiet_since = max(row.opened_at, ill_until or row.opened_at)
    looked_until = stream.read_until if stream is not None else unit.now
    by_hand = case is not None and not lifecycle.is_live(Status(case.status))
    if by_hand or surge.has_ended(row.opened_at, ill_until, looked_until):
        _resolve(unit, row, case, quiet_since)
        return 1
    if quiet_since != row.quiet_since:
        queries.set_incident(unit.session, row.id, {"quiet_since": quiet_since})
    return 0


def _resolve(unit: Unit, row: IncidentRow, case: CaseRow | None, quiet_since: datetime) -> None:
    values = {"resolved_at": unit.now, "quiet_since": quiet_since}
    if row.kind != folding.OUTAGE:
        values["finished_at"] = unit.now
    queries.set_incident(unit.session, row.id, values)
    if case is not None:
        told = {"action": "incident_over", "members": row.members}
        if lifecycle.is_live(Status(case.status)):
            told |= {"from": case.status, "to": Status.SOLVED}
            _end(unit, case, Status.SOLVED, None)
            unit.emit("case_solved", case=info(case), outcome=None)
        line = entry(case, EntryKind.DECISION, unit.now, data=told)
        queries_case.add_entries(unit.session, [line])
    unit.emit("incident_resolved", incident=queries.incident_by_id(unit.session, row.id))


def _end(unit: Unit, case: CaseRow, status: Status, outcome: Outcome | None) -> None:
    stopped = {"pauses": ended_pauses(case, status, unit.now)}
    queries_case.change_case(unit.session, case, ended(status, outcome, unit.now) | stopped)


def _follow_up(unit: Unit, row: IncidentRow) -> int:
    """Invite the members who haven't paid, some a minute; close their cases a day later."""
    told = row.evidence
    if "invited_until" not in told:
        return _invite(unit, row)
    if unit.now - datetime.fromisoformat(told["invited_until"]) < LOST_AFTER:
        return 0
    rows = queries.still_folded(unit.session, row.id, TOGETHER)
    for case in rows:
        before = case.status
        _end(unit, case, Status.CLOSED, Outcome.LOST)
        line = {"action": "lost", "from": before, "to": case.status, "outcome": case.outcome}
        queries_case.add_entries(
            unit.session, [entry(case, EntryKind.DECISION, unit.now, data=line)]
        )
        unit.emit("case_closed", case=info(case), outcome=Outcome.LOST)
    if not rows and not queries.has_folded(unit.session, row.id):
        queries.set_incident(unit.session, row.id, {"finished_at": unit.now})
    return len(rows)


def _invite(unit: Unit, row: IncidentRow) -> int:
    """Leave the next letters in the outbox, a minute's worth ahead."""
    if row.resolved_at is None or unit.now - row.resolved_at < INVITE_AFTER:
        return 0
    after = int(row.evidence.get("invited_to", 0))
    slot = max(unit.now, datetime.fromisoformat(row.evidence.get("next_at", unit.now.isoformat())))
    if slot > unit.now or queries.is_open(unit.session, row.fingerprint):
        return 0
    found = queries.to_invite(unit.session, row.id, after, INVITED_A_MINUTE)
    sent = 0
    for member_id, case in found:
        after = member_id
        due_at = slot + sent * timedelta(minutes=1) / INVITED_A_MINUTE
        sent += _write_to(unit, row, member_id, case, due_at)
    if len(found) < INVITED_A_MINUTE:
        _note(unit, row, invited_to=after, invited_until=unit.now.isoformat())
    else:
        next_at = slot + timedelta(minutes=1)
        _note(unit, row, invited_to=after, next_at=next_at.isoformat())
    return sent


def _write_to(
    unit: Unit, row: IncidentRow, member_id: int, case: CaseRow, due_at: datetime
) -> bool:
    runtime = unit.runtime
    if not outreach.can_send(runtime) or not runtime.policy.outreach.enabled:
        return False
    if outreach.why_not(runtime, unit.session, case, unit.now, invited=True) is not None:
        return False
    key = f"incident:{row.id}:{case.reference}"
    told = {"incident": row.id}
    outbox.put(
        unit.session, outreach.INVITATION, key, told, now=unit.now, due_at=due_at, case_id=case.id
    )
    queries.invited(unit.session, member_id, unit.now)
    # One letter about one payment: the ordinary one isn't sent any more.
    fired = {*case.fired, outreach_rules.FIRED_KEY}
    queries_due.set_case_alarm(unit.session, case.id, {"fired": sorted(fired)})
    return True
