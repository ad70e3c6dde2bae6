"""Card testing: one case for a source that tries cards, quiet towards whoever does it.

No letter is written, no clock runs, nothing is told to the storefront: whoever tests cards learns
nothing that other customers don't.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from ..data import queries_case, queries_due
from ..data import queries_incident as queries
from ..data.incident_models import IncidentRow
from ..data.models import CaseRow
from ..data.queries_incident import Hit, Report
from ..gateways import read_failure
from ..i18n import N_, gettext, ngettext, use_locale
from ..rules import lifecycle, velocity
from ..rules.velocity import Evidence, Source, Try
from ..types import Category, EntryKind, Family, Origin, Outcome, Status
from . import folding
from .clocks import ended_pauses
from .closing import ended
from .entries import entry
from .opening import CaseDraft, open_or_join, signal_entry
from .reading import info
from .runtime import Runtime, Unit

KIND: Final = "card_testing"
QUIET_FOR: Final = timedelta(minutes=15)
"""So long after the last try it is over."""
MOST: Final = 5_000
"""Reports that are looked at: beyond it payments fail for everybody, and the outage fuse looks."""
TOGETHER: Final = 100

_ABOUT: Final = {
    Source.ADDRESS: N_("Cards are tested from one address"),
    Source.CHECKOUT: N_("Cards are tested in one checkout"),
    Source.CARD: N_("One card is tried at many places"),
}


def sweep_card_testing(runtime: Runtime) -> int:
    """Open what is found, hold what belongs to it, close what is over; how much has changed.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    now = runtime.clock()
    enabled = runtime.policy.card_testing.enabled
    with runtime.read() as session:
        reports = queries.payment_reports(session, now - velocity.WITHIN, now, most=MOST)
        running = queries.unfinished(session, [KIND])
    if not any(one.name == "payment_failed" for one in reports) and not running:
        return 0
    tries = [_try(one) for one in reports if one.checkout_ref]
    found = velocity.card_tests(tries, now) if enabled else []
    changed = sum(_hold(runtime, one, tries) for one in found)
    return changed + sum(_look_after(runtime, incident_id, tries) for incident_id in running)


def without_tests(reports: Sequence[Report], fingerprints: frozenset[str]) -> list[Report]:
    """Leave out what comes from sources of open incidents: it says nothing about a gateway."""
    return [
        one for one in reports if not fingerprints or fingerprints.isdisjoint(_fingerprints(one))
    ]


def name_of(source: str) -> str:
    """Say in the present language what goes on."""
    return gettext(_ABOUT[Source(source)])


def _try(report: Report) -> Try:
    failed = None
    if report.name == "payment_failed":
        failed = read_failure(report.data, report.checkout_ref).failure_class
    return Try(
        at=report.stored_at,
        checkout=report.checkout_ref or report.id,
        address=_text(report.data.get("client")),
        card=_text(report.data.get("card_fingerprint")),
        amount=_amount(report.data),
        failed=failed,
    )


def _fingerprints(report: Report) -> list[str]:
    keys = velocity.keys_of(_try(report))
    return [_fingerprint(source, key) for source, key in keys.items() if key]


def _fingerprint(source: Source, key: str) -> str:
    return f"{KIND}|{source}|{key}"[:255]


