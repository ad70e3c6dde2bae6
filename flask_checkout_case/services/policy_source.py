"""Which policy is in force in this process: the file's, or the stored one that was activated."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING, Final

from ..data import queries_policy as queries
from ..rules.policy import parse_policy

if TYPE_CHECKING:
    from ..rules.policy import Policy
    from .unit import Database

log = logging.getLogger(__name__)

FRESH_FOR: Final = 5.0
"""Seconds for which what was read counts; so long after an activation others route by the old."""
AGAIN_AFTER: Final = 30.0
"""Seconds until the next try when reading has failed."""


class PolicySource:
    """Gives the policy in force; never raises, and reads at most once in :data:`FRESH_FOR`.

    Args:
        file_policy, file_text: the file as it was checked at start-up: in force without editing,
            before any version is stored, and whenever the stored one can't be read.
        editable: whether stored versions count at all.
        base_currency: overrides the stored policies' ``currency``.
        seconds: a clock that never goes back.
    """

    def __init__(
        self,
        file_policy: Policy,
        file_text: str,
        *,
        editable: bool = False,
        base_currency: str | None = None,
        seconds: Callable[[], float] = monotonic,
    ) -> None:
        self.file_policy = file_policy
        self.file_text = file_text
        self.editable = editable
        self._base_currency = base_currency
        self._seconds = seconds
        self._current = file_policy
        self._mark: object = None
        self._stale_at = seconds()
        self._lock = threading.Lock()
        self._here = threading.local()

    def current(self, database: Database) -> Policy:
        """Return the policy in force; inside of :meth:`held` always the same one."""
        pinned: Policy | None = getattr(self._here, "policy", None)
        if pinned is not None:
            return pinned
        self._refresh(database)
        return self._current

    @contextmanager
    def held(self, database: Database) -> Iterator[None]:
        """Look for a newer version now, and for none until the end: one decision, one policy.

        Nothing is read inside of it: a transaction is open there.
        """
        if getattr(self._here, "policy", None) is not None:
            yield
            return
        self._here.policy = self.current(database)
        try:
            yield
        finally:
            self._here.policy = None

    def forget(self) -> None:
        """Read again at the next use: this process has activated a version."""
        self._stale_at = self._seconds()

    def _refresh(self, database: Database) -> None:
        if not self.editable or self._seconds() < self._stale_at:
            return
        # Who comes while another thread reads goes on with what is known.
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._read(database)
            self._stale_at = self._seconds() + FRESH_FOR
        except Exception as error:  # noqa: BLE001 - a shop's request never fails for this
            self._stale_at = self._seconds() + AGAIN_AFTER
            told = type(error).__name__
            log.warning("the stored policy can't be read (%s); %s stays", told, self._shown)
        finally:
            self._lock.release()

    def _read(self, database: Database) -> None:
        with database.reading() as session:
            mark = queries.active_mark(session)
            if mark == self._mark:
                return
            row = queries.active(session) if mark is not None else None
        policy = self.file_policy
        if row is not None:
            try:
                policy = parse_policy(row.text, row.source, base_currency=self._base_currency)
            except Exception as error:  # noqa: BLE001 - nor for a text that this release refuses
                log.warning("the stored policy %s can't be used: %s", row.version, error)
                log.warning("the policy of %s is in force instead", policy.source)
        self._current, self._mark = policy, mark

    @property
    def _shown(self) -> str:
        return f"{self._current.source}, version {self._current.version},"
