"""Our declarative base, its column types, and the way its tables reach the shop's metadata."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, Table
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator, TypeEngine

from ..errors import TableConflictError

PREFIX: Final = "checkout_case_"
OWNER: Final = "flask_checkout_case"

BIG_ID: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")
"""SQLite gives rowids to INTEGER primary keys only."""

PLAIN_JSON: TypeEngine[Any] = JSON(none_as_null=True)
"""JSON on PostgreSQL too: Alembic writes migrations with a JSONB variant that don't run."""


class UTCDateTime(TypeDecorator[datetime]):
    """An aware UTC instant on every database; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("instants are stored aware: a naive datetime was given")
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def copy_tables(metadata: MetaData) -> None:
    """Put copies of our tables into the shop's ``metadata``, for ``create_all`` and migrations.

    Raises:
        TableConflictError: for a metadata with a schema, or a foreign table of one of our names.
    """
    if metadata.schema:
        raise TableConflictError(
            f"the shop's metadata has the schema {metadata.schema!r}; "
            "checkout cases need a metadata without one"
        )
    for name, table in Base.metadata.tables.items():
        present = metadata.tables.get(name)
        if present is None:
            _make_plain(table.to_metadata(metadata))
        elif present.info.get("owner") != OWNER:
            raise TableConflictError(f"the shop has a table {name!r} that is not ours")


def _make_plain(table: Table) -> None:
    # Alembic renders a decorated type by a module path that the migration file doesn't import.
    for column in table.columns:
        if isinstance(column.type, TypeDecorator):
            column.type = column.type.impl_instance
