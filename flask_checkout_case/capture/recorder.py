"""What happens to an event: written to the spool at once, to the database when the shop is done."""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from flask import has_app_context, has_request_context
from flask.globals import app_ctx
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from ..services.runtime import Runtime
from ..services.watching import NAME as GATHERED
from ..types import Event
from .background import Background
from .drain import Drain
from .engine import CaptureDatabase, off_request
from .flood import Flood
from .inserter import BATCH, Captured, Inserter, Record, describe
from .leftovers import Leftovers, quarantined
from .packing import Packed
from .spool import Receipt, Spool, Step

log = logging.getLogger(__name__)

IN_MEMORY: Final = 10_000
"""Events kept in memory while the database is away; the rest is in the spool alone."""
OVERDUE: Final = 300.0
GATHERED_FOR: Final = 1.0
"""Seconds for which what browsers tell waits for more of it: one transaction for all."""
_PATIENCE: Final = 5.0
_LOOK_AGAIN: Final = 0.05


@dataclass(slots=True, eq=False)
class Scope:
    """One request of one app. ``returned``: its view is done, only the body may still be sent."""

    recorder: SpoolRecorder
    outer: Scope | None
    returned: bool = False


current_scope: ContextVar[Scope | None] = ContextVar("checkout_case_scope", default=None)


