"""Python processes of a test's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run_python(*arguments: str, seconds: float = 60) -> str:
    """Run Python in the repository's folder and return what it wrote.

    Raises:
        AssertionError: it failed; the message is what it complained about.
    """
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
