"""Looking at what is due, some rows a transaction; one bad row stops nobody else's."""

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
TOGETHER: Final = 20
"""Rows of one transaction: a commit costs more than a row, and others wait for a long one."""
AGAIN_AFTER: Final = timedelta(minutes=5)


class _Due(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=_Due)
Find = Callable[[Session, datetime], Row | None]
Look = Callable[[Unit, Row], bool]
Postpone = Callable[[Session, int, datetime], None]


def look_at_due(
    runtime: Runtime, find: Find[Row], look: Look[Row], postpone: Postpone, *, limit: int = AT_ONCE
) -> int:
    """Look at each due row, behind a savepoint of its own.

    Args:
        find: gives the next due row, locked.
        look: does what is due and sets the row's alarm anew; whether anything happened.
        postpone: sets a row's alarm to a later time, when looking at it failed.

    Returns:
        At how many of them something happened.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away.
    """
    happened = looked = 0
    while looked < limit:
        most = min(TOGETHER, limit - looked)
        found = 0
        with runtime.write() as unit:
            while found < most and (row := find(unit.session, unit.now)) is not None:
                found += 1
                happened += _look_at(unit, row, look, postpone)
        looked += found
        if found < most:
            break
    return happened


def _look_at(unit: Unit, row: Row, look: Look[Row], postpone: Postpone) -> bool:
    row_id, emitted = row.id, len(unit.emissions)
    try:
        with unit.session.begin_nested():
            return look(unit, row)
    except Exception:
        log.exception("a due row can't be looked at; again in %s: %s", AGAIN_AFTER, row_id)
        del unit.emissions[emitted:]
        postpone(unit.session, row_id, unit.now + AGAIN_AFTER)
        return False
