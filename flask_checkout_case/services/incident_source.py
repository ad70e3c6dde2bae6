"""Which incidents are open, as this process knows it: read at most every other second."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import DBAPIError

from ..data import queries_incident as queries

if TYPE_CHECKING:
    from ..types import IncidentInfo
    from .unit import Database

log = logging.getLogger(__name__)

FRESH_FOR: Final = 2.0
"""Seconds for which what was read counts."""
AGAIN_AFTER: Final = 30.0
"""Seconds until the next try when reading has failed."""


class IncidentSource:
    """Gives the open incidents; never raises, but for a connection that has just been lost.

    Args:
        seconds: a clock that never goes back.
    """

    def __init__(self, seconds: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._known: tuple[IncidentInfo, ...] = ()
        self._stale_at = seconds()
        self._lock = threading.Lock()

    @property
    def known(self) -> tuple[IncidentInfo, ...]:
        """What was open when it was last read, the oldest first; reads nothing."""
        return self._known

    def current(self, database: Database) -> tuple[IncidentInfo, ...]:
        """Return what is open. Not within a transaction: another connection reads."""
        self.refresh(database)
        return self._known

    def refresh(self, database: Database, *, lost_is_told: bool = False) -> None:
        """Read anew what is older than :data:`FRESH_FOR`.

        Args:
            lost_is_told: for those who are about to write by the same connection.

        Raises:
            sqlalchemy.exc.DBAPIError: the connection was lost, and ``lost_is_told``.
        """
        if self._seconds() < self._stale_at:
            return
        # Who comes while another thread reads goes on with what is known.
        if not self._lock.acquire(blocking=False):
            return
        try:
            with database.reading() as session:
                self._known = tuple(queries.open_incidents(session))
            self._stale_at = self._seconds() + FRESH_FOR
        except Exception as error:
            self._stale_at = self._seconds() + AGAIN_AFTER
            log.warning("the open incidents can't be read (%s)", type(error).__name__)
            if lost_is_told and isinstance(error, DBAPIError) and error.connection_invalidated:
                raise
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Read again at the next use: this process has opened or resolved one."""
        self._stale_at = self._seconds()
