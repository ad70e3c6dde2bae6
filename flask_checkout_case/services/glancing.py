"""What the closed widget asks for and tells: one look at the checkout's row, seldom a write."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from itsdangerous import BadSignature, URLSafeTimedSerializer
from sqlalchemy.exc import SQLAlchemyError

from ..data import queries_hesitation as queries
from ..rules import hesitation, signs
from ..rules.signs import Signs
from ..types import Event, Origin
from . import proactive, watching
from .proactive import Prompt
from .runtime import Runtime

log = logging.getLogger(__name__)

SALT: Final = "checkout-case-watch"
TOKEN_AGE: Final = 24 * 3600
"""Seconds for which a page may go on telling."""


@dataclass(frozen=True, slots=True)
class Glance:
    """How a checkout stands for its customer's browser.

    Args:
        prompt: what is offered without having been asked for.
        is_known: whether there is a row of it; ``has_consented``: whether it says so.
        is_over: it is paid, or an order.
        has_cases: somebody has written, or something went wrong.
    """

    prompt: Prompt | None = None
    is_known: bool = False
    has_consented: bool = False
    is_over: bool = False
    has_cases: bool = False


def glance(runtime: Runtime, ref: str) -> Glance:
    """Look at a checkout without changing anything."""
    with runtime.glance() as connection:
        row = queries.glance(connection, ref)
    return _glance(runtime, row)


def _glance(runtime: Runtime, row: Any | None) -> Glance:
    if row is None:
        return Glance()
    return Glance(
        proactive.shown(row, runtime.clock()),
        is_known=True,
        has_consented=row.consented_at is not None,
        is_over=row.paid_at is not None or row.ordered_at is not None,
        has_cases=row.has_cases,
    )


def idle_after(runtime: Runtime, step: str | None) -> timedelta:
    """Return for how long nothing may happen at a step before its customer counts as idle."""
    return hesitation.norm_of(runtime.policy, step)


def note_consent(runtime: Runtime, ref: str, snapshot: dict[str, Any] | None) -> None:
    """Keep that this checkout's customer lets the browser tell.

    Args:
        snapshot: where no signal of the shop has told of the checkout yet.
    """
    if runtime.recorder is None:
        return
    now = runtime.clock()
    if snapshot is not None:
        seen = f"{watching.SEEN}:{ref}"
        runtime.recorder.capture(
            Event(seen, watching.SEEN, now, ref, checkout=snapshot, origin=Origin.WIDGET)
        )
    runtime.recorder.capture(watching.browser_event(ref, {}, now, consent=True))


def note_withdrawal(runtime: Runtime, ref: str) -> None:
    """Keep that this checkout's customer no longer lets the browser tell."""
    if runtime.recorder is not None:
        withdrawn = watching.browser_event(ref, {}, runtime.clock(), consent=False)
        runtime.recorder.capture(withdrawn)


def take(runtime: Runtime, ref: str, told: Signs, *, dismissed: bool) -> Glance:
    """Take what a browser tells, and look at its checkout.

    It is kept at once and written together with that of others, unless something follows of it.
    """
    now = runtime.clock()
    event = watching.browser_event(ref, told, now, **({"dismissed": True} if dismissed else {}))
    if runtime.recorder is not None:
        runtime.recorder.capture(event)
    try:
        return _after(runtime, ref, event)
    except SQLAlchemyError:
        # The spool has it.
        log.exception("what a browser told can't be weighed now")
        return Glance()


def _after(runtime: Runtime, ref: str, event: Event) -> Glance:
    with runtime.glance() as connection:
        row = queries.glance(connection, ref)
    if row is None:
        return Glance()
    now = runtime.clock()
    found = signs.merge(row.signs or {}, event.data["signs"])
    verdict = watching.judge(runtime.policy, row, found, now)
    if "dismissed" not in event.data and not proactive.wants(row, verdict, now):
        return _glance(runtime, row)
    with runtime.write() as unit:
        watching.note(unit, [event])
        row = queries.glance(unit.session, ref)
    return _glance(runtime, row)


def seal(keys: list[str], ref: str) -> str:
    """Return the token by which a page tells about this checkout."""
    return str(URLSafeTimedSerializer(keys, salt=SALT).dumps(ref))


def unseal(keys: list[str], token: str) -> str | None:
    """Return the checkout that a token names; ``None`` when it is forged or too old."""
    try:
        ref = URLSafeTimedSerializer(keys, salt=SALT).loads(token, max_age=TOKEN_AGE)
    except BadSignature:
        return None
    return ref if isinstance(ref, str) else None
