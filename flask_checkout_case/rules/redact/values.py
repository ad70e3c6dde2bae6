"""Makes any value plain, bounded JSON without card data."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

from .issuers import SHORTEST
from .text import last_four, mask_text, may_need_masking, storable

TEXT_LIMIT: Final = 8_000
"""Characters that one string keeps."""
KEY_LIMIT: Final = 120
ITEM_LIMIT: Final = 500
"""Entries that one list or mapping keeps."""
DEPTH_LIMIT: Final = 12
VALUE_LIMIT: Final = 5_000
"""Values that all of it together keeps."""
TOTAL_LIMIT: Final = 200_000
"""Characters that all strings together keep."""
CUT: Final = "…"
"""What stands for everything that was too much."""
UNREADABLE: Final = "<unreadable>"

_SMALLEST_CARD: Final = 10**11
_LARGEST_INTEGER: Final = 2**63
_LARGEST_EXACT_FLOAT: Final = 2.0**63
_SPARE: Final = 64
_HALF_NUMBER: Final = re.compile(r"[\d\W_]{1,200}\Z")
_NO_LETTERS: Final = re.compile(r"[^a-z0-9]+")

_KEEP, _DROP, _CARD, _CARD_BESIDE = range(4)

_DROPPED_NAMES: Final = frozenset(
    {
        "cardcode", "cardpin", "cardsecuritycode", "cav", "cav2", "csc", "cvc", "cvc2", "cvc3",
        "cvd", "cvn", "cvn2", "cvv", "cvv2", "cvv3", "encryptedpin", "fulltrack", "iccdata",
        "magneticstripe", "magstripe", "pin", "pinblock", "pinnumber", "pvv", "securitycode",
        "swipe", "track", "track1", "track2", "track3", "tracks", "trackdata", "verificationcode",
        "verificationvalue", "kartenpruefnummer", "pruefziffer", "sicherheitscode", "pwd",
    }
)  # fmt: skip
_DROPPED_ENDS: Final = (
    "cvc", "cvc2", "cvn", "cvv", "cvv2", "securitycode", "verificationvalue", "magstripe",
    "magstripedata", "magneticstripedata", "track1data", "track2data", "trackdata", "pinblock",
    "cardpin", "cvcnumber", "cvvnumber", "cvccode", "cvvcode", "password", "passwd", "passwort",
    "kennwort", "passphrase", "secret", "secretkey", "privatekey", "apikey", "accesstoken",
    "refreshtoken",
)  # fmt: skip
_CARD_NAMES: Final = frozenset(
    {
        "cardno", "cardnr", "cardnum", "cardnumber", "ccno", "ccnum", "ccnumber", "creditcard",
        "creditcardnumber", "debitcardnumber", "kartennummer", "pan", "primaryaccountnumber",
    }
)  # fmt: skip
_CARD_ENDS: Final = ("cardnumber", "cardnum", "cardpan")
_BESIDE_CARD_NUMBER: Final = frozenset(
    {
        "brand", "cardholder", "cardholdername", "cvc", "cvc2", "cvv", "cvv2", "exp", "expiration",
        "expirationdate", "expiry", "expirydate", "expirymonth", "expiryyear", "expmonth",
        "expyear", "holdername", "nameoncard", "validthru",
    }
)  # fmt: skip

_NAMES_KEPT: Final = 4_096
_known: dict[str, tuple[int, str]] = {}


def scrub(value: Any) -> Any:
    """Return ``value`` as plain JSON values, bounded, without card data.

    Strings and whole numbers that are card numbers are masked, in keys too; fields that hold a
    security code, PIN, magnetic stripe, password or key by their name are left out; a card
    number's field keeps its last four digits even when it is no valid number. NUL and lone
    surrogates go. Decimals, instants and UUIDs become text; bytes and unknown objects their kind;
    NaN and infinities ``None``. What exceeds the limits of this module is cut. Never raises;
    scrubbing twice is scrubbing once.
    """
    return _Scrubber().any(value, 0)


class _Scrubber:
    __slots__ = ("characters", "values")

    def __init__(self) -> None:
        self.values = VALUE_LIMIT
        self.characters = TOTAL_LIMIT

    def any(self, value: Any, depth: int) -> Any:
        self.values -= 1
        if self.values < 0:
            return CUT
        kind = type(value)
        if kind is str:
            return self.text(value)
        if value is None or kind is bool:
            return value
        if kind is int:
            return value if -_SMALLEST_CARD < value < _SMALLEST_CARD else _integer(value)
        try:
            return self.other(value, depth)
        except Exception:  # noqa: BLE001 - a foreign object may raise anything from anywhere
            return UNREADABLE

    def other(self, value: Any, depth: int) -> Any:
        if isinstance(value, (Mapping, list, tuple, AbstractSet)):
            if depth >= DEPTH_LIMIT:
                return CUT
            if isinstance(value, Mapping):
                return self.mapping(value, depth + 1)
            return self.items(value, depth + 1)
        if isinstance(value, Enum):
            return self.any(value.value, depth + 1) if depth < DEPTH_LIMIT else CUT
        if isinstance(value, str):
            return self.text(str.__str__(value))
        return _scalar(value)

    def text(self, text: str) -> str:
        if len(text) >= SHORTEST or not text.isascii() or "\x00" in text:
            if len(text) > TEXT_LIMIT:
                text = shorten(text, TEXT_LIMIT + _SPARE)
            if may_need_masking(text):
                text = mask_text(text)
            if len(text) > TEXT_LIMIT:
                text = mask_text(text[: TEXT_LIMIT - 1] + CUT)
        self.characters -= len(text)
        return text if self.characters >= 0 else CUT

    def items(self, values: Any, depth: int) -> list[Any]:
        kept: list[Any] = []
        for value in values:
            if len(kept) == ITEM_LIMIT or self.values <= 0:
                break
            kept.append(self.any(value, depth))
        return kept

    def mapping(self, values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for key, value in values.items():
            if len(kept) == ITEM_LIMIT or self.values <= 0:
                break
            name = key if type(key) is str else _name(key)
            kind, name = _known.get(name) or _learn(name)
            if kind == _KEEP:
                if type(value) is str:  # most values by far: this saves a call for each
                    self.values -= 1
                    kept[name] = self.text(value)
                else:
                    kept[name] = self.any(value, depth)
            elif kind == _CARD or (kind == _CARD_BESIDE and _is_beside_card(values)):
                kept[name] = self.card(value, depth)
            elif kind != _DROP:
                kept[name] = self.any(value, depth)
        return kept

    def card(self, value: Any, depth: int) -> Any:
        plain = self.any(value, depth)
        if isinstance(plain, bool) or not isinstance(plain, (str, int)):
            return plain
        return last_four(str(plain)) or plain


def _integer(value: int) -> int | str:
    if not -_LARGEST_INTEGER <= value < _LARGEST_INTEGER:
        # Python refuses to write out integers of some thousand digits.
        return str(value) if value.bit_length() <= 256 else f"<{value.bit_length()} bits>"
    digits = str(value)
    masked = mask_text(digits)
    return value if masked == digits else masked


def _scalar(value: Any) -> Any:
    for kinds, plain in _PLAIN:
        if isinstance(value, kinds):
            return plain(value)
    return storable(f"<{type(value).__name__[:KEY_LIMIT]}>")


def _decimal(value: Decimal) -> str | None:
    return mask_text(str(value))[:KEY_LIMIT] if value.is_finite() else None


def _float(value: float) -> float | str | None:
    if not math.isfinite(value):
        return None
    if _SMALLEST_CARD <= abs(value) < _LARGEST_EXACT_FLOAT and value.is_integer():
        masked = _integer(int(value))
        return masked if isinstance(masked, str) else value
    return value


_PLAIN: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...]] = (
    (int, lambda value: _integer(int(value))),
    (float, lambda value: _float(float(value))),
    (Decimal, _decimal),
    ((datetime, date, time), lambda value: value.isoformat()),
    (timedelta, lambda value: value.total_seconds()),
    (UUID, str),
    ((bytes, bytearray, memoryview), lambda value: f"<{len(value)} bytes>"),
)


def shorten(text: str, limit: int) -> str:
    """Cut a text that is longer than ``limit``, in front of a number that the cut would halve.

    Half a card number would not be known for one, and is no less secret.
    """
    kept = text[: limit - len(CUT)]
    half = _HALF_NUMBER.search(kept, max(0, len(kept) - 200))
    return (kept[: half.start()] if half else kept) + CUT


def _name(key: Any) -> str:
    if isinstance(key, str):
        return str.__str__(key)
    plain = _Scrubber().any(key, DEPTH_LIMIT)
    return plain if isinstance(plain, str) else str(plain)


def _learn(name: str) -> tuple[int, str]:
    safe = mask_text(name[:KEY_LIMIT])
    plain = _NO_LETTERS.sub("", safe.lower())
    if plain in _DROPPED_NAMES or plain.endswith(_DROPPED_ENDS):
        kind = _DROP
    elif plain in _CARD_NAMES or plain.endswith(_CARD_ENDS):
        kind = _CARD
    elif plain == "number":
        kind = _CARD_BESIDE
    else:
        kind = _KEEP
    learnt = (kind, safe)
    if safe == name and len(_known) < _NAMES_KEPT:
        _known[name] = learnt
    return learnt


def _is_beside_card(values: Mapping[Any, Any]) -> bool:
    return any(
        isinstance(key, str) and _NO_LETTERS.sub("", key.lower()) in _BESIDE_CARD_NUMBER
        for key in values
    )
