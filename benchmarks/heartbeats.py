"""Ten thousand checkouts alive at once: what the widget's fetches cost, and whether buying slows.

``python -m benchmarks.heartbeats [--checkouts 10000] [--rate 500] [--seconds 60]``. Two shops are
served from PostgreSQL by two gunicorn workers each (of four threads, keeping connections open as
browsers want them): one with the extension; one without it, whose fetches are answered by an empty
204. Traffic goes to them in turn, for so many seconds each: at most three fetches a page, one for
its state and two that tell what was noticed. Meanwhile a customer walks a checkout page of about
20 ms and is timed. Client, shops and database share the machine, thus only the ratios carry over.
"""

from __future__ import annotations

import argparse
import http.client
import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final

import psutil
from sqlalchemy import create_engine, text

from benchmarks._browsers import LIMIT
from benchmarks._live_shop import live_shop, runtime_of
from benchmarks._shop import databases
from benchmarks.storm import Answers, count, is_serving, running
from flask_checkout_case.data.base import PREFIX
from flask_checkout_case.data.models import CheckoutRow
from tests.support.ports import free_port
from tests.support.waiting import wait_until

NAMES: Final = ("with", "without")
WALKS_A_SECOND: Final = 20
TURNS_EACH: Final = 6
SETTLING: Final = 0.5
"""Seconds at the beginning of a turn whose walks don't count: the other shop may still be busy."""
GOAL: Final = 1.1
FINE: Final = frozenset({"state 200", "state 204", "signals 200", "signals 204"})
COMMITS, ROLLBACKS = "commits", "rollbacks"
_SWEEP: Final = (
    "from benchmarks import _live_shop, storm; storm.sweep_until_told(_live_shop.served())"
)


@dataclass
class Served:
    """One shop under gunicorn, and what was measured of it."""

    name: str
    port: int
    master: psutil.Process
    alone: Answers = field(default_factory=Answers)
    busy: Answers = field(default_factory=Answers)
    walks: int = 0
    walks_alone: int = 0
    cpu_alone: float = 0.0
    cpu_busy: float = 0.0
    fetched: Counter[str] = field(default_factory=Counter)

    def cpu(self) -> float:
        """Return the processor seconds that its workers have taken so far."""
        times = [worker.cpu_times() for worker in self.master.children()]
        return sum(time.user + time.system for time in times)

    @property
    def fetches(self) -> int:
        return sum(number for what, number in self.fetched.items() if what in FINE)

    @property
    def failed(self) -> int:
        walks = sum(self.alone.statuses.values()) + sum(self.busy.statuses.values())
        fine = self.alone.statuses[200] + self.busy.statuses[200]
        return walks - fine + sum(self.fetched.values()) - self.fetches

    @property
    def cpu_of_fetches(self) -> float:
        """Seconds that went into the fetches: what the walks take by themselves is taken off."""
        return self.cpu_busy - self.walks * self.cpu_alone / len(self.alone.times)


@contextmanager
def serving(name: str, url: str, home: Path) -> Iterator[Served]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "benchmarks._live_shop:served()"),
        *("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"),
        *("--keep-alive", "60", "--worker-connections", str(4 * LIMIT), "--log-level", "error"),
    ]
    environment = {"LIVE_SHOP": name, "LIVE_SHOP_URL": url, "LIVE_SHOP_HOME": str(home)}
    with running(command, **environment) as process, ExitStack() as also:
        wait_until(partial(is_serving, port), what="gunicorn")
        if name == "with":
            also.enter_context(running([sys.executable, "-c", _SWEEP], **environment))
        yield Served(name, port, psutil.Process(process.pid))


def walk(shop: Served, number: int, answers: Answers | None) -> None:
    """Open the checkout page on a new connection, and note how long it took."""
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=30)
    status = 0
    try:
        connection.request("GET", "/checkout", headers={"Cookie": f"basket=c-{number}"})
        answer = connection.getresponse()
        page = answer.read()
        status = answer.status
        assert (b"checkout-case" in page) == (shop.name == "with" and status == 200)
    except (OSError, http.client.HTTPException):
        pass
    finally:
        connection.close()
    shop.walks += 1
    if answers is not None:
        answers.statuses[status] += 1
        answers.times.append((time.perf_counter() - began) * 1000)


def walk_until(
    end: float, shop: Served, answers: Answers, checkouts: int, counts_from: float = 0.0
) -> float:
    """Walk at an even pace; return the processor seconds of the shop's workers meanwhile."""
    before = shop.cpu()
    while (now := time.monotonic()) < end:
        walk(shop, shop.walks % checkouts, answers if now >= counts_from else None)
        rest = min(now + 1 / WALKS_A_SECOND, end) - time.monotonic()
        time.sleep(max(rest, 0))
    return shop.cpu() - before


def alone(shop: Served, checkouts: int, seconds: float) -> None:
    """Walk a shop that nobody fetches from, after some walks that warm it up."""
    walk_until(time.monotonic() + 1, shop, Answers(), checkouts)
    shop.cpu_alone = walk_until(time.monotonic() + seconds, shop, shop.alone, checkouts)
    shop.walks_alone, shop.walks = shop.walks, 0


