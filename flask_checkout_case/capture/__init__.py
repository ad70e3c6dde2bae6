"""Capture: what a shop reports reaches the database without breaking, slowing or losing anything.

An event is copied, written to the spool, inserted when the shop's transaction is over and its
response is out, acknowledged; what a dead process left is drained. See ``docs/capture.md``.
"""

from __future__ import annotations

from .install import install
from .payments import Attempt, Payment
from .receivers import connect_signals, listen, unregister
from .snapshot import make_event
from .snapshot import masked_snapshot as snapshot_of

__all__ = [
    "Attempt",
    "Payment",
    "connect_signals",
    "install",
    "listen",
    "make_event",
    "snapshot_of",
    "unregister",
]
