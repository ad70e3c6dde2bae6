"""Putting capture into an app."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Flask
from sqlalchemy.engine import URL

from ..errors import ConfigurationError
from ..services import ingest
from ..services.runtime import Runtime
from .engine import CaptureDatabase
from .inserter import Record
from .middleware import CaptureMiddleware
from .receivers import register
from .recorder import SpoolRecorder
from .spool import Spool, Step

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

SPOOL_NAME: Final = "checkout_case_spool"


def install(
    app: Flask,
    runtime: Runtime,
    db: SQLAlchemy,
    *,
    record: Record = ingest.record,
    step: Step | None = None,
) -> SpoolRecorder:
    """Let ``app`` capture: wrap its ``wsgi_app``, watch its contexts, receive its signals.

    Args:
        db: initialised for ``app``; its engine's URL and options make our own engine.
        record: what writes events to the database.
        step: called with the name of each step; the fault tests' way in.

    Raises:
        ConfigurationError: ``CHECKOUT_CASE_CAPTURE = "direct"`` without PostgreSQL.
    """
    with app.app_context():
        shop_engine = db.engine
    options = {**_given(db), **app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})}
    database = CaptureDatabase(shop_engine, options)
    direct = runtime.settings.capture == "direct"
    if direct and not database.is_postgresql:
        raise ConfigurationError(
            "CHECKOUT_CASE_CAPTURE: 'direct' needs PostgreSQL; "
            f"the database is {shop_engine.dialect.name}"
        )
    spool = Spool(_spool_directory(app, runtime) / database_mark(shop_engine.url), step=step)
    recorder = SpoolRecorder(runtime, spool, database, record, direct=direct, step=step)
    app.wsgi_app = CaptureMiddleware(app.wsgi_app, recorder)  # type: ignore[method-assign]
    # Flask runs these from the last to the first: ours comes after the shop's and its session's.
    app.teardown_appcontext_funcs.insert(0, recorder.end_context)
    register(app)
    return recorder


def _given(db: SQLAlchemy) -> dict[str, Any]:
    # Flask-SQLAlchemy tells the constructor's options nowhere else.
    given: dict[str, Any] = getattr(db, "_engine_options", None) or {}
    return given


def database_mark(url: URL) -> str:
    """Return a short name of a database, for a folder of its own in the spool.

    Apps of one process share the instance folder; an event must never reach another app's database.
    Driver and credentials may change without changing it.
    """
    host = url.host or url.query.get("host")
    where = f"{url.get_backend_name()}|{host}|{url.port}|{url.database}"
    return hashlib.sha256(where.encode()).hexdigest()[:12]


def _spool_directory(app: Flask, runtime: Runtime) -> Path:
    configured = runtime.settings.spool_dir
    return Path(app.instance_path) / (configured or SPOOL_NAME)
