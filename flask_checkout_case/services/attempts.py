"""A checkout's attempts to pay, and what is best done about them, as its case shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ..data.models import CaseRow, EventRow
from ..gateways import dashboard_url, read_failure
from ..rules.advice import next_best_action
from ..rules.payments import (
    PAYMENT_EVENTS,
    Attempt,
    Conflict,
    Report,
    State,
    attempts_of,
    charged_twice,
    conflict_key,
)
from ..types import PaymentFailure


@dataclass(frozen=True, slots=True)
class ShownAttempt:
    """One attempt to pay.

    Args:
        key: tells it from the checkout's other attempts.
        failure: why it failed, or what of it is unknown.
        codes: the gateway's own codes and ids; empty for those who may not see them.
        url: its page at the gateway; ``None`` for those who may not see codes.
    """

    key: str
    state: State
    at: datetime
    gateway: str | None
    method: str | None
    amount_minor: int | None
    currency: str | None
    failure: PaymentFailure | None
    codes: tuple[str, ...]
    url: str | None


@dataclass(frozen=True, slots=True)
class Payments:
    """What is known of a checkout's payments; the newest attempt comes first.

    Args:
        advice: what an agent does best now (English source of the translation).
    """

    attempts: tuple[ShownAttempt, ...] = ()
    advice: str | None = None


def payments_of(case: CaseRow, events: Iterable[EventRow], *, codes: bool) -> Payments:
    """Fold the events of a case's checkout into its attempts.

    Args:
        codes: whether the reader may see the gateway's own codes.
    """
    told = (Report(one.name, one.at, one.data) for one in events if one.name in PAYMENT_EVENTS)
    attempts = attempts_of(told)
    shown = [_shown(number, one, codes=codes) for number, one in enumerate(attempts)]
    failure = shown[-1].failure if shown else None
    return Payments(
        tuple(reversed(shown)),
        next_best_action(
            attempts, failure.failure_class if failure else None, _conflicts(case, attempts)
        ),
    )


def _conflicts(case: CaseRow, attempts: Sequence[Attempt]) -> list[Conflict]:
    """Return what the attempts alone show, and what the case was opened for."""
    ref = case.checkout_ref or ""
    opened = [one for one in Conflict if case.dedupe_key == conflict_key(ref, one)]
    return [*charged_twice(attempts), *opened]


def _shown(number: int, attempt: Attempt, *, codes: bool) -> ShownAttempt:
    data = attempt.data
    known = attempt.state in {State.FAILED, State.UNKNOWN}
    failure = read_failure(data, None) if known else None
    amount, currency = data.get("amount_minor"), data.get("currency")
    return ShownAttempt(
        key=f"a{number}",
        state=attempt.state,
        at=attempt.ended_at,
        gateway=attempt.gateway,
        method=_text(data.get("method")),
        amount_minor=amount if isinstance(amount, int) else None,
        currency=_text(currency),
        failure=failure,
        codes=tuple(_codes(attempt, failure)) if codes else (),
        url=dashboard_url(_ids(attempt)) if codes else None,
    )


def _codes(attempt: Attempt, failure: PaymentFailure | None) -> Iterable[str]:
    told = (failure.raw_code, failure.network_code, failure.advice_code) if failure else ()
    found = (*told, attempt.payment_id, attempt.attempt_id)
    return dict.fromkeys(code for code in found if code)


def _ids(attempt: Attempt) -> dict[str, object]:
    ids = {
        "provider": attempt.gateway,
        "payment_id": attempt.payment_id,
        "attempt_id": attempt.attempt_id,
    }
    return {**attempt.data, **{name: value for name, value in ids.items() if value}}


def _text(value: object) -> str | None:
    return str(value) if value not in (None, "") else None
