"""Every signal, in both directions, with who sends it and what it carries.

Signals *from the shop*: send them with any sender (the app, ``current_app``, ``None``). Each takes
``checkout`` (a :class:`~flask_checkout_case.Checkout`) or ``checkout_ref``; nothing else is
required, unknown arguments are kept. Every one also takes ``event_id`` (a second report under the
same id is ignored) and ``at`` (aware UTC, when it happened; now without it).
``reserved_until``, ``session_expires_at`` and ``ships_at`` (aware) tell when the checkout itself
runs out of time.

Signals *to the shop* are sent after the commit, in the process that did the work, at most once,
with the app as sender. An exception in one receiver is logged and reaches neither us nor the next
receiver.
"""

from __future__ import annotations

from typing import Final

from blinker import NamedSignal, Namespace

_from_shop = Namespace()
_to_shop = Namespace()

checkout_started = _from_shop.signal("checkout_started")
"""A customer entered the checkout. ``checkout``."""

checkout_step_viewed = _from_shop.signal("checkout_step_viewed")
"""A step's page was shown. ``checkout`` (its ``step``)."""

checkout_step_completed = _from_shop.signal("checkout_step_completed")
"""A step was completed: progress. ``checkout`` (the completed ``step``)."""

coupon_rejected = _from_shop.signal("coupon_rejected")
"""A coupon was refused. ``checkout``, ``code``, ``reason``."""

validation_shown = _from_shop.signal("validation_shown")
"""A form came back with errors. ``checkout``, ``fields`` (names only, never values)."""

policy_viewed = _from_shop.signal("policy_viewed")
"""Somebody in a checkout reads about returns, delivery or terms. ``checkout``."""

payment_info_entered = _from_shop.signal("payment_info_entered")
"""The customer gave a means of payment. ``checkout``, ``method``."""

payment_started = _from_shop.signal("payment_started")
"""A charge is about to be tried. ``checkout``, ``provider``, ``payment_id``, ``method``."""

payment_failed = _from_shop.signal("payment_failed")
"""A charge failed. ``checkout``, ``provider``, ``failure_code``, ``decline_code``,
``network_code``, ``advice_code``, ``payment_id``, ``attempt_id`` (the charge's id), ``method``,
``message``, ``outcome`` (``failed`` or ``unknown``), ``card_fingerprint`` (what the
gateway calls the card), ``client_address`` (where the request isn't the customer's own)."""

payment_succeeded = _from_shop.signal("payment_succeeded")
"""The money is there. ``checkout``, ``provider``, ``payment_id``, ``attempt_id``."""

payment_canceled = _from_shop.signal("payment_canceled")
"""The customer left the payment on purpose: history, never a case. ``checkout``, ``provider``."""

checkout_error = _from_shop.signal("checkout_error")
"""Something broke in the checkout itself. ``checkout``, ``reason`` (a stable word), ``message``."""

stock_short = _from_shop.signal("stock_short")
"""A line can't be delivered as ordered. ``checkout``, ``sku``, ``reason``, ``available``."""

order_completed = _from_shop.signal("order_completed")
"""An order exists and is paid or payable. ``checkout``, ``order_ref``."""

order_updated = _from_shop.signal("order_updated")
"""An order changed. ``order_ref``."""

order_fulfilled = _from_shop.signal("order_fulfilled")
"""An order left the house. ``order_ref``."""

order_cancelled = _from_shop.signal("order_cancelled")
"""An order was cancelled. ``order_ref``."""

order_refunded = _from_shop.signal("order_refunded")
"""Money went back. ``order_ref``, ``amount`` (:class:`~flask_checkout_case.Money`)."""

case_opened = _to_shop.signal("case_opened")
"""A case was opened. ``case`` (:class:`~flask_checkout_case.types.CaseInfo`)."""

case_routed = _to_shop.signal("case_routed")
"""A route gave the case its team. ``case``, ``reasons``."""

case_assigned = _to_shop.signal("case_assigned")
"""An agent took the case or was given it. ``case``, ``agent_ref``."""

case_escalated = _to_shop.signal("case_escalated")
"""A step of the policy's escalation acted. ``case``, ``reason`` (clock and percent)."""

sla_warned = _to_shop.signal("sla_warned")
"""Three quarters of a clock have run, or what a step names. ``case``, ``clock``, ``due``."""

sla_breached = _to_shop.signal("sla_breached")
"""A clock ran out. ``case``, ``clock``, ``due``."""

message_posted = _to_shop.signal("message_posted")
"""A public message was posted. ``case``, ``author`` (``customer`` or ``agent``), ``text``."""

change_requested = _to_shop.signal("change_requested")
"""A customer asked for an order change. ``case``, ``change``."""

change_approved = _to_shop.signal("change_approved")
"""An order change was approved. ``case``, ``change``."""

change_applied = _to_shop.signal("change_applied")
"""Fulfilment has applied an order change. ``case``, ``change``."""

change_refused = _to_shop.signal("change_refused")
"""An order change was refused. ``case``, ``change``, ``reason``."""

case_solved = _to_shop.signal("case_solved")
"""The case was solved. ``case``, ``outcome``."""

case_closed = _to_shop.signal("case_closed")
"""The case was closed. ``case``, ``outcome``."""

checkout_recovered = _to_shop.signal("checkout_recovered")
"""A checkout with a case was paid. ``case``, and ``outcome``: ``self_recovered``, ``rescued`` (by
the link of a mail) or ``assisted``."""

incident_opened = _to_shop.signal("incident_opened")
"""A gateway's failures are an outage. ``incident``
(:class:`~flask_checkout_case.types.IncidentInfo`)."""

incident_resolved = _to_shop.signal("incident_resolved")
"""The outage is over. ``incident``."""


def _named(namespace: Namespace) -> dict[str, NamedSignal]:
    return {str(name): signal for name, signal in namespace.items()}


FROM_SHOP: Final[dict[str, NamedSignal]] = _named(_from_shop)
TO_SHOP: Final[dict[str, NamedSignal]] = _named(_to_shop)