def _amount(data: Mapping[str, Any]) -> tuple[int, str] | None:
    minor, currency = data.get("amount_minor"), data.get("currency")
    return (minor, currency) if isinstance(minor, int) and isinstance(currency, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _hold(runtime: Runtime, found: Evidence, tries: Sequence[Try]) -> int:
    """Open the incident of a source, unless it is open, and hold the checkouts that it has used."""
    fingerprint = _fingerprint(found.source, found.key)
    with runtime.write() as unit:
        incident_id = queries.open_one(unit.session, fingerprint)
        opened = incident_id is None
        if incident_id is None:
            incident_id = _open(unit, found, fingerprint)
        if incident_id is None:
            return 0
        held = _attach(unit, incident_id, found, tries)
    runtime.incidents.forget()
    return int(opened) + held


def _open(unit: Unit, found: Evidence, fingerprint: str) -> int | None:
    evidence = {
        "tries": found.tries,
        "failures": found.failures,
        "cards": found.cards,
        "checkouts": found.checkouts,
        "addresses": found.addresses,
    }
    values: dict[str, Any] = {
        "kind": KIND,
        "fingerprint": fingerprint,
        "gateway": None,
        "method": None,
        "class_group": found.source.value,
        "members": 0,
        "evidence": evidence,
        "began_at": found.began_at,
        "opened_at": unit.now,
        "failed_at": unit.now,
    }
    incident_id = queries.add_incident(unit.session, values)
    if incident_id is None:
        return None
    with use_locale(unit.runtime.settings.locales[0]):
        subject = _subject(found)
    draft = CaseDraft(
        family=Family.MESSAGE,
        category=Category.FRAUD,
        origin=Origin.SWEEP,
        at=unit.now,
        own_key=f"incident:{fingerprint}",
        subject=subject,
        is_timed=False,
        entries=(signal_entry("incident", {"kind": KIND, **evidence}),),
    )
    row, _ = open_or_join(unit, draft)
    queries.set_incident(unit.session, incident_id, {"case_id": row.id})
    unit.emit("incident_opened", incident=queries.incident_by_id(unit.session, incident_id))
    return incident_id


def _subject(found: Evidence) -> str:
    failed = ngettext("%(num)s failed attempt", "%(num)s failed attempts", found.failures)
    parts = [name_of(found.source), failed]
    if found.cards > 1:
        parts.append(ngettext("%(num)s card", "%(num)s cards", found.cards))
    return " · ".join(parts)


def _attach(unit: Unit, incident_id: int, found: Evidence, tries: Sequence[Try]) -> int:
    used = [one for one in tries if one.failed is not None and _is_of(one, found.source, found.key)]
    refs = sorted({one.checkout for one in used})
    held = queries.attach_checkouts(unit.session, incident_id, refs, unit.now)
    if held:
        queries.count_members(unit.session, incident_id, held, unit.now)
    elif used:
        queries.set_incident(unit.session, incident_id, {"failed_at": max(one.at for one in used)})
    hit = Hit(incident_id, "", "", sorted(velocity.TELLING), {})
    return held + folding.fold(unit, hit, TOGETHER)


def _is_of(one: Try, source: str, key: str) -> bool:
    return velocity.keys_of(one)[Source(source)] == key


def _look_after(runtime: Runtime, incident_id: int, tries: Sequence[Try]) -> int:
    """Hold what the source goes on to use; end it when it has been quiet, or by hand."""
    with runtime.write() as unit:
        row = queries.locked(unit.session, incident_id)
        if row is None:
            return 0
        if row.resolved_at is None:
            return _go_on(unit, row, tries)
        return _close_members(unit, row)


def _go_on(unit: Unit, row: IncidentRow, tries: Sequence[Try]) -> int:
    source, key = str(row.class_group), row.fingerprint.split("|", 2)[2]
    used = [one for one in tries if one.failed is not None and _is_of(one, source, key)]
    changed = 0
    if used:
        last = max(one.at for one in used)
        refs = sorted({one.checkout for one in used})
        changed = queries.attach_checkouts(unit.session, row.id, refs, unit.now)
        if changed or last > row.failed_at:
            queries.count_members(unit.session, row.id, changed, max(last, row.failed_at))
        changed += folding.fold(unit, Hit(row.id, "", "", sorted(velocity.TELLING), {}), TOGETHER)
        row.failed_at = max(last, row.failed_at)
    case = queries_due.case_by_id(unit.session, row.case_id) if row.case_id else None
    by_hand = case is not None and not lifecycle.is_live(Status(case.status))
    if by_hand or unit.now - row.failed_at >= QUIET_FOR:
        _resolve(unit, row, case)
        changed += 1
    return changed


def _resolve(unit: Unit, row: IncidentRow, case: CaseRow | None) -> None:
    values = {"resolved_at": unit.now, "quiet_since": row.failed_at}
    queries.set_incident(unit.session, row.id, values)
    if case is not None:
        # Its case stays open: what to do about the gateway's rules is for a human to say.
        told = {"action": "incident_over", "members": row.members}
        line = entry(case, EntryKind.DECISION, unit.now, data=told)
        queries_case.add_entries(unit.session, [line])
    unit.emit("incident_resolved", incident=queries.incident_by_id(unit.session, row.id))


def _close_members(unit: Unit, row: IncidentRow) -> int:
    """Close the cases of what was no customer; whoever has written is no longer among them."""
    rows = queries.still_folded(unit.session, row.id, TOGETHER)
    for case in rows:
        before = case.status
        stopped = {"pauses": ended_pauses(case, Status.CLOSED, unit.now)}
        queries_case.change_case(
            unit.session, case, ended(Status.CLOSED, Outcome.SPAM, unit.now) | stopped
        )
        told = {"action": "spam", "from": before, "to": case.status, "outcome": case.outcome}
        line = entry(case, EntryKind.DECISION, unit.now, data=told)
        queries_case.add_entries(unit.session, [line])
        unit.emit("case_closed", case=info(case), outcome=Outcome.SPAM)
    if not rows:
        queries.set_incident(unit.session, row.id, {"finished_at": unit.now})
    return len(rows)
