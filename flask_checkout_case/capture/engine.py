"""The small engine of capture: never waits long, never connects within a request."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry, QueuePool, StaticPool

from ..services.unit import Database, is_memory_sqlite, take_over_sqlite_transactions

POOL_SIZE: Final = 2
POOL_TIMEOUT: Final = 0.1
SQLITE_BUSY_MS: Final = 50
LOCK_TIMEOUT_MS: Final = 100
STATEMENT_TIMEOUT_MS: Final = 300
CONNECT_TIMEOUT: Final = 2
DEADLINE: Final = 0.4
"""Seconds without an answer after which a connection of a request's end is cut off.

Longer than the server's own time-outs: those end what is only slow, and keep the connection.
"""

_LIBPQ: Final = frozenset({"psycopg", "psycopg2", "psycopg2cffi"})
_KEPT: Final = frozenset(
    {"connect_args", "json_serializer", "json_deserializer", "execution_options", "pool_recycle"}
)

_off_request: ContextVar[bool] = ContextVar("checkout_case_off_request", default=False)


class NotConnectedError(Exception):
    """There is no open connection, and a request must not wait for one."""


@contextlib.contextmanager
def off_request() -> Iterator[None]:
    """Within this block nobody waits for a response: connecting is allowed, nothing is cut off."""
    token = _off_request.set(True)
    try:
        yield
    finally:
        _off_request.reset(token)


class CaptureDatabase(Database):
    """Sessions for capture, on an engine of its own.

    Args:
        shop_engine: the shop's, for its URL; an in-memory SQLite database is shared with it.
        shop_options: what the shop gave ``create_engine`` (``SQLALCHEMY_ENGINE_OPTIONS``).
    """

    def __init__(self, shop_engine: Engine, shop_options: Mapping[str, Any]) -> None:
        self.deadline = DEADLINE
        self.in_memory = is_memory_sqlite(shop_engine.url)
        self.is_postgresql = shop_engine.dialect.name == "postgresql"
        self._shop_engine = shop_engine
        self._watchdog = Watchdog()
        options = {key: value for key, value in shop_options.items() if key in _KEPT}
        super().__init__(lambda: self._make(shop_engine.url, options))

    @property
    def may_insert(self) -> bool:
        """Whether a commit of ours leaves the shop's uncommitted rows alone."""
        if not self.in_memory:
            return True
        pool = self._shop_engine.pool
        if not isinstance(pool, StaticPool):
            return False
        # Never checked out here: giving it back would roll the shop's transaction back.
        shared: Any = pool.connection.dbapi_connection
        return not shared.in_transaction

    @property
    def is_connected(self) -> bool:
        """Whether an insert needs no new connection. SQLite's are but files."""
        if not self.is_postgresql:
            return True
        pool = self.engine.pool
        return isinstance(pool, QueuePool) and pool.checkedin() > 0

    def connect(self, *, afresh: bool = False) -> None:
        """Open what the pool may hold and isn't in use, and leave it there, ready.

        Both at once: while one thread catches up by the first, requests need the other.

        Args:
            afresh: drop those that are there; after a failover they lead to the old server.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database isn't there.
        """
        if afresh and not self.in_memory:
            self.engine.dispose()
        pool = self.engine.pool
        free = POOL_SIZE - pool.checkedout() if isinstance(pool, QueuePool) else 1
        wanted = free if self.is_postgresql else 1
        with off_request(), contextlib.ExitStack() as opened:
            for _ in range(max(1, wanted)):
                connection = opened.enter_context(self.engine.connect())
                connection.exec_driver_sql("SELECT 1")

    def forget_after_fork(self) -> None:
        """Drop the parent's connections in a child without a word to the server."""
        self._watchdog.forget_after_fork()
        super().forget_after_fork()

    def _make(self, url: URL, options: dict[str, Any]) -> Engine:
        if self.in_memory:
            return self._shop_engine
        options |= {"pool_size": POOL_SIZE, "max_overflow": 0, "pool_timeout": POOL_TIMEOUT}
        if not self.is_postgresql:
            engine = create_engine(url, poolclass=QueuePool, hide_parameters=True, **options)
            if url.get_backend_name() == "sqlite":
                take_over_sqlite_transactions(engine, SQLITE_BUSY_MS)
            return engine
        driver = url.get_driver_name()
        if driver in _LIBPQ:
            options["connect_args"] = _with_timeouts(url, options.get("connect_args") or {})
        engine = create_engine(url, poolclass=QueuePool, hide_parameters=True, **options)
        if driver not in _LIBPQ:
            event.listen(engine, "connect", _set_timeouts)
        event.listen(engine, "do_connect", _refuse_within_request)
        self._watch(engine)
        return engine

    def _watch(self, engine: Engine) -> None:
        watchdog = self._watchdog

        def checkout(connection: Any, record: ConnectionPoolEntry, _proxy: Any) -> None:
            if not _off_request.get() and hasattr(connection, "fileno"):
                record.info["watched"] = watchdog.guard(connection.fileno())

        def checkin(_connection: Any, record: ConnectionPoolEntry) -> None:
            watched = record.info.pop("watched", None)
            if watched is not None:
                watchdog.release(watched)

        def talks(connection: Connection, *_arguments: Any) -> None:
            # The rollback after a cut has no connection to look at any more.
            if not connection.invalidated:
                watchdog.expect(connection.info.get("watched"), self.deadline)

        def answered(connection: Connection, *_arguments: Any) -> None:
            watchdog.expect(connection.info.get("watched"), None)

        event.listen(engine, "checkout", checkout)
        event.listen(engine, "checkin", checkin)
        for name in ("before_cursor_execute", "commit", "rollback"):
            event.listen(engine, name, talks)
        event.listen(engine, "after_cursor_execute", answered)


