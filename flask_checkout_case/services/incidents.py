"""The outage fuse: payments are watched, an outage is one case, its members are held by it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ..data import queries_assignment
from ..data import queries_incident as queries
from ..data.queries_incident import Report
from ..gateways import read_failure, title_of
from ..i18n import N_, gettext, use_locale
from ..rules import surge
from ..rules.surge import Alarm, Stream, Trial, Watch
from ..types import Category, Family, IncidentInfo, Origin
from . import card_testing, escalation
from .incident_care import care_for
from .opening import CaseDraft, open_or_join, signal_entry
from .runtime import Runtime, Unit

log = logging.getLogger(__name__)

LAG: Final = timedelta(seconds=1)
"""What was stored later may be of a transaction that others can't see yet, beside ours."""
DEAF_AFTER: Final = timedelta(minutes=5)
"""Who hasn't looked for so long can't tell silence from not having listened."""
STREAMS_MOST: Final = 200

_FAILING: Final = {
    (True, True): N_("Payments by %(method)s through %(gateway)s fail"),
    (True, False): N_("Payments through %(gateway)s fail"),
    (False, True): N_("Payments by %(method)s fail"),
    (False, False): N_("Payments fail"),
}
_SILENT: Final = {
    (True, True): N_("Nobody pays by %(method)s through %(gateway)s any more"),
    (True, False): N_("Nobody pays through %(gateway)s any more"),
    (False, True): N_("Nobody pays by %(method)s any more"),
    (False, False): N_("Nobody pays any more"),
}


@dataclass(frozen=True, slots=True)
class _Seen:
    """A stream after what has happened, and the alarm that came of it."""

    id: int | None
    gateway: str
    method: str
    watch: Watch
    alarm: Alarm | None


