"""The rules reach their goals on others' labelled messages, which they were not written from."""

from __future__ import annotations

import pytest

from flask_checkout_case.rules.classify import SURE, classify
from tests.support import shared_data

FOLDED = {"payment_conflict": "payment_error"}
"""The mappings know no own category for a payment that was taken twice."""
EVERY = {"bitext_support": 7, "clinc150": 4}
"""Of the large sets every n-th row is enough."""


def judged(name: str) -> list[tuple[str, str, float]]:
    """Each row's label, what the rules say, and how sure they are."""
    rows = [row for row in shared_data.rows(f"{name}/dev.csv") if row["category"] != "-"]
    found = [(row, classify(row["text"])) for row in rows[:: EVERY.get(name, 1)]]
    return [
        (row["category"], FOLDED.get(one.category, str(one.category)), one.confidence)
        for row, one in found
    ]


@pytest.mark.parametrize(
    ("name", "goal"),
    [("bitext_support", 0.88), ("banking77", 0.75), ("multidogo", 0.75), ("abcd_openers", 0.75)],
)
def test_accuracy(name: str, goal: float) -> None:
    rows = judged(name)
    assert sum(label == said for label, said, _ in rows) / len(rows) >= goal


def test_off_topic_talk_is_rarely_taken_for_a_shops_matter() -> None:
    off = [said for label, said, _ in judged("clinc150") if label == "other"]
    assert sum(said != "other" for said in off) / len(off) <= 0.03


def test_what_the_rules_are_sure_of_is_right() -> None:
    rows = [row for name in ("banking77", "multidogo", "abcd_openers") for row in judged(name)]
    rows += judged("bitext_support")
    sure = [label == said for label, said, confidence in rows if confidence >= SURE]
    assert len(sure) / len(rows) >= 0.6
    assert sum(sure) / len(sure) >= 0.95
