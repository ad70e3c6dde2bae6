"""The Flask extensions of the shop, bound to the app in :func:`example_store.create_app`."""

from __future__ import annotations

import sqlite3
from typing import Any

from flask import Flask, g, has_app_context
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import Connection, event
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    """Base of the shop's tables."""


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
csrf = CSRFProtect()
login = LoginManager()
login.login_view = "account.login"
login.login_message = "Please sign in to see this page."
login.login_message_category = "notice"


def prepare_sqlite(app: Flask) -> None:
    """Make SQLite keep transactions as PostgreSQL does. Other databases are left alone."""
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _on_connect)
            event.listen(db.engine, "begin", _on_begin)


def _on_connect(connection: sqlite3.Connection, _record: Any) -> None:
    # The driver's own BEGIN comes too late for savepoints: after an outer rollback their rows stay.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "busy_timeout=5000",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _on_begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when somebody wrote in between.
    writes = has_app_context() and g.get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def announce_writing() -> None:
    """Say that the next transaction of this request is going to write, before it begins.

    A transaction that has only read so far is ended: what it has seen may be old by now.
    """
    if not (db.session.new or db.session.dirty or db.session.deleted):
        db.session.rollback()
    g.writes = True


def _on_end(_session: Any) -> None:
    # What follows a commit in a request is the page, which only reads.
    if has_app_context():
        g.pop("writes", None)


event.listen(db.session, "after_commit", _on_end)
event.listen(db.session, "after_rollback", _on_end)