def sweep_incidents(runtime: Runtime) -> int:
    """Watch how payments go, open what has broken, care for members; how much has changed.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    changed = _watch(runtime)
    for incident_id in _unfinished(runtime):
        try:
            changed += care_for(runtime, incident_id)
        except Exception:
            log.exception("incident %s can't be cared for; the next sweep tries again", incident_id)
    if changed:
        runtime.incidents.forget()
    return changed


def open_incidents(runtime: Runtime) -> list[IncidentInfo]:
    """Return the outages that are open, as this process has known for two seconds at most."""
    return [one for one in runtime.incidents.current(runtime.database) if one.kind == "outage"]


def name_of(gateway: str | None, method: str | None, *, silent: bool = False) -> str:
    """Say in the present language what has broken."""
    words = _SILENT if silent else _FAILING
    shown = title_of(gateway or "")
    source = words[bool(gateway), bool(method)]
    return gettext(source, gateway=shown, method=(method or "").replace("_", " "))


def _unfinished(runtime: Runtime) -> Sequence[int]:
    with runtime.read() as session:
        return queries.unfinished(session)


def _watch(runtime: Runtime) -> int:
    now = runtime.clock()
    until = now - LAG
    with runtime.read() as session:
        before = queries.read_until(session)
        after = before or now - surge.NORMAL_FOR
        reports = queries.payment_reports(session, after, until)
        if until <= after or not (reports or _is_another_minute(before, until)):
            return 0
        tested = queries.open_fingerprints(session, card_testing.KIND)
        rows = queries.streams(session)
        troubled = {
            (one.gateway or "", one.method or "")
            for one in queries.open_incidents(session)
            if one.kind == "outage"
        }
    watches = {(one.gateway, one.method): Watch.from_json(one.state) for one in rows}
    ids = {(one.gateway, one.method): one.id for one in rows}
    trials = _trials(card_testing.without_tests(reports, tested), watches)
    for stream in trials:
        if len(watches) < STREAMS_MOST:
            watches.setdefault(stream, Watch.begin(trials[stream][0].at))
    found = []
    for stream, watch in watches.items():
        alarm = watch.observe(
            trials.get(stream, ()),
            until,
            suspended=stream in troubled,
            # Who has told no method so far may have begun to: that is no silence.
            deaf=until - after > DEAF_AFTER or surge.stream_among(watches, stream) != stream,
        )
        found.append(_Seen(ids.get(stream), *stream, watch, alarm))
    return _write(runtime, found, before, until)


def _is_another_minute(before: datetime | None, until: datetime) -> bool:
    return before is not None and until.replace(second=0, microsecond=0) > before


def _write(
    runtime: Runtime, seen: Sequence[_Seen], before: datetime | None, until: datetime
) -> int:
    with runtime.write() as unit:
        if not queries.lock_watching(unit.session) or queries.read_until(unit.session) != before:
            # Another sweep has counted the same meanwhile.
            return 0
        rows: list[dict[str, Any]] = [
            {
                "id": one.id,
                "gateway": one.gateway,
                "method": one.method,
                "state": one.watch.as_json(),
                "read_until": until,
            }
            for one in seen
        ]
        queries.put_streams(unit.session, rows)
        return sum(_open(unit, one, one.alarm) for one in seen if one.alarm is not None)


def _trials(reports: Sequence[Report], known: Iterable[Stream]) -> dict[Stream, list[Trial]]:
    # What is told late says nothing of how payments go now.
    fresh = [one for one in reports if one.stored_at - one.at <= surge.NORMAL_FOR]
    streams = {*known, *(surge.stream_of(one.data) for one in fresh)}
    found: dict[Stream, list[Trial]] = {}
    for one in fresh:
        stream = surge.stream_among(streams, surge.stream_of(one.data))
        found.setdefault(stream, []).append(_trial(one))
    return found


def _trial(one: Report) -> Trial:
    checkout = one.checkout_ref or one.id
    group = None
    if one.name == "payment_failed":
        failure = read_failure(one.data, checkout)
        group = surge.GROUPS.get(failure.failure_class, surge.OTHER)
    return Trial(one.stored_at, checkout, one.customer_ref or checkout, group)


def _open(unit: Unit, seen: _Seen, alarm: Alarm) -> bool:
    silent = alarm.group == surge.SILENCE
    evidence = {
        "attempts": alarm.attempts,
        "failures": alarm.failures,
        "usual": round(alarm.usual, 4),
    }
    values = {
        "kind": "silence" if silent else "outage",
        "fingerprint": surge.fingerprint(seen.gateway, alarm.group, seen.method),
        "gateway": seen.gateway or None,
        "method": seen.method or None,
        "class_group": alarm.group,
        "members": 0,
        "evidence": evidence,
        "began_at": alarm.began_at,
        "opened_at": unit.now,
        "failed_at": unit.now,
    }
    incident_id = queries.add_incident(unit.session, values)
    if incident_id is None:
        return False
    row, _ = open_or_join(unit, _draft(unit, values))
    queries.set_incident(unit.session, incident_id, {"case_id": row.id})
    due = row.first_response_due or unit.now
    staff = queries_assignment.all_agents(unit.session)
    concerned = escalation.people(unit, row, {"team", "supervisors"}, staff)
    news = {"clock": escalation.INCIDENT, "percent": 0, "due": due.isoformat()}
    escalation.write(unit, row, news, f"incident:{incident_id}", concerned)
    unit.emit("incident_opened", incident=queries.incident_by_id(unit.session, incident_id))
    return True


def _draft(unit: Unit, values: dict[str, Any]) -> CaseDraft:
    gateway, method = values["gateway"], values["method"]
    with use_locale(unit.runtime.settings.locales[0]):
        subject = name_of(gateway, method, silent=values["kind"] == "silence")
    told = {name: values[name] for name in ("kind", "gateway", "method", "class_group")}
    told |= {"began_at": values["began_at"].isoformat(), **values["evidence"]}
    return CaseDraft(
        family=Family.MESSAGE,
        category=Category.PAYMENT_ERROR,
        origin=Origin.SWEEP,
        at=unit.now,
        own_key=f"incident:{values['fingerprint']}",
        subject=subject,
        provider=gateway,
        urgent=True,
        entries=(signal_entry("incident", told),),
    )
