"""Speaking first: a quiet line for the customer, a case for the agents, or nothing at all.

Nothing here happens without the budget, in a payment, after the purchase, for somebody of the
held-out share, or where an incident stands for the checkout's case.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy.orm.attributes import set_committed_value

from ..data import queries_case
from ..data import queries_hesitation as queries
from ..data.models import CaseRow, CheckoutRow
from ..i18n import N_
from ..rules import prompts
from ..rules.hesitation import TOLD, Contribution, Verdict
from ..rules.policy_hesitation import CASE, CONCIERGE, HINT, OFFER
from ..rules.prompts import Contact
from ..types import Category, EntryKind, Family, Origin
from .entries import entry
from .opening import CaseDraft, open_or_join, signal_entry
from .runtime import Unit

SHOWN_FOR: Final = timedelta(minutes=30)
"""What was offered so long ago is offered no more."""
RECONSIDERED: Final = timedelta(hours=1)
AGENT: Final = "agent"
_SPEAKS: Final = frozenset({HINT, OFFER})
_OPENS: Final = frozenset({CASE, CONCIERGE})


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a customer is offered without having asked.

    Args:
        act: ``hint`` or ``offer``.
        topic: what it is about, see :func:`topic_of`.
    """

    act: str
    topic: str


def act(unit: Unit, row: CheckoutRow, verdict: Verdict) -> bool:
    """Do what a verdict calls for; whether a case was opened. The caller has locked the row."""
    if not wants(row, verdict, unit.now) or _stands_for_it(unit, row):
        return False
    if not is_treated(unit, row, verdict.acts[-1]):
        return False
    opened = False
    if _OPENS & set(verdict.acts) and row.hesitated_at is None:
        opened = open_case(unit, row, verdict)
    if _SPEAKS & set(verdict.acts) and _may_speak_anew(row.prompt, unit.now):
        _speak(unit, row, OFFER if OFFER in verdict.acts else HINT, verdict)
    return opened


def wants(row: Any, verdict: Verdict, now: datetime) -> bool:
    """Whether something is left to do about a checkout; says so without looking further."""
    if row.paid_at is not None or row.ordered_at is not None or row.arm == prompts.HELD_OUT:
        return False
    if _OPENS & set(verdict.acts) and row.hesitated_at is None:
        return True
    return bool(_SPEAKS & set(verdict.acts)) and _may_speak_anew(row.prompt, now)


def _may_speak_anew(prompt: Any, now: datetime) -> bool:
    if prompt is None:
        return True
    denied = prompt.get("denied_at")
    return denied is not None and now - datetime.fromisoformat(denied) >= RECONSIDERED


def is_treated(unit: Unit, row: CheckoutRow, what: str) -> bool:
    """Note that a checkout is eligible for help before it gets any; whether it gets some.

    Once said, it stays: for the customer where somebody is logged in, else for the checkout.
    """
    if row.arm is None:
        arm = prompts.arm_of(unit.runtime.policy.held_out, row.customer_ref or row.ref)
        told = {"arm": arm, "eligible_at": unit.now, "eligible_for": what}
        _change(unit, row, **told)
    return row.arm != prompts.HELD_OUT


def _stands_for_it(unit: Unit, row: CheckoutRow) -> bool:
    """Whether an incident holds this checkout's case, and has rules of its own."""
    case = queries_case.live_case(unit.session, row.ref, Family.PAYMENT)
    return case is not None and case.folded_into is not None


# --- the agents ----------------------------------------------------------------------------------


def open_case(unit: Unit, row: CheckoutRow, verdict: Verdict | None, **more: Any) -> bool:
    """Open the case of somebody who hesitates, once; tell the payment's case where there is one.

    Returns:
        Whether there was something to tell.

    Args:
        verdict: what the score came to; ``None`` where inactivity alone is the reason.
        more: what else the case is to tell.
    """
    told = {**_told(verdict), **more}
    paying = queries_case.live_case(unit.session, row.ref, Family.PAYMENT)
    if paying is not None:
        if verdict is not None and _says_nothing_new(verdict):
            return False
        _tell(unit, paying, row, told)
    else:
        origin = Origin.SWEEP if verdict is None else Origin.SIGNAL
        open_or_join(unit, draft(row, origin, unit.now, told))
    _change(unit, row, hesitated_at=unit.now)
    return True


