"""What an app's runtime is made of: its policy, a database of our own, keys, and signals out."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, has_app_context

from . import signals
from .config import Settings
from .errors import ConfigurationError
from .rules.policy import parse_policy, read_policy_text
from .services.policy_source import PolicySource
from .services.runtime import Hooks, Runtime
from .services.unit import Database, make_own_engine
from .types import Emission

if TYPE_CHECKING:
    from flask_sqlalchemy import SQLAlchemy

log = logging.getLogger(__name__)


def make_runtime(app: Flask, db: SQLAlchemy, settings: Settings, hooks: Hooks) -> Runtime:
    """Make what services work with; nothing is connected to before it is asked for.

    Raises:
        ConfigurationError: the policy is wrong; the message says where.
    """
    return Runtime(
        name=app.name,
        settings=settings,
        policies=_policies(app, settings),
        database=Database(_engine_maker(app, db)),
        hooks=hooks,
        emit=_emitter(app),
        secret_keys=lambda: _secret_keys(app, settings),
        apart=app.app_context,
    )


def _policies(app: Flask, settings: Settings) -> PolicySource:
    # The file is checked at start-up; the database may not even have our tables yet.
    text, name = read_policy_text(_below(app, settings.policy))
    policy = parse_policy(text, name, base_currency=settings.base_currency)
    return PolicySource(
        policy, text, editable=settings.policy_editable, base_currency=settings.base_currency
    )


def _below(app: Flask, path: Path | None) -> Path | None:
    return Path(app.root_path) / path if path is not None else None


def _engine_maker(app: Flask, db: SQLAlchemy) -> Callable[[], Any]:
    def make() -> Any:
        with app.app_context():
            configured = app.config.get("SQLALCHEMY_ENGINE_OPTIONS", {})
            given = db._engine_options  # noqa: SLF001 - Flask-SQLAlchemy tells it nowhere else
            return make_own_engine(db.engine, {**given, **configured})

    return make


def _secret_keys(app: Flask, settings: Settings) -> tuple[str, ...]:
    fallbacks = app.config.get("SECRET_KEY_FALLBACKS") or ()
    keys: tuple[str | bytes | None, ...] = settings.secret_keys or (app.secret_key, *fallbacks)
    found = tuple(key if isinstance(key, str) else bytes(key).decode() for key in keys if key)
    if not found:
        raise ConfigurationError("set SECRET_KEY or CHECKOUT_CASE_SECRET_KEYS: tokens are signed")
    return found


def _emitter(app: Flask) -> Callable[[Emission], None]:
    def emit(emission: Emission) -> None:
        signal = signals.TO_SHOP[emission.signal]
        if not signal.has_receivers_for(app):
            return
        inside = has_app_context() and current_app == app
        with contextlib.nullcontext() if inside else app.app_context():
            for receiver in signal.receivers_for(app):
                try:
                    receiver(app, **emission.payload)
                except Exception:
                    log.exception("a receiver of %s failed", emission.signal)

    return emit
