"""The shop's migrations make every table, those of the extension too."""

from __future__ import annotations

from pathlib import Path

from flask_migrate import check, downgrade, upgrade
from sqlalchemy import inspect

from example_store import create_app
from example_store.extensions import db
from example_store.history import tell_history
from example_store.seed import seed
from example_store.support import cases
from tests.support.store import dispose_store


def test_migrations_are_complete(database_url: str, tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "SQLALCHEMY_DATABASE_URI": database_url})
    with app.app_context():
        upgrade()
        check()
        assert set(inspect(db.engine).get_table_names()) >= set(db.metadata.tables)
        downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        db.session.remove()
    dispose_store(app)


def test_history_is_told_once(database_url: str, tmp_path: Path) -> None:
    app = create_app({"INSTANCE_PATH": str(tmp_path), "SQLALCHEMY_DATABASE_URI": database_url})
    with app.app_context():
        upgrade()
        seed()
    told = tell_history(app, amount=20)
    assert tell_history(app, amount=20) == 0
    with app.app_context():
        found = cases.find(limit=200)
        assert len(found) == told == 30
        assert {case.status for case in found} == {"new", "open", "waiting", "solved", "closed"}
        assert {"self_recovered", "assisted", "lost"} <= {case.outcome for case in found}
        overdue = [
            case for case in found if case.status == "new" and case.first_response_due is not None
        ]
        assert overdue
        db.session.remove()
    dispose_store(app)
