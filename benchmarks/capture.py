"""What capture adds to a shop's request: the same request with the extension and without it.

All shops live in one process and are asked in random order, so that whatever else the machine
does, and whatever one leaves in the processor's caches, meets all. Timed is a whole WSGI call until
the last byte of the body; what happens after it, in ``close()``, is shown beside. For comparison
there is the least that any capture could cost: a receiver that writes a ready line of 500 bytes and
does nothing else. ``python -m benchmarks.capture [--rounds 5000]``
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from blinker import Signal
from flask import Flask
from werkzeug.test import EnvironBuilder

from benchmarks._shop import databases, make_shop
from flask_checkout_case import Checkout
from flask_checkout_case.capture.recorder import SpoolRecorder

GOAL_P50_MS = 0.1
GOAL_P99_MS = 0.5
WARM_UP = 200


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


def writes_one_line(path: Path) -> Callable[[Flask, Checkout], object]:
    """Make the report of a decline that any capture has to be dearer than."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    line = b"x" * 500 + b"\n"
    declined = Signal()

    def write(_sender: Any = None, /, **_arguments: Any) -> None:
        os.write(descriptor, line)

    declined.connect(write, weak=False)
    return lambda app, checkout: declined.send(app, checkout=checkout, provider="stripe")


def measure(first_url: str, second_url: str, home: Path, rounds: int) -> dict[str, Timings]:
    """Ask the shops ``rounds`` times each; their timings by name."""
    write = writes_one_line(home / "line")
    with_it = make_shop(second_url, home / "with", extension=True)
    apps = {
        "without": make_shop(first_url, home / "without", extension=False),
        "one write": make_shop(first_url, home / "write", extension=False, report=write),
        "with": with_it,
    }
    order, chance = list(apps), random.Random(1)
    timings = {name: Timings() for name in apps}
    for number in range(WARM_UP + rounds):
        if number == WARM_UP:
            timings = {name: Timings() for name in apps}
            gc.collect()
        chance.shuffle(order)
        for name in order:
            ask(apps[name], f"c-{number}", timings[name])
    _check(with_it, rounds)
    return timings


def _check(app: Flask, rounds: int) -> None:
    """Fail loudly if what was fast had not been captured."""
    from sqlalchemy import func, select

    from flask_checkout_case.data.models import CaseRow

    runtime = app.extensions["checkout_case"]
    assert isinstance(runtime.recorder, SpoolRecorder)
    runtime.recorder.flush()
    with runtime.read() as session:
        found = session.scalar(select(func.count()).select_from(CaseRow))
    assert found == rounds + WARM_UP, f"{found} cases of {rounds + WARM_UP}"


def report(name: str, timings: dict[str, Timings]) -> bool:
    """Print one database's figures; whether the goals are met."""
    plain, write, extended = timings["without"], timings["one write"], timings["with"]
    print(f"\n{name}, {len(plain.body)} rounds          p50        p99")
    print(f"  without the extension     {plain.p(50):8.3f}   {plain.p(99):8.3f} ms")
    print(f"  with it                   {extended.p(50):8.3f}   {extended.p(99):8.3f} ms")
    added = [extended.p(percent) - plain.p(percent) for percent in (50, 99)]
    floor = [write.p(percent) - plain.p(percent) for percent in (50, 99)]
    cpu = [extended.p(percent, extended.cpu) - plain.p(percent, plain.cpu) for percent in (50, 99)]
    print(f"  added before the last byte{added[0]:+8.3f}   {added[1]:+8.3f} ms")
    print(f"  of it processor time      {cpu[0]:+8.3f}   {cpu[1]:+8.3f} ms")
    print(f"  one bare write would add  {floor[0]:+8.3f}   {floor[1]:+8.3f} ms")
    print(f"  goal                      {GOAL_P50_MS:8.3f}   {GOAL_P99_MS:8.3f} ms")
    ratios = extended.p(50) / plain.p(50), extended.p(99) / plain.p(99)
    print(f"  ratio                     {ratios[0]:8.3f}   {ratios[1]:8.3f}")
    after = [(t.p(50, t.after), t.p(99, t.after)) for t in (plain, extended)]
    print(f"  after it, without         {after[0][0]:8.3f}   {after[0][1]:8.3f} ms")
    print(f"  after it, with            {after[1][0]:8.3f}   {after[1][1]:8.3f} ms")
    met = added[0] <= GOAL_P50_MS and added[1] <= GOAL_P99_MS
    print("  goals met" if met else "  goals missed")
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5000)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    with databases() as found:
        met = [
            report(name, measure(first, second, home / name, arguments.rounds))
            for name, (first, second, home) in found.items()
        ]
    raise SystemExit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
