"""How Alembic finds the shop's tables; those of flask_checkout_case are among them."""

from __future__ import annotations

from alembic import context
from flask import current_app


def run() -> None:
    """Run the migrations over the shop's own engine."""
    database = current_app.extensions["migrate"].db
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=database.metadata,
            **current_app.extensions["migrate"].configure_args,
        )
        with context.begin_transaction():
            context.run_migrations()


run()
