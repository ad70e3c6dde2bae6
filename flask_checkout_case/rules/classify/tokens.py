"""Cuts a message into sentences of plain words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

TOKEN_LIMIT: Final = 600
"""Words of a message that are read; a complaint of ten pages has said it by then."""
SENTENCE_LIMIT: Final = 40
_CHARACTER_LIMIT: Final = 8_000
_WORD_LIMIT: Final = 24

_SENTENCE_END: Final = re.compile(r"[.!?;\n\r؟؛…]+")
_WORD: Final = re.compile(r"[^\W_]+")
_APOSTROPHES: Final = re.compile("['’ʼ`´‘]")
_ARABIC_FORMS: Final = str.maketrans({"أ": "ا", "إ": "ا", "آ": "ا", "ى": "ي", "ـ": None})

_CONTRACTED: Final = frozenset(
    {
        "arent", "cannot", "cant", "couldnt", "didnt", "doesnt", "dont", "dosent", "dosnt",
        "hadnt", "hasnt", "havent", "isnt", "shouldnt", "wasnt", "werent", "wont", "wouldnt",
        "aint", "didn", "doesn", "don", "isn", "wasn", "hasn", "haven", "wouldn", "couldn",
        "nicht", "kein", "keine", "keinen", "keiner",
    }
)  # fmt: skip
_LEFT_OUT: Final = frozenset(
    {
        "i", "a", "an", "the", "is", "are", "was", "were", "be", "been", "being", "am", "do",
        "does", "did", "has", "had", "have", "having", "will", "would", "can", "could", "shall",
        "should", "may", "might", "must", "just", "still", "even", "really", "actually",
        "definitely", "please", "pls", "ever", "it", "its", "that", "this", "these", "those",
        "there", "im", "ive", "id", "so", "very", "also", "kindly", "seem", "seems", "seemed",
        "keep", "keeps", "kept", "always",
    }
)  # fmt: skip
_LEFT_OUT_IN_GERMAN: Final = frozenset(
    {
        "der", "die", "das", "den", "dem", "des", "ein", "eine", "einen", "einem", "einer", "ist",
        "sind", "war", "wurde", "wurden", "werden", "wird", "habe", "hat", "haben", "bitte", "ich",
        "er", "sie", "wir", "es", "mir", "mich", "sich", "im", "am", "für", "mit", "und", "auch",
    }
)  # fmt: skip
_GERMAN: Final = _LEFT_OUT_IN_GERMAN - {"an", "am", "den", "des", "die", "hat", "im", "war"} | {
    "kein", "keine", "mein", "meine", "meinen", "meiner", "meinem", "nicht", "warum", "wie", "wo",
    "wann", "kann", "möchte", "bestellung", "rechnung",
}  # fmt: skip
_ARABIC: Final = re.compile("[\u0621-\u064a]")
_KEPT_AFTER_NOT: Final = frozenset({"do", "have"})


@dataclass(frozen=True, slots=True)
class Message:
    """A customer's words, cut into sentences.

    Args:
        languages: whose words are looked for in it.
    """

    sentences: tuple[tuple[str, ...], ...]
    languages: frozenset[str]


def read(text: str, language: str | None = None) -> Message:
    """Cut a message into sentences of words: folded, without contractions, articles, auxiliaries.

    Takes time linear in the text and reads a bounded part of it.
    """
    folded = unicodedata.normalize("NFKC", text[:_CHARACTER_LIMIT]).casefold()
    folded = _APOSTROPHES.sub("", folded).translate(_ARABIC_FORMS)
    languages = {"en"}
    if _ARABIC.search(folded):
        languages.add("ar")
    left_out = _LEFT_OUT
    if not _GERMAN.isdisjoint(_WORD.findall(folded)) or (language or "").startswith("de"):
        languages.add("de")
        left_out = left_out | _LEFT_OUT_IN_GERMAN
    found: list[tuple[str, ...]] = []
    left = TOKEN_LIMIT
    for sentence in _SENTENCE_END.split(folded):
        words = plain_words(sentence, left_out)[:left]
        left -= len(words)
        found += (words[at : at + SENTENCE_LIMIT] for at in range(0, len(words), SENTENCE_LIMIT))
    return Message(tuple(found), frozenset(languages))


def plain_words(text: str, left_out: frozenset[str] = _LEFT_OUT) -> tuple[str, ...]:
    """Return a folded text's words that say something; every "didn't" is "not"."""
    words: list[str] = []
    for word in _WORD.findall(text):
        if word in _CONTRACTED:
            words.append("not")
        elif word not in left_out or (word in _KEPT_AFTER_NOT and words[-1:] == ["not"]):
            words.append(word[:_WORD_LIMIT])
    return tuple(words)
