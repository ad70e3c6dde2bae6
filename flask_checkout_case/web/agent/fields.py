"""What forms and addresses say, read so that both databases can look for it.

PostgreSQL keeps no NUL, and a number that no column can hold is an error instead of no row.
"""

from __future__ import annotations

from typing import Final

from flask import request

NUL: Final = "\0"
_MOST: Final = 2**31 - 1
_MOST_ROWS: Final = 2**63 - 1


def version() -> int | None:
    """Return the version that the form was made from; what no case can have is never the newest."""
    given = request.form.get("version", type=int)
    return None if given is None else max(-1, min(given, _MOST))


def row_number(text: str) -> int:
    """Read the number of a row.

    Raises:
        ValueError: it is no number that a row can have.
    """
    number = int(text)
    if not 0 < number <= _MOST_ROWS:
        raise ValueError(f"{number} is no row's number")
    return number


def word(name: str) -> str:
    """Return a field that names something; empty where the form doesn't have it."""
    return request.form.get(name, "").replace(NUL, "")
