"""Every card of others' lists is masked, no look-alike is touched."""

from __future__ import annotations

import json
import unicodedata

from flask_checkout_case.capture.packing import pack
from flask_checkout_case.rules.redact import mask_text, scrub
from flask_checkout_case.types import utc_now
from tests.support import shared_data


def digits_of(text: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in text if character.isdigit())


def texts(name: str) -> list[dict[str, str]]:
    lines = (shared_data.root() / name).read_text(encoding="utf-8").strip().split("\n")
    return [json.loads(line) for line in lines]


def test_every_listed_card_is_masked() -> None:
    cards = [row for row in shared_data.rows("pan_masking/numbers.csv") if row["pan"]]
    survived = [row["text"] for row in cards if row["pan"] in digits_of(mask_text(row["text"]))]
    assert len(cards) > 50
    assert survived == []


def test_the_last_four_digits_stay() -> None:
    cards = [row for row in shared_data.rows("pan_masking/numbers.csv") if row["pan"]]
    assert [
        row["text"] for row in cards if digits_of(mask_text(row["text"])) != row["pan"][-4:]
    ] == []


def test_no_listed_card_is_packed_as_it_is() -> None:
    cards = [row for row in shared_data.rows("pan_masking/numbers.csv") if row["pan"]]
    for row in cards:
        assert pack("payment_failed", {"message": row["text"]}, utc_now) is None, row["text"]
        assert pack("payment_failed", {"attempt_id": row["pan"]}, utc_now) is None


def test_no_listed_look_alike_is_touched() -> None:
    others = [row for row in shared_data.rows("pan_masking/numbers.csv") if not row["pan"]]
    mangled = [
        (row["kind"], row["text"]) for row in others if mask_text(row["text"]) != row["text"]
    ]
    assert len(others) > 100
    assert mangled == []


def test_cards_in_texts_are_masked_and_the_rest_is_not() -> None:
    rows = texts("pan_masking/texts.jsonl")
    cards = [row["text"] for row in rows if row["kind"] == "card_in_text"]
    others = [row["text"] for row in rows if row["kind"] == "not_card"]
    assert [text for text in cards if mask_text(text) == text] == []
    assert [text for text in others if mask_text(text) != text] == []


def test_cards_written_oddly_are_masked_too() -> None:
    rows = [row for row in texts("pan_masking/texts.jsonl") if row["kind"].startswith("card_odd")]
    masked = [row for row in rows if mask_text(row["text"]) != row["text"]]
    print(f"oddly written cards masked: {len(masked)} of {len(rows)}")
    assert len(masked) == len(rows)


def test_naughty_strings_pass_through_as_plain_json() -> None:
    for name in ("bad_input/naughty_strings.jsonl", "bad_input/xss.jsonl"):
        for row in texts(name):
            scrubbed = scrub({row["text"]: row["text"]})
            assert scrub(scrubbed) == scrubbed
            json.dumps(scrubbed, allow_nan=False).encode("utf-8")
