"""The truth about payments: money without an order, money twice, outcomes that nobody knows.

What the shop and the gateway are asked is asked outside any transaction, and what they answer goes
the way of every event.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from ..data import queries_case, queries_payment
from ..data.models import CheckoutRow
from ..data.queries_payment import DueCheckout
from ..gateways import Told, describe_result, reconcile
from ..i18n import N_
from ..rules import payments as rules
from ..rules.payments import Attempt, Conflict, Judgement, Limits, Report
from ..types import Category, Event, Family, Origin, PaymentAttempt
from . import ingest
from .opening import CaseDraft, open_or_join, signal_entry
from .runtime import Runtime, Unit

log = logging.getLogger(__name__)

_TOGETHER: Final = 20
_LEASE: Final = timedelta(minutes=2)
_AGAIN_AFTER: Final = timedelta(minutes=5)
_ABOUT: Final[Mapping[Conflict, str]] = {
    Conflict.CHARGED_TWICE: N_("Charged twice"),
    Conflict.CHARGED_WITHOUT_ORDER: N_("Charged without an order"),
}


def limits_of(runtime: Runtime) -> Limits:
    """Return how long the policy waits; for orders only where the shop tells of them."""
    given = runtime.policy.payments
    return Limits(given.order_within if _knows_orders(runtime) else None, given.action_within)


def sweep_payments(runtime: Runtime) -> int:
    """Judge the payments of the checkouts that are due; at how many of them something was found.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    found = 0
    while True:
        with runtime.write() as unit:
            now = unit.now
            taken = queries_payment.lease_checkouts(unit.session, now, now + _LEASE, _TOGETHER)
        found += sum(_look_at(runtime, one, now) for one in taken)
        if len(taken) < _TOGETHER:
            return found


def _look_at(runtime: Runtime, taken: DueCheckout, now: datetime) -> bool:
    try:
        return _judge(runtime, taken, now)
    except Exception:
        log.exception("the payments of a checkout can't be judged; again in %s", _AGAIN_AFTER)
        with runtime.write() as unit:
            queries_payment.set_check(unit.session, taken, now + _AGAIN_AFTER)
        return False


def _judge(runtime: Runtime, taken: DueCheckout, now: datetime) -> bool:
    with runtime.read() as session:
        names = sorted(rules.PAYMENT_EVENTS)
        events = queries_payment.payment_events(session, taken.ref, names)
        checkout = queries_case.checkout_by_ref(session, taken.ref)
    if checkout is None:
        return False
    attempts = rules.attempts_of(Report(one.name, one.at, one.data) for one in events)
    limits, ordered = limits_of(runtime), checkout.ordered_at is not None
    judgement = rules.judge(attempts, now, limits, ordered=ordered)
    if Conflict.CHARGED_WITHOUT_ORDER in judgement.conflicts and _has_order(runtime, taken.ref):
        judgement = rules.judge(attempts, now, limits, ordered=True)
    told = [_expired(taken.ref, one, now) for one in judgement.expired]
    told += _answers(runtime, checkout, judgement.to_ask, now)
    if told:
        ingest.record(runtime, told)
    opened = _open_conflicts(runtime, taken, judgement, attempts)
    return bool(told or opened)


def _open_conflicts(
    runtime: Runtime, taken: DueCheckout, judgement: Judgement, attempts: list[Attempt]
) -> int:
    opened = 0
    with runtime.write() as unit:
        checkout = queries_case.checkout_by_ref(unit.session, taken.ref, lock=True)
        for conflict in judgement.conflicts:
            if checkout is not None and _is_open_question(conflict, checkout):
                opened += _open(unit, checkout, conflict, attempts)
        queries_payment.set_check(unit.session, taken, judgement.check_at)
    return opened


def _is_open_question(conflict: Conflict, checkout: CheckoutRow) -> bool:
    # The order may have come while the shop was asked.
    return conflict is not Conflict.CHARGED_WITHOUT_ORDER or checkout.ordered_at is None


