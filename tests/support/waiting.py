"""Waiting for something to become true, without guessing how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")


def wait_until(
    probe: Callable[[], Found | None],
    *,
    seconds: float = 20.0,
    every: float = 0.02,
    what: str = "it",
) -> Found:
    """Ask ``probe`` until its answer is true, and return that answer.

    Raises:
        AssertionError: when ``seconds`` passed without one; ``what`` names the thing awaited.
    """
    end = time.monotonic() + seconds
    while True:
        found = probe()
        if found:
            return found
        if time.monotonic() >= end:
            raise AssertionError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(every)
