"""Which blueprints an app gets, and where."""

from __future__ import annotations

import logging

from flask import Flask

from ..services.runtime import Runtime
from . import agent, system, webhooks, widget
from .guard import exempt_from_host_csrf

log = logging.getLogger(__name__)


def mount(app: Flask, runtime: Runtime) -> None:
    """Register the parts that the configuration names, below its prefix."""
    settings = runtime.settings
    prefix, parts = settings.url_prefix, settings.parts
    app.register_blueprint(system.blueprint, url_prefix=prefix)
    if "widget" in parts:
        app.register_blueprint(widget.blueprint, url_prefix=prefix)
        widget.install(app, runtime)
    if "agent" in parts:
        app.register_blueprint(agent.blueprint, url_prefix=f"{prefix}/agent")
        _warn_without_agents(app, runtime)
    if "webhooks" in parts:
        app.register_blueprint(webhooks.blueprint, url_prefix=prefix)
    exempt_from_host_csrf(app)


def _warn_without_agents(app: Flask, runtime: Runtime) -> None:
    # Decorators may come after init_app: the first request is the first moment to know.
    told = False

    @app.before_request
    def _warn() -> None:
        nonlocal told
        if not told:
            told = True
            if runtime.hooks.agent_loader is None:
                log.warning(
                    "no agent_loader is set: every page for agents below %s/agent answers 403",
                    runtime.settings.url_prefix,
                )
