"""What customers read about changes of their order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from ...change_types import Change, ChangeKind, ChangeState
from ...i18n import N_, format_money, format_when, gettext
from ...rules.addresses import differences
from ...rules.changes import Leave
from ...services.change_said import KINDS, in_a_line, why
from ...services.change_terms import Terms
from ...types import Line, Order
from ..address_words import FIELDS

STATES: Final[Mapping[ChangeState, str]] = {
    ChangeState.REQUESTED: N_("We look at it"),
    ChangeState.PRICED: N_("We look at it"),
    ChangeState.AWAITING_PAYMENT: N_("Waits for your payment"),
    ChangeState.APPROVED: N_("On its way to the warehouse"),
    ChangeState.SENT: N_("On its way to the warehouse"),
    ChangeState.ACKNOWLEDGED: N_("The warehouse has it"),
    ChangeState.APPLIED: N_("Done"),
    ChangeState.REJECTED: N_("Not possible"),
    ChangeState.EXPIRED: N_("Not done"),
    ChangeState.SUPERSEDED: N_("Replaced by a newer request"),
    ChangeState.CONFLICT: N_("We ask the warehouse"),
}
_UNKNOWN: Final = N_("We tell you what it costs before we do it.")
_UNKNOWN_IN_CHECKOUT: Final = N_("You see the new total before you pay.")
_COSTS: Final[Mapping[tuple[bool, bool], str]] = {
    (False, True): N_("You pay %(amount)s more."),
    (False, False): N_("You get %(amount)s back when the warehouse has confirmed it."),
    (True, True): N_("Your total rises by %(amount)s."),
    (True, False): N_("Your total falls by %(amount)s."),
}
"""What a change costs: in the checkout or later, more or less."""
PROBLEMS: Final[Mapping[str, str]] = {
    "missing": N_("Please fill this in."),
    "invalid": N_("This can't be right."),
    "too_long": N_("Please keep it shorter."),
}


def kinds(order: Order, offered: frozenset[ChangeKind]) -> list[tuple[str, str]]:
    """Return what may be asked for of this order, as its key and its words."""
    lacking = {
        ChangeKind.DELIVERY: len(order.deliveries) < 2,
        ChangeKind.ADD: not _addable(order),
        ChangeKind.QUANTITY: not order.lines,
        ChangeKind.REMOVE: len(order.lines) < 2,
        ChangeKind.ADDRESS: order.address is None,
    }
    return [
        (kind.value, gettext(words))
        for kind, words in KINDS.items()
        if kind in offered and not lacking.get(kind, False)
    ]


def _addable(order: Order) -> list[Line]:
    there = {line.sku for line in order.lines}
    return [line for line in order.addons if line.sku not in there]


def addons(order: Order) -> list[tuple[str, str]]:
    """Return what may be added, as its key and its words with the price of one piece."""
    return [(line.sku, _priced(line)) for line in _addable(order)]


def _priced(line: Line) -> str:
    price = line.unit_price
    return (
        f"{line.title} · {format_money(price.minor_units, price.currency)}" if price else line.title
    )


def changed_fields(
    kind: ChangeKind, before: Mapping[str, Any], after: Mapping[str, Any]
) -> list[str]:
    """Return which parts of an address are others."""
    if kind is not ChangeKind.ADDRESS:
        return []
    return [gettext(FIELDS[name]) for name in differences(before, after)]


def price(terms: Terms) -> str:
    """Say what a change costs."""
    delta = terms.delta
    if delta is None:
        return gettext(_UNKNOWN_IN_CHECKOUT if terms.in_checkout else _UNKNOWN)
    if delta.minor_units == 0:
        return gettext("It costs nothing.")
    rises = delta.minor_units > 0
    amount = format_money(abs(delta.minor_units), delta.currency)
    return gettext(_COSTS[terms.in_checkout, rises], amount=amount)


def leave(terms: Terms) -> str:
    """Say who decides."""
    if terms.leave is Leave.AUTOMATIC:
        return gettext("It is done at once.")
    return gettext("Somebody of us looks at it first.")


def state(change: Change, order: Order) -> dict[str, str]:
    """Return where a request stands, and why it wasn't done."""
    return {
        "kind": gettext(KINDS[change.kind]),
        "what": in_a_line(change, order),
        "state": gettext(STATES[change.state]),
        "why": why(change),
        "at": f"{format_when(change.requested_at)} UTC",
        "is_done": "yes" if change.state is ChangeState.APPLIED else "",
        "is_bad": "yes" if change.state in _BAD else "",
    }


def until(at: datetime | None) -> str:
    """Say until when it is done without anybody's leave."""
    return (
        gettext("Changes are done at once until %(time)s.", time=f"{format_when(at)} UTC")
        if at
        else ""
    )


_BAD: Final = frozenset({ChangeState.REJECTED, ChangeState.EXPIRED, ChangeState.CONFLICT})
