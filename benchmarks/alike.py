"""Whether the time of an answer tells a suspected fraud from a plain decline.

``python -m benchmarks.alike [--rounds 400]``. The widget's three answers about a failed payment are
asked for in random order by three customers: two with a plain decline and one whose card was called
stolen. Printed is how often the fraud's answer took longer than a plain one's, beside how often one
plain decline's took longer than the other's: both have to be about one half, within the noise of so
many rounds.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from flask_checkout_case import signals
from tests.support.shop import Shop, build_shop, dispose
from tests.support.widget import Person, checkout, furnish

CODES: Final = {"plain": "generic_decline", "other": "generic_decline", "fraud": "stolen_card"}
_WARM: Final = 20
_SIGMAS: Final = 3.0


def declined(shop: Shop, name: str, code: str) -> Person:
    with shop.app.app_context():
        signals.payment_failed.send(
            shop.app,
            checkout=checkout(name),
            provider="stripe",
            failure_code="card_declined",
            decline_code=code,
        )
        shop.cases.flush()
    return Person(shop.app, name, who=f"k-{name}")


def longer(first: list[float], second: list[float]) -> float:
    """Return how often a value of the first is larger than one of the second; ties count half."""
    wins = sum((a > b) + (a == b) / 2 for a in first for b in second)
    return wins / (len(first) * len(second))


def measure(people: dict[str, Person], path: str, rounds: int) -> dict[str, list[float]]:
    """Return milliseconds of each person's answers, asked for in random order."""
    chance = random.Random(path)
    found: dict[str, list[float]] = {name: [] for name in people}
    for number in range(rounds + _WARM):
        for name in chance.sample(list(people), len(people)):
            began = time.perf_counter()
            people[name].get(path)
            if number >= _WARM:
                found[name].append((time.perf_counter() - began) * 1000)
    return found


def run(make: Callable[[], Shop], rounds: int) -> bool:
    shop = furnish(make())
    people = {name: declined(shop, name, code) for name, code in CODES.items()}
    # Of the share of wins among equals: the standard deviation of Mann and Whitney's statistic.
    noise = math.sqrt((2 * rounds + 1) / (12 * rounds * rounds))
    good = True
    print(f"{rounds} rounds; one half ± {_SIGMAS * noise:.3f} is noise")
    print("  answer   plain ms  fraud ms   fraud longer than plain   plain than plain")
    for path in ("state", "panel", "help"):
        times = measure(people, path, rounds)
        share = longer(times["fraud"], times["plain"])
        usual = longer(times["other"], times["plain"])
        good &= abs(share - 0.5) <= _SIGMAS * noise
        plain, fraud = (statistics.median(times[name]) for name in ("plain", "fraud"))
        print(f"  {path:8s} {plain:8.2f}  {fraud:8.2f}   {share:23.3f}   {usual:16.3f}")
    dispose(shop)
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        url = f"sqlite:///{home / 'shop.db'}"
        public = "https://shop.example.com"
        good = run(lambda: build_shop(url, home, CHECKOUT_CASE_PUBLIC_URL=public), given.rounds)
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
