"""When so many payments fail that their cases must not be opened beside the shop's requests."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from ..types import Event
from .packing import Packed

MANY: Final = 25
"""Failures within a second, in one process, from which on it is a flood."""
FEW: Final = 5
"""Failures a second down to which it remains one."""

_FAILED: Final = "payment_failed"
_HEAD: Final = 80


class Flood:
    """Counts a process's failed payments by the second.

    What comes in a flood is in the spool, and the worker opens its cases: five milliseconds each
    are nothing, but not a hundred times a second beside those who buy.

    Args:
        seconds: a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._second = 0
        self._failures = 0
        self._flooded = False

    @property
    def is_on(self) -> bool:
        """Whether it goes on, as far as has been counted."""
        return self._flooded and int(self._seconds()) <= self._second + 1

    def takes(self, content: Event | Packed) -> bool:
        """Count what has been captured; whether it is left to the worker."""
        if not _is_failure(content):
            return False
        second = int(self._seconds())
        if second != self._second:
            was_many = second == self._second + 1 and self._failures > FEW
            self._flooded = self._flooded and was_many
            self._second, self._failures = second, 0
        self._failures += 1
        self._flooded = self._flooded or self._failures > MANY
        return self._flooded


def _is_failure(content: Event | Packed) -> bool:
    if isinstance(content, Event):
        return content.name == _FAILED
    return f'"{_FAILED}"' in content[:_HEAD]
