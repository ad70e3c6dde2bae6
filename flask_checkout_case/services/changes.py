"""Order changes: asked for, agreed to, paid, refused. Handing them over is ``handover``'s."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ..change_types import Change, ChangeKind, ChangeState
from ..data import queries_change as queries
from ..data.change_models import ChangeRow
from ..errors import CheckoutCaseError, InvalidInputError, NotFoundError
from ..i18n import N_
from ..rules import changes as rules
from ..rules.changes import Leave, Refusal
from ..types import (
    Agent,
    AuthorKind,
    Category,
    EntryKind,
    Family,
    Order,
    Origin,
    make_ref,
)
from .change_steps import (
    RefusedChangeError,
    approve_now,
    as_change,
    end,
    go_on_from,
    locked,
    peek,
    progress_of,
    told_of,
)
from .change_terms import (
    Terms,
    is_offered,
    is_offered_in_checkout,
    order_now,
    subject_of,
    terms_of,
)
from .opening import CaseDraft, open_or_join
from .permission import require
from .reading import get as get_case
from .reading import info
from .runtime import Runtime, Unit
from .shop import is_ordered
from .work import Work

_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ABOUT: Final = {
    ChangeKind.ADDRESS: N_("Wants another address"),
    ChangeKind.DELIVERY: N_("Wants another way of delivery"),
    ChangeKind.INSTRUCTIONS: N_("Has instructions for the delivery"),
    ChangeKind.ADD: N_("Wants to add something"),
    ChangeKind.QUANTITY: N_("Wants another quantity"),
    ChangeKind.REMOVE: N_("Wants less"),
    ChangeKind.GIFT_NOTE: N_("Has a gift note"),
    ChangeKind.CANCEL: N_("Wants to cancel the order"),
}


class TermsChangedError(CheckoutCaseError):
    """What was agreed to is no longer what would be done; ``terms`` is what it is now."""

    code = "terms_changed"
    status = 409

    def __init__(self, terms: Terms) -> None:
        super().__init__("the order or the price has changed meanwhile")
        self.terms = terms


def ask(
    runtime: Runtime,
    order: Order,
    kind: ChangeKind,
    given: Mapping[str, Any],
    *,
    agreed: str,
    key: str,
    text: str | None = None,
) -> Change:
    """Take a customer's request; it is approved at once where nobody's leave is needed.

    Args:
        order: as it is now, or what a checkout would become.
        agreed: the content that the customer was shown, with its price.
        key: makes a repeated request one.
        text: what they say to it.

    Raises:
        NotFoundError: changes aren't offered.
        TermsChangedError: it would be something else by now.
        RefusedChangeError: it can't be changed now.
        InvalidInputError: it can't be read.
    """
    terms = terms_of(runtime, order, kind, given, runtime.clock())
    if not (is_offered_in_checkout if terms.in_checkout else is_offered)(runtime):
        raise NotFoundError("changes of orders are not offered")
    if terms.refusal is not None:
        raise RefusedChangeError(terms.refusal)
    if terms.content != agreed:
        raise TermsChangedError(terms)
    with runtime.write() as unit:
        known = queries.change_by_key(unit.session, key)
        if known is not None:
            return as_change(known, None)
        work = _case(unit, terms, text)
        row = put_change(unit, work, terms, key)
        told = {"action": "change_requested", "change": row.public_id, **told_of(row)}
        work.append(
            EntryKind.CHANGE,
            author=AuthorKind.CUSTOMER,
            author_name=work.row.customer_name,
            text=text,
            data=told,
        )
        change = as_change(row, work.row.reference)
        unit.emit("change_requested", case=info(work.row), change=change)
        if not row.waits:
            go_on_from(unit, work, row)
        return as_change(row, work.row.reference)


def _case(unit: Unit, terms: Terms, text: str | None) -> Work:
    order = terms.order
    customer = order.customer
    snapshot = {
        "value_minor": order.value.minor_units if order.value else None,
        "currency": order.value.currency if order.value else None,
        "country": (order.address or {}).get("country"),
        "customer": {
            "ref": make_ref(customer.ref) if customer else None,
            "name": customer.name if customer else None,
            "email": customer.email if customer else None,
            "language": customer.language if customer else None,
            "tags": list(customer.tags) if customer else [],
        },
    }
    is_address = terms.kind is ChangeKind.ADDRESS
    draft = CaseDraft(
        family=Family.CHANGE,
        category=Category.ADDRESS_CHANGE if is_address else Category.ORDER_CHANGE,
        origin=Origin.WIDGET,
        at=unit.now,
        checkout_ref=make_ref(order.ref) if terms.in_checkout else None,
        order_ref=None if terms.in_checkout else make_ref(order.ref),
        snapshot=snapshot,
        about=_ABOUT[terms.kind],
        text=text,
        checkout_due=order.cut_off_at,
    )
    row, _opened = open_or_join(unit, draft)
    return Work(unit, row, unit.now)


def put_change(unit: Unit, work: Work, terms: Terms, key: str) -> ChangeRow:
    """Insert a change of these terms; what it replaces ends."""
    waits = _make_room(unit, work, terms.subject)
    state = ChangeState.AWAITING_PAYMENT if terms.must_pay else ChangeState.PRICED
    plan = unit.runtime.policy.changes
    delta = terms.delta
    return queries.add_change(
        unit.session,
        {
            "public_id": "CH-" + "".join(secrets.choice(_ALPHABET) for _ in range(10)),
            "subject": terms.subject,
            "case_id": work.row.id,
            "order_ref": None if terms.in_checkout else make_ref(terms.order.ref),
            "checkout_ref": make_ref(terms.order.checkout_ref),
            "kind": terms.kind,
            "state": state,
            "waits": waits,
            "stage": terms.stage,
            "base_version": terms.version,
            "asked": dict(terms.asked),
            "before": dict(terms.before),
            "delta_minor": delta.minor_units if delta is not None else None,
            "currency": delta.currency if delta is not None else None,
            "leave": terms.leave,
            "must_pay": terms.must_pay,
            "content": terms.content,
            "cut_off_at": terms.order.cut_off_at,
            "requested_at": unit.now,
            "wake_at": _expires(
                plan.pay_within if terms.must_pay else plan.decide_within, terms, unit
            ),
            "key": key,
        },
    )


def _expires(within: timedelta, terms: Terms, unit: Unit) -> datetime:
    return min(filter(None, (unit.now + within, terms.order.cut_off_at)))


def _make_room(unit: Unit, work: Work, subject: str) -> bool:
    """End what a newer request replaces; whether the newer one has to wait for an approved one."""
    waits = False
    for before in queries.open_changes(unit.session, subject):
        if before.state in rules.UNDECIDED:
            end(unit, work, before, ChangeState.SUPERSEDED, None)
        else:
            waits = True
    return waits


def approve(
    runtime: Runtime,
    reference: str,
    change_id: str,
    content: str,
    *,
    agent: Agent,
    version: int | None,
) -> Change:
    """Agree to a change as it was shown.

    Args:
        reference: of the case on whose page it was.
        content: of what the agent saw.

    Raises:
        NotFoundError, PermissionDeniedError: there is none, or it isn't this agent's to decide.
        StaleVersionError: the case has changed since.
        InvalidTransitionError: it isn't open for it, has changed, or needs a supervisor.
        RefusedChangeError: the order no longer allows it; the change has been refused.
        TermsChangedError: the order is another one by now; the change has been priced anew.
    """
    may_decide(runtime, reference, change_id, agent)
    seen = peek(runtime, change_id)
    terms, refusal = look_again(runtime, seen)
    is_other = terms is not None and terms.version != seen.base_version
    with runtime.write() as unit:
        row, work = locked(unit, change_id)
        work.check(version)
        if terms is None or refusal is not None:
            refusal = refusal or Refusal.VERSION
            end(unit, work, row, ChangeState.REJECTED, refusal, agent=agent)
        elif is_other:
            reprice(unit, work, row, terms)
            work.change({})
        else:
            by = Leave.SUPERVISOR if agent.is_supervisor else Leave.AGENT
            approve_now(unit, work, row, content, by, agent=agent)
            work.change({})
        change = as_change(row, work.row.reference)
    if refusal is not None:
        raise RefusedChangeError(refusal)
    if terms is not None and is_other:
        raise TermsChangedError(terms)
    return change


def may_decide(runtime: Runtime, reference: str, change_id: str, agent: Agent) -> None:
    """Let an agent pass who may decide on this change on this case's page.

    Raises:
        NotFoundError, PermissionDeniedError.
    """
    require(runtime, agent, "change", get_case(runtime, reference))
    if peek(runtime, change_id).case != reference:
        raise NotFoundError(f"there is no change {change_id}")


def refuse(
    runtime: Runtime,
    reference: str,
    change_id: str,
    *,
    agent: Agent,
    text: str,
    version: int | None,
) -> Change:
    """Refuse a change; the customer reads why.

    Raises:
        NotFoundError, PermissionDeniedError, StaleVersionError: as :func:`approve` does.
        InvalidInputError: no reason is given (``field="why"``).
        InvalidTransitionError: it is too late for it.
    """
    may_decide(runtime, reference, change_id, agent)
    reason = text.strip()[:500]
    if not reason:
        raise InvalidInputError("say why", field="why")
    with runtime.write() as unit:
        row, work = locked(unit, change_id)
        work.check(version)
        end(unit, work, row, ChangeState.REJECTED, Refusal.REFUSED, agent=agent, text=reason)
        return as_change(row, work.row.reference)


def paid(runtime: Runtime, change_id: str, payment_id: str | None) -> Change:
    """Note that the customer has paid what a change costs; a repetition changes nothing."""
    with runtime.write() as unit:
        row, work = locked(unit, change_id)
        if row.paid_at is None:
            after = rules.pay(progress_of(row))
            wake_at = unit.now + unit.runtime.policy.changes.decide_within
            values = {"state": after.state, "paid_at": unit.now, "wake_at": wake_at}
            queries.set_change(unit.session, row, {**values, "payment_id": make_ref(payment_id)})
            told = {"action": "change_paid", "change": row.public_id, **told_of(row)}
            work.append(EntryKind.CHANGE, data=told)
            if not row.waits:
                go_on_from(unit, work, row)
        return as_change(row, work.row.reference)


def get(runtime: Runtime, change_id: str) -> Change:
    """Return a change; raises ``NotFoundError``."""
    return peek(runtime, change_id)


def of_subject(runtime: Runtime, order: Order) -> list[Change]:
    """Return the newest changes of an order or a checkout, newest first."""
    with runtime.read() as session:
        found = queries.changes_of(session, subject_of(order))
        return [as_change(row, None) for row in found]


def look_again(runtime: Runtime, change: Change) -> tuple[Terms | None, Refusal | None]:
    """Ask the shop what a change would mean now; refused when it costs something else.

    A checkout is known in its customer's own requests alone: it may only have become an order.
    """
    if change.order_ref is None:
        return None, Refusal.VERSION if is_ordered(runtime, change.checkout_ref) else None
    try:
        order = order_now(runtime, change.order_ref)
        terms = terms_of(runtime, order, change.kind, change.asked, runtime.clock())
    except CheckoutCaseError:
        return None, Refusal.VERSION
    if terms.refusal is not None:
        return terms, terms.refusal
    return terms, None if terms.delta == change.delta else Refusal.VERSION


def go_on(runtime: Runtime, change_id: str) -> None:
    """Look anew at a change that has waited: the order may be another one by now.

    At the price that the customer has agreed to it goes on; at another one they have to ask again.
    """
    seen = peek(runtime, change_id)
    terms, refusal = look_again(runtime, seen)
    with runtime.write() as unit:
        row, work = locked(unit, change_id)
        if row.state not in rules.UNDECIDED or row.waits:
            return
        if terms is None or refusal is not None:
            end(unit, work, row, ChangeState.REJECTED, refusal or Refusal.VERSION)
            return
        reprice(unit, work, row, terms)


def reprice(unit: Unit, work: Work, row: ChangeRow, terms: Terms) -> None:
    """Make a change one of the order as it is now; an approval of another content is void."""
    after = rules.price(progress_of(row), terms.content, must_pay=terms.must_pay, leave=terms.leave)
    plan = unit.runtime.policy.changes
    must_still_pay = after.state is ChangeState.AWAITING_PAYMENT
    within = plan.pay_within if must_still_pay else plan.decide_within
    values = {
        "state": after.state,
        "content": after.content,
        "approved": after.approved,
        "leave": after.leave,
        "stage": terms.stage,
        "base_version": terms.version,
        "before": dict(terms.before),
        "wake_at": _expires(within, terms, unit),
        "promoted_at": None,
    }
    is_void = row.approved is not None and after.approved is None
    queries.set_change(unit.session, row, values)
    if is_void:
        told = {"action": "change_repriced", "change": row.public_id, **told_of(row)}
        work.append(EntryKind.CHANGE, data=told)
    go_on_from(unit, work, row)
