"""Which digits are a card number: issuer range, length and check digit."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from typing import Final

SHORTEST: Final = 12
LONGEST: Final = 19

_ANY_MODERN: Final = range(16, 20)

_RANGES: Final[tuple[tuple[str, str, Collection[int]], ...]] = (
    # (first prefix, last prefix, lengths); the narrower range comes first where two overlap.
    ("1946", "1946", (16, 18, 19)),  # GPN
    ("1", "1", (15,)),  # UATP
    ("2014", "2014", (15,)),  # enRoute
    ("2131", "2131", (15,)),  # JCB, old
    ("2149", "2149", (15,)),  # enRoute
    ("2200", "2204", _ANY_MODERN),  # Mir
    ("2205", "2205", (16,)),  # BORICA
    ("2221", "2720", (16,)),  # Mastercard
    ("300", "305", range(14, 20)),  # Diners Club
    ("3088", "3094", _ANY_MODERN),  # JCB
    ("3095", "3095", range(14, 20)),  # Diners Club
    ("3096", "3102", _ANY_MODERN),  # JCB
    ("3112", "3120", _ANY_MODERN),  # JCB
    ("31", "31", (19,)),  # T-Union
    ("3158", "3159", _ANY_MODERN),  # JCB
    ("3337", "3349", _ANY_MODERN),  # JCB
    ("34", "34", (15,)),  # American Express
    ("3528", "3589", _ANY_MODERN),  # JCB, RuPay, LankaPay
    ("36", "36", range(14, 20)),  # Diners Club
    ("37", "37", (15,)),  # American Express
    ("38", "39", range(14, 20)),  # Diners Club, Carte Blanche, Hipercard
    ("4", "4", (13, 16, 19)),  # Visa, Dankort, Electron, Elo, Switch
    ("5018", "5018", range(12, 20)),  # Maestro
    ("5020", "5020", range(12, 20)),  # Maestro
    ("5038", "5038", range(12, 20)),  # Maestro
    ("50", "50", _ANY_MODERN),  # Maestro, Dankort, Elo, Aura, Verve, RuPay, Meeza
    ("51", "55", (16,)),  # Mastercard
    ("5893", "5893", range(12, 20)),  # Maestro
    ("56", "59", _ANY_MODERN),  # Maestro, Switch
    ("6304", "6304", range(12, 20)),  # Maestro, Laser
    ("6759", "6759", range(12, 20)),  # Maestro, Switch
    ("6761", "6763", range(12, 20)),  # Maestro
    ("6767", "6767", range(13, 20)),  # Solo
    # UnionPay, Discover, Maestro, RuPay, Elo, Hipercard, InstaPayment, BC Global, Troy, Verve
    ("6", "6", _ANY_MODERN),
    ("81", "81", _ANY_MODERN),  # UnionPay, RuPay
    ("820", "820", (16,)),  # RuPay
    ("8600", "8600", (16,)),  # UzCard
    ("9704", "9704", (16, 19)),  # Napas
    ("9", "9", (16,)),  # Troy, Humo, mada, Korean local cards
)


def _starts() -> tuple[list[int], list[Collection[int]]]:
    """Flatten the overlapping ranges into steps that one bisection can search."""
    edges = {0}
    bounds = [
        (int(low.ljust(6, "0")), int(high.ljust(6, "9")), lengths) for low, high, lengths in _RANGES
    ]
    for low, high, _lengths in bounds:
        edges |= {low, high + 1}
    starts = sorted(edges)
    found: list[Collection[int]] = []
    for start in starts:
        known: set[int] = set()
        for low, high, lengths in bounds:
            if low <= start <= high:
                known.update(lengths)
        found.append(frozenset(known))
    return starts, found


_STARTS, _LENGTHS = _starts()

_DOUBLED: Final = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_issued(digits: str) -> bool:
    """Whether some issuer gives out numbers of this beginning and length (ASCII digits)."""
    if not SHORTEST <= len(digits) <= LONGEST:
        return False
    return len(digits) in _LENGTHS[bisect_right(_STARTS, int(digits[:6])) - 1]


def passes_luhn(digits: str) -> bool:
    """Whether the last of the ASCII digits is their Luhn check digit."""
    total = sum(map(int, digits[-1::-2]))
    return (total + sum(_DOUBLED[int(digit)] for digit in digits[-2::-2])) % 10 == 0


def is_card(digits: str) -> bool:
    """Whether these ASCII digits are a payment card's number."""
    if not is_issued(digits) or not passes_luhn(digits):
        return False
    return not (len(digits) == 13 and _is_ean(digits))


def _is_ean(digits: str) -> bool:
    # Thirteen digits are far more often a product's barcode than one of the old short Visa cards.
    total = sum(map(int, digits[0:12:2])) + 3 * sum(map(int, digits[1:12:2]))
    return (total + int(digits[12])) % 10 == 0