class SpoolRecorder:
    """Captures the events of one app.

    Args:
        record: writes events in one transaction, each once.
        direct: insert at once instead of spooling (``CHECKOUT_CASE_CAPTURE = "direct"``).
        step: called with the name of each step; the fault tests' way in.
    """

    def __init__(
        self,
        runtime: Runtime,
        spool: Spool,
        database: CaptureDatabase,
        record: Record,
        *,
        direct: bool = False,
        step: Step | None = None,
    ) -> None:
        self.runtime = runtime
        self.spool = spool
        self.database = database
        self.leftovers = Leftovers(spool.directory, step=step)
        self._record = record
        self._direct = direct
        self._step = step
        self._spool_error: str | None = None
        self._flood = Flood()
        self._left = False
        self._begin()
        _recorders.add(self)

    def _begin(self) -> None:
        self._taking_back = threading.Lock()
        self.background = Background(self._work_off_request)
        self.inserter = Inserter(
            self.runtime, self.spool, self._record, self.background.wake, self._step
        )

    # --- capturing ---

    def capture(self, content: Event | Packed) -> None:
        """Keep an event, or a signal; never raises, never touches the shop's session."""
        try:
            self._capture(content)
        except Exception:
            log.exception("an event could not be captured: %s", describe(content))

    def _capture(self, content: Event | Packed) -> None:
        gathers = isinstance(content, Event) and content.name == GATHERED and not self._direct
        scope = None if gathers else self._scope()
        context = None if scope or gathers or not has_app_context() else _context()
        receipt = None if self._direct else self._spooled(content)
        flooded = receipt is not None and self._flood.takes(content)
        self._left |= flooded
        captured = Captured(content, receipt, scope, context, gathers)
        waiting = self.inserter.waiting
        if receipt is None or (len(waiting) < IN_MEMORY and not flooded):
            waiting[captured.key] = captured
        if self._left and not self._flood.is_on:
            self.background.wake()
        if self._direct:
            self._insert_at_once(captured)
        elif gathers and not self.database.in_memory:
            self.background.wake(within=GATHERED_FOR)

    def _spooled(self, content: Event | Packed) -> Receipt | None:
        try:
            receipt = self.spool.append(content)
        except (OSError, ValueError, TypeError) as error:
            self._spool_error = f"{type(error).__name__}: {error}"
            log.error(  # noqa: TRY400 - a full disk is no place for tracebacks
                "the spool took no event (%s): %s", self._spool_error, describe(content)
            )
            return None
        self._spool_error = None
        return receipt

    def _insert_at_once(self, captured: Captured) -> None:
        with off_request():
            if self.inserter.breaker.is_open:
                self.background.wake()
            else:
                self.inserter.insert([captured], self.database)
        if captured.key in self.inserter.waiting:
            log.error("an event is in memory alone: %s", describe(captured.content))

    def _scope(self) -> Scope | None:
        scope = current_scope.get()
        while scope is not None and scope.recorder is not self:
            scope = scope.outer
        # Nobody may ever close a body whose request is over: a test client doesn't.
        if scope is not None and scope.returned and not has_request_context():
            return None
        return scope

    # --- when the shop is done ---

    def begin_request(self) -> Scope:
        outer = current_scope.get()
        while outer is not None and outer.returned:
            outer = outer.outer
        scope = Scope(self, outer)
        current_scope.set(scope)
        return scope

    def end_request(self, scope: Scope) -> None:
        """The response is out. Never raises."""
        try:
            scope.returned = True
            if current_scope.get() is scope:
                current_scope.set(scope.outer)
            if self.inserter.waiting:
                self._settle(scope)
            elif not self.database.is_connected:
                self._connect_later()
        except Exception:
            log.exception("captured events could not be inserted; the spool has them")

    def _settle(self, scope: Scope) -> None:
        if self.database.in_memory:
            return
        if self.inserter.breaker.is_open:
            self.background.wake()
            return
        self.inserter.insert(self._free(scope), self.database)

    def end_context(self, _error: BaseException | None = None) -> None:
        """An app context is over. Within a request that means nothing. Never raises."""
        try:
            waiting = self.inserter.waiting
            if not waiting or self.database.in_memory or self._scope() is not None:
                return
            context = _context()
            batch = []
            for one in list(waiting.values()):
                if one.context is context:
                    one.context = None
                if one.scope is None and one.context is None and not one.gathers:
                    batch.append(one)
            if batch:
                self._settle_outside(batch)
        except Exception:
            log.exception("captured events could not be inserted; the spool has them")

    def _settle_outside(self, batch: list[Captured]) -> None:
        breaker = self.inserter.breaker
        with off_request():
            # Opening a file costs nothing, and an outer context may have held the lock.
            if not breaker.is_open or breaker.probe_due or not self.database.is_postgresql:
                self.inserter.insert(batch[:BATCH], self.database)
            if any(one.key in self.inserter.waiting for one in batch):
                self.spool.sync()

    def _free(self, scope: Scope | None = None) -> list[Captured]:
        """Give what has nothing of the shop's to wait for any more, oldest first."""
        waiting = self.inserter.waiting
        found = []
        for key in sorted(waiting.copy()):
            one = waiting.get(key)
            if one is None or one.context is not None or one.gathers:
                continue
            if one.scope is None or one.scope is scope or one.scope.returned:
                found.append(one)
                if len(found) == BATCH:
                    break
        return found

    # --- beside the request ---

    def _connect_later(self) -> None:
        breaker = self.inserter.breaker
        if not breaker.is_open or breaker.probe_due:
            self.background.wake()

    def _work_off_request(self) -> None:
        """Secure the spool, see whether the database is there, and bring it what is waiting."""
        breaker = self.inserter.breaker
        with off_request():
            if breaker.is_open:
                self.spool.sync()
                if not breaker.probe_due:
                    return
            try:
                self.database.connect(afresh=breaker.is_open)
            except PoolTimeoutError:
                return
            except Exception as error:  # noqa: BLE001 - a driver may raise anything
                breaker.failed(error)
                log.warning("the database is out of reach: %s", type(error).__name__)
                return
            inserted = self._insert_free(self.database) + self._insert_gathered()
            if not inserted and not self.inserter.waiting:
                breaker.succeeded()
            if self._left and not self._flood.is_on:
                self._take_back()

    def _insert_gathered(self) -> int:
        """Insert what browsers have told; nobody waits for it, and it waits for others."""
        batch = [one for one in list(self.inserter.waiting.values()) if one.gathers]
        database = self.runtime.database
        return sum(
            self.inserter.insert(batch[start : start + BATCH], database)
            for start in range(0, len(batch), BATCH)
        )

    def _insert_free(self, database: Any) -> int:
        count = 0
        while batch := self._free():
            inserted = self.inserter.insert(batch, database)
            if not inserted:
                break
            count += inserted
        return count

    def _take_back(self) -> int | None:
        """Insert what a flood has left to the worker; ``None`` when the worker is at it already."""
        with self._taking_back:
            if not self._left:
                return 0
            # Before, not after: what comes meanwhile says so itself.
            self._left = False
            own = Leftovers(self.spool.directory, grace_ms=0, step=self._step)
            done = self._drain_of(own).run(only=self.spool.paths)
            if done is None or self.spool.outstanding > len(self.inserter.waiting):
                self._left = True
            return done

    def _drain_of(self, leftovers: Leftovers) -> Drain:
        database = self.runtime.database
        return Drain(
            leftovers,
            self.spool,
            lambda events: self._record(self.runtime, events, database),
            database.letting_others_write,
            self._step,
        )

    def flush(self) -> int:
        """Make what this process has captured durable in the database now; the number of events.

        Call it outside a transaction: on SQLite the shop's own lock keeps everybody out.
        """
        self.inserter.wait_for_others(seconds=5)
        if not self.database.may_insert:
            return 0
        count = 0
        with off_request():
            while batch := list(self.inserter.waiting.values())[:BATCH]:
                inserted = self.inserter.insert(batch, self.database)
                if not inserted:
                    break
                count += inserted
            until = time.monotonic() + _PATIENCE
            while not self.inserter.breaker.is_open and time.monotonic() < until:
                done = self._take_back()
                if done is not None:
                    count += done
                    break
                time.sleep(_LOOK_AGAIN)
        return count

    def drain(self) -> int:
        """Insert what no process has acknowledged, also of dead ones; the number of events.

        Of other living processes it takes what is older than a few seconds.
        """
        if not self.database.may_insert:
            return 0
        with off_request():
            count = self._insert_free(self.runtime.database) + self._insert_gathered()
            return count + (self._drain_of(self.leftovers).run() or 0)

    def close(self) -> None:
        """Close the connections; what was captured stays in the spool."""
        self.database.dispose()

    def forget_after_fork(self) -> None:
        """A child starts with nothing: the parent looks after what it has captured."""
        self.database.forget_after_fork()
        self.runtime.database.forget_after_fork()
        self._begin()

    # --- health ---

    def health(self) -> dict[str, Any]:
        """Return figures for the health page; ``ok`` is false when somebody should look.

        ``unacknowledged``: events that the database doesn't have yet, of all processes here.
        ``in_memory_alone``: those that the disk didn't take either. ``quarantined``: lines that
        could not be read or stored, and wait for a person.
        """
        inserter = self.inserter
        backlog, age = self.leftovers.backlog()
        alone = sum(1 for one in list(inserter.waiting.values()) if one.receipt is None)
        refused = quarantined(self.spool.directory)
        spool_error = None if self._direct else self.spool.check_writable() or self._spool_error
        is_open = inserter.breaker.is_open
        return {
            "ok": not (
                spool_error or refused or alone or inserter.lost or is_open or age > OVERDUE
            ),
            "mode": "direct" if self._direct else "spool",
            "spool_error": spool_error,
            "unacknowledged": backlog + alone,
            "oldest_seconds": round(age, 1),
            "in_memory_alone": alone,
            "lost": inserter.lost,
            "quarantined": refused,
            "breaker": "open" if is_open else "closed",
            "last_error": inserter.breaker.last_error,
        }


def _context() -> object:
    return app_ctx._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001


_recorders: weakref.WeakSet[SpoolRecorder] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for recorder in list(_recorders):
        recorder.forget_after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)
