"""How a case comes into being: routed, dated, deduplicated, in one insert and its timeline."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from ..data import queries_case as queries
from ..data.models import CaseRow, with_values
from ..i18n import format_money, gettext, use_locale
from ..rules import lifecycle
from ..rules.failures import FAILURES, priority_of
from ..rules.routing import Decision, Facts, decide
from ..types import (
    Category,
    EntryKind,
    Family,
    Money,
    Origin,
    PaymentFailure,
    Priority,
    Status,
)
from . import folding, protocols
from .clocks import clock_values, joined
from .entries import entry
from .following import follow
from .reading import info
from .runtime import Runtime, Unit

# Crockford's alphabet: no letter that reads like a digit.
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SUBJECT_LIMIT: Final = 255


@dataclass(frozen=True, slots=True)
class CaseDraft:
    """What is known when a case is to be opened.

    Args:
        family: with the checkout (else the order, else ``own_key``) it makes the dedupe key.
        snapshot: the checkout as plain JSON, see ``capture``.
        reason: tells several live cases of one checkout and family apart, for errors and stock.
        about: what tells the subject what happened; the failure's label for a failed payment.
        text: the customer's own message, when that is what opens the case.
        provider: the gateway, where no attempt names it.
        urgent: whatever the policy's route says.
        stock: pieces left of the line that is short.
        fresh_key: stands in where nothing says whose the case is: it joins no other.
        checkout_due: when the checkout itself runs out of time, UTC.
        is_timed: whether it has a service level.
        entries: the first lines of the timeline, see :func:`signal_entry`.
    """

    family: Family
    category: Category
    origin: Origin
    at: datetime
    checkout_ref: str | None = None
    order_ref: str | None = None
    own_key: str | None = None
    reason: str | None = None
    snapshot: Mapping[str, Any] | None = None
    failure: PaymentFailure | None = None
    attempt: Mapping[str, Any] | None = None
    about: str | None = None
    subject: str | None = None
    text: str | None = None
    stock: int | None = None
    provider: str | None = None
    urgent: bool = False
    second_category: Category | None = None
    confidence: float | None = None
    language: str | None = None
    customer_ref: str | None = None
    customer_name: str | None = None
    customer_email: str | None = None
    checkout_due: datetime | None = None
    is_timed: bool = True
    entries: tuple[Mapping[str, Any], ...] = field(default=())
    fresh_key: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def dedupe_key(self) -> str:
        return lifecycle.dedupe_key(
            self.family,
            checkout_ref=self.checkout_ref,
            order_ref=self.order_ref,
            own_key=self.own_key or self.fresh_key,
            reason=self.reason,
        )

    @property
    def customer(self) -> Mapping[str, Any]:
        given = (self.snapshot or {}).get("customer")
        return given if isinstance(given, Mapping) else {}

    @property
    def value(self) -> Money | None:
        snapshot = self.snapshot or {}
        minor, currency = snapshot.get("value_minor"), snapshot.get("currency")
        if isinstance(minor, int) and isinstance(currency, str):
            return Money.minor(minor, currency)
        return None


def make_reference() -> str:
    """Make a case's public name: 40 random bits, easy to read aloud."""
    return "CC-" + "".join(secrets.choice(_ALPHABET) for _ in range(8))


def open_or_join(unit: Unit, draft: CaseDraft) -> tuple[CaseRow, bool]:
    """Open a case, or add this occurrence to the live one of the same dedupe key.

    Returns:
        The case's row, and whether it was opened now.
    """
    policy = unit.runtime.policy
    facts = facts_of(draft)
    decision = decide(policy, facts)
    candidate = _candidate(unit.runtime, draft, decision)
    values = {
        column.key: getattr(candidate, column.key)
        for column in CaseRow.__mapper__.column_attrs
        if column.key != "id"
    }
    row = queries.put_case(unit.session, values)
    opened = row.reference == candidate.reference
    lines = [entry(row, at=draft.at, **given) for given in draft.entries]
    if opened:
        lines.append(entry(row, at=draft.at, **_routing_entry(decision)))
    if opened and row.folded_into is not None:
        lines.append(entry(row, at=draft.at, **folding.told(row.folded_into)))
    queries.add_entries(unit.session, lines)
    if opened:
        protocols.attach(unit, row, row.protocol, at=draft.at)
        unit.emit("case_opened", case=info(row))
        unit.emit("case_routed", case=info(row), reasons=row.reasons)
        return row, opened
    joined(unit, row, draft.checkout_due)
    if draft.failure is not None:
        again = replace(facts, attempts=row.occurrences)
        follow(unit, row, candidate, again, draft.failure)
    return row, opened


def learn(unit: Unit, row: CaseRow, draft: CaseDraft) -> None:
    """Take from a second report of an occurrence what the first one didn't tell."""
    if draft.failure is not None:
        facts = replace(facts_of(draft), attempts=row.occurrences)
        candidate = _candidate(unit.runtime, draft, decide(unit.runtime.policy, facts))
        follow(unit, row, candidate, facts, draft.failure)


