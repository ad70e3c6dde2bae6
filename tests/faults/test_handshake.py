"""Order changes while the worker and the warehouse are killed: the quick part of the benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.handshake import run

pytestmark = pytest.mark.faults


def test_every_change_ends_applied_once_or_refused(database_url: str, tmp_path: Path) -> None:
    assert run("kills", database_url, tmp_path, kills=8, number=10)
