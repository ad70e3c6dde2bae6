"""How well hesitation is seen: a thousand simulated sessions through the real services, on SQLite.

``python -m benchmarks.hesitation [--sessions 1000]``. Each session of :mod:`benchmarks.sessions`
sends its signals and what its browser notices, by its own clock; the sweep looks after each. A
session is *found* when something was done about it by the default policy: a line was offered to the
customer, or a case opened for the agents, before it ended. Beside the score stands what is mostly
built: the time without progress alone (10 minutes).
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import select

from benchmarks.sessions import Kind, Noticed, Session, Told, sessions
from flask_checkout_case import signals
from flask_checkout_case.data.hesitation_models import ContactRow
from flask_checkout_case.data.models import CheckoutRow
from flask_checkout_case.rules import signs
from flask_checkout_case.rules.attention import is_machine
from flask_checkout_case.services import glancing
from flask_checkout_case.services.hesitation import sweep_checkouts
from flask_checkout_case.services.runtime import Runtime
from tests.support.shop import build_shop

START: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
NAIVE: Final = timedelta(minutes=10)
_BANDS: Final = ((0, 100), (100, 1000), (1000, 5000), (5000, 10**9))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a session: ``found`` by the score's acts, ``naive`` by time alone."""

    session: Session
    found: bool
    case: bool
    naive: bool
    reasons: tuple[str, ...]


class Replayer:
    """Plays sessions to a shop, one after the other."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._runtime: Runtime = app.extensions["checkout_case"]

    def play(self, session: Session) -> Outcome:
        numbers: Counter[int] = Counter()
        naive, progress = False, timedelta(0)
        for one in session.happenings:
            naive = naive or (one.after - progress > NAIVE and session.value.minor_units > 500_000)
            self._runtime.clock = lambda at=START + one.after: at  # type: ignore[misc]
            if isinstance(one, Told):
                self._tell(session, one)
                progress = one.after if one.name.endswith(("started", "completed")) else progress
            elif not is_machine(session.user_agent):
                self._notice(session, one, numbers)
        return self._outcome(session, naive=naive)

    def _tell(self, session: Session, one: Told) -> None:
        headers = {"User-Agent": session.user_agent}
        with self._app.test_request_context(headers=headers):
            arguments: dict[str, Any] = {**one.arguments, "checkout": one.checkout}
            signals.FROM_SHOP[one.name].send(self._app, at=START + one.after, **arguments)
        self._settle()

    def _notice(self, session: Session, one: Noticed, numbers: Counter[int]) -> None:
        number = numbers[one.page]
        numbers[one.page] += 1
        at = START + one.after
        kind = signs.FROM_BROWSER[one.kind]
        told = {kind: [signs.occurrence(at, f"{session.ref}-{one.page}:{number}")]}
        glancing.take(self._runtime, session.ref, told, dismissed=False)
        self._settle()

    def _settle(self) -> None:
        with self._app.app_context():
            if self._runtime.recorder is not None:
                self._runtime.recorder.flush()
            sweep_checkouts(self._runtime)

    def _outcome(self, session: Session, *, naive: bool) -> Outcome:
        with self._runtime.read() as database:
            row = database.scalars(
                select(CheckoutRow).where(CheckoutRow.ref == session.ref)
            ).one_or_none()
            if row is None:
                return Outcome(session, False, False, naive, ())
            spoken = database.scalar(
                select(ContactRow.id).where(ContactRow.checkout_ref == session.ref)
            )
        reasons = tuple(str(one["kind"]) for one in row.score_reasons or ())
        case = row.hesitated_at is not None
        return Outcome(session, case or spoken is not None, case, naive, reasons)


def show(name: str, outcomes: Iterable[Outcome], found: Callable[[Outcome], bool]) -> None:
    """Print precision and recall: who wavers is to be found, nobody else."""
    known = list(outcomes)
    wavering = [one for one in known if one.session.kind is Kind.WAVERING]
    right = sum(1 for one in wavering if found(one))
    wrong = Counter(
        str(one.session.kind)
        for one in known
        if found(one) and one.session.kind is not Kind.WAVERING
    )
    told = right + wrong.total()
    precision = f"{right / told:.3f}" if told else "–"
    recall = f"{right / len(wavering):.3f}" if wavering else "–"
    mistakes = ", ".join(f"{number} {kind}" for kind, number in wrong.items()) or "none"
    print(
        f"{name:28} precision {precision:>5}  recall {recall:>5}  "
        f"({right} of {len(wavering)} found; wrongly {mistakes})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.hesitation")
    parser.add_argument("--sessions", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        shop = build_shop(f"sqlite:///{home}/shop.db", home)
        replayer = Replayer(shop.app)
        outcomes = [replayer.play(one) for one in sessions()[: given.sessions]]
    show("all", outcomes, lambda one: one.found)
    for low, high in _BANDS:
        band = [one for one in outcomes if low * 100 < one.session.value.minor_units <= high * 100]
        show(f"  {low:,} to {high:,} dollars", band, lambda one: one.found)
    dear = [one for one in outcomes if one.session.value.minor_units > 100_000]
    show("cases, over 1,000", dear, lambda one: one.case)
    show("time alone, over 5,000", dear, lambda one: one.naive)


if __name__ == "__main__":
    main()
