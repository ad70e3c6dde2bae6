"""Turning whatever a shop passes into plain JSON, without ever running the shop's code.

Only values whose content lies open are read: text, numbers, instants, mappings, sequences and our
own dataclasses. Of anything else the type's name is kept: reading an ORM object's attribute would
load it through the shop's session, which may be the one that has just failed.
"""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import islice
from json import JSONEncoder
from typing import Any, Final

from ..rules.redact import UNREADABLE, shorten
from ..types import Money

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
TEXT_LIMIT: Final = 2000
KEY_LIMIT: Final = 64
ITEM_LIMIT: Final = 50
DEPTH_LIMIT: Final = 4
encode: Final = JSONEncoder(ensure_ascii=True, separators=(",", ":"), allow_nan=False).encode
"""Write plain values as JSON, in ASCII. Raises ValueError or TypeError for anything else."""
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_INTEGER_LIMIT: Final = 2**63
_LONGEST_INTEGER: Final = 1024
"""Bits; Python refuses to write out integers of some thousand digits."""
_COLLECTIONS: Final = (Sequence, AbstractSet)
_BYTES: Final = (bytes, bytearray, memoryview)
_LAZY_TEXTS: Final = frozenset({"LazyString", "_LazyString", "LazyProxy"})


def text(value: str, limit: int = TEXT_LIMIT) -> str:
    """Return ``value`` without what a database refuses (NUL, lone surrogates), cut to ``limit``."""
    if len(value) <= limit and value.isascii() and "\x00" not in value:
        return value
    # Cut before the search as well: a megabyte of text must not cost its own length.
    cut = _UNSTORABLE.sub("", value[: 2 * limit])
    return cut if len(cut) <= limit else shorten(cut, limit)


def optional_text(value: Any, limit: int = TEXT_LIMIT) -> str | None:
    """Return a text that is one, ``None`` for anything else and for an empty one."""
    if value is None:
        return None
    if type(value) is str:
        return text(value, limit) or None
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, bool) or not isinstance(value, (str, int, uuid.UUID)):
        return text(str(value), limit) or None if _is_lazy_text(value) else None
    return text(_written(value), limit) or None


def _written(value: str | int | uuid.UUID) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        digits = value.bit_length() <= _LONGEST_INTEGER
        return int.__repr__(value) if digits else f"<{value.bit_length()} bits>"
    return str(value)


def plain(value: Any, depth: int = DEPTH_LIMIT) -> Any:
    """Return ``value`` as JSON can hold it. Never raises: one odd value must not cost the rest."""
    try:
        return _plain(value, depth)
    except Exception:  # noqa: BLE001 - a foreign object may raise anything from anywhere
        return UNREADABLE


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return plain(value.value, depth)
    if isinstance(value, str):
        return text(str.__str__(value))
    if isinstance(value, int):
        whole = int.__int__(value)
        return whole if abs(whole) < _INTEGER_LIMIT else _written(whole)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else str(value)
    return _compound(value, depth)


def _compound(value: Any, depth: int) -> Any:
    if isinstance(value, Money):
        return {"minor_units": value.minor_units, "currency": value.currency}
    if isinstance(value, (Decimal, uuid.UUID)):
        return str(value)[:KEY_LIMIT]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if depth > 0 and isinstance(value, Mapping):
        return plain_mapping(value, depth)
    if depth > 0 and isinstance(value, _COLLECTIONS) and not isinstance(value, _BYTES):
        return [plain(item, depth - 1) for item in islice(value, ITEM_LIMIT)]
    return _as_text(value)


def _as_text(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, BaseException):
        return text(f"{type(value).__name__}: {value}")
    return text(str(value)) if _is_lazy_text(value) else f"<{type(value).__name__}>"


def plain_mapping(value: Mapping[Any, Any], depth: int = DEPTH_LIMIT) -> dict[str, Any]:
    """Return the first items of a mapping as JSON can hold them."""
    return {
        text(key if isinstance(key, str) else str(plain(key, 0)), KEY_LIMIT): plain(item, depth - 1)
        for key, item in islice(value.items(), ITEM_LIMIT)
    }


def _is_lazy_text(value: Any) -> bool:
    # Translations that are looked up when shown; str() of them is the text.
    return type(value).__name__ in _LAZY_TEXTS
