"""Delivers a shop's outbox in children that are killed again and again; run by a test.

Half of the children kill themselves at a chosen step, the others are killed after a chosen time.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from flask_checkout_case.data.outbox import count_by_state
from flask_checkout_case.jobs.deliver import LEASE, deliver
from flask_checkout_case.services.runtime import Runtime
from tests.support.shop import build_shop

SHORT_LEASE = timedelta(seconds=1)
"""So that what a killed child had is soon somebody else's."""

Where: TypeAlias = tuple[str, str, str, timedelta]


def main(database_url: str, home: str, mail_url: str, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    lease = SHORT_LEASE if kills else LEASE
    where = (database_url, home, mail_url, lease)
    told = {"killed": 0, "finished": 0}
    while told["killed"] < kills and not told["finished"]:
        by_step = chance.randint(1, 12) if chance.random() < 0.5 else None
        after = None if by_step else chance.uniform(0.01, 0.15)
        told["killed" if _child(where, by_step, after) else "finished"] += 1
    if not told["finished"]:
        _child(where, None, None)
    print(json.dumps(told))


def _child(where: Where, by_step: int | None, after: float | None) -> bool:
    """Deliver in a child until everything is sent; whether it was killed before that."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reader)
        try:
            _deliver_all(where, by_step, writer)
        finally:
            os._exit(0)
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def _deliver_all(where: Where, by_step: int | None, ready: int) -> None:
    database_url, home, mail_url, lease = where
    shop = build_shop(
        database_url,
        Path(home),
        create_tables=False,
        CHECKOUT_CASE_MAIL_URL=mail_url,
        CHECKOUT_CASE_MAIL_SENDER="Shop <help@example.com>",
    )
    runtime: Runtime = shop.app.extensions["checkout_case"]
    left = by_step

    def step(_name: str) -> None:
        nonlocal left
        if left is not None:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    os.write(ready, b".")
    with shop.app.app_context():
        while True:
            deliver(runtime, lease=lease, step=step)
            with runtime.read() as session:
                if not count_by_state(session).get("due"):
                    return
            time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
