"""Judges the rules over free text by others' labelled messages.

    python -m benchmarks.classify --data DIR [--file NAME] [--verbose]

``DIR`` holds ``bitext_support``, ``banking77``, ``multidogo``, ``abcd_openers`` and ``clinc150``,
each with ``mapping.csv`` and ``dev.csv``. Rows of the category ``-`` are left out. Our
``payment_conflict`` counts as the mappings' ``payment_error``: they know no own category for a
payment that was taken twice. *firm* leaves out intents whose category is a judgement call.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask_checkout_case.rules.classify import SURE, classify

SETS: Final = {
    # folder: (goal for accuracy, thirteen regular expressions, trained on another set)
    "bitext_support": (".88", ".84/.85", ".77/.76"),
    "banking77": (".75", ".50/.59", ".35/.31"),
    "multidogo": (".75", ".54/.44", "-"),
    "abcd_openers": (".75", ".71/.74", ".47/.39"),
    "clinc150": ("-", ".96/.64", "-"),
}
FOLDED: Final = {"payment_conflict": "payment_error"}
OFF_TOPIC_GOAL: Final = 0.03


@dataclass(frozen=True, slots=True)
class Judged:
    """One message with its label and what the rules said."""

    text: str
    label: str
    firm: bool
    said: str
    confidence: float
    why: str

    @property
    def right(self) -> bool:
        return FOLDED.get(self.said, self.said) == self.label


def judge(folder: Path, name: str) -> list[Judged]:
    """Run the rules over one set."""
    firm = {row["intent"]: row["firm"] == "yes" for row in read(folder / "mapping.csv")}
    judged = []
    for row in read(folder / name):
        if row["category"] == "-":
            continue
        found = classify(row["text"])
        why = "; ".join(found.reasons[:3])
        judged.append(
            Judged(
                row["text"],
                row["category"],
                firm[row["intent"]],
                str(found.category),
                found.confidence,
                why,
            )
        )
    return judged


def read(path: Path) -> list[dict[str, str]]:
    """Read a CSV file with a header."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def accuracy(judged: Sequence[Judged]) -> float:
    """Share of right answers; 0 for none."""
    return sum(one.right for one in judged) / len(judged) if judged else 0.0


def macro_f1(judged: Sequence[Judged]) -> float:
    """Mean F1 of the labels that occur."""
    labels = {one.label for one in judged}
    return sum(_f1(judged, label) for label in labels) / len(labels) if labels else 0.0


def _f1(judged: Sequence[Judged], label: str) -> float:
    said = sum(FOLDED.get(one.said, one.said) == label for one in judged)
    meant = sum(one.label == label for one in judged)
    both = sum(one.right and one.label == label for one in judged)
    return 2 * both / (said + meant) if both else 0.0


def show_set(name: str, judged: Sequence[Judged]) -> None:
    """Print one line of the table."""
    goal, expressions, trained = SETS[name]
    firm = [one for one in judged if one.firm]
    sure = [one for one in judged if one.confidence >= SURE]
    print(
        f"{name:15}{len(judged):>7}{accuracy(judged):>8.3f} /{macro_f1(judged):>6.3f}{goal:>6}"
        f"{accuracy(firm):>9.3f} ({len(firm)})".ljust(60)
        + f"{len(sure) / len(judged):>6.0%} at {accuracy(sure):.3f}".ljust(18)
        + f"{expressions:>9}{trained:>9}"
    )


def show_off_topic(judged: Iterable[Judged]) -> None:
    """Print how often talk about other things was taken for a shop's matter."""
    off = [one for one in judged if one.label == "other"]
    taken = sum(not one.right for one in off)
    if off:
        print(
            f"\noff-topic taken for a shop's matter: {taken} of {len(off)}, "
            f"{taken / len(off):.2%} (goal: at most {OFF_TOPIC_GOAL:.0%})"
        )


def show_confusions(name: str, judged: Iterable[Judged]) -> None:
    """Print what was taken for what, most frequent first, with examples."""
    wrong: dict[tuple[str, str], list[Judged]] = defaultdict(list)
    for one in judged:
        if not one.right:
            wrong[one.label, one.said].append(one)
    print(f"\n{name}")
    counts = Counter({pair: len(ones) for pair, ones in wrong.items()})
    for pair, count in counts.most_common(12):
        print(f"  {count:>4}  {pair[0]} taken for {pair[1]}")
        for one in wrong[pair][:3]:
            print(f"          {one.text[:100]}  [{one.why}]")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Judge the rules by labelled messages.")
    parser.add_argument("--data", type=Path, required=True, metavar="DIR")
    parser.add_argument("--file", default="dev.csv", help="of each set (default: dev.csv)")
    parser.add_argument("--verbose", action="store_true", help="print what is mistaken for what")
    given = parser.parse_args()
    judged = {name: judge(given.data / name, given.file) for name in SETS}
    print(
        f"{'set':15}{'rows':>7}{'accuracy / F1':>16}{'goal':>6}{'firm only':>15}"
        f"{'sure: share, right':>22}{'13 regexes':>14}{'trained':>9}"
    )
    for name, ones in judged.items():
        show_set(name, ones)
    show_off_topic(judged["clinc150"])
    if given.verbose:
        for name, ones in judged.items():
            show_confusions(name, ones)


if __name__ == "__main__":
    main()
