"""Bringing what lies unacknowledged in the spool into the database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from sqlalchemy.exc import IntegrityError

from ..types import Event
from .inserter import TRIES, describe, is_transient, reason_of
from .leftovers import Leftover, Leftovers
from .lines import BadLine, SpooledEvent
from .spool import Spool, Step

log = logging.getLogger(__name__)

TOGETHER: Final = 10
"""Events of one transaction: the shop waits for a long one, where one writes at a time."""

Write = Callable[[Sequence[Event]], object]


class _DatabaseAwayError(Exception):
    """The rest has to wait."""


class Drain:
    """One pass over a spool directory.

    Args:
        write: inserts events in one transaction, each once.
        resting: is entered for each batch, and lets others write after it.
        own: this process's spool, which has to know what was settled for it.
    """

    def __init__(
        self,
        leftovers: Leftovers,
        own: Spool,
        write: Write,
        resting: Callable[[], AbstractContextManager[None]] = nullcontext,
        step: Step | None = None,
    ) -> None:
        self._leftovers = leftovers
        self._own = own
        self._write = write
        self._resting = resting
        self._step = step

    def run(self, only: Collection[Path] | None = None) -> int | None:
        """Drain the files; the number of events, ``None`` when another drain is at work.

        What the database doesn't take now stays.

        Args:
            only: these alone.
        """
        count = 0
        with self._leftovers.alone() as alone:
            if not alone:
                return None
            for path in self._leftovers.files():
                if only is not None and path not in only:
                    continue
                try:
                    with self._leftovers.opened(path) as leftover:
                        if leftover is not None:
                            count += self._drain(leftover)
                except _DatabaseAwayError:
                    break
                except OSError:
                    log.exception("the spool file %s could not be drained", path.name)
        return count

    def _drain(self, leftover: Leftover) -> int:
        events = leftover.content.events
        if leftover.alive:
            # Another process's drain may have brought in what is ours.
            self._own.settled_elsewhere(leftover.path, leftover.content.acknowledged)
        refused: list[BadLine] = []
        for start in range(0, len(events), TOGETHER):
            batch = events[start : start + TOGETHER]
            with self._resting():
                refused += self._insert(batch)
            self._stepped("drain:inserted")
            self._settle(leftover, batch, refused)
            self._stepped("drain:acknowledged")
        bad = [*leftover.content.bad, *refused]
        if bad:
            self._leftovers.quarantine(leftover, bad)
        if not leftover.alive:
            self._leftovers.remove(leftover)
        return len(events) - len(refused)

    def _settle(
        self, leftover: Leftover, batch: list[SpooledEvent], refused: list[BadLine]
    ) -> None:
        offsets = {line.offset for line in refused}
        numbers = [one.number for one in batch if one.offset not in offsets]
        if numbers:
            leftover.acknowledge(numbers)
        if leftover.alive:
            self._own.settled_elsewhere(leftover.path, numbers)

    def _insert(self, batch: list[SpooledEvent]) -> list[BadLine]:
        try:
            self._write([one.event for one in batch])
        except Exception as error:
            if is_transient(error):
                log.warning("the spool waits for the database: %s", type(error).__name__)
                raise _DatabaseAwayError from error
            return [bad for one in batch if (bad := self._insert_single(one))]
        return []

    def _insert_single(self, spooled: SpooledEvent) -> BadLine | None:
        for attempt in range(TRIES):
            try:
                self._write([spooled.event])
            except Exception as error:
                if is_transient(error):
                    raise _DatabaseAwayError from error
                if isinstance(error, IntegrityError) and attempt + 1 < TRIES:
                    continue
                log.error(  # noqa: TRY400 - the traceback may quote the data
                    "an event can't be stored (%s): %s", reason_of(error), describe(spooled.event)
                )
                return BadLine(spooled.offset, spooled.line, reason_of(error))
            break
        return None

    def _stepped(self, name: str) -> None:
        if self._step is not None:
            self._step(name)