def _refuse_within_request(*_arguments: Any) -> None:
    if not _off_request.get():
        raise NotConnectedError


def _with_timeouts(url: URL, connect_args: Mapping[str, Any]) -> dict[str, Any]:
    given = connect_args.get("options") or url.query.get("options") or ""
    text = given if isinstance(given, str) else " ".join(given)
    limits = f"-c lock_timeout={LOCK_TIMEOUT_MS} -c statement_timeout={STATEMENT_TIMEOUT_MS}"
    return {
        "connect_timeout": CONNECT_TIMEOUT,
        "tcp_user_timeout": 1000 * CONNECT_TIMEOUT,
        **connect_args,
        "options": f"{text} {limits}".strip(),
    }


def _set_timeouts(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    cursor.execute(f"SET SESSION lock_timeout = {LOCK_TIMEOUT_MS}")
    cursor.execute(f"SET SESSION statement_timeout = {STATEMENT_TIMEOUT_MS}")
    cursor.close()
    connection.commit()


class Watchdog:
    """Cuts connections off that answer no more.

    The server's time-outs don't help when the server or the network is what hangs. One thread,
    asleep unless inserts are under way; shutting the socket down wakes whoever reads from it.
    """

    TICK: Final = 0.02
    _IDLE: Final = 1.0

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._guarded: dict[int, float | None] = {}
        self._thread: threading.Thread | None = None
        self._sleeping = False

    def guard(self, descriptor: int) -> int:
        """Keep an eye on the socket ``descriptor`` until it is released by the returned handle."""
        # A number of our own: the connection's may belong to another file by then.
        handle = os.dup(descriptor)
        with self._condition:
            self._guarded[handle] = None
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="checkout-case-watchdog", daemon=True
                )
                self._thread.start()
            elif self._sleeping:
                self._condition.notify()
        return handle

    def expect(self, handle: int | None, seconds: float | None) -> None:
        """Expect an answer within ``seconds`` from now; ``None``: none is due."""
        if handle is not None and handle in self._guarded:
            self._guarded[handle] = None if seconds is None else time.monotonic() + seconds

    def release(self, handle: int) -> None:
        with self._condition:
            if handle in self._guarded:
                del self._guarded[handle]
                os.close(handle)

    def forget_after_fork(self) -> None:
        """Start anew in a child: the thread stayed with the parent."""
        for handle in self._guarded:
            os.close(handle)
        self._condition = threading.Condition()
        self._guarded, self._thread, self._sleeping = {}, None, False

    def _run(self) -> None:
        last = time.monotonic()
        with self._condition:
            while True:
                now = time.monotonic()
                if self._guarded:
                    last = now
                for handle, due in list(self._guarded.items()):
                    if due is not None and due <= now:
                        del self._guarded[handle]
                        _cut_off(handle)
                self._sleeping = not self._guarded and now - last > self._IDLE
                self._condition.wait(None if self._sleeping else self.TICK)


def _cut_off(handle: int) -> None:
    with contextlib.suppress(OSError), socket.socket(fileno=handle) as connection:
        connection.shutdown(socket.SHUT_RDWR)


class Breaker:
    """Keeps requests away from a database that has just failed.

    Closed it lets inserts through. A failure opens it for a second, each failed probe for twice as
    long, up to half a minute. Probes happen off the request, by :meth:`probe_due`.
    """

    FIRST: Final = 1.0
    LONGEST: Final = 30.0

    def __init__(self) -> None:
        self._pause = self.FIRST
        self._until: float | None = None
        self.last_error: str | None = None

    @property
    def is_open(self) -> bool:
        return self._until is not None

    @property
    def probe_due(self) -> bool:
        return self._until is not None and time.monotonic() >= self._until

    def failed(self, error: BaseException) -> None:
        self.last_error = type(error).__name__
        if self._until is not None:
            if not self.probe_due:
                # Several threads met the same failure at once: that is one.
                return
            self._pause = min(self._pause * 2, self.LONGEST)
        self._until = time.monotonic() + self._pause

    def succeeded(self) -> None:
        self._until, self._pause, self.last_error = None, self.FIRST, None
