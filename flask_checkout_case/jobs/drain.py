"""Bringing the spool of this host into the database."""

from __future__ import annotations

from ..services.runtime import Runtime


def drain(runtime: Runtime) -> int:
    """Insert captured events that nobody has acknowledged; how many those were.

    Spools lie on the web hosts: this has to run on each of them.
    """
    return runtime.recorder.drain() if runtime.recorder is not None else 0