def _says_nothing_new(verdict: Verdict) -> bool:
    """Whether it is the failed payment alone, whose case tells that already."""
    return {one.kind for one in verdict.contributions} <= {"payment_failed"}


def draft(row: CheckoutRow, origin: Origin, at: datetime, told: dict[str, Any]) -> CaseDraft:
    """Describe the case of somebody who hesitates.

    Args:
        told: why, for its timeline.
    """
    wavers = origin is not Origin.SWEEP
    return CaseDraft(
        family=Family.HESITATION,
        category=Category.HESITATION,
        origin=origin,
        at=at,
        checkout_ref=row.ref,
        order_ref=row.order_ref,
        customer_ref=row.customer_ref,
        snapshot=row.snapshot,
        about=N_("Wavers in the checkout") if wavers else N_("No progress in the checkout"),
        entries=(signal_entry("hesitation", {"step": row.step, **told}),),
    )


def _tell(unit: Unit, case: CaseRow, row: CheckoutRow, told: dict[str, Any]) -> None:
    """Add the hesitation to the payment case that is open already."""
    told = {"signal": "hesitation", "step": row.step, **told}
    line = entry(case, EntryKind.SIGNAL, unit.now, data=told)
    queries_case.add_entries(unit.session, [line])


def _told(verdict: Verdict | None) -> dict[str, Any]:
    if verdict is None:
        return {}
    reasons = [one.as_json() for one in verdict.contributions[:TOLD]]
    return {"score": verdict.score, "reasons": reasons}


# --- the customer --------------------------------------------------------------------------------


def _speak(unit: Unit, row: CheckoutRow, how: str, verdict: Verdict) -> None:
    if not within_budget(unit, row):
        _change(unit, row, prompt={"denied_at": unit.now.isoformat()})
        return
    note_contact(unit, row, how)
    topic = topic_of(verdict.contributions, row.step)
    _change(unit, row, prompt={"act": how, "topic": topic, "at": unit.now.isoformat()})


def within_budget(unit: Unit, row: CheckoutRow) -> bool:
    """Whether this customer may be spoken to once more."""
    since = unit.now - prompts.MONTH
    found = queries.contacts(unit.session, row.ref, row.customer_ref, since)
    known = [Contact(one.at, one.checkout_ref == row.ref, one.dismissed_at) for one in found]
    return prompts.may_prompt(unit.runtime.policy.prompts, known, unit.now)


def note_contact(unit: Unit, row: CheckoutRow, how: str) -> None:
    """Write down that somebody was spoken to."""
    told = {"checkout_ref": row.ref, "customer_ref": row.customer_ref, "how": how, "at": unit.now}
    queries.add_contact(unit.session, told)


def dismiss(unit: Unit, row: CheckoutRow, at: datetime) -> None:
    """Take back what was offered: the customer doesn't want it."""
    queries.dismiss_contacts(unit.session, row.ref, at)
    if row.prompt is not None and "dismissed_at" not in row.prompt:
        _change(unit, row, prompt={**row.prompt, "dismissed_at": at.isoformat()})


def shown(row: Any, now: datetime) -> Prompt | None:
    """Return what the launcher says to this checkout's customer now, if anything."""
    prompt = row.prompt
    if prompt is None or "act" not in prompt or "dismissed_at" in prompt:
        return None
    is_over = row.paid_at is not None or row.ordered_at is not None
    if is_over or prompts.is_paying(row.paying_at, now):
        return None
    if now - datetime.fromisoformat(prompt["at"]) > SHOWN_FOR:
        return None
    return Prompt(prompt["act"], prompt["topic"])


_TOPICS: Final = {
    "payment_failed": "payment",
    "coupon_rejected": "coupon",
    "coupon_away": "coupon",
    "late_shipping": "delivery",
    "policy_page": "returns",
    "validation": "form",
    "field_reentry": "form",
    "field_dwell": "form",
}
_BY_STEP: Final = {"payment": "payment", "shipping": "delivery"}


def topic_of(found: Sequence[Contribution], step: str | None) -> str:
    """Return what help would be about: what weighs most and says it, else the step."""
    named = (_TOPICS[one.kind] for one in found if one.kind in _TOPICS)
    return next(named, _BY_STEP.get(step or "", "help"))


def _change(unit: Unit, row: CheckoutRow, **values: Any) -> None:
    queries.change_checkout(unit.session, row.id, values)
    for name, value in values.items():
        set_committed_value(row, name, value)
