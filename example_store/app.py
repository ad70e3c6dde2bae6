"""The application factory of the shop."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask, render_template
from flask_wtf.csrf import CSRFError

from . import account, baskets, cart, checkout, extra, pricing, shop, staff, webhooks
from .catalogue import CATEGORIES
from .extensions import csrf, db, login, migrate, prepare_sqlite
from .models import Account
from .security import protect
from .settings import DEFAULTS
from .support import cases  # checkout-case


def create_app(config: Mapping[str, Any] | None = None) -> Flask:
    """Make the shop.

    Args:
        config: overrides the defaults of :mod:`example_store.settings` and the environment.
            ``INSTANCE_PATH`` sets where the database lies.
    """
    given = dict(config or {})
    folder = given.pop("INSTANCE_PATH", None) or os.environ.get("EXAMPLE_STORE_INSTANCE_PATH")
    app = Flask(__name__, instance_path=folder)
    app.config.from_mapping(DEFAULTS)
    app.config.from_prefixed_env("EXAMPLE_STORE")
    app.config.from_mapping(given)
    db.init_app(app)
    migrate.init_app(app, db, directory=f"{app.root_path}/migrations")
    csrf.init_app(app)
    login.init_app(app)
    cases.init_app(app, db)  # checkout-case
    prepare_sqlite(app)
    protect(app)
    for blueprint in (shop.bp, cart.bp, checkout.bp, extra.bp, account.bp, staff.bp, webhooks.bp):
        app.register_blueprint(blueprint)
    csrf.exempt(webhooks.bp)
    _add_template_helpers(app)
    _add_error_pages(app)
    return app


@login.user_loader  # type: ignore[untyped-decorator]
def load_user(ident: str) -> Account | None:
    return db.session.get(Account, int(ident)) if ident.isdigit() else None


def _add_template_helpers(app: Flask) -> None:
    app.add_template_filter(pricing.dollars, "dollars")

    @app.context_processor
    def shared() -> dict[str, Any]:
        basket = baskets.current()
        return {
            "store_name": app.config["STORE_NAME"],
            "categories": CATEGORIES,
            "bag_count": basket.count if basket else 0,
        }


def _add_error_pages(app: Flask) -> None:
    @app.errorhandler(404)
    def missing(_error: Exception) -> tuple[str, int]:
        return render_template("errors/404.html"), 404

    @app.errorhandler(403)
    def forbidden(_error: Exception) -> tuple[str, int]:
        return render_template("errors/403.html"), 403

    @app.errorhandler(CSRFError)
    def refused(_error: Exception) -> tuple[str, int]:
        return render_template("errors/400.html"), 400
