"""Sentences in English that can be said again in the reader's language.

Who finds a mistake says it in English, for logs and commands; a page that shows it translates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

_AS_IT_IS: Final = "%(text)s"


class Said(str):
    """A text that knows the messages it was made of, each with what was filled in."""

    __slots__ = ("parts",)

    parts: tuple[tuple[str, Mapping[str, object]], ...]

    def __add__(self, more: str) -> Said:
        return _said(str.__add__(self, more), (*self.parts, *_parts_of(more)))

    def format(self, *_args: object, **_more: object) -> Said:
        """Return it as it is: marshmallow formats its messages, and would make a plain text."""
        return self


def say(message: str, **values: object) -> Said:
    """Fill ``%(name)s`` in from ``values``, like ``gettext`` of a message marked with ``N_``."""
    return _said(message % values if values else message, ((message, values),))


def said_by(error: Exception) -> Said:
    """Return what an error says; what the shop's own code raises says it in its own language."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, Said) else say(_AS_IT_IS, text=str(error))


def translated(text: str, gettext: Callable[..., str]) -> str:
    """Say a text again through ``gettext``; one that nobody has said with :func:`say` stays."""
    if not isinstance(text, Said):
        return text
    return "".join(gettext(message, **_filling(values, gettext)) for message, values in text.parts)


def _filling(values: Mapping[str, object], gettext: Callable[..., str]) -> dict[str, Any]:
    return {
        name: translated(value, gettext) if isinstance(value, str) else value
        for name, value in values.items()
    }


def _said(text: str, parts: tuple[tuple[str, Mapping[str, object]], ...]) -> Said:
    made = Said(text)
    made.parts = parts
    return made


def _parts_of(text: str) -> tuple[tuple[str, Mapping[str, object]], ...]:
    if isinstance(text, Said):
        return text.parts
    return ((_AS_IT_IS, {"text": text}),) if text else ()