def busy(shops: list[Served], checkouts: int, rate: float, seconds: float) -> float:
    """Walk each shop in its turns, in which browsers fetch from it; how late fetches began."""
    turn, turns = seconds / TURNS_EACH, TURNS_EACH * len(shops)
    began = time.monotonic() + 1
    command = [
        *(sys.executable, "-m", "benchmarks._browsers", "--checkouts", str(checkouts)),
        *("--ports", *(str(shop.port) for shop in shops), "--rate", str(rate)),
        *("--began", str(began), "--turn", str(turn), "--turns", str(turns)),
        *("--waits", str(min(3, seconds / 6)), str(min(20, seconds / 3))),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as browsers:
        time.sleep(max(began - time.monotonic(), 0))
        for number in range(turns):
            shop, start = shops[number % len(shops)], began + number * turn
            settled = start + min(SETTLING, turn / 3)
            shop.cpu_busy += walk_until(start + turn, shop, shop.busy, checkouts, settled)
        told, _nothing = browsers.communicate(timeout=120)
    assert browsers.returncode == 0
    found = json.loads(told)
    for shop, answers in zip(shops, found["answers"], strict=True):
        shop.fetched.update(answers)
    return float(found["late_p99"])


class Ledger:
    """What a database has written, by its own statistics."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")

    def read(self) -> Counter[str]:
        """Return commits, rollbacks, and the rows written of each of our tables.

        A pool that looks whether its connection is alive commits, and reading rolls back: what is
        written is told by the rows alone.
        """
        # A connection that has become idle tells within ten seconds what it has done.
        time.sleep(11)
        rows = text(
            "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_user_tables"
            " WHERE starts_with(relname, :ours)"
        )
        ends = text(
            "SELECT xact_commit, xact_rollback FROM pg_stat_database"
            " WHERE datname = current_database()"
        )
        with self._engine.connect() as connection:
            found = Counter[str]()
            for table, written in connection.execute(rows, {"ours": PREFIX}):
                found[table] = written
            found[COMMITS], found[ROLLBACKS] = connection.execute(ends).one()
        return found

    def close(self) -> None:
        self._engine.dispose()


def stock(urls: dict[str, str], home: Path, checkouts: int) -> None:
    """Fill both shops, and wait until every checkout is in our tables."""
    apps = {
        name: live_shop(url, home / name, extension=name == "with") for name, url in urls.items()
    }
    for app in apps.values():
        app.extensions["stock"](checkouts)
    runtime = runtime_of(apps["with"])
    assert runtime.recorder is not None
    runtime.recorder.flush()
    wait_until(lambda: count(runtime, CheckoutRow) == checkouts, seconds=300, what="checkouts")


def run(urls: dict[str, str], home: Path, checkouts: int, rate: float, seconds: float) -> bool:
    """Measure both shops and print what was found; whether the goals are met."""
    stock(urls, home, checkouts)
    ledger = Ledger(urls["with"])
    with ExitStack() as open_:
        open_.callback(ledger.close)
        shops = [open_.enter_context(serving(name, urls[name], home / name)) for name in NAMES]
        read = [ledger.read()]
        for shop in shops:
            alone(shop, checkouts, max(seconds / 6, 2))
        read.append(ledger.read())
        late = busy(shops, checkouts, rate, seconds)
        read.append(ledger.read())
    ours, plain = shops
    print(f"\n{checkouts} checkouts, {rate:.0f} fetches a second for {seconds:.0f} s at each shop")
    print(f"  fetches began late, p99    {late * 1000:10.1f} ms")
    print_fetches(ours, plain, seconds)
    print_writes(ours, read, seconds)
    return print_walks(ours, plain)


def print_fetches(ours: Served, plain: Served, seconds: float) -> None:
    print("                                with us     204 alone")
    for name, found in (
        ("fetches a second", [shop.fetches / seconds for shop in (ours, plain)]),
        ("CPU a fetch, ms", [shop.cpu_of_fetches / shop.fetches * 1e3 for shop in (ours, plain)]),
        ("share of one core, %", [shop.cpu_of_fetches / seconds * 100 for shop in (ours, plain)]),
        ("errors (goal 0)", [shop.failed for shop in (ours, plain)]),
    ):
        print(f"  {name:24s} {found[0]:12.2f}  {found[1]:12.2f}")
    print(f"  answers: {dict(ours.fetched)} / {dict(plain.fetched)}")


def print_writes(ours: Served, read: list[Counter[str]], seconds: float) -> None:
    """Print what the fetches made the database write: what the walks did is taken off."""
    print("  in the database, a second, without what the walks did")
    share = ours.walks / ours.walks_alone
    rows = 0.0
    for name in sorted(read[-1]):
        number = read[2][name] - read[1][name] - share * (read[1][name] - read[0][name])
        rows += 0 if name in (COMMITS, ROLLBACKS) else number
        if abs(number) >= 0.5:
            print(f"    {name:32s} {number / seconds:10.2f}")
    print(f"    {'rows written in all':32s} {rows / seconds:10.2f}")


def print_walks(ours: Served, plain: Served) -> bool:
    """Print how long the checkout page took; whether that and the errors are within the goal."""
    slower = 0.0
    for when, mine, its in (
        ("alone", ours.alone, plain.alone),
        ("while browsers fetch", ours.busy, plain.busy),
    ):
        print(f"  the checkout page {when}, {len(mine.times)} / {len(its.times)} walks")
        for percent in (50, 99):
            slower = mine.p(percent) / its.p(percent)
            times = f"{mine.p(percent):8.1f} / {its.p(percent):.1f} ms"
            print(f"    p{percent} with us / 204 alone  {times} = {slower:.2f}")
    met = slower <= GOAL and not ours.failed
    print(f"  goal: p99 within {GOAL:.2f}, no errors: {'met' if met else 'missed'}")
    return met


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkouts", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=500, help="fetches a second")
    parser.add_argument("--seconds", type=float, default=60, help="at each of the two shops")
    given = parser.parse_args()
    with databases("PostgreSQL") as found:
        first, second, home = found["PostgreSQL"]
        urls = dict(zip(NAMES, (first, second), strict=True))
        met = run(urls, home, given.checkouts, given.rate, given.seconds)
    raise SystemExit(0 if met else 1)


if __name__ == "__main__":
    main()
