"""What agents read about changes of an order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from ...change_types import ADDRESS_FIELDS, ChangeKind, ChangeState, Stage
from ...data.change_models import ChangeRow, HandoverRow
from ...errors import CheckoutCaseError
from ...i18n import N_, format_money, gettext, ngettext, use_locale
from ...rules import changes as rules
from ...rules.addresses import differences
from ...rules.changes import Leave, Refusal
from ...services.caseview import CaseView
from ...services.change_steps import RefusedChangeError
from ...services.changes import TermsChangedError
from ...services.due import Clock
from ..address_words import FIELDS as ADDRESS_WORDS

log = logging.getLogger(__name__)

Stock = Callable[[ChangeKind, Mapping[str, Any]], int | None]
_SOON: Final = timedelta(minutes=15)
"""Before the cut-off, in which a change has become pressing."""
KINDS: Final[Mapping[str, str]] = {
    ChangeKind.ADDRESS: N_("Another address"),
    ChangeKind.DELIVERY: N_("Another delivery"),
    ChangeKind.INSTRUCTIONS: N_("Delivery instructions"),
    ChangeKind.ADD: N_("Something added"),
    ChangeKind.QUANTITY: N_("Another quantity"),
    ChangeKind.REMOVE: N_("Something left out"),
    ChangeKind.GIFT_NOTE: N_("Gift note"),
    ChangeKind.CANCEL: N_("Cancellation"),
}
STATES: Final[Mapping[str, str]] = {
    ChangeState.REQUESTED: N_("requested"),
    ChangeState.PRICED: N_("to be decided"),
    ChangeState.AWAITING_PAYMENT: N_("waits for the payment"),
    ChangeState.APPROVED: N_("approved"),
    ChangeState.SENT: N_("with the warehouse"),
    ChangeState.ACKNOWLEDGED: N_("taken by the warehouse"),
    ChangeState.APPLIED: N_("applied"),
    ChangeState.REJECTED: N_("refused"),
    ChangeState.EXPIRED: N_("expired"),
    ChangeState.SUPERSEDED: N_("replaced by a newer one"),
    ChangeState.CONFLICT: N_("in conflict: ask the warehouse"),
}
REASONS: Final[Mapping[str, str]] = {
    Refusal.NOT_OFFERED: N_("not offered by the policy"),
    Refusal.TOO_LATE: N_("too late for it"),
    Refusal.SHIPPED: N_("the parcel has left"),
    Refusal.CANCELLED: N_("the order is cancelled"),
    Refusal.UNCHANGED: N_("the order is like that already"),
    Refusal.OUT_OF_STOCK: N_("out of stock"),
    Refusal.NO_PRICE: N_("no price"),
    Refusal.REFUSED: N_("by an agent"),
    Refusal.WAREHOUSE: N_("by the warehouse"),
    Refusal.NOT_PAID: N_("not paid in time"),
    Refusal.NOT_DECIDED: N_("not decided in time"),
    Refusal.VERSION: N_("the order has changed meanwhile"),
    Refusal.NO_ANSWER: N_("no answer of the warehouse"),
}
TRIES: Final[Mapping[str, str]] = {
    "sent": N_("Received by the warehouse"),
    "told": N_("Told the warehouse"),
    "failed": N_("Not received"),
    "accepted": N_("The warehouse accepts"),
    "rejected": N_("The warehouse refuses"),
    "gave_up": N_("Given up"),
}
FIELDS: Final[Mapping[str, str]] = {
    **ADDRESS_WORDS,
    "delivery": N_("Delivery"),
    "instructions": N_("Delivery instructions"),
    "gift_note": N_("Gift note"),
    "quantity": N_("Quantity"),
}
_FIELD_OF: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.DELIVERY: "delivery",
    ChangeKind.INSTRUCTIONS: "instructions",
    ChangeKind.GIFT_NOTE: "gift_note",
}
_SENTENCES: Final[Mapping[str, str]] = {
    "change_requested": N_("The customer asks for a change: %(kind)s"),
    "change_approved": N_("Approved: %(kind)s"),
    "change_paid": N_("The customer has paid: %(kind)s"),
    "change_acknowledged": N_("The warehouse has taken it: %(kind)s"),
    "change_applied": N_("Applied: %(kind)s"),
    "change_refunded": N_("Paid back: %(kind)s"),
    "change_superseded": N_("Replaced by a newer request: %(kind)s"),
    "change_rejected": N_("Not done: %(kind)s"),
    "change_expired": N_("Expired: %(kind)s"),
    "change_repriced": N_("The order has changed, so this has to be decided anew: %(kind)s"),
    "change_again": N_("Handed over once more: %(kind)s"),
    "change_corrected": N_("Corrected, and handed over anew: %(kind)s"),
    "change_conflict": N_("Nobody knows whether it was done: %(kind)s"),
}
_BAD: Final = ("change_rejected", "change_expired", "change_conflict")


def cards(view: CaseView, stock: Stock, typed: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the changes of a case, those that are open first, as the page shows them.

    Args:
        stock: says how many pieces there are of what a change asks for.
        typed: the form that was just sent: nothing typed is lost when it can't be used.
    """
    order = sorted(view.changes, key=lambda row: (row.state not in rules.OPEN, -row.id))
    tries = {row.id: [one for one in view.handovers if one.change_id == row.id] for row in order}
    return [
        _card(row, tries[row.id], view.row.language, stock)
        | {"edits": _edits(row, typed) if row.state == ChangeState.CONFLICT else []}
        for row in order
    ]


