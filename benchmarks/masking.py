"""Prints what masking costs a captured event, beside ``json.dumps`` of the same event.

    python -m benchmarks.masking [--data DIR]

With ``--data``, also counts what is masked of the lists in ``DIR/pan_masking``.
"""

from __future__ import annotations

import argparse
import csv
import json
import timeit
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from flask_checkout_case.rules.redact import mask_text, scrub

TYPICAL: Final = {
    "provider": "stripe",
    "failure_code": "card_declined",
    "decline_code": "insufficient_funds",
    "payment_id": "pi_3Mtw7Lx2eZvKYlo2C0aBcDeF",
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "ref": "c-81",
    "step": "payment",
    "url": "https://shop.example/checkout/payment",
    "country": "US",
    "currency": "USD",
    "sku": "BAG-1",
    "title": "Leather bag, cognac",
    "language": "en-GB",
    "message": "Your card has insufficient funds.",
}
WITH_CARD: Final = {**TYPICAL, "message": "My card 4111 1111 1111 1111 does not work"}
LONG: Final = {"message": "I ordered two bags on 23.11.2026 and got order 100234567 late. " * 30}
BUDGET_MICROSECONDS: Final = 15.0
_ROUNDS: Final = 25
_CALLS: Final = 2_000


def microseconds(work: Callable[[], Any]) -> float:
    """Time of one call in the quietest of several rounds."""
    rounds = timeit.repeat(work, number=_CALLS, repeat=_ROUNDS)
    return min(rounds) / _CALLS * 1e6


def show_costs() -> None:
    """Print a line per payload."""
    print(f"{'payload':28}{'scrub':>10}{'json.dumps':>13}{'ratio':>8}")
    for name, payload in (
        ("15 short strings", TYPICAL),
        ("the same with a card", WITH_CARD),
        ("one message of 1,900 chars", LONG),
    ):
        ours = microseconds(lambda payload=payload: scrub(payload))  # type: ignore[misc]
        floor = microseconds(lambda payload=payload: json.dumps(payload))  # type: ignore[misc]
        print(f"{name:28}{ours:>7.1f} µs{floor:>10.1f} µs{ours / floor:>8.2f}")
    print(f"budget for 15 short strings: {BUDGET_MICROSECONDS:.0f} µs")


def show_lists(folder: Path) -> None:
    """Print how many of others' cards are masked and how many look-alikes stay."""
    with (folder / "numbers.csv").open(encoding="utf-8", newline="") as file:
        numbers = [(row["kind"], row["text"], bool(row["pan"])) for row in csv.DictReader(file)]
    lines = (folder / "texts.jsonl").read_text(encoding="utf-8").strip().split("\n")
    texts = map(json.loads, lines)
    numbers += [(row["kind"], row["text"], row["kind"] != "not_card") for row in texts]
    for kind in sorted({kind for kind, _, _ in numbers}):
        ones = [(text, card) for name, text, card in numbers if name == kind]
        right = sum((mask_text(text) != text) == card for text, card in ones)
        print(f"{kind:22}{right:>5} of {len(ones)} {'masked' if ones[0][1] else 'left alone'}")


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description="What masking costs, and what it finds.")
    parser.add_argument("--data", type=Path, metavar="DIR")
    given = parser.parse_args()
    show_costs()
    if given.data:
        print()
        show_lists(given.data / "pan_masking")


if __name__ == "__main__":
    main()
