"""Order changes handed over while worker and warehouse are killed, stopped and shipping.

``python -m benchmarks.handshake [--kills 100] [--orders 120] [--calm]``. A shop under gunicorn, its
worker and a fulfilment service with a database of its own are processes. Worker and service are
killed in turn, or stopped for three seconds one time in five, while customers ask for other
addresses and some parcels leave. Unless ``--calm`` is given, the service answers one post in five
with 500, hangs after one in twenty-five, answers every third change twice and every tenth too late.
In the end every change has to be applied once, or refused with a reason, or a case for somebody to
look at, and no parcel may have left to another address than the shop believes.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks._order_shop import FASTER, order_shop
from benchmarks._shop import databases
from benchmarks.storm import is_serving, running
from example_store.fulfilment.parcels import Parcels
from flask_checkout_case import Change, ChangeKind, ChangeState
from flask_checkout_case.rules.changes import ENDED
from flask_checkout_case.types import utc_now
from tests.support.orders import LONDON, SECRET, YORK, Orders
from tests.support.ports import free_port
from tests.support.shop import dispose
from tests.support.waiting import wait_until

_TROUBLED: Final = "benchmarks._troubled_warehouse"
AT_THE_END: Final = 240
"""Seconds for what is under way when the last process was killed."""


@dataclass
class Process:
    """One that is started again whenever it was killed."""

    name: str
    start: Callable[[], subprocess.Popen[bytes]]
    is_ready: Callable[[], bool] = lambda: True
    running: subprocess.Popen[bytes] | None = None
    done: Counter[str] = field(default_factory=Counter)

    def begin(self) -> None:
        self.running = self.start()
        wait_until(self.is_ready, what=self.name)

    def disturb(self, chance: random.Random) -> None:
        """Kill it, or let it hang for three seconds."""
        assert self.running is not None
        if chance.random() < 0.2:
            self.done["stopped"] += 1
            self.running.send_signal(signal.SIGSTOP)
            time.sleep(3)
            self.running.send_signal(signal.SIGCONT)
            return
        self.done["killed"] += 1
        self.running.kill()
        self.running.wait()
        self.begin()

    def end(self) -> None:
        if self.running is not None:
            self.running.kill()
            self.running.wait()


def _spawn(command: list[str], environment: dict[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)


def run(name: str, url: str, home: Path, kills: int, number: int, *, calm: bool = False) -> bool:
    """Do it on one database and print what became of each change; whether all was in order.

    Args:
        calm: the warehouse is killed and stopped, but has no trouble of its own.
    """
    began = utc_now()
    shop_port, port = free_port(), free_port()
    warehouse_url = f"http://127.0.0.1:{port}/changes"
    shop, orders = order_shop(url, home / "asking", began, warehouse_url)
    environment = {
        "ORDER_SHOP_URL": url,
        "ORDER_SHOP_HOME": str(home / "shop"),
        "ORDER_SHOP_BEGAN": began.isoformat(),
        "ORDER_SHOP_WAREHOUSE": warehouse_url,
        "FULFILMENT_SECRET": SECRET,
    }
    parcels = Parcels(home / "warehouse.db")
    gunicorn = [
        *(sys.executable, "-m", "gunicorn", "benchmarks._order_shop:served()"),
        *("--bind", f"127.0.0.1:{shop_port}", "--threads", "4", "--log-level", "error"),
    ]
    answers = f"http://127.0.0.1:{shop_port}/checkout-case/fulfilment"
    service = [
        *(sys.executable, "-m", "example_store.fulfilment" if calm else _TROUBLED),
        *("--port", str(port)),
        *("--home", str(home), "--shop", answers),
    ]
    work = [sys.executable, "-c", "from benchmarks import _order_shop; _order_shop.work()"]
    worker_home = {**environment, "ORDER_SHOP_HOME": str(home / "worker")}
    with ExitStack() as open_:
        open_.enter_context(running(gunicorn, **environment))
        wait_until(partial(is_serving, shop_port), what="gunicorn")
        disturbed = [
            Process("worker", lambda: _spawn(work, worker_home)),
            Process("warehouse", lambda: _spawn(service, environment), partial(is_serving, port)),
        ]
        for process in disturbed:
            open_.callback(process.end)
            process.begin()
        asked = _ask_while_disturbed(orders, parcels, disturbed, kills, number)
        _wait_for_the_end(orders, parcels, asked)
        log = home / "trouble.log"
        trouble = Counter(log.read_text().split() if log.exists() else [])
        met = _print(name, orders, parcels, asked, disturbed, trouble=trouble)
    dispose(shop)
    return met


def _ask_while_disturbed(
    orders: Orders, parcels: Parcels, disturbed: list[Process], kills: int, number: int
) -> list[Change]:
    chance, asked = random.Random(20260302), list[Change]()
    left = [*range(number)]
    for turn in range(kills):
        due = number * (turn + 1) // kills - len(asked)
        for _ in range(due):
            at = left.pop(0)
            ref = orders.place(f"o-{at}", stage="released")
            parcels.send_down(ref, LONDON)
            asked.append(orders.ask(ChangeKind.ADDRESS, YORK, f"k-{at}", ref))
            if chance.random() < 0.15:
                parcels.move(ref, "shipped")
        time.sleep(chance.uniform(0.05, 0.6))
        disturbed[turn % 2].disturb(chance)
    return asked


def _wait_for_the_end(orders: Orders, parcels: Parcels, asked: list[Change]) -> None:
    end = time.monotonic() + AT_THE_END
    while time.monotonic() < end:
        # A late answer still may end a conflict.
        heard = not parcels.unheard()
        if heard and all(orders.now(one).state in ENDED for one in asked):
            return
        time.sleep(1)


def _print(
    name: str,
    orders: Orders,
    parcels: Parcels,
    asked: list[Change],
    disturbed: list[Process],
    *,
    trouble: Counter[str],
) -> bool:
    ended: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for one in asked:
        now, ref = orders.now(one), one.order_ref or ""
        data, label = orders.data(ref), parcels.label(ref) or {}
        ended[f"{now.state}{f' ({now.reason})' if now.reason else ''}"] += 1
        wrong["not ended"] += now.state not in ENDED
        wrong["applied more than once"] += len(data["applied"]) > 1
        is_applied = now.state is ChangeState.APPLIED
        wrong["applied, but not in the shop"] += is_applied and data["address"] != YORK
        wrong["applied, but not on the label"] += is_applied and label != YORK
        refused = now.state in (ChangeState.REJECTED, ChangeState.EXPIRED)
        wrong["refused, but on the label"] += refused and label == YORK
        wrong["refused without a reason"] += refused and not now.reason
    print(f"\n{name}: {len(asked)} changes, a minute in {60 / FASTER:.0f} s")
    for process in disturbed:
        print(
            f"  {process.name:12s} " + ", ".join(f"{n} {what}" for what, n in process.done.items())
        )
    for what, count in trouble.most_common():
        print(f"  the warehouse {what:18s} {count:6d}")
    for state, count in ended.most_common():
        print(f"  {state:32s} {count:6d}")
    for what, count in wrong.items():
        print(f"  {what:32s} {count:6d}    goal 0")
    return not any(wrong.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--orders", type=int, default=120)
    parser.add_argument("--calm", action="store_true", help="no trouble but kills and stops")
    parser.add_argument("--only", choices=["SQLite", "PostgreSQL"])
    given = parser.parse_args()
    met = True
    with databases(*([given.only] if given.only else ["SQLite", "PostgreSQL"])) as found:
        for name, (url, _second, _home) in found.items():
            with tempfile.TemporaryDirectory() as home:
                met &= run(name, url, Path(home), given.kills, given.orders, calm=given.calm)
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
