"""What capture adds to a shop's request: the same request with the extension and without it.

Both shops live in one process and are asked in turn, so that whatever else the machine does meets
both. Timed is a whole WSGI call until the last byte of the body; what happens after it, in
``close()``, is shown beside. ``python -m benchmarks.capture [--rounds 5000]``
"""

from __future__ import annotations

import argparse
import gc
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import EnvironBuilder

from benchmarks._shop import databases, make_shop
from flask_checkout_case.capture.recorder import SpoolRecorder

GOAL_P50_MS = 0.1
GOAL_P99_MS = 0.5


class Timings:
    """Milliseconds of many requests: until the last byte (also of this thread's processor time
    alone, which other work on the machine disturbs less), and after it."""

    def __init__(self) -> None:
        self.body: list[float] = []
        self.cpu: list[float] = []
        self.after: list[float] = []

    def p(self, percent: float, values: list[float] | None = None) -> float:
        ordered = sorted(self.body if values is None else values)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def ask(app: Flask, ref: str, timings: Timings) -> None:
    """Serve one request as a WSGI server does, and note how long it took."""
    environ = EnvironBuilder(path=f"/pay/{ref}", method="POST").get_environ()
    status: list[str] = []

    def start(line: str, _headers: Any, _error: Any = None) -> Callable[[bytes], object]:
        status.append(line)
        return lambda _data: None

    cpu_began, began = time.thread_time_ns(), time.perf_counter_ns()
    body: Any = app.wsgi_app(environ, start)
    for _chunk in body:
        pass
    sent, cpu_sent = time.perf_counter_ns(), time.thread_time_ns()
    if hasattr(body, "close"):
        body.close()
    closed = time.perf_counter_ns()
    assert status == ["402 PAYMENT REQUIRED"]
    timings.body.append((sent - began) / 1e6)
    timings.cpu.append((cpu_sent - cpu_began) / 1e6)
    timings.after.append((closed - sent) / 1e6)


def measure(first_url: str, second_url: str, home: Path, rounds: int) -> tuple[Timings, Timings]:
    """Ask both shops ``rounds`` times in turn; the timings without and with the extension."""
    without = make_shop(first_url, home / "without", extension=False)
    with_it = make_shop(second_url, home / "with", extension=True)
    for number in range(200):
        ask(without, f"warm-{number}", Timings())
        ask(with_it, f"warm-{number}", Timings())
    plain, extended = Timings(), Timings()
    gc.collect()
    for number in range(rounds):
        pair = [(without, plain), (with_it, extended)]
        for app, timings in pair if number % 2 else reversed(pair):
            ask(app, f"c-{number}", timings)
    _check(with_it, rounds)
    return plain, extended


def _check(app: Flask, rounds: int) -> None:
    """Fail loudly if what was fast had not been captured."""
    from sqlalchemy import func, select

    from flask_checkout_case.data.models import CaseRow

    runtime = app.extensions["checkout_case"]
    assert isinstance(runtime.recorder, SpoolRecorder)
    runtime.recorder.flush()
    with runtime.read() as session:
        found = session.scalar(select(func.count()).select_from(CaseRow))
    assert found == rounds + 200, f"{found} cases of {rounds + 200}"


def report(name: str, plain: Timings, extended: Timings) -> bool:
    """Print one database's figures; whether the goals are met."""
    added50 = extended.p(50) - plain.p(50)
    added99 = extended.p(99) - plain.p(99)
    print(f"\n{name}, {len(plain.body)} rounds          p50        p99")
    print(f"  without the extension     {plain.p(50):8.3f}   {plain.p(99):8.3f} ms")
    print(f"  with it                   {extended.p(50):8.3f}   {extended.p(99):8.3f} ms")
    print(f"  added before the last byte{added50:+8.3f}   {added99:+8.3f} ms")
    cpu = [extended.p(percent, extended.cpu) - plain.p(percent, plain.cpu) for percent in (50, 99)]
    print(f"  of it processor time      {cpu[0]:+8.3f}   {cpu[1]:+8.3f} ms")
    print(f"  goal                      {GOAL_P50_MS:8.3f}   {GOAL_P99_MS:8.3f} ms")
    ratios = extended.p(50) / plain.p(50), extended.p(99) / plain.p(99)
    print(f"  ratio                     {ratios[0]:8.3f}   {ratios[1]:8.3f}")
    after = [(t.p(50, t.after), t.p(99, t.after)) for t in (plain, extended)]
    print(f"  after it, without         {after[0][0]:8.3f}   {after[0][1]:8.3f} ms")
    print(f"  after it, with            {after[1][0]:8.3f}   {after[1][1]:8.3f} ms")
    met = added50 <= GOAL_P50_MS and added99 <= GOAL_P99_MS
    print("  goals met" if met else "  goals missed")
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5000)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with databases() as found:
        met = [
            report(name, *measure(first, second, home / name, arguments.rounds))
            for name, (first, second, home) in found.items()
        ]
    raise SystemExit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
