"""On which line of a TOML text each key stands. ``tomllib`` gives values without their places."""

from __future__ import annotations

import re
import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Path = tuple[str | int, ...]
"""Keys of tables and indexes of arrays, from the top: ``("routes", 0, "when", "total_over")``."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that is wrong, and where: ``path`` leads to it from the top of the file."""

    path: Path
    message: str

    @property
    def key(self) -> str:
        """The path as people write it: ``routes[0].when.total_over``."""
        written = ""
        for part in self.path:
            written += f"[{part}]" if isinstance(part, int) else f".{part}" if written else part
        return written or "the file"


_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_SPACE: Final = re.compile(r"[ \t]*")
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_BASIC: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_LITERAL: Final = re.compile(r"'[^'\n]*'")
_LONG_BASIC: Final = re.compile(r'"""(?:[^\\]|\\.)*?"""(?:"{0,2})', re.DOTALL)
_LONG_LITERAL: Final = re.compile(r"'''.*?'''(?:'{0,2})", re.DOTALL)
_SCALAR: Final = re.compile(r"[^,\]}\n#]+")
_STRINGS: Final = (_LONG_BASIC, _LONG_LITERAL, _BASIC, _LITERAL)


def locate(text: str) -> Mapping[Path, int]:
    """Return the line, counted from 1, of each key, table and array element of a valid TOML text.

    Raises:
        ValueError: the text isn't TOML; ask ``tomllib`` first, it says what is wrong.
    """
    return _Scanner(text).run()


def line_of(lines: Mapping[Path, int], path: Path) -> int:
    """Return the line of ``path``, or of the nearest thing above it that has one; 1 at the top."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def tables(value: Any) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Return the tables of a table of tables, whatever else has been written there."""
    items = value.items() if isinstance(value, Mapping) else ()
    return [(key, one) for key, one in items if isinstance(one, Mapping)]


def rows(value: Any) -> Iterable[tuple[int, Mapping[str, Any]]]:
    """Return the tables of an array of tables with their indexes, like :func:`tables`."""
    items = enumerate(value) if isinstance(value, list) else ()
    return [(index, one) for index, one in items if isinstance(one, Mapping)]


def flat(messages: Any, path: Path = ()) -> Iterator[Mistake]:
    """Turn marshmallow's nested messages into mistakes below ``path``."""
    if isinstance(messages, Mapping):
        for key, below in messages.items():
            yield from flat(below, path if key == "_schema" else (*path, key))
    else:
        for message in messages if isinstance(messages, list) else [messages]:
            yield Mistake(path, message if isinstance(message, str) else str(message))


class _Scanner:
    """A cursor over the text; ``lines`` collects what it meets."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._newlines = [found.start() for found in re.finditer("\n", text)]
        self._last_element: dict[Path, int] = {}

    def run(self) -> Mapping[Path, int]:
        table: Path = ()
        self._skip(_BLANK)
        while self.at < len(self.text):
            if self.text.startswith("[", self.at):
                table = self._header()
            else:
                self._pair(table)
            self._skip(_BLANK)
        return self.lines

    def _header(self) -> Path:
        start = self.at
        is_array = self.text.startswith("[[", self.at)
        self.at += 2 if is_array else 1
        self._skip(_SPACE)
        keys = self._keys()
        self._skip(_SPACE)
        self._expect("]]" if is_array else "]")
        path = self._resolve(keys[:-1]) if is_array else self._resolve(keys)
        if is_array:
            path = (*path, keys[-1])
            self._note(path, start)
            self._last_element[path] = self._last_element.get(path, -1) + 1
            path = (*path, self._last_element[path])
        self._note_all(path, start)
        return path

    def _resolve(self, keys: list[str]) -> Path:
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._last_element:
                path = (*path, self._last_element[path])
        return path

    def _pair(self, table: Path) -> None:
        start = self.at
        path = (*table, *self._keys())
        self._note_all(path, start)
        self._skip(_SPACE)
        self._expect("=")
        self._skip(_SPACE)
        self._value(path)

    def _keys(self) -> list[str]:
        keys = [self._key()]
        self._skip(_SPACE)
        while self.text.startswith(".", self.at):
            self.at += 1
            self._skip(_SPACE)
            keys.append(self._key())
            self._skip(_SPACE)
        return keys

    def _key(self) -> str:
        for pattern in (_BASIC, _LITERAL):
            quoted = self._take(pattern)
            if quoted is not None:
                return str(tomllib.loads(f"key = {quoted}")["key"])
        bare = self._take(_BARE)
        if bare is None:
            raise ValueError(f"no key at {self.at}")
        return bare

    def _value(self, path: Path) -> None:
        if self.text.startswith("[", self.at):
            self._array(path)
        elif self.text.startswith("{", self.at):
            self._inline_table(path)
        elif not any(self._take(pattern) for pattern in (*_STRINGS, _SCALAR)):
            raise ValueError(f"no value at {self.at}")

    def _array(self, path: Path) -> None:
        self.at += 1
        self._skip(_BLANK)
        index = 0
        while not self.text.startswith("]", self.at):
            self._note((*path, index), self.at)
            self._value((*path, index))
            index += 1
            self._next_item("]")
        self.at += 1

    def _inline_table(self, path: Path) -> None:
        self.at += 1
        self._skip(_BLANK)
        while not self.text.startswith("}", self.at):
            self._pair(path)
            self._next_item("}")
        self.at += 1

    def _next_item(self, end: str) -> None:
        self._skip(_BLANK)
        if not self.text.startswith(end, self.at):
            self._expect(",")
            self._skip(_BLANK)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        found = pattern.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def _take(self, pattern: re.Pattern[str]) -> str | None:
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found[0]

    def _expect(self, token: str) -> None:
        if not self.text.startswith(token, self.at):
            raise ValueError(f"no {token} at {self.at}")
        self.at += len(token)

    def _note_all(self, path: Path, offset: int) -> None:
        for length in range(1, len(path) + 1):
            self._note(path[:length], offset)

    def _note(self, path: Path, offset: int) -> None:
        self.lines.setdefault(path, bisect_right(self._newlines, offset - 1) + 1)
