"""Where the objects of the local Stripe are kept: SQLite, in memory or in a file."""

from __future__ import annotations

import json
import secrets
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS object (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE TABLE IF NOT EXISTS idempotency (
    key TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, status INTEGER, body TEXT, at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, endpoint TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL, status INTEGER,
    done INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (done, due);
"""


def new_id(prefix: str) -> str:
    """Make an identifier of Stripe's form: ``pi_3`` and 22 letters and digits."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return f"{prefix}_" + "".join(secrets.choice(alphabet) for _ in range(24))


class Store:
    """All state of one local Stripe, behind one lock; safe to use from several threads."""

    def __init__(self, path: str | None = None) -> None:
        self._lock = threading.RLock()
        self._db = sqlite3.connect(path or ":memory:", check_same_thread=False)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the state still while one request changes it; each change commits at its end."""
        with self._lock, self._db:
            yield

    def put(self, body: Json) -> Json:
        """Keep an object under its ``id``, whether it is new or not."""
        with self.exclusive():
            self._db.execute(
                "INSERT INTO object (id, kind, body) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET body = excluded.body",
                (body["id"], body["object"], json.dumps(body)),
            )
        return body

    def get(self, kind: str, ident: str) -> Json | None:
        with self._lock:
            row = self._db.execute(
                "SELECT body FROM object WHERE id = ? AND kind = ?", (ident, kind)
            ).fetchone()
        return json.loads(row["body"]) if row else None

    def all(self, kind: str) -> list[Json]:
        """Return every object of a kind, newest first."""
        with self._lock:
            rows = self._db.execute(
                "SELECT body FROM object WHERE kind = ? ORDER BY seq DESC", (kind,)
            ).fetchall()
        return [json.loads(row["body"]) for row in rows]

    def begin(self, key: str, fingerprint: str) -> tuple[str, int | None, str | None]:
        """Claim an idempotency key.

        Returns:
            ``("new", None, None)`` when the caller is to do the work, ``("same", status, body)``
            with the earlier answer, ``("other", …)`` when the key was used with other parameters,
            ``("busy", …)`` while the first request still runs.
        """
        with self.exclusive():
            self._db.execute("DELETE FROM idempotency WHERE at < ?", (time.time() - 86_400,))
            made = self._db.execute(
                "INSERT INTO idempotency (key, fingerprint, at) VALUES (?, ?, ?)"
                " ON CONFLICT (key) DO NOTHING",
                (key, fingerprint, time.time()),
            ).rowcount
            if made:
                return "new", None, None
            row = self._db.execute("SELECT * FROM idempotency WHERE key = ?", (key,)).fetchone()
        if row["fingerprint"] != fingerprint:
            return "other", None, None
        return ("busy" if row["status"] is None else "same"), row["status"], row["body"]

    def finish(self, key: str, status: int, body: str) -> None:
        """Keep the answer for an idempotency key."""
        with self.exclusive():
            self._db.execute(
                "UPDATE idempotency SET status = ?, body = ? WHERE key = ?", (status, body, key)
            )

    def release(self, key: str) -> None:
        """Forget a claimed key: the request was refused before anything was done."""
        with self.exclusive():
            self._db.execute("DELETE FROM idempotency WHERE key = ?", (key,))

    def plan_delivery(self, event: str, endpoint: str) -> None:
        with self.exclusive():
            self._db.execute(
                "INSERT INTO delivery (event, endpoint, due) VALUES (?, ?, ?)",
                (event, endpoint, time.time()),
            )

    def due_deliveries(self, now: float) -> list[Json]:
        with self._lock:
            rows = self._db.execute(
                "SELECT * FROM delivery WHERE done = 0 AND due <= ? ORDER BY due LIMIT 50", (now,)
            ).fetchall()
        return [dict(row) for row in rows]

    def next_due(self) -> float | None:
        with self._lock:
            row = self._db.execute("SELECT min(due) AS due FROM delivery WHERE done = 0").fetchone()
        due: float | None = row["due"]
        return due

    def record_delivery(self, ident: int, status: int, due: float | None) -> None:
        """Note an attempt; ``due`` is when to try again, ``None`` when nothing is left to do."""
        with self.exclusive():
            self._db.execute(
                "UPDATE delivery SET attempts = attempts + 1, status = ?, done = ?, due = ?"
                " WHERE id = ?",
                (status, due is None, due or 0.0, ident),
            )

    def deliveries(self) -> list[Json]:
        """Return every planned delivery, oldest first."""
        with self._lock:
            rows = self._db.execute("SELECT * FROM delivery ORDER BY id").fetchall()
        return [dict(row) for row in rows]
