"""Kills processes of a shop at every step of capture, and counts what is left.

A server that has imported everything forks a child for each kill; the child serves requests until
it is killed. The oracle is the log that the shop writes after ``send()`` has returned.

    python -m tests.faults.capture_kills sqlite:////tmp/shop.db /tmp/home 300
"""

from __future__ import annotations

import itertools
import json
import logging
import os
import random
import signal
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import func, select

from flask_checkout_case.capture.leftovers import Leftovers
from flask_checkout_case.capture.spool import Receipt
from flask_checkout_case.data.models import CaseRow, EventRow
from flask_checkout_case.types import Event
from tests.faults.capture_shop import (
    IN_DRAIN,
    IN_REQUEST,
    build,
    decline,
    faults_of,
    recorder_of,
)
from tests.support.shop import Shop

HABITS = ("request", "context", "nothing")


def run(
    database_url: str, home: Path, kills: int, *, spool: bool = True, seed: int = 1
) -> dict[str, object]:
    """Kill ``kills`` children and return what was sent, found, lost and doubled.

    Args:
        spool: without it events are in memory alone, and some must get lost.
    """
    shop = build(database_url, home)
    shop.app.testing = False
    if not spool:
        recorder_of(shop).spool.append = _no_disk  # type: ignore[method-assign,assignment]
    # Nothing that a child inherits may talk to a database.
    recorder_of(shop).database.dispose()
    with shop.app.app_context():
        shop.db.engine.dispose()
    chance = random.Random(seed)
    points = itertools.cycle([*IN_REQUEST, *IN_REQUEST, *IN_DRAIN])
    killed: Counter[str] = Counter()
    numbers = itertools.count()
    while sum(killed.values()) < kills:
        point = next(points)
        task = _drain_and_die if point in IN_DRAIN else _serve_and_die
        habit, prefix = chance.choice(HABITS), f"c{next(numbers)}"
        status = _in_child(lambda: task(shop, point, habit, prefix))  # noqa: B023
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            killed[point] += 1
        elif status != 0:
            raise AssertionError(f"a child ended with {status} at {point}")
        elif point in IN_DRAIN:
            # There was nothing left to drain: leave something for the next one.
            _in_child(lambda: _serve_and_die(shop, "signal:sent", "nothing", prefix))  # noqa: B023
    return {"killed": dict(killed), **_take_stock(shop)}


def _no_disk(_event: Event, _encoded: str | None = None) -> Receipt:
    raise OSError("there is no disk")


def _in_child(task: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            task()
        except BaseException as error:  # noqa: BLE001 - the child ends here
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def _serve_and_die(shop: Shop, point: str, habit: str, prefix: str) -> None:
    executioner, log = faults_of(shop)
    recorder = recorder_of(shop)
    recorder.database.connect()
    client = shop.app.test_client()
    if habit != "request" and point in ("view:done", "body:sent"):
        habit = "request"
    for number in range(4):
        ref = f"{prefix}-{number}"
        kill = point if number == 3 or (number == 1 and len(prefix) % 2) else ""
        if habit == "request":
            client.post(f"/pay/{ref}?kill={kill}", buffered=True)
            continue
        executioner.at = kill
        if habit == "context":
            with shop.app.app_context():
                decline(shop, ref)
                log.write(ref)
                executioner("signal:sent")
        else:
            decline(shop, ref)
            log.write(ref)
            executioner("signal:sent")
            if number == 3:
                recorder.flush()


def _drain_and_die(shop: Shop, point: str, habit: str, prefix: str) -> None:
    executioner, _log = faults_of(shop)
    executioner.at = point
    executioner.after = len(prefix) % 2
    recorder = recorder_of(shop)
    recorder.leftovers = Leftovers(recorder.spool.directory, grace_ms=-1, step=executioner)
    recorder.drain()


def _take_stock(shop: Shop) -> dict[str, object]:
    recorder = recorder_of(shop)
    recorder.leftovers = Leftovers(recorder.spool.directory, grace_ms=-1)
    drained = recorder.drain()
    sent = set(faults_of(shop)[1].read())
    with shop.app.extensions["checkout_case"].read() as session:
        cases = Counter(session.scalars(select(CaseRow.checkout_ref)))
        occurrences = session.scalar(select(func.max(CaseRow.occurrences)))
        events = session.scalar(select(func.count()).select_from(EventRow))
    health = recorder.health()
    return {
        "sent": len(sent),
        "cases": len(cases),
        "events": events,
        "drained_at_the_end": drained,
        "lost": sorted(sent - set(cases)),
        "doubled": sorted(ref or "" for ref, count in cases.items() if count > 1),
        "most_occurrences": occurrences,
        "files_left": len(recorder.leftovers.files()),
        "health": health,
    }


if __name__ == "__main__":
    logging.disable()
    use_spool = "--without-spool" not in sys.argv
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), spool=use_spool)))
