"""The ordinary engine of pages and jobs, and the only commit of the package."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

WRITE_FLAG: Final = "checkout_case_write"
SQLITE_BUSY_MS: Final = 5000
_LONGEST_REST: Final = 0.25


def is_memory_sqlite(url: URL) -> bool:
    """Whether ``url`` names an SQLite database that lives in this process alone."""
    if url.get_backend_name() != "sqlite":
        return False
    name = url.database or ""
    return name in ("", ":memory:") or "mode=memory" in str(url)


def take_over_sqlite_transactions(engine: Engine, busy_ms: int = SQLITE_BUSY_MS) -> None:
    """Let SQLAlchemy say BEGIN: the driver's own leaves savepoints outside of any transaction.

    Writers begin IMMEDIATE, so that a reader's snapshot never has to be upgraded (which fails at
    once, whatever the busy timeout).
    """

    @event.listens_for(engine, "connect")
    def _connect(dbapi_connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
        dbapi_connection.isolation_level = None
        cursor = dbapi_connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {int(busy_ms)}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        write = connection.get_execution_options().get(WRITE_FLAG, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


class Database:
    """Sessions of our own, never the shop's.

    Args:
        make_engine: gives the engine at first use, so that start-up needs no database.
    """

    def __init__(self, make_engine: Callable[[], Engine]) -> None:
        self._make_engine = make_engine
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        if self._engine is None:
            self._engine = self._make_engine()
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with Session(self.engine, autoflush=False, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def glancing(self) -> Iterator[Connection]:
        """A connection for one statement, where its own beginning and end would cost more than it.

        SQLite keeps its transaction: it costs no way to a server, and leaving it out would give
        the driver its own transactions back.
        """
        engine = self.engine
        if engine.dialect.name != "sqlite":
            engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Session]:
        engine = self.engine.execution_options(**{WRITE_FLAG: True})
        with Session(engine, autoflush=False, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def letting_others_write(self) -> Iterator[None]:
        """Stay away afterwards for as long as the block took, where one writes at a time.

        Who waits for SQLite's lock tries again now and then: to whoever writes without a rest, the
        shop's own requests lose.
        """
        began = time.monotonic()
        yield
        if self.engine.dialect.name == "sqlite":
            time.sleep(min(time.monotonic() - began, _LONGEST_REST))

    def dispose(self) -> None:
        """Close all connections."""
        if self._engine is not None:
            self._engine.dispose()

    def forget_after_fork(self) -> None:
        """Drop connections inherited from the parent, which goes on using them, without a word.

        Closing them would say goodbye to the server in the parent's name.
        """
        if self._engine is not None and not is_memory_sqlite(self._engine.url):
            self._engine.dispose(close=False)


def make_own_engine(shop_engine: Engine, shop_options: dict[str, Any]) -> Engine:
    """Make the engine of pages and jobs from the shop's URL; an in-memory SQLite is shared.

    What customers wrote stays out of error messages, and so out of logs.
    """
    if is_memory_sqlite(shop_engine.url):
        return shop_engine
    kept = {"connect_args", "json_serializer", "json_deserializer", "execution_options"}
    options = {key: value for key, value in shop_options.items() if key in kept}
    if shop_engine.url.get_backend_name() == "sqlite":
        engine = create_engine(shop_engine.url, hide_parameters=True, **options)
        take_over_sqlite_transactions(engine)
        return engine
    return create_engine(
        shop_engine.url,
        pool_size=4,
        max_overflow=4,
        pool_timeout=5,
        pool_pre_ping=True,
        hide_parameters=True,
        **options,
    )