def _open(unit: Unit, checkout: CheckoutRow, conflict: Conflict, attempts: list[Attempt]) -> bool:
    key = rules.conflict_key(checkout.ref, conflict)
    if queries_payment.had_case(unit.session, checkout.ref, key):
        return False
    paid = [one for one in attempts if one.state is rules.State.SUCCEEDED]
    told = {
        "conflict": conflict.value,
        "payments": [
            {
                "provider": one.gateway,
                "payment_id": one.payment_id,
                "attempt_id": one.attempt_id,
                "at": one.ended_at.isoformat(),
            }
            for one in paid
        ],
    }
    draft = CaseDraft(
        family=Family.MESSAGE,
        category=Category.PAYMENT_CONFLICT,
        origin=Origin.SWEEP,
        at=unit.now,
        checkout_ref=checkout.ref,
        order_ref=checkout.order_ref,
        customer_ref=checkout.customer_ref,
        snapshot=checkout.snapshot,
        reason=conflict.value,
        about=_ABOUT[conflict],
        entries=(signal_entry("payment_conflict", told),),
    )
    open_or_join(unit, draft)
    return True


def _expired(checkout_ref: str, attempt: Attempt, now: datetime) -> Event:
    """Make the failure of which the customer never confirmed what the bank asked for."""
    return _told(
        "payment_failed",
        checkout_ref,
        attempt,
        now,
        {
            "failure_class": "auth",
            "failure_code": "authentication_expired",
        },
        why="expired",
    )


def _answers(
    runtime: Runtime, checkout: CheckoutRow, attempts: Iterable[Attempt], now: datetime
) -> list[Event]:
    found = []
    for attempt in attempts:
        answer = _ask(runtime, checkout, attempt)
        if answer is not None:
            name, told = answer
            found.append(_told(name, checkout.ref, attempt, now, told, why="asked"))
    return found


def _ask(
    runtime: Runtime, checkout: CheckoutRow, attempt: Attempt
) -> tuple[str, Mapping[str, Any]] | None:
    payment = PaymentAttempt(
        gateway=attempt.gateway,
        payment_id=attempt.payment_id,
        attempt_id=attempt.attempt_id,
        checkout_ref=checkout.ref,
        began_at=attempt.began_at,
    )
    ask = runtime.hooks.reconcile or _built_in(runtime)
    answer = ask(payment)
    if not isinstance(answer, tuple):
        # What a gateway's SDK returned; nothing, while nothing has ended.
        answer = describe_result(answer)
    if answer is None:
        return None
    name, told = answer
    if name not in rules.PAYMENT_EVENTS:
        raise ValueError(f"reconcile answered {name!r}, which is no signal about a payment")
    return name, told


def _built_in(runtime: Runtime) -> Callable[[PaymentAttempt], Told | None]:
    """Return what asks the gateway where the shop has set no hook."""
    return lambda payment: reconcile(payment, stripe_api_key=runtime.settings.stripe_api_key)


def _told(
    name: str,
    checkout_ref: str,
    attempt: Attempt,
    now: datetime,
    told: Mapping[str, Any],
    *,
    why: str,
) -> Event:
    # Which checkout it is of is known here.
    told = {key: value for key, value in told.items() if key != "checkout_ref"}
    known = {
        "provider": attempt.gateway,
        "payment_id": attempt.payment_id,
        "attempt_id": attempt.attempt_id,
        "method": attempt.data.get("method"),
        **told,
    }
    began = int(attempt.began_at.timestamp() * 1000)
    named = attempt.attempt_id or attempt.payment_id or began
    return Event(
        id=f"{why}:{checkout_ref[:100]}:{name}:{str(named)[:100]}",
        name=name,
        at=now,
        checkout_ref=checkout_ref,
        data={key: value for key, value in known.items() if value is not None},
        origin=Origin.SWEEP,
    )


def _knows_orders(runtime: Runtime) -> bool:
    if runtime.hooks.order_for_checkout is not None or runtime.extras.get("knows_orders"):
        return True
    with runtime.read() as session:
        known = queries_payment.has_any_order(session)
    runtime.extras["knows_orders"] = known
    return known


def _has_order(runtime: Runtime, checkout_ref: str) -> bool:
    load = runtime.hooks.order_for_checkout
    return load is not None and load(checkout_ref) is not None
