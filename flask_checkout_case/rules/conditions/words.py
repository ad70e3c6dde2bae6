"""Words in a customer's message: literals and ``refund*``, whole words, whatever their case.

No regular expressions: a policy must not be able to stop a checkout. What is read of a message is
bounded, and so is the time it takes.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Final

from ...i18n import N_
from ..saying import say

CHARACTER_LIMIT: Final = 10_000
_WORD_LIMIT: Final = 64
_PATTERN_LIMIT: Final = 100
_APOSTROPHES: Final = re.compile("['’ʼ]")


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that stand next to each other, each cut at its stars."""

    words: tuple[tuple[str, ...], ...]

    def find(self, message: tuple[str, ...]) -> str | None:
        """Return how the message puts it, or ``None`` when it doesn't."""
        length = len(self.words)
        for start in range(len(message) - length + 1):
            said = message[start : start + length]
            if all(map(_fits, self.words, said)):
                return " ".join(said)
        return None


def read_phrase(given: Any) -> Phrase:
    """Read a literal or a pattern: ``money back``, ``refund*``, ``*versand*``.

    Raises:
        ValueError: it is no text, or has no word in it.
    """
    if not isinstance(given, str) or len(given) > _PATTERN_LIMIT:
        raise ValueError(
            say(N_("expected a text of at most %(most)s characters"), most=_PATTERN_LIMIT)
        )
    words = split(given, kept="*")
    if not any(word.strip("*") for word in words):
        raise ValueError(say(N_("expected a word, or a beginning of one such as 'refund*'")))
    return Phrase(tuple(tuple(word.split("*")) for word in words))


def split(text: str, kept: str = "") -> tuple[str, ...]:
    """Return a text's words: folded, without apostrophes, up to :data:`CHARACTER_LIMIT`.

    Args:
        kept: characters that count as parts of words, beside letters, digits and marks on them.
    """
    folded = unicodedata.normalize("NFKC", text[:CHARACTER_LIMIT]).casefold()
    folded = _APOSTROPHES.sub("", folded)
    apart = "".join(one if _is_part(one) or one in kept else " " for one in folded)
    return tuple(word[:_WORD_LIMIT] for word in apart.split())


def _is_part(character: str) -> bool:
    # Marks: the vowel signs of Hindi or Thai are parts of words, and no letters.
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _fits(parts: tuple[str, ...], word: str) -> bool:
    first, *inner = parts
    if not inner:
        return word == first
    last = inner.pop()
    if len(word) < len(first) + len(last):
        return False
    if not (word.startswith(first) and word.endswith(last)):
        return False
    at, end = len(first), len(word) - len(last)
    for part in inner:
        found = word.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