def open_apart(
    unit: Unit, draft: CaseDraft, is_theirs: Callable[[CaseRow], bool], key: str
) -> tuple[CaseRow, bool]:
    """Open or join like :func:`open_or_join`, but never join a case of somebody else.

    Args:
        is_theirs: whether the live case of the same key belongs to the draft's customer.
        key: tells the case apart that is opened when it doesn't.
    """
    taken = queries.live_case_by_key(unit.session, draft.dedupe_key)
    if taken is not None and not is_theirs(taken):
        draft = replace(draft, reason=f"apart:{key}")
    return open_or_join(unit, draft)


def facts_of(draft: CaseDraft) -> Facts:
    """Gather what routing conditions may ask about."""
    customer, snapshot = draft.customer, draft.snapshot or {}
    attempt = draft.attempt or {}
    return Facts(
        category=draft.category,
        origin=draft.origin,
        failure_class=draft.failure.failure_class if draft.failure else None,
        decline_code=attempt.get("raw_code"),
        provider=attempt.get("provider") or draft.provider,
        total=draft.value,
        country=snapshot.get("country") or customer.get("country"),
        step=snapshot.get("step"),
        tags=tuple(customer.get("tags") or ()),
        orders=customer.get("orders"),
        language=draft.language or customer.get("language"),
        text=draft.text,
        attempts=1 if draft.failure else None,
        stock=draft.stock,
        at=draft.at,
    )


def _candidate(runtime: Runtime, draft: CaseDraft, decision: Decision) -> CaseRow:
    failure, customer = draft.failure, draft.customer
    priority = Priority.URGENT if draft.urgent else decision.priority
    if failure is not None:
        priority = priority_of(failure.failure_class, failure.outcome, priority)
    value = draft.value
    row = CaseRow(
        reference=make_reference(),
        dedupe_key=draft.dedupe_key,
        family=draft.family,
        status=Status.NEW,
        category=draft.category,
        second_category=draft.second_category,
        confidence=draft.confidence,
        failure_class=failure.failure_class if failure else None,
        unmapped=bool(failure and failure.unmapped),
        priority=priority,
        origin=draft.origin,
        subject=_subject(runtime, draft),
        team=decision.team,
        route=decision.route,
        sla=decision.sla.key if decision.sla and draft.is_timed else None,
        protocol=decision.protocol,
        reasons=[reason.as_json() for reason in decision.reasons],
        policy_version=runtime.policy.version,
        checkout_ref=draft.checkout_ref,
        order_ref=draft.order_ref or (draft.snapshot or {}).get("order_ref"),
        customer_ref=draft.customer_ref or customer.get("ref"),
        customer_name=draft.customer_name or customer.get("name"),
        customer_email=draft.customer_email or customer.get("email"),
        language=draft.language or customer.get("language"),
        value_minor=value.minor_units if value else None,
        currency=value.currency if value else None,
        snapshot={"checkout": dict(draft.snapshot)} if draft.snapshot else None,
        attempt=dict(draft.attempt) if draft.attempt else None,
        occurrences=1,
        opened_at=draft.at,
        last_failed_at=draft.at if failure else None,
        unanswered_since=draft.at if draft.text is not None else None,
        fired=[],
        checkout_due=draft.checkout_due,
        folded_into=_incident_for(runtime, draft),
        pauses=[],
        revision=1,
        changed_at=draft.at,
        revocations=0,
        version=1,
    )
    return with_values(row, clock_values(runtime.policy, row))


def _incident_for(runtime: Runtime, draft: CaseDraft) -> int | None:
    if draft.failure is None or draft.family is not Family.PAYMENT:
        return None
    failure_class, attempt = draft.failure.failure_class, draft.attempt or {}
    found = folding.stands_for(
        runtime.incidents.known, runtime.policy, failure_class, attempt, draft.value
    )
    return found.id if found is not None else None


def _subject(runtime: Runtime, draft: CaseDraft) -> str:
    """What happened, to whom, how much is at stake: what an agent reads in the queue."""
    if draft.subject:
        return draft.subject[:SUBJECT_LIMIT]
    with use_locale(runtime.settings.locales[0]):
        if draft.failure is not None:
            about = gettext(FAILURES[draft.failure.failure_class].label)
        elif draft.text:
            about = " ".join(draft.text.split())
            about = about if len(about) <= 80 else about[:79] + "…"
        else:
            about = gettext(draft.about) if draft.about else str(draft.category)
        value = draft.value
        parts = [about, draft.customer_name or draft.customer.get("name")]
        parts.append(format_money(value.minor_units, value.currency) if value else None)
    return " · ".join(str(part) for part in parts if part)[:SUBJECT_LIMIT]


def _routing_entry(decision: Decision) -> dict[str, Any]:
    return {
        "kind": EntryKind.DECISION,
        "data": {"action": "routed", "to": decision.team, "route": decision.route},
    }


def signal_entry(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Make a timeline line out of a signal."""
    return {"kind": EntryKind.SIGNAL, "data": {"signal": name, **data}}
