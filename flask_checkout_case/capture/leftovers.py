"""What lies unacknowledged in the spool directory, and the quarantine for bad lines."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from . import lines
from .lines import Content, SpooledEvent
from .spool import SUFFIX, Step

log = logging.getLogger(__name__)

QUARANTINE: Final = "quarantine.jsonl"
GRACE_MS: Final = 5_000
"""How long a living process may take to insert an event itself."""
_LOOK_AT_MOST: Final = 8 * 2**20


@dataclass(slots=True)
class Leftover:
    """One spool file, opened for draining.

    Args:
        alive: another process (or this one) still writes to it.
    """

    path: Path
    descriptor: int
    alive: bool
    content: Content

    def acknowledge(self, numbers: Iterable[int]) -> None:
        self._append(lines.acknowledge_line(numbers))

    def mark_quarantined(self, offsets: Iterable[int]) -> None:
        self._append(lines.quarantined_line(offsets))

    def _append(self, line: bytes) -> None:
        try:
            os.write(self.descriptor, line)
        except OSError as error:
            log.warning("the spool took no acknowledgement: %s", error)


class Leftovers:
    """The drain's side of a spool directory.

    Args:
        grace_ms: how long a living process has to insert an event itself.
    """

    def __init__(
        self, directory: Path, *, grace_ms: int = GRACE_MS, step: Step | None = None
    ) -> None:
        self.directory = directory
        self._grace_ms = grace_ms
        self._step = step

    @contextmanager
    def alone(self) -> Iterator[bool]:
        """Hold the directory against other drains; false when one is at work already."""
        if not self.directory.is_dir():
            yield False
            return
        flags = os.O_CREAT | os.O_RDWR | os.O_CLOEXEC
        descriptor = os.open(self.directory / ".drain.lock", flags, 0o600)
        try:
            yield _try_lock(descriptor)
        finally:
            os.close(descriptor)

    def files(self) -> list[Path]:
        try:
            return sorted(self.directory.glob(f"*{SUFFIX}"))
        except OSError:
            return []

    @contextmanager
    def opened(self, path: Path) -> Iterator[Leftover | None]:
        """Open a file with what is unacknowledged in it; ``None`` when it is gone by now.

        Of a living process only what is older than ``grace_ms`` is given.
        """
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except FileNotFoundError:
            yield None
            return
        try:
            alive = not _try_lock(descriptor)
            if os.fstat(descriptor).st_nlink == 0:
                yield None
                return
            content = lines.parse(_read(descriptor))
            if alive:
                content = Content(
                    events=[one for one in content.events if self._is_old(one)],
                    acknowledged=content.acknowledged,
                )
            elif content.tail:
                offset = os.fstat(descriptor).st_size - len(content.tail)
                content.bad.append(lines.BadLine(offset, content.tail, "the line was cut short"))
            self._stepped("drain:claimed")
            yield Leftover(path, descriptor, alive, content)
        finally:
            os.close(descriptor)

    def remove(self, leftover: Leftover) -> None:
        """Delete a dead process's file in which nothing is left."""
        self._stepped("drain:before-unlink")
        leftover.path.unlink(missing_ok=True)
        self._stepped("drain:unlinked")

    def quarantine(self, leftover: Leftover, bad: Iterable[lines.BadLine]) -> None:
        """Set lines aside where a person can look at them, then mark them as moved.

        Raises:
            OSError: they could not be set aside; they stay where they are.
        """
        bad = list(bad)
        for line in bad:
            put_in_quarantine(self.directory, line.line, line.reason, leftover.path.name)
        self._stepped("drain:quarantined")
        leftover.mark_quarantined(line.offset for line in bad)

    def backlog(self) -> tuple[int, float]:
        """Count what nobody has acknowledged, of all processes; the oldest's age in seconds."""
        count, oldest, looked = 0, 0.0, 0
        now_ms = time.time_ns() // 1_000_000
        for path in self.files():
            try:
                raw = path.read_bytes()
            except OSError:
                continue
            events = lines.parse(raw).events
            count += len(events)
            ages = [(now_ms - one.written_ms) / 1000 for one in events[:1]]
            oldest = max([oldest, *ages])
            looked += len(raw)
            if looked > _LOOK_AT_MOST:
                break
        return count, oldest

    def _is_old(self, spooled: SpooledEvent) -> bool:
        # Absolute: a clock that was set back must not hide an event for an hour.
        return abs(time.time_ns() // 1_000_000 - spooled.written_ms) > self._grace_ms

    def _stepped(self, name: str) -> None:
        if self._step is not None:
            self._step(name)


def put_in_quarantine(directory: Path, line: bytes, reason: str, source: str) -> None:
    """Append one line to the quarantine, on the platter before this returns.

    Raises:
        OSError: the disk doesn't take it.
    """
    record = {
        "at": datetime.now(UTC).isoformat(),
        "source": source,
        "reason": reason,
        "line": line.decode("ascii", "backslashreplace"),
    }
    flags = os.O_CREAT | os.O_APPEND | os.O_WRONLY | os.O_CLOEXEC
    descriptor = os.open(directory / QUARANTINE, flags, 0o600)
    try:
        whole = json.dumps(record).encode("ascii") + b"\n"
        if os.write(descriptor, whole) != len(whole):
            raise OSError("the quarantine took only part of a line")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    log.error("a captured event is in quarantine (%s): %s", directory / QUARANTINE, reason)


def quarantined(directory: Path) -> int:
    """Count the lines in quarantine."""
    try:
        with (directory / QUARANTINE).open("rb") as file:
            return sum(1 for _line in file)
    except OSError:
        return 0


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _read(descriptor: int) -> bytes:
    with os.fdopen(os.dup(descriptor), "rb") as file:
        file.seek(0)
        return file.read()
