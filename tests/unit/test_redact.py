"""Card numbers go, whatever stands between their digits; what only looks like one stays."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.redact import mask_text
from flask_checkout_case.rules.redact.issuers import is_card, is_issued, passes_luhn

VISA = "4111111111111111"
DIGITS = "0٠०０𝟎"
SEPARATORS = [" ", "-", ".", "_", "  ", " - ", "\u00a0", "\u2011", "\u200b", "\n", "\t", "/", "·"]


def with_check_digit(digits: str) -> str:
    return next(digits + str(last) for last in range(10) if passes_luhn(digits + str(last)))


def digits_of(text: str) -> str:
    return "".join(str(unicodedata.digit(character)) for character in text if character.isdigit())


@st.composite
def cards(draw: st.DrawFn) -> str:
    prefix, length = draw(
        st.sampled_from(
            [
                ("4", 16),
                ("4", 19),
                ("51", 16),
                ("2221", 16),
                ("2720", 16),
                ("34", 15),
                ("37", 15),
                ("30", 14),
                ("36", 14),
                ("3095", 16),
                ("3530", 16),
                ("6011", 16),
                ("65", 19),
                ("62", 16),
                ("62", 17),
                ("62", 18),
                ("62", 19),
                ("6304", 13),
                ("5018", 12),
                ("2200", 16),
                ("5067", 16),
                ("606282", 16),
                ("5019", 16),
                ("9792", 16),
                ("1", 15),
                ("6521", 16),
                ("8172", 16),
                ("6759", 18),
                ("9860", 16),
                ("8600", 16),
            ]
        )
    )
    body = draw(
        st.text("0123456789", min_size=length - 1 - len(prefix), max_size=length - 1 - len(prefix))
    )
    card = with_check_digit(prefix + body)
    return card if is_card(card) else with_check_digit(prefix.ljust(length - 1, "0"))


@st.composite
def written(draw: st.DrawFn, card: str) -> str:
    """A card as someone writes it: in fours, or digit by digit, in any script."""
    size = (
        draw(st.sampled_from([1, 4, 19]))
        if len(card) in {16, 19}
        else draw(st.sampled_from([1, 19]))
    )
    zero = ord(draw(st.sampled_from(DIGITS)))
    digits = "".join(chr(zero + int(digit)) for digit in card)
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    return draw(st.sampled_from(SEPARATORS)).join(groups)


@given(st.data(), cards())
def test_no_card_survives(data: st.DataObject, card: str) -> None:
    text = data.draw(written(card))
    masked = mask_text(f"My card: {text} thanks")
    if is_card(card[:16]) and len(card) == 19:
        # The first sixteen digits are a card's too: nothing says which was meant.
        assert digits_of(masked) in {card[-4:], card[12:16]}
        return
    assert masked == f"My card: •••• {card[-4:]} thanks"


@given(st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@given(st.text("0123456789 -,./\n", min_size=12, max_size=120))
def test_masking_digits_twice_is_masking_them_once(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@given(st.lists(cards(), min_size=2, max_size=4))
def test_several_cards_in_a_text_all_go(several: list[str]) -> None:
    masked = mask_text(" and then ".join(several))
    assert digits_of(masked) == "".join(card[-4:] for card in several)


@given(st.text())
def test_text_with_few_digits_stays(text: str) -> None:
    few = "".join(character for character in text if not character.isnumeric())
    kept = "".join(c for c in few if c != "\x00" and not "\ud800" <= c <= "\udfff")
    assert mask_text(few + "12345678901") == kept + "12345678901"


@given(st.text(st.characters()))
def test_what_comes_out_can_be_encoded(text: str) -> None:
    assert "\x00" not in mask_text(text)
    mask_text(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"card {VISA}.", "card •••• 1111."),
        ("4111 1111 1111 1111 12/27", "•••• 1111 12/27"),
        ("4111 1111 1111 1111 12/27 123", "•••• 1111 12/27 •••"),
        ("4111111111111111, cvv: 987", "•••• 1111, cvv: •••"),
        ("my cvc is 987, card 4111111111111111", "my cvc is •••, card •••• 1111"),
        ("3782 822463 10005", "•••• 0005"),
        ("4①11 1111 1111 1111", "•••• 1111"),
        ("4111 1111 1111 ①①①①", "•••• 1111"),
        ("4️⃣1️⃣1️⃣1️⃣ 1111 1111 1111", "•••• 1111"),
        ("мой номер4111111111111111", "мой номер•••• 1111"),
        (
            "https://shop.example/pay?card=4111111111111111",
            "https://shop.example/pay?card=•••• 1111",
        ),
        ("+49 151 23456789 4111 1111 1111 1111", "+49 151 23456789 •••• 1111"),
    ],
)
def test_cards_as_people_write_them(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "order 1000000000000008",
        "35-209900-176148-1",
        "352099001761481",
        "https://shop.example/orders/4111111111111111",
        "/orders/4111111111111111/items",
        "FR76 3000 6000 0112 3456 7890 189",
        "+4111111111111111",
        "A1B4111111111111111",
        "ref-X4111111111111111Q7",
        "41111111111111111111111",
        "04111111111111111",
        "2026-11-23 03:15:56",
        "30.11.2026 14:15:16",
        "36, 37, 38, 39, 40, 41, 42",
        "1763867756123",
        "3f2b8a10-4111-1111-1111-111111111111",
        "my cvv is 123",
        "4006381333931",
    ],
)
def test_look_alikes_stay(text: str) -> None:
    assert mask_text(text) == text


@pytest.mark.parametrize(
    "unit", ["1 ", "4111 ", "4111 1111 1111 1111 ", "4", "/4111111111111111", "٤١١١ ", "a1", "4-"]
)
def test_hostile_texts_end(unit: str) -> None:
    masked = mask_text(unit * 4_000)
    assert mask_text(masked) == masked


def test_issuer_ranges_have_their_lengths() -> None:
    assert is_issued("4" * 16)
    assert not is_issued("4" * 15)
    assert not is_issued("0" * 16)
    assert not is_issued("2721" + "0" * 12)
    assert is_issued("2720" + "0" * 12)
