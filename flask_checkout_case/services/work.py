"""One locked case inside a unit of work: compare and swap, clocks, timeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..data import queries_assignment
from ..data import queries_case as queries
from ..data.models import CaseRow, with_values
from ..errors import NotFoundError, StaleVersionError, VersionRequiredError
from ..rules import lifecycle
from ..types import Agent, CaseInfo, EntryKind, Status
from .clocks import clock_values, ended_pauses
from .entries import as_change, entry
from .permission import require
from .reading import info
from .runtime import Runtime, Unit


@dataclass
class Work:
    """A locked case inside a unit of work."""

    unit: Unit
    row: CaseRow
    now: datetime

    @property
    def result(self) -> CaseInfo:
        """The case as it has become."""
        return info(self.row)

    def is_repeated(self, key: str | None) -> bool:
        """Whether a line of the timeline was written under this key before."""
        return key is not None and (
            queries.entry_id(self.unit.session, self.row.id, key) is not None
        )

    def check(self, version: int | None) -> None:
        """Refuse a write that isn't based on the version that is stored.

        Raises:
            VersionRequiredError: it doesn't say on which one it is based.
            StaleVersionError: the case has changed since; it tells what happened.
        """
        if version is None:
            raise VersionRequiredError("say on which version of the case this is based")
        if version != self.row.version:
            since = queries.entries_after_version(self.unit.session, self.row.id, version)
            raise StaleVersionError(self.row.version, tuple(as_change(line) for line in since))

    def change(self, values: dict[str, Any], *, status: Status | None = None) -> None:
        """Write values and, where the case is live, the clocks and urgency that follow."""
        draft = {"status": status or self.row.status, "changed_at": self.now, **values}
        incident_id = self._left(draft)
        if incident_id is not None:
            draft["folded_into"] = None
        if lifecycle.is_live(Status(draft["status"])):
            draft |= clock_values(self.unit.runtime.policy, with_values(self.row, draft))
        self.end(draft)
        if incident_id is not None:
            told = {"action": "unfolded", "incident": incident_id}
            self.append(EntryKind.DECISION, data=told)

    def _left(self, draft: Mapping[str, Any]) -> int | None:
        """Return the incident that the case leaves: somebody writes, has it, or opens it again."""
        if self.row.folded_into is None or not lifecycle.is_live(Status(draft["status"])):
            return None
        begun = ("unanswered_since", "first_response_at", "assignee_ref")
        reopened = not lifecycle.is_live(Status(self.row.status))
        return self.row.folded_into if reopened or any(map(draft.get, begun)) else None

    def end(self, values: dict[str, Any]) -> None:
        """Write values as they are; of a case that isn't live by them the pauses end, too.

        Raises:
            StaleVersionError: somebody else wrote meanwhile.
        """
        if not lifecycle.is_live(status := Status(values.get("status", self.row.status))):
            values = {**values, "pauses": ended_pauses(self.row, status, self.now)}
        if not queries.change_case(self.unit.session, self.row, values):
            # Unreachable while the row is locked; kept so that no write is ever lost in silence.
            raise StaleVersionError(self.row.version)

    def append(self, kind: EntryKind, **line: Any) -> None:
        """Write a line of the timeline, see :func:`.entries.entry`.

        What the assignee does here shows that they have taken the case up.
        """
        made = entry(self.row, kind, self.now, **line)
        agent = line.get("agent")
        if agent is not None and str(agent.ref) == self.row.assignee_ref:
            queries_assignment.touch(self.unit.session, self.row, self.now)
        queries.add_entries(self.unit.session, [made])

    def live_successor(self) -> CaseRow | None:
        """Return the live case that holds this ended one's dedupe key, locked, if there is one."""
        if lifecycle.is_live(Status(self.row.status)):
            return None
        return queries.live_case_by_key(self.unit.session, self.row.dedupe_key)

    def move_to_live_successor(self) -> dict[str, Any]:
        """Go on with the case that took the ended one's place, where it is the same customer's.

        Returns:
            What to write on the ended case instead, where it isn't: it is reopened apart.
        """
        successor = self.live_successor()
        if successor is None:
            return {}
        row = self.row
        if not lifecycle.same_owner(
            row.customer_ref, row.customer_email, successor.customer_ref, successor.customer_email
        ):
            return {"dedupe_key": f"{row.dedupe_key[:480]}|apart:{row.reference}"}
        self.row = successor
        return {}


@contextmanager
def on_case(runtime: Runtime, reference: str, at: datetime | None = None) -> Iterator[Work]:
    """Lock a case and work on it; what was written is committed at the end.

    Args:
        at: when it happens, UTC; now when ``None``.

    Raises:
        NotFoundError: there is no such case.
    """
    with runtime.write() as unit:
        row = queries.case_by_reference(unit.session, reference, lock=True)
        if row is None:
            raise NotFoundError(f"there is no case {reference}")
        yield Work(unit, row, at or unit.now)


@contextmanager
def versioned(
    runtime: Runtime, reference: str, agent: Agent, action: str, version: int | None
) -> Iterator[Work]:
    """Work on a case on which the agent may do this, based on the version that they have seen.

    Raises:
        NotFoundError, PermissionDeniedError, VersionRequiredError, StaleVersionError.
    """
    with on_case(runtime, reference) as work:
        require(runtime, agent, action, info(work.row))
        work.check(version)
        yield work
