"""The spool: captured events on the local disk until the database has them.

Each process appends to files of its own, held with ``flock`` as long as it lives; the kernel lets
go of them when it dies, however it dies. One ``os.write`` an event and no fsync: that survives
``kill -9`` and costs a few microseconds.
"""

from __future__ import annotations

import atexit
import errno
import fcntl
import logging
import os
import secrets
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from ..types import Event
from . import lines
from .packing import Packed

log = logging.getLogger(__name__)

SUFFIX: Final = ".spool"
TRUNCATE_AT: Final = 256 * 1024
ROTATE_AT: Final = 4 * 2**20
LIMIT: Final = 64 * 2**20
LOOK_AGAIN: Final = 60.0
LOOK_MS: Final = 500

Step = Callable[[str], None]


@dataclass(slots=True, eq=False)
class Segment:
    """One file of this process, and the numbers of its lines that the database doesn't have yet."""

    path: Path
    descriptor: int
    size: int = 0
    numbers: int = 0
    torn: bool = False
    looked_ms: int = 0
    outstanding: set[int] = field(default_factory=set)

    @property
    def is_unlinked(self) -> bool:
        return os.fstat(self.descriptor).st_nlink == 0

    def is_gone(self, now_ms: int) -> bool:
        """Look whether somebody has deleted the file; not at every event, it is a system call."""
        if abs(now_ms - self.looked_ms) < LOOK_MS:
            return False
        self.looked_ms = now_ms
        return self.is_unlinked


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an event lies; what :meth:`Spool.acknowledge` takes."""

    segment: Segment
    number: int


class Spool:
    """This process's part of the spool.

    Args:
        directory: made at first use, readable by this user alone.
        rotate_at: size in bytes from which a new file is begun.
        limit: bytes that this process keeps at most; beyond it :meth:`append` refuses.
        step: called with the name of each step; the fault tests' way in.
    """

    def __init__(
        self,
        directory: Path,
        *,
        rotate_at: int = ROTATE_AT,
        limit: int = LIMIT,
        step: Step | None = None,
    ) -> None:
        self.directory = directory
        self._rotate_at = rotate_at
        self._limit = limit
        self._step = step
        self._segments: list[Segment] = []
        # Re-entrant: a signal handler may run between any two lines of ours, and send a signal.
        self._lock = threading.RLock()
        self._process = os.getpid()
        self._looked_at: float | None = None
        _spools.add(self)

    def append(self, content: Event | Packed) -> Receipt:
        """Write one event down, or a signal that will be one.

        Raises:
            OSError: it is not on the disk: full, read-only, over the limit.
            ValueError, TypeError: the event is no plain JSON.
        """
        now_ms = time.time_ns() // 1_000_000
        with self._lock:
            segment = self._current(now_ms)
            number = segment.numbers
            segment.numbers += 1
            line = lines.event_line(number, now_ms, content)
            if self._step is not None:
                self._step("spool:before-write")
            _write(segment, line)
            segment.outstanding.add(number)
        if self._step is not None:
            self._step("spool:written")
        return Receipt(segment, number)

    def acknowledge(self, receipts: Iterable[Receipt]) -> None:
        """Note that the database has these. A failure is logged: a repeated insert does no harm."""
        by_segment: dict[Segment, list[int]] = {}
        for receipt in receipts:
            by_segment.setdefault(receipt.segment, []).append(receipt.number)
        with self._lock:
            for segment, numbers in by_segment.items():
                # Closed meanwhile: a fork, or nothing was left in it.
                if segment in self._segments:
                    self._acknowledge(segment, numbers)

    def _acknowledge(self, segment: Segment, numbers: list[int]) -> None:
        segment.outstanding.difference_update(numbers)
        if self._is_done(segment):
            self._empty(segment)
            return
        if self._step is not None:
            self._step("ack:before-write")
        try:
            _write(segment, lines.acknowledge_line(numbers))
        except OSError as error:
            log.warning("the spool took no acknowledgement: %s", error)
        if self._step is not None:
            self._step("ack:written")

    def _is_done(self, segment: Segment) -> bool:
        if segment.outstanding:
            return False
        is_current = segment is self._segments[-1]
        return segment.size >= TRUNCATE_AT or segment.torn or not is_current

    def _empty(self, segment: Segment) -> None:
        try:
            if segment is self._segments[-1]:
                os.ftruncate(segment.descriptor, 0)
                segment.size, segment.torn = 0, False
            else:
                self._segments.remove(segment)
                segment.path.unlink(missing_ok=True)
                os.close(segment.descriptor)
        except OSError as error:
            log.warning("a spool file that is done with could not be removed: %s", error)
        if self._step is not None:
            self._step("ack:emptied")

    def sync(self) -> None:
        """Bring what is outstanding to the platter: the database doesn't have it.

        Raises:
            OSError: the disk doesn't take it.
        """
        with self._lock:
            descriptors = [os.dup(seg.descriptor) for seg in self._segments if seg.outstanding]
        for descriptor in descriptors:
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)

    @property
    def outstanding(self) -> int:
        """How many events of this process the database doesn't have yet."""
        return sum(len(segment.outstanding) for segment in self._segments)

    @property
    def paths(self) -> frozenset[Path]:
        """The files that this process holds."""
        return frozenset(segment.path for segment in self._segments)

    def settled_elsewhere(self, path: Path, numbers: Iterable[int]) -> None:
        """A drain has brought lines of one of our files into the database."""
        with self._lock:
            for segment in list(self._segments):
                if segment.path == path:
                    segment.outstanding.difference_update(numbers)
                    if self._is_done(segment):
                        self._empty(segment)

    def check_writable(self) -> str | None:
        """Return why nothing can be written now, or ``None``."""
        try:
            self._make_directory()
            probe = self.directory / f".{self._name()}.probe"
            descriptor = os.open(probe, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                probe.unlink()
                written = os.write(descriptor, b"\0" * 4096)
            finally:
                os.close(descriptor)
        except OSError as error:
            return str(error)
        return None if written == 4096 else "the disk is full"

    def close(self) -> None:
        """Let go of the files, and remove those in which nothing is left."""
        with self._lock:
            if self._process != os.getpid():
                return
            for segment in self._segments:
                try:
                    if not segment.outstanding:
                        segment.path.unlink(missing_ok=True)
                    os.close(segment.descriptor)
                except OSError as error:
                    log.warning("a spool file was not closed: %s", error)
            self._segments = []

    def _current(self, now_ms: int) -> Segment:
        if self._process != os.getpid():
            self.forget_after_fork()
        if self._segments:
            segment = self._segments[-1]
            if segment.size < self._rotate_at and not segment.is_gone(now_ms):
                return segment
        if self._kept >= self._limit:
            self._look_what_drains_have_done()
        if self._kept >= self._limit:
            raise OSError(errno.ENOSPC, "the spool has reached its limit", str(self.directory))
        made = self._begin_file()
        self._segments.append(made)
        return made

    @property
    def _kept(self) -> int:
        return sum(segment.size for segment in self._segments)

    def _look_what_drains_have_done(self) -> None:
        # Reading so much takes its time: once a minute at most, and only at the limit.
        if self._looked_at is not None and time.monotonic() - self._looked_at < LOOK_AGAIN:
            return
        self._looked_at = time.monotonic()
        for segment in list(self._segments):
            left = [] if segment.is_unlinked else lines.parse(segment.path.read_bytes()).events
            segment.outstanding.intersection_update(one.number for one in left)
            if self._is_done(segment):
                self._empty(segment)

    def _begin_file(self) -> Segment:
        self._make_directory()
        # Claimed under a name that no drain looks at, else it could be taken between open and lock.
        path = self.directory / f"{self._name()}{SUFFIX}"
        hidden = path.with_name(f".{path.name}.new")
        flags = os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_RDWR | os.O_CLOEXEC
        descriptor = os.open(hidden, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(path)
        except OSError:
            os.close(descriptor)
            hidden.unlink(missing_ok=True)
            raise
        return Segment(path, descriptor)

    def _make_directory(self) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _name(self) -> str:
        return f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(6)}"

    def forget_after_fork(self) -> None:
        """Close the parent's files in a child; the parent goes on with them."""
        for segment in self._segments:
            try:
                os.close(segment.descriptor)
            except OSError as error:
                log.warning("an inherited spool file was not closed: %s", error)
        self._segments = []
        self._lock = threading.RLock()
        self._process = os.getpid()


def _write(segment: Segment, line: bytes) -> None:
    written = os.write(segment.descriptor, line)
    segment.size += written
    if written != len(line):
        segment.torn = True
        raise OSError(errno.ENOSPC, "the line was cut short", str(segment.path))
    segment.torn = False


_spools: weakref.WeakSet[Spool] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for spool in list(_spools):
        spool.forget_after_fork()


def _at_exit() -> None:
    for spool in list(_spools):
        spool.close()


os.register_at_fork(after_in_child=_after_fork_in_child)
atexit.register(_at_exit)
