"""From memory to the database: in batches, each event once, none in the way of the rest."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ..rules.redact import mask_text
from ..services.runtime import Runtime
from ..services.unit import Database
from ..types import Event
from . import lines
from .engine import Breaker, NotConnectedError
from .leftovers import put_in_quarantine
from .packing import Packed, unpack
from .spool import Receipt, Spool, Step

log = logging.getLogger(__name__)

BATCH: Final = 50
TRIES: Final = 3

Record = Callable[[Runtime, Sequence[Event], Database | None], int]
_keys = itertools.count()


@dataclass(slots=True, eq=False)
class Captured:
    """An event that the database doesn't have yet.

    Args:
        content: the event, or the signal that will be one when it is inserted.
        receipt: where it lies in the spool; ``None`` when the disk didn't take it.
        scope: the request that has to be over first.
        context: the app context that has to be over first.
        gathers: it waits for others, and no request inserts it.
    """

    content: Event | Packed
    receipt: Receipt | None
    scope: Any = None
    context: object | None = None
    gathers: bool = False
    tries: int = 0
    key: int = field(default_factory=_keys.__next__)


class Inserter:
    """Holds what is waiting, and inserts it.

    Args:
        record: writes events in one transaction, each once.
        wake: asks for work beside the request, when the database has failed.
    """

    def __init__(
        self,
        runtime: Runtime,
        spool: Spool,
        record: Record,
        wake: Callable[[], None],
        step: Step | None = None,
    ) -> None:
        self.waiting: dict[int, Captured] = {}
        self.breaker = Breaker()
        self.lost = 0
        self._runtime = runtime
        self._spool = spool
        self._record = record
        self._wake = wake
        self._step = step
        self._busy = 0
        self._settled = threading.Condition()

    def insert(self, batch: Sequence[Captured], database: Database) -> int:
        """Insert what is still waiting of ``batch``; how many are in the database now.

        What could not be inserted goes on waiting. Never raises an ``Exception`` of the database.
        """
        # Popped one by one, so that of two threads only one inserts an event.
        taken = [one for one in batch if self.waiting.pop(one.key, None) is not None]
        if not taken:
            return 0
        with self._settled:
            self._busy += 1
        done: list[Captured] = []
        try:
            self._insert(taken, database, done)
        finally:
            kept = {one.key: one for one in taken if one not in done}
            self.waiting.update(kept)
            with self._settled:
                self._busy -= 1
                self._settled.notify_all()
        return len(done)

    def wait_for_others(self, seconds: float) -> None:
        """Wait until no thread is inserting, at most ``seconds``."""
        with self._settled:
            self._settled.wait_for(lambda: not self._busy, timeout=seconds)

    def _insert(self, taken: list[Captured], database: Database, done: list[Captured]) -> None:
        try:
            self._write(taken, database)
        except Exception as error:  # noqa: BLE001 - whatever it is, the events must not be dropped
            if is_transient(error):
                self._failed(error)
            elif len(taken) == 1:
                self._refused(taken[0], error, done)
            else:
                for one in taken:
                    self._insert([one], database, done)
            return
        done.extend(taken)

    def _write(self, batch: list[Captured], database: Database) -> None:
        self._stepped("insert:before")
        self._record(self._runtime, [event_of(one.content) for one in batch], database)
        self._stepped("insert:committed")
        self.breaker.succeeded()
        self._spool.acknowledge(one.receipt for one in batch if one.receipt is not None)
        self._stepped("ack:done")

    def _failed(self, error: Exception) -> None:
        if isinstance(error, PoolTimeoutError):
            return
        if not isinstance(error, NotConnectedError):
            self.breaker.failed(error)
            log.warning("captured events wait for the database: %s", reason_of(error))
        self._wake()

    def _refused(self, one: Captured, error: Exception, done: list[Captured]) -> None:
        """The database refuses this very event: set it aside, or it would be tried for ever."""
        one.tries += 1
        if isinstance(error, IntegrityError) and one.tries < TRIES:
            return
        done.append(one)
        log.error("an event can't be stored (%s): %s", reason_of(error), describe(one.content))
        if not set_aside(self._spool.directory, one.content, error):
            # Its line in the spool, if it has one, stays for the drain.
            self.lost += one.receipt is None
        elif one.receipt is not None:
            self._spool.acknowledge([one.receipt])

    def _stepped(self, name: str) -> None:
        if self._step is not None:
            self._step(name)


def is_transient(error: BaseException) -> bool:
    """Whether the same insert may work later: everything but what the event itself causes."""
    if isinstance(error, (DataError, IntegrityError)):
        return False
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        # A value that could not even be bound.
        return False
    return isinstance(error, (SQLAlchemyError, NotConnectedError, OSError))


def set_aside(directory: Path, content: Event | Packed, error: BaseException) -> bool:
    """Put an event that can't be stored into the quarantine; false if the disk refuses it."""
    try:
        line = lines.event_line(0, 0, content).strip()
        put_in_quarantine(directory, line, reason_of(error), "insert")
    except (OSError, ValueError, TypeError):
        log.exception("the quarantine took no event")
        return False
    return True


def reason_of(error: BaseException) -> str:
    """Return what went wrong, masked: a driver's message may quote the data."""
    return mask_text(f"{type(error).__name__}: {error}"[:300])


def event_of(content: Event | Packed) -> Event:
    """Return the event that was captured."""
    return content if isinstance(content, Event) else unpack(content)


def describe(content: Event | Packed) -> str:
    """Return an event for a log; what is in it was masked when it was captured."""
    shown = lines.as_json(content) if isinstance(content, Event) else content
    return mask_text(str(shown)[:4000])
