"""Our tables in the shop's metadata, and in its migrations."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import MetaData, inspect

from flask_checkout_case import CheckoutCase
from flask_checkout_case.data.base import Base
from flask_checkout_case.errors import TableConflictError
from tests.support.shop import Shop

OURS = set(Base.metadata.tables)


def new_app(home: Path) -> Flask:
    app = Flask("shop", instance_path=str(home))
    app.config.update(SECRET_KEY="x", SQLALCHEMY_DATABASE_URI="sqlite://")
    return app


def test_all_tables_carry_our_prefix_and_named_constraints() -> None:
    for table in Base.metadata.tables.values():
        assert table.name.startswith("checkout_case_")
        assert all(constraint.name for constraint in table.constraints)
        assert all(index.name for index in table.indexes)


def test_create_all_makes_them(make_app: Callable[..., Shop]) -> None:
    shop = make_app()
    with shop.app.app_context():
        assert set(inspect(shop.db.engine).get_table_names()) >= OURS


def test_a_foreign_table_of_our_name_is_refused(tmp_path: Path) -> None:
    app, db = new_app(tmp_path), SQLAlchemy()
    db.init_app(app)
    db.Table("checkout_case_case", db.Column("id", db.Integer, primary_key=True))
    with pytest.raises(TableConflictError, match="checkout_case_case"):
        CheckoutCase().init_app(app, db)


def test_a_metadata_with_a_schema_is_refused(tmp_path: Path) -> None:
    app, db = new_app(tmp_path), SQLAlchemy(metadata=MetaData(schema="shop"))
    db.init_app(app)
    with pytest.raises(TableConflictError, match="schema"):
        CheckoutCase().init_app(app, db)


def test_one_database_may_serve_two_apps(tmp_path: Path) -> None:
    db, cases = SQLAlchemy(), CheckoutCase()
    for name in ("a", "b"):
        home = tmp_path / name
        home.mkdir()
        app = new_app(home)
        db.init_app(app)
        cases.init_app(app, db)
        app.extensions["checkout_case"].close()
    assert set(db.metadata.tables) >= OURS


SHOP = """
    from flask import Flask
    from flask_migrate import Migrate
    from flask_sqlalchemy import SQLAlchemy
    from flask_checkout_case import CheckoutCase

    db = SQLAlchemy()
    cases = CheckoutCase()

    class Product(db.Model):
        id = db.Column(db.Integer, primary_key=True)

    def create_app():
        app = Flask(__name__)
        app.config.update(SECRET_KEY="x", SQLALCHEMY_DATABASE_URI={url!r})
        db.init_app(app)
        Migrate(app, db)
        cases.init_app(app, db)
        return app
"""


def test_migrations_make_our_tables_and_then_find_nothing_to_do(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "shop.py").write_text(textwrap.dedent(SHOP.format(url=database_url)))

    def flask(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "flask", "--app", "shop:create_app", "db", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), str(Path.cwd())])},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    for step in (["init"], ["migrate", "-m", "first"], ["upgrade"], ["check"]):
        done = flask(*step)
        assert done.returncode == 0, done.stdout + done.stderr
    (script,) = (tmp_path / "migrations" / "versions").glob("*.py")
    text = script.read_text()
    assert all(f"'{name}'" in text for name in OURS)
    assert "flask_checkout_case." not in text
    downgraded = flask("downgrade", "base")
    assert downgraded.returncode == 0, downgraded.stderr
