"""What customers read about changes of their order, on pages and in mails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ..change_types import ADDRESS_FIELDS, Change, ChangeKind
from ..i18n import N_, gettext
from ..rules.changes import Refusal
from ..types import Order

KINDS: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.ADDRESS: N_("Correct the address"),
    ChangeKind.DELIVERY: N_("Choose another delivery"),
    ChangeKind.INSTRUCTIONS: N_("Say something to the driver"),
    ChangeKind.ADD: N_("Add something"),
    ChangeKind.QUANTITY: N_("Change a quantity"),
    ChangeKind.REMOVE: N_("Leave something out"),
    ChangeKind.GIFT_NOTE: N_("Write a gift note"),
    ChangeKind.CANCEL: N_("Cancel the order"),
}
"""In the order in which they are offered."""
REASONS: Final[Mapping[Refusal, str]] = {
    Refusal.NOT_OFFERED: N_("This can't be changed online."),
    Refusal.TOO_LATE: N_("The parcel is being packed: it is too late for this."),
    Refusal.SHIPPED: N_(
        "The parcel has left. Ask us: we may reach the carrier, or you send it back."
    ),
    Refusal.CANCELLED: N_("The order is cancelled."),
    Refusal.UNCHANGED: N_("The order is like that already."),
    Refusal.OUT_OF_STOCK: N_("There isn't enough of it left."),
    Refusal.NO_PRICE: N_("Nobody could say what it costs."),
    Refusal.REFUSED: N_("We could not do this."),
    Refusal.WAREHOUSE: N_("The warehouse could no longer do this."),
    Refusal.NOT_PAID: N_("It was not paid in time."),
    Refusal.NOT_DECIDED: N_("We did not get to it in time. Please write to us."),
    Refusal.VERSION: N_("The order has changed meanwhile. Please ask again."),
    Refusal.NO_ANSWER: N_("The warehouse has not answered yet. We are asking."),
}


def lines_of(kind: ChangeKind, values: Mapping[str, Any], order: Order) -> list[str]:
    """Return one side of a change, before or after, as lines of text."""
    if kind is ChangeKind.ADDRESS:
        return [str(values[name]) for name in ADDRESS_FIELDS if values.get(name)]
    if kind is ChangeKind.DELIVERY:
        return [
            str(order.deliveries.get(values.get("delivery") or "", values.get("delivery") or ""))
        ]
    if kind in (ChangeKind.INSTRUCTIONS, ChangeKind.GIFT_NOTE):
        return str(values.get(kind.value) or gettext("Nothing")).splitlines()
    if kind is ChangeKind.CANCEL:
        return []
    titles = {line.sku: line.title for line in (*order.addons, *order.lines)}
    title = titles.get(values.get("sku", ""), values.get("title") or values.get("sku"))
    quantity = values.get("quantity", 0)
    return [f"{quantity} × {title}" if quantity else gettext("Not included")]


def in_a_line(change: Change, order: Order) -> str:
    """Return in one line what was asked for."""
    asked = change.asked
    if change.kind is ChangeKind.ADDRESS:
        return ", ".join(asked[name] for name in ("line1", "city") if asked.get(name))
    if change.kind is ChangeKind.REMOVE:
        return str(asked.get("title") or asked.get("sku"))
    return " ".join(lines_of(change.kind, asked, order))


def refused(reason: Refusal) -> str:
    """Say why a change isn't made."""
    return gettext(REASONS[reason])


def why(change: Change) -> str:
    """Say why a change was not made, in an agent's words where there are some."""
    if change.explanation:
        return change.explanation
    return refused(Refusal(change.reason)) if change.reason else ""
