"""Card testing: after how many attempts it is found, and how often honest traffic is taken for it.

``python -m benchmarks.velocity [--reps 200]``. Simulated are bots (one address, or a hundred; one
card an attempt; 5 % pass) and days of honest places behind one address: a home, an office, a
carrier. Beside ours stands what is mostly written: ten failures of an address within ten minutes.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

from flask_checkout_case.rules.velocity import WITHIN, Try, card_tests
from flask_checkout_case.types import FailureClass

START: Final = datetime(2026, 3, 2, tzinfo=UTC)
DAY: Final = 24 * 60
NAIVE: Final = 10
HONEST: Final = {"home": 0.005, "office": 0.2, "carrier": 5.0}
"""Attempts a minute."""
_WHY: Final = (FailureClass.SOFT, FailureClass.FUNDS, FailureClass.CARD_DATA, FailureClass.FRAUD)

Judge = Callable[[list[Try], datetime], bool]


def ours(tries: list[Try], until: datetime) -> bool:
    return bool(card_tests(tries, until))


def naive(tries: list[Try], until: datetime) -> bool:
    failed: dict[str | None, int] = {}
    for one in tries:
        failed[one.address] = failed.get(one.address, 0) + (one.failed is not None)
    return max(failed.values(), default=0) >= NAIVE


def bots(chance: random.Random, addresses: int, told: bool, rate: float) -> Iterator[Try]:
    """Attempts of somebody who tries cards, at so many a minute."""
    at, number = START, 0
    while True:
        at += timedelta(minutes=chance.expovariate(rate))
        number += 1
        yield Try(
            at,
            checkout=f"c-{number // 3}",
            address=f"a-{chance.randrange(addresses)}",
            card=f"card-{number}" if told else None,
            failed=None if chance.random() < 0.05 else FailureClass.SOFT,
        )


def honest(chance: random.Random, rate: float) -> Iterator[Try]:
    """A day of customers behind one address; who is refused tries up to three times more."""
    minute = 0.0
    number = 0
    while (minute := minute + chance.expovariate(rate)) < DAY:
        number += 1
        at = START + timedelta(minutes=minute)
        for again in range(4):
            failed = chance.choice(_WHY) if chance.random() < (0.15 if not again else 0.5) else None
            when = at + timedelta(seconds=40 * again)
            card = f"card-{number}-{again // 2}"
            yield Try(when, checkout=f"c-{number}", address="here", card=card, failed=failed)
            if failed is None:
                break


def found_after(tries: Iterator[Try], judge: Judge, most: int = 400) -> int | None:
    """Return the number of the attempt at which it is found, looking after each."""
    recent: list[Try] = []
    for number, one in enumerate(tries, start=1):
        recent = [kept for kept in recent if kept.at > one.at - WITHIN] + [one]
        if judge(recent, one.at):
            return number
        if number >= most:
            return None
    return None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=200)
    reps = parser.parse_args().reps
    print("found after so many attempts (median; missed)         ours         naive")
    for addresses, told in ((1, True), (1, False), (100, True), (100, False)):
        for rate in (2.0, 20.0):
            row = []
            for judge in (ours, naive):
                runs = [
                    found_after(bots(random.Random(seed), addresses, told, rate), judge)
                    for seed in range(min(reps, 50))
                ]
                hits = [run for run in runs if run is not None]
                shown = f"{statistics.median(hits):.0f}" if hits else "-"
                row.append(f"{shown:>5s} ({len(runs) - len(hits)}/{len(runs)})")
            cards = "cards told apart" if told else "cards unknown"
            name = f"{addresses} addresses, {cards}, {rate:.0f}/min"
            print(f"  {name:48s} {row[0]:>12s} {row[1]:>13s}")
    print("days with a false alarm")
    for name, rate in HONEST.items():
        counts = []
        for judge in (ours, naive):
            days = (honest(random.Random(seed), rate) for seed in range(reps if rate < 1 else 10))
            alarms = [found_after(day, judge, most=10**6) is not None for day in days]
            counts.append(f"{sum(alarms)}/{len(alarms)}")
        print(f"  {name:48s} {counts[0]:>12s} {counts[1]:>13s}")


if __name__ == "__main__":
    main()
