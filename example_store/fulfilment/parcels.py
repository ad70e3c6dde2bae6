"""Parcels and the changes they were asked for, in an SQLite file of the warehouse's own."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS parcel (
  order_ref TEXT PRIMARY KEY, stage TEXT NOT NULL, label TEXT NOT NULL, held TEXT
);
CREATE TABLE IF NOT EXISTS change (
  id TEXT PRIMARY KEY, order_ref TEXT NOT NULL, order_version TEXT, result TEXT NOT NULL,
  reason TEXT, heard INTEGER NOT NULL DEFAULT 0
);
"""
CHANGEABLE: Final = ("released", "picking", "packed")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the warehouse says to a change."""

    change_id: str
    order_version: str | None
    result: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Taken(Answer):
    """An answer as the warehouse's own page shows it."""

    order_ref: str
    heard: bool


class Parcels:
    """The warehouse's memory; each method is one transaction.

    Args:
        path: of the SQLite file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._writing() as database:
            database.executescript(_TABLES)

    def send_down(self, order_ref: str, label: Mapping[str, Any], stage: str = "released") -> None:
        """Take an order to be packed; it is there once however often it is told."""
        with self._writing() as database:
            database.execute(
                "INSERT OR IGNORE INTO parcel VALUES (?, ?, ?, NULL)",
                (order_ref, stage, json.dumps(dict(label))),
            )

    def move(self, order_ref: str, stage: str) -> bool:
        """Move a parcel on; whether it may: one that is held isn't shipped."""
        with self._writing() as database:
            moved = database.execute(
                "UPDATE parcel SET stage = ? WHERE order_ref = ?"
                " AND (held IS NULL OR ? <> 'shipped')",
                (stage, order_ref, stage),
            )
            return moved.rowcount == 1

    def hold(self, order_ref: str, change_id: str) -> None:
        with self._writing() as database:
            database.execute(
                "UPDATE parcel SET held = ? WHERE order_ref = ? AND stage <> 'shipped'",
                (change_id, order_ref),
            )

    def release(self, order_ref: str, change_id: str) -> None:
        with self._writing() as database:
            database.execute(
                "UPDATE parcel SET held = NULL WHERE order_ref = ? AND held = ?",
                (order_ref, change_id),
            )

    def take(self, data: Mapping[str, Any]) -> Answer:
        """Decide on a change and write the label anew, in one transaction and once for each id."""
        with self._writing() as database:
            known = database.execute(
                "SELECT id, order_version, result, reason FROM change WHERE id = ?",
                (data["change_id"],),
            ).fetchone()
            if known is not None:
                return Answer(*known)
            answer = self._decide(database, data)
            database.execute(
                "INSERT INTO change (id, order_ref, order_version, result, reason)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    answer.change_id,
                    data["order_ref"],
                    answer.order_version,
                    answer.result,
                    answer.reason,
                ),
            )
            return answer

    def _decide(self, database: sqlite3.Connection, data: Mapping[str, Any]) -> Answer:
        change_id, version = data["change_id"], data.get("order_version")
        row = database.execute(
            "SELECT stage, label FROM parcel WHERE order_ref = ?", (data["order_ref"],)
        ).fetchone()
        if row is None:
            # It has not come down yet: it will come with the change in it.
            return Answer(change_id, version, "accepted", None)
        stage, label = row
        if stage not in CHANGEABLE:
            return Answer(change_id, version, "rejected", f"the parcel is {stage}")
        kept = json.loads(label)
        changed = data["after"] if data["kind"] == "address" else {**kept, **data["after"]}
        stage = "cancelled" if data["kind"] == "cancel" else stage
        database.execute(
            "UPDATE parcel SET label = ?, stage = ?, held = NULL WHERE order_ref = ?",
            (json.dumps(changed), stage, data["order_ref"]),
        )
        return Answer(change_id, version, "accepted", None)

    def unheard(self) -> list[Answer]:
        """Return the answers that the shop has not confirmed to have."""
        with self._writing() as database:
            rows = database.execute(
                "SELECT id, order_version, result, reason FROM change WHERE NOT heard ORDER BY id"
            ).fetchall()
        return [Answer(*row) for row in rows]

    def newest(self, limit: int = 100) -> list[Taken]:
        """Return the changes that came last, newest first."""
        with self._writing() as database:
            rows = database.execute(
                "SELECT id, order_version, result, reason, order_ref, heard FROM change"
                " ORDER BY rowid DESC LIMIT ?",
                (limit,),
            ).fetchall()
        return [Taken(*row) for row in rows]

    def was_heard(self, change_id: str) -> None:
        with self._writing() as database:
            database.execute("UPDATE change SET heard = 1 WHERE id = ?", (change_id,))

    def label(self, order_ref: str) -> dict[str, Any] | None:
        """Return where a parcel goes."""
        with self._writing() as database:
            row = database.execute(
                "SELECT label FROM parcel WHERE order_ref = ?", (order_ref,)
            ).fetchone()
        found: dict[str, Any] | None = json.loads(row[0]) if row is not None else None
        return found

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        database = sqlite3.connect(self._path, timeout=20, isolation_level=None)
        try:
            database.execute("PRAGMA synchronous = FULL")
            database.execute("BEGIN IMMEDIATE")
            yield database
            if database.in_transaction:
                database.execute("COMMIT")
        except BaseException:
            if database.in_transaction:
                database.execute("ROLLBACK")
            raise
        finally:
            database.close()