def _card(
    row: ChangeRow, tries: Sequence[HandoverRow], language: str | None, stock: Stock
) -> dict[str, Any]:
    kind, state = ChangeKind(row.kind), ChangeState(row.state)
    marked = set(differences(row.before, row.asked)) if kind is ChangeKind.ADDRESS else set()
    return {
        "id": row.public_id,
        "content": row.content,
        "title": gettext(KINDS[kind]),
        "state": gettext(STATES[state]),
        "is_open": state in rules.OPEN,
        "waits": row.waits,
        "is_bad": state in (ChangeState.CONFLICT, ChangeState.REJECTED, ChangeState.EXPIRED),
        "before": _lines(kind, {**_titled(row), **row.before}, marked),
        "after": _lines(kind, row.asked, marked),
        "price": _price(row),
        "reason": gettext(REASONS[row.reason]) if row.reason else None,
        "reason_text": row.reason_text,
        "needs": _needs(row) if state in rules.UNDECIDED else None,
        "to_decide": state is ChangeState.PRICED and not row.waits,
        "to_refuse": state in rules.UNDECIDED,
        "lost": state is ChangeState.CONFLICT,
        "may_again": state is ChangeState.CONFLICT and not row.must_pay,
        "supervisor": row.leave == Leave.SUPERVISOR,
        "stock": _stock(row, stock) if state in rules.UNDECIDED else None,
        "question": _question(row, language) if state in rules.UNDECIDED else None,
        "cut_off": Clock("cut_off", row.cut_off_at, row.cut_off_at - _SOON)
        if row.cut_off_at is not None and state in rules.OPEN
        else None,
        "tries": [
            {"at": one.at, "what": gettext(TRIES.get(one.what, one.what)), "outcome": one.outcome}
            for one in tries
        ],
    }


def _titled(row: ChangeRow) -> dict[str, Any]:
    """What a line was called before is what it is called in the request."""
    return {"title": row.asked["title"]} if "title" in row.asked else {}


def _lines(kind: ChangeKind, values: Mapping[str, Any], marked: set[str]) -> list[tuple[str, bool]]:
    """Return one side of a change as lines, each with whether it is another one."""
    if kind is ChangeKind.ADDRESS:
        return [(str(values[name]), name in marked) for name in ADDRESS_FIELDS if values.get(name)]
    if "sku" in values:
        title = values.get("title") or values["sku"]
        return [(f"{values.get('quantity', 0)} × {title}", True)]
    return [(str(value), True) for value in values.values() if value]


def _price(row: ChangeRow) -> str:
    if row.delta_minor is None or row.currency is None:
        return gettext("Nobody could say what it costs")
    if row.delta_minor == 0:
        return gettext("Costs nothing")
    amount = format_money(abs(row.delta_minor), row.currency)
    if row.stage == Stage.CHECKOUT:
        more = row.delta_minor > 0
        words = N_("%(amount)s more in the checkout") if more else N_("%(amount)s less to pay")
        return gettext(words, amount=amount)
    if row.delta_minor > 0 and row.paid_at is not None:
        return gettext("%(amount)s more, paid", amount=amount)
    if row.delta_minor > 0:
        return gettext("%(amount)s more, not paid yet", amount=amount)
    return gettext("%(amount)s back", amount=amount)


