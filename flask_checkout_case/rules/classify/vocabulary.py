"""The words of ``lexicon.toml``, found in a message in spite of endings and typing errors."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, Final

from .tokens import plain_words

_SHORTEST_STEM: Final = 3
_SHORTEST_FUZZY: Final = 5
_SHORTEST_FUZZY_STEM: Final = 6
_SHORTEST_REPLACED: Final = 8
"""Another letter makes another word of a short one: content is not contest."""
_VOWELS: Final = frozenset("aeiou")
_LONGEST_PHRASE: Final = 5


class Node:
    """A place in the tree of phrases: which concepts end here, which words may follow."""

    __slots__ = ("concepts", "next")

    def __init__(self) -> None:
        self.concepts: dict[str, str] = {}
        self.next: dict[str, Node] = {}


class Vocabulary:
    """Words and stems of one language with what they mean.

    Args:
        lexicon: concept → its words, as ``lexicon.toml`` has them.
    """

    def __init__(self, lexicon: Mapping[str, str]) -> None:
        self._root = Node()
        self._words: set[str] = set()
        self._stems: set[str] = set()
        self._misspelt: dict[str, set[str]] = {}
        for concept, entries in lexicon.items():
            for entry in entries.split():
                self._add(concept, entry)

    def _add(self, concept: str, entry: str) -> None:
        node = self._root
        depth = 0
        before = ""
        for part in entry.split("_"):
            stem = part.endswith("*")
            for word in (part[:-1],) if stem else _as_in_message(part, before):
                node = node.next.setdefault(self._learn(word, stem), Node())
                depth += 1
            before = part
        if depth == 0 or (depth == 1 and "_" in entry):
            raise ValueError(f"{concept}: {entry!r} loses words that are left out")
        node.concepts[concept] = entry.replace("_", " ")

    def _learn(self, word: str, stem: bool) -> str:
        (self._stems if stem else self._words).add(word)
        if len(word) >= (_SHORTEST_FUZZY_STEM if stem else _SHORTEST_FUZZY):
            known = word + "*" * stem
            for form in _shortened(word):
                self._misspelt.setdefault(form, set()).add(known)
        return word + "*" * stem

    def find(self, words: Sequence[str]) -> dict[str, list[tuple[int, str]]]:
        """Return each concept's places in a sentence with the entry that was met there."""
        known = [self._known(word) for word in words]
        found: dict[str, list[tuple[int, str]]] = {}
        for start in range(len(words)):
            nodes = [self._root]
            for at in range(start, min(start + _LONGEST_PHRASE, len(words))):
                nodes = [
                    node.next[word] for node in nodes for word in known[at] if word in node.next
                ]
                if not nodes:
                    break
                for node in nodes:
                    for concept, entry in node.concepts.items():
                        found.setdefault(concept, []).append((start, entry))
        return found

    def _known(self, word: str) -> list[str]:
        known = [word] if word in self._words else []
        starts = (word[:length] for length in range(_SHORTEST_STEM, len(word) + 1))
        known += [f"{start}*" for start in starts if start in self._stems]
        return known or self._similar(word)

    def _similar(self, word: str) -> list[str]:
        if len(word) < _SHORTEST_FUZZY or not word.isalpha():
            return []
        similar: set[str] = set()
        for length in range(_SHORTEST_FUZZY - 1, len(word) + 1):
            part = word[:length]
            for form in (part, *_shortened(part)):
                for known in self._misspelt.get(form, ()):
                    # Whatever ending follows a stem, its own last letter must be there.
                    fits = part[-1] == known[-2] if known.endswith("*") else part == word
                    if fits and _is_slip(part, known.rstrip("*")):
                        similar.add(known)
        return sorted(similar)


def _as_in_message(part: str, before: str) -> tuple[str, ...]:
    return plain_words(f"not {part}")[1:] if before == "not" else plain_words(part)


def _shortened(word: str) -> list[str]:
    return [word[:at] + word[at + 1 :] for at in range(len(word))]


def _is_slip(written: str, meant: str) -> bool:
    """Whether one letter is missing, too much, another or swapped with its neighbour."""
    if written[0] != meant[0] or abs(len(written) - len(meant)) > 1:
        return False
    at = 0
    while at < min(len(written), len(meant)) and written[at] == meant[at]:
        at += 1
    if len(written) < len(meant):
        return written[at:] == meant[at + 1 :]
    if len(written) > len(meant):
        return written[at + 1 :] == meant[at:]
    if written[at + 1 :] == meant[at + 1 :]:
        vowels = {written[at : at + 1], meant[at : at + 1]} <= _VOWELS
        return len(meant) >= (_SHORTEST_FUZZY_STEM if vowels else _SHORTEST_REPLACED)
    swapped = written[at : at + 2] == meant[at : at + 2][::-1]
    return swapped and written[at + 2 :] == meant[at + 2 :]


def load_toml(name: str) -> dict[str, Any]:
    """Read one of this package's TOML files."""
    return tomllib.loads((files(__package__) / name).read_text(encoding="utf-8"))


@cache
def vocabularies() -> Mapping[str, Vocabulary]:
    """Return each language's vocabulary, read at the first message."""
    return {
        language: Vocabulary(lexicon) for language, lexicon in load_toml("lexicon.toml").items()
    }


@cache
def concepts() -> frozenset[str]:
    """Return the names that rules may use."""
    return frozenset().union(*load_toml("lexicon.toml").values())
