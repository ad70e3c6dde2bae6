"""Whatever a shop sends becomes plain, bounded JSON without card data."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flask_checkout_case.rules.redact import scrub
from flask_checkout_case.rules.redact.values import (
    DEPTH_LIMIT,
    ITEM_LIMIT,
    TEXT_LIMIT,
    TOTAL_LIMIT,
    UNREADABLE,
    VALUE_LIMIT,
)

CARD = "4111111111111111"


class Colour(Enum):
    RED = "red"


class Size(IntEnum):
    LARGE = 3


class Hostile:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class HostileMapping(Mapping[str, Any]):
    def __getitem__(self, key: str) -> Any:
        raise RuntimeError(key)

    def __iter__(self) -> Iterator[str]:
        yield "a"

    def __len__(self) -> int:
        return 1


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.datetimes()
    | st.uuids()
    | st.just(CARD)
    | st.just(int(CARD))
    | st.builds(object)
    | st.builds(Hostile),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(
            st.text() | st.integers() | st.just(CARD) | st.sampled_from(["cvc", "number"]), inner
        )
        | st.tuples(inner)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(plain)
def test_any_value_becomes_json_once_and_for_all(value: Any) -> None:
    scrubbed = scrub(value)
    encoded = json.dumps(scrubbed, allow_nan=False)
    encoded.encode("utf-8")
    assert CARD not in encoded
    assert json.loads(encoded) == scrubbed
    assert scrub(scrubbed) == scrubbed


@pytest.mark.parametrize(
    "name",
    [
        "cvv",
        "CVC",
        "card_cvc",
        "cardCvv2",
        "security_code",
        "pin",
        "track2",
        "magstripe",
        "cvvNumber",
        "encryptedSecurityCode",
        "track_data",
        "card-verification-value",
        "csc",
        "pin_block",
    ],
)
def test_fields_that_hold_secrets_are_left_out(name: str) -> None:
    assert scrub({name: "123", "kept": [{name: 123}]}) == {"kept": [{}]}


@pytest.mark.parametrize(
    "name",
    ["cvc_check", "pincode", "tracking_number", "shipping", "opinion", "security", "company"],
)
def test_fields_that_only_sound_alike_stay(name: str) -> None:
    assert scrub({name: "560001"}) == {name: "560001"}


def test_card_fields_keep_four_digits_even_of_no_valid_number() -> None:
    assert scrub({"card_number": "1234 5678 9012 3456"}) == {"card_number": "•••• 3456"}
    assert scrub({"pan": 1234567890123456}) == {"pan": "•••• 3456"}
    assert scrub({"card_number": "•••• 1111"}) == {"card_number": "•••• 1111"}


def test_a_number_beside_an_expiry_is_a_cards() -> None:
    card = {"number": "1234567890123456", "exp_month": 12}
    assert scrub(card) == {"number": "•••• 3456", "exp_month": 12}
    assert scrub({"number": "1234567890123456"}) == {"number": "1234567890123456"}
    assert scrub({"number": CARD}) == {"number": "•••• 1111"}


def test_cards_go_from_keys_integers_floats_and_decimals() -> None:
    assert scrub({CARD: 1}) == {"•••• 1111": 1}
    assert scrub([int(CARD), float(CARD), Decimal(CARD)]) == ["•••• 1111"] * 3


def test_ordinary_values_stay() -> None:
    value = {"amount": 519900, "rate": 0.19, "ok": True, "none": None, "at": 1763867756123}
    assert scrub(value) == value


def test_foreign_kinds_become_plain() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    reference = uuid.uuid4()
    assert scrub(
        [Colour.RED, Size.LARGE, at, timedelta(minutes=2), Decimal("9.90"), reference]
    ) == [
        "red",
        3,
        at.isoformat(),
        120.0,
        "9.90",
        str(reference),
    ]
    assert scrub([float("nan"), float("inf"), Decimal("NaN"), b"abc", object()]) == [
        None,
        None,
        None,
        "<3 bytes>",
        "<object>",
    ]


def test_huge_integers_do_not_stop_it() -> None:
    assert scrub(10**5_000) == "<16610 bits>"
    assert scrub(2**63) == str(2**63)


def test_hostile_objects_do_not_stop_it() -> None:
    assert scrub([Hostile(), HostileMapping(), 1]) == [UNREADABLE, UNREADABLE, 1]


def test_cycles_end() -> None:
    loop: dict[str, Any] = {}
    loop["again"] = [loop, loop]
    encoded = json.dumps(scrub(loop))
    assert json.loads(encoded)["again"][0]
    assert encoded.count("again") <= VALUE_LIMIT


def test_everything_is_bounded() -> None:
    deep: Any = "bottom"
    for _ in range(DEPTH_LIMIT * 3):
        deep = [deep]
    assert "bottom" not in json.dumps(scrub(deep))
    assert len(scrub(list(range(ITEM_LIMIT * 2)))) == ITEM_LIMIT
    assert len(scrub("x" * TEXT_LIMIT * 2)) <= TEXT_LIMIT
    assert len(json.dumps(scrub(["x" * TEXT_LIMIT] * 400))) <= TOTAL_LIMIT * 2
    assert len(json.dumps(scrub([[0] * 100] * 500))) <= VALUE_LIMIT * 4


@pytest.mark.parametrize("before", range(0, 160, 7))
def test_a_card_at_the_cut_does_not_survive_in_part(before: int) -> None:
    text = "x" * (TEXT_LIMIT - before) + " 4111 1111 1111 1111 " + "y" * 200
    scrubbed = scrub(text)
    assert len(scrubbed) <= TEXT_LIMIT
    assert "4111 1111" not in scrubbed


def test_nul_and_lone_surrogates_go() -> None:
    assert scrub({"a\x00": "b\x00\ud800c"}) == {"a": "bc"}