def _needs(row: ChangeRow) -> str | None:
    if row.waits:
        return gettext("Waits until the approved change is done")
    if row.state == ChangeState.AWAITING_PAYMENT:
        return gettext("Waits for the customer's payment")
    if row.leave == Leave.SUPERVISOR:
        return gettext("Needs a supervisor: it may be somebody else than the customer")
    return gettext("Needs your leave")


def _edits(row: ChangeRow, typed: Mapping[str, str]) -> list[dict[str, str]]:
    """Return what a supervisor can correct of a change, as fields of a form."""
    kind = ChangeKind(row.kind)
    if kind is ChangeKind.CANCEL:
        return []
    names = ADDRESS_FIELDS if kind is ChangeKind.ADDRESS else (_FIELD_OF.get(kind, "quantity"),)
    return [
        {
            "name": name,
            "label": gettext(FIELDS[name]),
            "value": typed.get(f"edit {row.public_id} {name}", str(row.asked.get(name) or "")),
        }
        for name in names
    ]


def read_edits(kind: ChangeKind, form: Mapping[str, str], change_id: str) -> dict[str, Any]:
    """Return what a supervisor has corrected, as a customer would have asked for it."""
    names = ADDRESS_FIELDS if kind is ChangeKind.ADDRESS else (_FIELD_OF.get(kind, "quantity"),)
    given: dict[str, Any] = {
        name: form[f"edit {change_id} {name}"]
        for name in names
        if f"edit {change_id} {name}" in form
    }
    number = given.get("quantity", "")
    if number:
        whole = number.isascii() and number.isdigit() and len(number) < 5
        given["quantity"] = int(number) if whole else None
    return given


def _stock(row: ChangeRow, stock: Stock) -> str | None:
    try:
        found = stock(ChangeKind(row.kind), row.asked)
    except Exception:
        log.exception("the inventory_loader failed")
        return gettext("Nobody could say how many there are")
    if found is None:
        return None
    return ngettext("%(num)s in stock", "%(num)s in stock", found)


def _question(row: ChangeRow, language: str | None) -> str:
    """Return what an agent may ask with one click, in the customer's language."""
    with use_locale(language):
        if row.leave == Leave.SUPERVISOR:
            return gettext("Was it you who asked for this change of your order?")
        return gettext("Before we change your order: is everything right as you wrote it?")


def sentence(data: Mapping[str, Any], text: str | None) -> tuple[str, str]:
    """Return what a line of the timeline says about a change, and its tone."""
    action = str(data.get("action"))
    kind = gettext(KINDS.get(str(data.get("kind")), str(data.get("kind"))))
    words = gettext(_SENTENCES[action], kind=kind) if action in _SENTENCES else action
    reason = REASONS.get(str(data.get("reason")))
    if reason:
        words = f"{words} ({gettext(reason)})"
    if text:
        words = f"{words} · “{text}”"
    tone = "bad" if action in _BAD else "good" if action == "change_applied" else ""
    return words, tone


def told(error: CheckoutCaseError) -> str:
    """Say why a decision could not be taken as it was meant."""
    if isinstance(error, RefusedChangeError):
        why = gettext(REASONS[error.reason])
        return gettext("It can't be done any more, and was refused: %(why)s", why=why)
    if isinstance(error, TermsChangedError):
        return gettext(
            "The order has changed meanwhile. Look at the change again before you decide."
        )
    return gettext("Say why: the customer reads it.")


def unapplied(data: Mapping[str, Any]) -> str:
    """Say that the warehouse has done what the shop itself could not note."""
    kind = gettext(KINDS.get(str(data.get("kind")), str(data.get("kind"))))
    return gettext(
        "The warehouse has taken it, and the shop can’t apply it: %(kind)s. See “Not sent”.",
        kind=kind,
    )


def contradiction(data: Mapping[str, Any]) -> str:
    """Say that the warehouse does something else than we believed."""
    answer = gettext(TRIES.get(str(data.get("answer")), str(data.get("answer"))))
    state = gettext(STATES.get(str(data.get("state")), str(data.get("state"))))
    return gettext(
        "%(answer)s, but here the change is “%(state)s”: call the warehouse",
        answer=answer,
        state=state,
    )
