"""Looking at what is due, one row a transaction, so that one bad row stops nobody else's."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeVar

from sqlalchemy.orm import Session

from .runtime import Runtime, Unit

log = logging.getLogger(__name__)

AT_ONCE: Final = 500
"""Rows of one sweep; the rest waits for the next one, so that stopping never takes long."""
AGAIN_AFTER: Final = timedelta(minutes=5)


class _Due(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=_Due)


def look_at_due(
    runtime: Runtime,
    find: Callable[[Session, datetime], Row | None],
    look: Callable[[Unit, Row], bool],
    postpone: Callable[[Session, int, datetime], None],
    *,
    limit: int = AT_ONCE,
) -> int:
    """Look at each due row in a transaction of its own.

    Args:
        find: gives the next due row, locked.
        look: does what is due and sets the row's alarm anew; whether anything happened.
        postpone: sets a row's alarm to a later time, when looking at it failed.

    Returns:
        At how many of them something happened.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    happened = 0
    for _ in range(limit):
        row: Row | None = None
        row_id = 0
        try:
            with runtime.write() as unit:
                row = find(unit.session, unit.now)
                if row is None:
                    return happened
                row_id = row.id
                happened += look(unit, row)
        except Exception:
            if row is None:
                raise
            log.exception("a due row can't be looked at; again in %s: %s", AGAIN_AFTER, row_id)
            with runtime.write() as unit:
                postpone(unit.session, row_id, unit.now + AGAIN_AFTER)
    return happened
