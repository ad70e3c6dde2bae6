"""What stands around digits and says that they are no card number."""

from __future__ import annotations

import re
from typing import Final

_REACH: Final = 24
_ADDRESS_REACH: Final = 200

_WORDS_BEFORE: Final = (
    "amex", "card", "cards", "carte", "cb", "cc", "ccnum", "credit", "debit", "diners", "discover",
    "hier", "ist", "is", "jcb", "karte", "kreditkarte", "maestro", "mastercard", "mc", "no", "nr",
    "num", "number", "numero", "nummer", "pan", "tarjeta", "unionpay", "visa",
)  # fmt: skip
_WORDS_AFTER: Final = (
    "and", "bis", "csc", "cvc", "cvn", "cvv", "exp", "gueltig", "mm", "on", "pin", "und", "valid",
)  # fmt: skip

_IBAN: Final = re.compile(r"(?<![A-Z0-9])[A-Z]{2}\d\d(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])")
_UUID: Final = re.compile(
    r"(?<![0-9a-fA-F])[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}(?![0-9a-fA-F])"
)


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether the digits from ``start`` to ``end`` are no part of a longer reference.

    Letters that touch them make a reference of them, unless they are one letter or two small
    ones, or a word that belongs to a card. Path segments of addresses, IBANs and UUIDs are no
    cards either.
    """
    return (
        _free_before(text, start)
        and _free_after(text, end)
        and not _in_address(text, start)
        and not _in_iban(text, start, end)
        and not _within(_UUID, text, start, end)
    )


def _free_before(text: str, start: int) -> bool:
    if text[start - 1 : start] == "+":
        return False
    at = start
    while at > 0 and start - at < _REACH and _is_latin(text[at - 1]):
        at -= 1
    word = text[at:start]
    if not word:
        return True
    if at > 0 and text[at - 1].isdigit():
        return False
    return _is_short(word) or word.lower().endswith(_WORDS_BEFORE)


def _free_after(text: str, end: int) -> bool:
    at = end
    while at < len(text) and at - end < _REACH and _is_latin(text[at]):
        at += 1
    word = text[end:at]
    if not word or word.lower().startswith(_WORDS_AFTER):
        return True
    return _is_short(word) and not text[at : at + 1].isdigit()


def _is_latin(character: str) -> bool:
    return character.isascii() and character.isalpha()


def _is_short(word: str) -> bool:
    return len(word) == 1 or (len(word) == 2 and word.islower())


def _in_address(text: str, start: int) -> bool:
    if text[start - 1 : start] != "/":
        return False
    token = text[max(0, start - _ADDRESS_REACH) : start].rsplit(maxsplit=1)[-1].lstrip("(<[\"'")
    return "://" in token or token.startswith(("/", "www."))


def _in_iban(text: str, start: int, end: int) -> bool:
    low = max(0, start - 42)
    for found in _IBAN.finditer(text, low, min(len(text), end + 42)):
        if found.start() < start and end <= found.end() and _is_iban(found.group()):
            return True
    return False


def _is_iban(text: str) -> bool:
    # The greedy match may have taken a word or number that follows the IBAN.
    parts = text.split(" ")
    for kept in range(len(parts), 0, -1):
        joined = "".join(parts[:kept])
        if 15 <= len(joined) <= 34 and int("".join(_iban_digits(joined))) % 97 == 1:
            return True
    return False


def _iban_digits(iban: str) -> list[str]:
    return [str(int(character, 36)) for character in iban[4:] + iban[:4]]


def _within(pattern: re.Pattern[str], text: str, start: int, end: int) -> bool:
    found = pattern.finditer(text, max(0, start - 40), min(len(text), end + 40))
    return any(match.start() <= start and end <= match.end() for match in found)
