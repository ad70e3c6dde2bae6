"""Masking an event's values, quickly where one look at all of them shows nothing to mask."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from ..rules.redact import mask_text, scrub
from .lines import encode

_PROBE: Final = "12345678901234"


def masked(values: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return ``values`` without card data, and their JSON.

    Args:
        values: plain JSON, or nearly: ``checkout``, whose names are our own, and ``data``, whose
            names are a shop's.
    """
    whole = _encoded_if_harmless(values)
    if whole is not None:
        return values, whole
    scrubbed: dict[str, Any] = scrub(values)
    return scrubbed, encode(scrubbed)


def _encoded_if_harmless(values: dict[str, Any]) -> str | None:
    for name, value in values["data"].items():
        if isinstance(value, (dict, list)) or not _is_harmless_name(name):
            return None
    try:
        whole = encode(values)
    except (ValueError, TypeError):
        return None
    # Escaped are other scripts, whose digits count as well, and what can't be stored.
    return whole if "\\" not in whole and mask_text(whole) == whole else None


@lru_cache(maxsize=1024)
def _is_harmless_name(name: str) -> bool:
    # "number" holds a card's number beside an expiry date alone.
    probe = {name: _PROBE, "expiry": "12/30"}
    return bool(scrub(probe) == probe)
