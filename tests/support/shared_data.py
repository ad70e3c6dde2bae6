"""Data of others that tests may judge by; it lies outside the project and is never part of it."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Final

VARIABLE: Final = "CHECKOUT_CASE_TEST_DATA"
_BESIDE_THE_PROJECT: Final = Path(__file__).parents[2].parent / "shared" / "data"


def root() -> Path:
    """Where the data lies, or would lie."""
    return Path(os.environ.get(VARIABLE) or _BESIDE_THE_PROJECT)


def is_wanted() -> bool:
    """Whether tests that need the data run: someone names its place, or it is there."""
    return bool(os.environ.get(VARIABLE)) or root().is_dir()


def rows(path: str) -> list[dict[str, str]]:
    """Read a CSV file; a missing one is an error."""
    with (root() / path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
