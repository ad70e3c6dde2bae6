"""A storm: every payment of many checkouts fails, while the sweep runs and the shop serves.

``python -m benchmarks.storm [--failures 10000] [--seconds 60]``. Two shops are served, each by a
gunicorn worker of its own, one with the extension and one without it; each failure is posted to
both, in random order, at an even pace. At the end there has to be one case in the queue, with every
checkout its member, and no answer of the shop may have been a 5xx.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from flask import Flask
from sqlalchemy import func, select

from benchmarks._shop import databases, make_shop, read_checkout
from flask_checkout_case import Checkout, Customer, signals
from flask_checkout_case.data.incident_models import IncidentRow, MemberRow
from flask_checkout_case.data.models import CaseRow, EventRow
from flask_checkout_case.jobs.drain import drain
from flask_checkout_case.jobs.sweep import sweep
from flask_checkout_case.services.runtime import Runtime
from tests.support.ports import free_port
from tests.support.waiting import wait_until

EVERY: Final = 5.0
"""Seconds between sweeps, as the worker has it."""
CLIENTS: Final = 8


@dataclass
class Answers:
    """Milliseconds and statuses of one shop's answers."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def p(self, percent: float) -> float:
        ordered = sorted(self.times)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def report(app: Flask, checkout: Checkout) -> None:
    """Report a failure of the gateway's own; each checkout has a customer of its own."""
    buyer = Customer(ref=f"k-{checkout.ref}", name="Ada", email=f"{checkout.ref}@example.com")
    signals.payment_failed.send(
        app,
        checkout=replace(checkout, customer=buyer),
        provider="stripe",
        method="card",
        failure_code="processing_error",
        attempt_id=f"ch_{checkout.ref}",
    )


def served() -> Flask:
    """Make the shop that gunicorn serves, by its environment."""
    name, url = os.environ["STORM_SHOP"], os.environ["STORM_URL"]
    home = Path(os.environ["STORM_HOME"])
    with_it = name == "with"
    return make_shop(url, home, extension=with_it, report=report if with_it else None)


def sweep_until_told(app: Flask) -> None:
    """Do what the worker does about a flood and about outages, until SIGTERM."""
    runtime: Runtime = app.extensions["checkout_case"]
    stopping: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _frame: stopping.append(number))
    while not stopping:
        began = time.monotonic()
        with app.app_context():
            drain(runtime)
            sweep(runtime)
        while not stopping and time.monotonic() - began < EVERY:
            time.sleep(0.1)


@contextmanager
def running(command: list[str], **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env={**os.environ, **environment})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=60)


def gunicorn(port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "gunicorn", "benchmarks.storm:served()"),
        *("--bind", f"127.0.0.1:{port}", "--workers", "1", "--log-level", "error"),
    ]


def post(port: int, ref: str, answers: Answers) -> None:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST", f"/pay/{ref}")
        status = connection.getresponse()
        status.read()
        answers.statuses[status.status] += 1
    except OSError:
        answers.statuses[0] += 1
    finally:
        connection.close()
    answers.times.append((time.perf_counter() - began) * 1000)


def storm(ports: dict[str, int], failures: int, seconds: float) -> dict[str, Answers]:
    """Post each failure to every shop, at an even pace."""
    found = {name: Answers() for name in ports}
    chance = random.Random(1)
    began = time.monotonic()

    def one(number: int) -> None:
        names = list(ports)
        chance.shuffle(names)
        for name in names:
            post(ports[name], f"c-{number}", found[name])

    with ThreadPoolExecutor(CLIENTS) as pool:
        for number in range(failures):
            ahead = began + number * seconds / failures - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            pool.submit(one, number)
    return found


def is_serving(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        connection.request("GET", "/")
        connection.getresponse().read()
        connection.close()
    except OSError:
        return False
    return True


def healthy(runtime: Runtime, app: Flask) -> None:
    """Let some payments pass, as in a shop that has been open for a while."""
    with app.app_context():
        for number in range(30):
            signals.payment_succeeded.send(
                app, checkout=read_checkout(f"ok-{number}"), provider="stripe", method="card"
            )
        if runtime.recorder is not None:
            runtime.recorder.flush()


def count(runtime: Runtime, table: Any, *conditions: Any) -> int:
    with runtime.read() as session:
        return session.scalar(select(func.count()).select_from(table).where(*conditions)) or 0


def run(name: str, urls: tuple[str, str], home: Path, failures: int, seconds: float) -> bool:
    """Print one database's figures; whether nothing was lost, doubled or refused."""
    with_it = {"STORM_SHOP": "with", "STORM_URL": urls[0], "STORM_HOME": str(home / "with")}
    without = {"STORM_SHOP": "without", "STORM_URL": urls[1], "STORM_HOME": str(home / "without")}
    app = make_shop(urls[0], home / "with", extension=True)
    make_shop(urls[1], home / "without", extension=False)
    runtime: Runtime = app.extensions["checkout_case"]
    healthy(runtime, app)
    ports = {"with": free_port(), "without": free_port()}
    sweeper = [
        sys.executable,
        "-c",
        "from benchmarks import storm as s; s.sweep_until_told(s.served())",
    ]
    queued = (CaseRow.status.in_(("new", "open", "waiting")), CaseRow.folded_into.is_(None))
    with (
        running(gunicorn(ports["with"]), **with_it),
        running(gunicorn(ports["without"]), **without),
    ):
        for port in ports.values():
            wait_until(partial(is_serving, port), what="gunicorn")
        with running(sweeper, **with_it):
            began = time.monotonic()
            answers = storm(ports, failures, seconds)
            lasted = time.monotonic() - began
            wait_until(
                lambda: count(runtime, MemberRow) >= failures, seconds=300, what="all members"
            )
            wait_until(
                lambda: count(runtime, CaseRow, *queued) == 1, seconds=60, what="one queue item"
            )
    incidents = count(runtime, IncidentRow)
    with runtime.read() as session:
        members = session.scalar(select(IncidentRow.members)) or 0
    in_queue, cases = count(runtime, CaseRow, *queued), count(runtime, CaseRow)
    events = count(runtime, EventRow, EventRow.name == "payment_failed")
    ours, plain = answers["with"], answers["without"]
    refused = sum(number for status, number in ours.statuses.items() if status != 402)
    print(f"\n{name}: {failures} failures in {lasted:.0f} s")
    print(f"  in the queue             {in_queue:8d}    goal 1")
    print(f"  incidents                {incidents:8d}    goal 1")
    print(f"  members                  {members:8d}    goal {failures}")
    print(f"  failures kept            {events:8d}    goal {failures}")
    print(f"  cases                    {cases:8d}    goal {failures + 1}")
    print(f"  answers that aren't 402  {refused:8d}    goal 0")
    for percent in (50, 99):
        mine, its = ours.p(percent), plain.p(percent)
        print(f"  p{percent} with / without us    {mine:8.1f} / {its:.1f} ms = {mine / its:.2f}")
    exact = members == events == failures and cases == failures + 1
    return exact and (in_queue, incidents, refused) == (1, 1, 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--failures", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=60)
    given = parser.parse_args()
    with databases() as found:
        good = [
            run(name, (first, second), home / f"storm-{name}", given.failures, given.seconds)
            for name, (first, second, home) in found.items()
        ]
    raise SystemExit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
