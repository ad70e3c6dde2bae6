"""How soon an outage is found, and how often a day of ordinary payments passes for one.

``python -m benchmarks.surge [--reps 200] [--seed 4]`` simulates streams of payments of which 85 %
pass, minute by minute, and prints the medians beside those that the design had measured.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from random import Random
from statistics import median
from typing import Final

from flask_checkout_case.rules.surge import FAILING, THRESHOLD, stepped

DAY: Final = 24 * 60
LONGEST: Final = 4 * DAY
FAILS: Final = (0.25, 0.40, 0.90)
DESIGN: Final = {
    0.5: ((531, 114, 34), 0.0),
    2: ((124, 30, 9), 1.3),
    20: ((14, 3, 1), 1.3),
    200: ((2, 1, 1), 0.0),
}


def main(given: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reps", type=int, default=200)
    parser.add_argument("--seed", type=int, default=4)
    options = parser.parse_args(given)
    random = Random(options.seed)
    print(f"h = {THRESHOLD:g}, 85 % pass; median minutes to detection, ours / the design's")
    print(f"{'a minute':>9}{'→ 75 %':>14}{'→ 60 %':>14}{'→ 10 %':>14}{'false in 24 h':>22}")
    for rate, (minutes, false) in DESIGN.items():
        found = [time_to_alarm(random, rate, fails, options.reps) for fails in FAILS]
        alarmed = share_of_days(random, rate, options.reps)
        cells = [f"{ours:.0f} / {its}".rjust(14) for ours, its in zip(found, minutes, strict=True)]
        told = f"{100 * alarmed:.1f} % / {false:.1f} %".rjust(22)
        print(f"{rate:9g}{''.join(cells)}{told}")
    alarmed = share_of_days(random, 20, options.reps, threshold=6)
    print(f"with h = 6 at 20 a minute: {100 * alarmed:.0f} % false / 53 %")


def time_to_alarm(random: Random, rate: float, fails: float, reps: int) -> float:
    """Return the median of the minutes from the begin of an outage to its alarm."""
    return median(until_alarm(random, rate, fails, LONGEST) or LONGEST for _ in range(reps))


def share_of_days(random: Random, rate: float, reps: int, threshold: float = THRESHOLD) -> float:
    """Return in which share of ordinary days there is an alarm."""
    days = (until_alarm(random, rate, FAILING, DAY, threshold) for _ in range(reps))
    return sum(day is not None for day in days) / reps


def until_alarm(
    random: Random, rate: float, fails: float, most: int, threshold: float = THRESHOLD
) -> int | None:
    """Return in which minute the score passes the threshold; ``None`` when it never does."""
    score = 0.0
    for minute in range(1, most + 1):
        attempts = poisson(random, rate)
        score = stepped(score, attempts, binomial(random, attempts, fails), FAILING)
        if score >= threshold:
            return minute
        score = max(0.0, score)
    return None


def poisson(random: Random, mean: float) -> int:
    """Draw how many attempts fall into a minute."""
    count, left = 0, random.expovariate(1)
    while left < mean:
        count += 1
        left += random.expovariate(1)
    return count


def binomial(random: Random, attempts: int, fails: float) -> int:
    """Draw how many of them fail."""
    if attempts > 100:
        spread = (attempts * fails * (1 - fails)) ** 0.5
        return min(max(round(random.gauss(attempts * fails, spread)), 0), attempts)
    return sum(random.random() < fails for _ in range(attempts))


if __name__ == "__main__":
    main()
