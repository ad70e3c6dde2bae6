"""The smallest real shop: Flask, Flask-SQLAlchemy, and the extension on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from flask_checkout_case import CheckoutCase
from flask_checkout_case.capture.recorder import SpoolRecorder

from .waiting import wait_until


@dataclass(frozen=True)
class Shop:
    """An app with its database and the extension, tables created."""

    app: Flask
    db: SQLAlchemy
    cases: CheckoutCase
    database_url: str


def build_shop(database_url: str, home: Path, *, create_tables: bool = True, **config: Any) -> Shop:
    """Make a shop whose files all lie below ``home``.

    Args:
        database_url: SQLAlchemy URL of an empty database.
        home: the app's instance folder; the spool lies in it.
        create_tables: whether ``db.create_all()`` is run.
        config: configuration keys; they override the ones set here.
    """
    app = Flask("shop", instance_path=str(home))
    app.config.update(
        SECRET_KEY="test-secret",
        SQLALCHEMY_DATABASE_URI=database_url,
        TESTING=True,
        **config,
    )
    db = SQLAlchemy()
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            let_sqlalchemy_begin(db.engine)
    cases = CheckoutCase()
    cases.init_app(app, db)
    if create_tables:
        with app.app_context():
            db.create_all()
    return Shop(app, db, cases, database_url)


def dispose(shop: Shop) -> None:
    """Close every file and connection of the shop, its own and ours."""
    runtime = shop.app.extensions["checkout_case"]
    recorder = runtime.recorder
    if isinstance(recorder, SpoolRecorder):
        wait_until(lambda: not recorder.background._running, what="the thread beside the requests")
        recorder.database.dispose()
        recorder.spool.close()
    runtime.database.dispose()
    with shop.app.app_context():
        shop.db.session.remove()
        for engine in shop.db.engines.values():
            engine.dispose()


def let_sqlalchemy_begin(engine: Engine) -> None:
    """Switch the SQLite driver's BEGIN off: an outer rollback then takes savepoints along."""

    @event.listens_for(engine, "connect")
    def without_driver_transactions(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN")
