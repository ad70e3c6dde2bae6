"""Masks card numbers in free text, whatever stands between their digits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from . import flanks
from .issuers import LONGEST, SHORTEST, is_card

MASK: Final = "•••• "
"""What replaces a card number, followed by its last four digits."""
_CODE_MASK: Final = "•••"

# Digits that are no decimal digits to Unicode: superscript, subscript, circled, with a stop.
_ODD_DIGITS: Final = (
    "\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089\u2460-\u2468\u2474-\u247c\u2488-\u2490"
    "\u24ea\u24f5-\u24fd\u24ff\u2776-\u277e\u2780-\u2788\u278a-\u2792\U0001f101-\U0001f10a"
)
_INVISIBLE: Final = (
    "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\u20e3\ufe0e\ufe0f\ufeff"
)
_DASHES: Final = "\u2010-\u2015\u2212\u2e3a\u2e3b\ufe58\ufe63\uff0d"
_SIGNS: Final = r"\-._,;:/\\|*()\[\]{}'\"`~" + "\u00b7\u060c\u066b\u066c\u2027\u3001\u3002\uff0e"
_SEPARATOR: Final = rf"[\s{_SIGNS}{_DASHES}{_INVISIBLE}]"
_DIGIT: Final = rf"[\d{_ODD_DIGITS}]"
_ASCII_SEPARATOR: Final = r"[\s\-._,;:/\\|*()\[\]{}'\"`~]"

_WIDEST_GAP: Final = 5
_RUN: Final = re.compile(rf"{_DIGIT}(?:{_SEPARATOR}{{0,{_WIDEST_GAP}}}+{_DIGIT}){{11,}}+")
_ASCII_RUN: Final = re.compile(
    rf"[0-9](?:{_ASCII_SEPARATOR}{{0,{_WIDEST_GAP}}}+[0-9]){{11,}}+", re.ASCII
)
_GROUP: Final = re.compile(rf"{_DIGIT}+")
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

_PASSES: Final = 6

_GROUPINGS: Final = (
    (4, 4, 4, 4),
    (4, 4, 4, 4, 3),
    (4, 4, 4, 4, 2),
    (4, 4, 4, 4, 1),
    (4, 6, 5),
    (4, 6, 4),
    (5, 6, 5, 3),
    (4, 4, 4, 3),
    (4, 4, 4, 2),
    (4, 3, 3, 3),
    (8, 8),
    (6, 10),
)
"""How cards print and people write them; 16 digits before 19: the last three may be a code."""
_IMEI_GROUPINGS: Final = ((2, 6, 6, 1), (6, 2, 6, 1), (8, 6, 1))
_LONGEST_PHONE: Final = 15

_LIST_SIGNS: Final = re.compile(r"[,;:/|\n\r\t]")
_PRICE: Final = re.compile(r"(?<!\d)\d{1,3}[.,]\d\d(?!\d)")
_DATE: Final = re.compile(r"(?<!\d)(?:\d{4}([./-])\d\d?\1\d\d?|\d\d?([./-])\d\d?\2\d{2,4})(?!\d)")
_EXPIRY: Final = re.compile(r"[^\d]{1,5}(?:0?[1-9]|1[0-2]) ?[/\-.] ?(?:20)?\d\d$")
_STRONG_GAP: Final = re.compile(r"[,;|\n\r\t]")

_CODE_NAMES: Final = (
    "cvv2?|cvc2?|cvn2?|cvd|csc|security code|card code|verification (?:code|value|number)"
    "|sicherheitscode|kartenprüfnummer|prüfnummer|prüfziffer|رمز الأمان|رمز التحقق"
)
_NAMED_CODE: Final = re.compile(
    rf"(?<!\w)((?:{_CODE_NAMES})[^\w\n]{{0,3}}(?:(?:is|ist|no|nr|number|هو)[^\w\n]{{1,3}})?)\d{{3,4}}(?!\d)",
    re.IGNORECASE,
)
_CODE_AFTER: Final = re.compile(
    r"(?:[ \t,;|-]{1,3}(?:exp\w{0,6}[ :.]{0,2})?\d\d? ?[/-] ?(?:\d{4}|\d\d)"
    r"[ \t,;|-]{1,3}\d{3,4}(?![\d/-])"
    r"|[ \t,;|-]{1,3}\d{3}(?=[ \t]*(?:$|[\r\n])))"
)
_THREE: Final = re.compile(rf"{_SEPARATOR}{{1,{_WIDEST_GAP}}}({_DIGIT}{{3}})(?!{_DIGIT})")
_LAST_CODE: Final = re.compile(rf"{_DIGIT}{{3,4}}$")


class Group(NamedTuple):
    """Digits that stand together, as ASCII, and where they stand in the text."""

    start: int
    end: int
    digits: str


def storable(text: str) -> str:
    """Drop what no database or encoder takes: NUL and lone surrogates."""
    if text.isascii():
        return text.replace("\x00", "") if "\x00" in text else text
    return _UNSTORABLE.sub("", text) if _UNSTORABLE.search(text) else text


def may_need_masking(text: str) -> bool:
    """Whether :func:`mask_text` may change this text: quick, right when it says no."""
    if text.isascii():
        return _ASCII_RUN.search(text) is not None or "\x00" in text
    return True


def mask_text(text: str) -> str:
    """Replace each card number by ``•••• `` and its last four digits.

    A number is a card's by issuer range, length and Luhn check digit; spaces, signs, invisible
    characters and digits of any script may stand in it. Phone numbers, IMEIs, IBANs, tracking
    numbers, references and path segments of addresses stay. A security code beside a masked
    number goes too. NUL and lone surrogates are dropped. Never raises; masking twice is masking
    once.
    """
    text = storable(text)
    if len(text) < SHORTEST:
        return text
    run = _ASCII_RUN if text.isascii() else _RUN
    if run.search(text) is None:
        return text
    for _ in range(_PASSES):
        # What is left of a masked number may join its neighbours to what looks like another.
        masked = _mask_once(text)
        if masked == text:
            return text
        text = masked
    return _RUN.sub(_blacken, text)


def last_four(text: str) -> str | None:
    """Mask a value known to be a card number; ``None`` when it has too few digits for one."""
    digits = "".join(_ascii(found.group()) for found in _GROUP.finditer(text))
    return MASK + digits[-4:] if len(digits) >= SHORTEST else None


def _blacken(found: re.Match[str]) -> str:
    return _GROUP.sub(lambda group: "•" * len(group.group()), found.group())


def _mask_once(text: str) -> str:
    pieces: list[str] = []
    done = 0
    for run in _RUN.finditer(text):
        for groups in _cards(text, run):
            digits = "".join(group.digits for group in groups)
            pieces += (text[done : groups[0].start], MASK, digits[-4:])
            done = groups[-1].end
            code = _CODE_AFTER.match(text, done) or _three_more(text, done, digits)
            if code is not None:
                pieces.append(_LAST_CODE.sub(_CODE_MASK, code.group()))
                done = code.end()
    if not pieces:
        return text
    pieces.append(text[done:])
    return _NAMED_CODE.sub(rf"\g<1>{_CODE_MASK}", "".join(pieces))


def _three_more(text: str, end: int, digits: str) -> re.Match[str] | None:
    # Sixteen digits and three more can both be cards; then the three are no less secret.
    more = _THREE.match(text, end) if len(digits) == 16 else None
    return more if more and is_card(digits + _ascii(more.group(1))) else None


def _cards(text: str, run: re.Match[str]) -> Iterator[list[Group]]:
    groups = [
        Group(found.start(), found.end(), _ascii(found.group()))
        for found in _GROUP.finditer(text, run.start(), run.end())
    ]
    if text[run.start() - 1 : run.start()] == "+":
        groups = _after_phone(groups)
    found_any = False
    at = 0
    while at < len(groups):
        size = _card_at(text, groups, at)
        if size:
            found_any = True
            yield groups[at : at + size]
        at += size or 1
    if not found_any:
        yield from _oddly_grouped(text, groups)


def _after_phone(groups: list[Group]) -> list[Group]:
    # A phone number has at most fifteen digits: what follows those may be something else.
    return [] if sum(len(group.digits) for group in groups) <= _LONGEST_PHONE else groups[1:]


def _card_at(text: str, groups: list[Group], at: int) -> int:
    """Return how many groups from ``at`` on make a card as cards are written; 0 for none."""
    first = groups[at]
    size = len(first.digits)
    if size >= SHORTEST:
        return int(is_card(first.digits) and flanks.stands_alone(text, first.start, first.end))
    if size < 4:
        return 0
    sizes = tuple(len(group.digits) for group in groups[at : at + 5])
    for grouping in _GROUPINGS:
        if sizes[: len(grouping)] != grouping:
            continue
        part = groups[at : at + len(grouping)]
        if _is_card(text, part):
            return len(grouping)
    return 0


def _oddly_grouped(text: str, groups: list[Group]) -> Iterator[list[Group]]:
    if not groups:
        return
    for part in (groups, _without_expiry(text, groups)):
        if _is_odd_card(text, part):
            yield part
            return
    for part in (*_parts(text, groups), *_even_stretches(groups)):
        if len(part) < len(groups) and _is_odd_card(text, part):
            yield part
            return


def _is_odd_card(text: str, part: list[Group]) -> bool:
    count = sum(len(group.digits) for group in part)
    if not SHORTEST <= count <= LONGEST:
        return False
    sizes = tuple(len(group.digits) for group in part)
    if sizes in _IMEI_GROUPINGS:
        return False
    if count < _LONGEST_PHONE and set(sizes) != {1} and min(sizes[:-1], default=4) < 4:
        return False
    if set(sizes) != {1}:
        between = text[part[0].start : part[-1].end]
        if _LIST_SIGNS.search(between) or _PRICE.search(between) or _DATE.search(between):
            return False
    return _is_card(text, part)


def _is_card(text: str, part: list[Group]) -> bool:
    return is_card("".join(group.digits for group in part)) and flanks.stands_alone(
        text, part[0].start, part[-1].end
    )


def _without_expiry(text: str, groups: list[Group]) -> list[Group]:
    expiry = _EXPIRY.search(text[max(groups[0].start, groups[-1].end - 16) : groups[-1].end])
    return groups[:-2] if expiry else []


def _parts(text: str, groups: list[Group]) -> Iterator[list[Group]]:
    part = [groups[0]]
    for before, group in pairwise(groups):
        if _STRONG_GAP.search(text, before.end, group.start):
            yield part
            part = []
        part.append(group)
    yield part


def _even_stretches(groups: list[Group]) -> Iterator[list[Group]]:
    part = [groups[0]]
    for before, group in pairwise(groups):
        if len(before.digits) != len(group.digits):
            yield part
            part = []
        part.append(group)
    yield part


def _ascii(digits: str) -> str:
    if digits.isascii():
        return digits
    return "".join(str(unicodedata.digit(digit, 0)) for digit in digits)
