"""Code blocks of the documentation, as they are written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(
    r"<!-- (?P<mark>[\w-]+) -->\n```(?P<language>\w+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE
)


@dataclass(frozen=True)
class Block:
    """A fenced block that follows ``<!-- mark -->``; ``line`` is where its code begins."""

    mark: str
    language: str
    code: str
    line: int


def marked_blocks(page: Path) -> Iterator[Block]:
    """Yield the marked blocks of a Markdown page, in order."""
    text = page.read_text()
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("code")) + 1
        yield Block(found["mark"], found["language"], found["code"], line)
