"""From captured events to checkouts and cases, each event once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from ..data import queries_case as queries
from ..data.models import CheckoutRow
from ..data.queries_case import Meaning
from ..gateways import read_failure
from ..i18n import N_
from ..rules import hesitation, outreach, payments
from ..rules.checkout_clock import checkout_due
from ..rules.failures import category_of
from ..types import Category, Event, FailureClass, Family, Money, Origin
from . import proactive, watching
from .clocks import joined
from .closing import close_recovered, note_order
from .opening import CaseDraft, learn, open_or_join, signal_entry
from .runtime import Runtime, Unit
from .unit import Database

log = logging.getLogger(__name__)

PROGRESS: Final = frozenset(
    {
        "checkout_started",
        "checkout_step_completed",
        "payment_info_entered",
        "payment_started",
        "payment_succeeded",
        "order_completed",
    }
)
_FAILED: Final = "payment_failed"
_PAID: Final = frozenset({"payment_succeeded", "order_completed"})
_SETTLES: Final = _PAID | {_FAILED, "payment_canceled"}


def record(runtime: Runtime, events: Sequence[Event], database: Database | None = None) -> int:
    """Apply events in one transaction; an event that is known already changes nothing.

    Args:
        database: the engine to write through; the ordinary one when ``None``.

    Returns:
        How many events were new.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: nothing was written; the events may be given again.
    """
    unit = Unit.begin(runtime)
    through = database or runtime.database
    runtime.incidents.refresh(through, lost_is_told=True)
    with runtime.policies.held(through), through.writing() as session:
        unit.session = session
        new = sum(_apply(unit, event) for event in events if event.name != watching.NAME)
        new += watching.note(unit, [event for event in events if event.name == watching.NAME])
    for emission in unit.emissions:
        runtime.emit(emission)
    return new


def _apply(unit: Unit, event: Event) -> bool:
    if not queries.add_event(unit.session, _event_values(unit, event)):
        _learn(unit, event)
        return False
    if watching.is_unattended(event):
        return True
    checkout = _put_checkout(unit, event) if event.checkout_ref else None
    if event.name in _PAID:
        _recovered(unit, event, checkout)
    elif checkout is not None:
        _maybe_open(unit, event, checkout)
        _follow_checkout(unit, event, checkout)
    elif event.name == _FAILED:
        log.warning("a failed payment names no checkout; it is kept as event %s", event.id)
    return True


def _learn(unit: Unit, event: Event) -> None:
    """Take the checkout from a second report of a failure: a webhook, reported first, has none."""
    if event.data.get("client"):
        queries.tell_client(unit.session, event.id, str(event.data["client"]))
    if event.name != _FAILED or not event.checkout or event.checkout_ref is None:
        return
    checkout = _put_checkout(unit, event)
    draft = None if _is_over(event, checkout) else _payment_draft(event, checkout)
    row = queries.live_case(unit.session, checkout.ref, Family.PAYMENT)
    if draft is not None and row is not None:
        learn(unit, row, draft)


def _event_values(unit: Unit, event: Event) -> dict[str, Any]:
    checkout = event.checkout or {}
    return {
        "id": event.id,
        "name": event.name,
        "at": event.at,
        "stored_at": unit.now,
        "checkout_ref": event.checkout_ref,
        "order_ref": event.order_ref,
        "customer_ref": event.customer_ref,
        "step": checkout.get("step"),
        "data": watching.with_cart(event),
    }


def _put_checkout(unit: Unit, event: Event) -> CheckoutRow:
    snapshot = event.checkout or {}
    minor, currency = snapshot.get("value_minor"), snapshot.get("currency")
    value = Money.minor(minor, currency) if isinstance(minor, int) and currency else None
    customer = snapshot.get("customer")
    customer = customer if isinstance(customer, Mapping) else {}
    paid = event.at if event.name == "payment_succeeded" else None
    ordered = event.at if event.name == "order_completed" else None
    values = {
        "ref": event.checkout_ref,
        "customer_ref": event.customer_ref or customer.get("ref"),
        "order_ref": event.order_ref or snapshot.get("order_ref"),
        "step": snapshot.get("step"),
        "value_minor": value.minor_units if value else None,
        "currency": value.currency if value else None,
        "snapshot": dict(snapshot) or None,
        "started_at": event.at,
        "seen_at": event.at,
        "progressed_at": event.at,
        "failed_at": event.at if event.name == _FAILED else None,
        "paid_at": paid,
        "ordered_at": ordered,
        "paying_at": event.at if event.name == payments.STARTED else None,
        "steps": f"|{snapshot['step']}|" if snapshot.get("step") else None,
        "prompt": None,
        "wake_at": hesitation.wake_at(
            unit.runtime.policy,
            value,
            event.at,
            paid=paid is not None,
            ordered=ordered is not None,
            hesitated=False,
        ),
        "check_at": payments.check_at(
            event.name, event.at, event.data, unit.runtime.policy.payments
        ),
    }
    meaning = Meaning(
        progress=event.name in PROGRESS,
        look=event.name in watching.LOOK,
        settles=event.name in _SETTLES,
    )
    return queries.put_checkout(unit.session, values, meaning)


def _recovered(unit: Unit, event: Event, checkout: CheckoutRow | None) -> None:
    refs = [checkout.ref] if checkout is not None else []
    if event.order_ref and not refs:
        refs = list(queries.mark_ordered(unit.session, event.order_ref, event.at))
    close_recovered(unit, refs, event.order_ref, event)
    if event.order_ref and refs:
        note_order(unit, refs, event)


def _maybe_open(unit: Unit, event: Event, checkout: CheckoutRow) -> None:
    make = _DRAFTS.get(event.name)
    if make is None:
        return
    draft = None if _is_over(event, checkout) else make(event, checkout)
    if draft is not None:
        _row, opened = open_or_join(unit, draft)
        if opened and _may_be_written_to(unit, draft):
            proactive.is_treated(unit, checkout, "payment")


def _may_be_written_to(unit: Unit, draft: CaseDraft) -> bool:
    """Whether help is withheld from some of these, to measure what it does."""
    failure, policy = draft.failure, unit.runtime.policy
    if failure is None or not policy.held_out.share or not policy.outreach.enabled:
        return False
    return failure.outcome != "unknown" and failure.failure_class not in outreach.NEVER


def _follow_checkout(unit: Unit, event: Event, checkout: CheckoutRow) -> None:
    """Let live cases know by when this checkout can still be saved, where that was told anew."""
    due = checkout_due(event.data, event.at)
    if due is not None and event.name not in _DRAFTS:
        for row in queries.live_cases_of(unit.session, [checkout.ref], None, [*Family]):
            joined(unit, row, due)


def _is_over(event: Event, checkout: CheckoutRow) -> bool:
    """Whether this is a late report of what the purchase has settled; it stays as history.

    What breaks *after* the payment is the worst of all: charged, and perhaps no order.
    """
    ends = [at for at in (checkout.paid_at, checkout.ordered_at) if at is not None]
    if not ends or event.name == "stock_short":
        return False
    return event.name == _FAILED or event.at < min(ends)


def _payment_draft(event: Event, checkout: CheckoutRow) -> CaseDraft | None:
    failure = read_failure(event.data, checkout.ref)
    category = category_of(failure.failure_class)
    if category is None:
        return None
    attempt = _attempt(event, failure.failure_class, failure.raw_code, failure.outcome)
    return CaseDraft(
        family=Family.PAYMENT,
        category=category,
        failure=failure,
        attempt=attempt,
        entries=(signal_entry(event.name, {**attempt, "unmapped": failure.unmapped}),),
        **_common(event, checkout),
    )


def _attempt(
    event: Event, failure_class: FailureClass, raw_code: str | None, outcome: str
) -> dict[str, Any]:
    snapshot, data = event.checkout or {}, event.data
    names = ("provider", "network_code", "advice_code", "payment_id", "attempt_id", "method")
    return {
        **{name: data.get(name) for name in names},
        "failure_class": failure_class.value,
        "raw_code": raw_code,
        "outcome": outcome,
        "amount_minor": data.get("amount_minor", snapshot.get("value_minor")),
        "currency": data.get("currency") or snapshot.get("currency"),
        "at": event.at.isoformat(),
    }


def _error_draft(event: Event, checkout: CheckoutRow) -> CaseDraft:
    # Of the payment family: an error that didn't keep the customer from paying is over. One that
    # came after the payment is not, and until there is an order, the customer paid for nothing.
    paid = checkout.paid_at is not None
    without_order = paid and checkout.ordered_at is None
    return CaseDraft(
        family=Family.MESSAGE if paid else Family.PAYMENT,
        category=Category.PAYMENT_CONFLICT if without_order else Category.PAYMENT_ERROR,
        reason=f"error:{_reason(event)}",
        about=N_("Error in the checkout"),
        entries=(signal_entry(event.name, dict(event.data)),),
        **_common(event, checkout),
    )


def _stock_draft(event: Event, checkout: CheckoutRow) -> CaseDraft:
    available = event.data.get("available")
    # Of the message family: a purchase doesn't bring the missing item back.
    return CaseDraft(
        family=Family.MESSAGE,
        category=Category.STOCK,
        reason=f"stock:{_reason(event)}",
        about=N_("Item out of stock"),
        stock=available if isinstance(available, int) else None,
        entries=(signal_entry(event.name, dict(event.data)),),
        **_common(event, checkout),
    )


def _reason(event: Event) -> str:
    return str(event.data.get("reason") or event.data.get("sku") or "")[:100]


def _common(event: Event, checkout: CheckoutRow) -> dict[str, Any]:
    return {
        "origin": event.origin if event.origin is Origin.GATEWAY else Origin.SIGNAL,
        "at": event.at,
        "checkout_ref": checkout.ref,
        "order_ref": event.order_ref or checkout.order_ref,
        "snapshot": event.checkout or checkout.snapshot,
        "customer_ref": event.customer_ref or checkout.customer_ref,
        "checkout_due": checkout_due(event.data, event.at),
    }


_DRAFTS: Final[Mapping[str, Callable[[Event, CheckoutRow], CaseDraft | None]]] = {
    _FAILED: _payment_draft,
    "checkout_error": _error_draft,
    "stock_short": _stock_draft,
}
