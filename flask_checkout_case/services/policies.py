"""Stored versions of the policy: kept, compared, activated, rolled back. Never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ..data import queries_policy as queries
from ..data.models import PolicyRow
from ..errors import (
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    PolicyChangedError,
    PolicyError,
)
from ..rules.policy import Policy, parse_policy
from ..rules.policy import version_of as version_of_text
from ..rules.policy_diff import (
    Change,
    differences,
    read_changes,
    read_mistakes,
    write_changes,
    write_mistakes,
)
from ..types import Agent
from .runtime import Runtime

HISTORY: Final = 50
TEXT_LIMIT: Final = 60_000
BODY_LIMIT: Final = 8 * TEXT_LIMIT
"""Bytes of a form with a policy: a text that is a good deal too long still comes back."""
SOURCE: Final = "workspace"
"""Where a version comes from that was written in the workspace."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a policy's text.

    Args:
        line: counts from 1.
        message: in English, see :func:`.saying.translated`.
        key: where in the tables; empty for the whole text.
    """

    line: int
    message: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Version:
    """A stored version, or the file's policy (``id`` 0) where editing is off.

    Args:
        version: the first digits of its text's SHA-256.
        source: the file's name, or ``workspace``.
        changes: how it differed from the version in force when it was made.
        mistakes: how many it had when it was kept; with any it can't come into force.
    """

    id: int
    version: str
    source: str
    active: bool
    made_at: datetime | None
    made_by: str | None
    activated_at: datetime | None
    activated_by: str | None
    changes: tuple[Change, ...] = ()
    mistakes: int = 0


def require_supervisor(agent: Agent) -> None:
    """Let supervisors pass.

    Raises:
        PermissionDeniedError: the agent is none.
    """
    if not agent.is_supervisor:
        raise PermissionDeniedError("the policy is for supervisors")


def problems_of(runtime: Runtime, text: str) -> tuple[Problem, ...]:
    """Return every mistake of a policy's text, by line; nothing when it is right."""
    try:
        _parse(runtime, text, SOURCE)
    except PolicyError as error:
        return tuple(Problem(line, says, key) for line, key, says in error.mistakes)
    return ()


def checked(runtime: Runtime, text: str) -> Policy:
    """Return the policy of a text.

    Raises:
        PolicyError: with one line a mistake.
    """
    return _parse(runtime, text, SOURCE)


def active(runtime: Runtime) -> tuple[Version, str]:
    """Return the version in force and its text."""
    if runtime.policies.editable:
        with runtime.read() as session:
            row = queries.active(session)
            if row is not None:
                return version_of(row), row.text
    policy = runtime.policies.file_policy
    told = Version(0, policy.version, policy.source, True, None, None, None, None)
    return told, runtime.policies.file_text


def find(runtime: Runtime, policy_id: int) -> tuple[Version, str]:
    """Return a stored version and its text.

    Raises:
        NotFoundError: there is none of this number.
    """
    if not runtime.policies.editable:
        raise NotFoundError("no versions are kept: the file is the policy")
    with runtime.read() as session:
        row = _existing(session, policy_id)
        return version_of(row), row.text


def history(runtime: Runtime) -> Sequence[Version]:
    """Return the newest :data:`HISTORY` versions, the newest first."""
    if not runtime.policies.editable:
        return ()
    with runtime.read() as session:
        return [version_of(row) for row in queries.history(session, HISTORY)]


def note_file(runtime: Runtime) -> None:
    """Keep the file's policy: the first ever is activated, a changed one waits to be.

    Once a process; what a process runs with is what it read at its start.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database is away, or has no tables yet.
    """
    source = runtime.policies
    if not source.editable or runtime.extras.get("policy_noted") == source.file_policy.version:
        return
    text, policy = source.file_text, source.file_policy
    try:
        with runtime.write() as unit:
            before = _locked_active(unit.session)
            if queries.latest_of(unit.session, policy.version) is None:
                changes = _changes(runtime, before, policy)
                values = _values(policy, text, changes, unit.now)
                if before is None:
                    values |= {"active": True, "activated_at": unit.now}
                queries.add(unit.session, values)
    except IntegrityError:
        # Another process has activated its file at the same moment: it was the first.
        pass
    source.forget()
    runtime.extras["policy_noted"] = source.file_policy.version


def save_draft(runtime: Runtime, text: str, *, agent: Agent) -> Version:
    """Keep a text as a version that isn't in force, with its mistakes if it has any.

    Raises:
        InvalidInputError: it is longer than :data:`TEXT_LIMIT`.
        PermissionDeniedError: the agent is no supervisor, or editing is off.
    """
    _may_edit(runtime, agent)
    if len(text) > TEXT_LIMIT:
        raise InvalidInputError(f"expected at most {TEXT_LIMIT} characters", field="text")
    problems = problems_of(runtime, text)
    with runtime.write() as unit:
        before = _locked_active(unit.session)
        same = queries.latest_of(unit.session, version_of_text(text))
        if same is not None and same.text == text:
            return version_of(same)
        if problems:
            values = _faulty(text, len(problems), unit.now)
        else:
            policy = checked(runtime, text)
            values = _values(policy, text, _changes(runtime, before, policy), unit.now)
        return version_of(queries.add(unit.session, values | _maker(agent)))


def activate(runtime: Runtime, policy_id: int, *, agent: Agent, based_on: int | None) -> Version:
    """Put a version into force; one that has been in force before comes back as a new version.

    Args:
        based_on: the number of the version in force that the supervisor has seen.

    Raises:
        PolicyChangedError: another one is in force by now; nothing was changed.
        PolicyError: this release refuses the version's text.
        NotFoundError: there is no such version.
        PermissionDeniedError: the agent is no supervisor, or editing is off.
    """
    _may_edit(runtime, agent)
    with runtime.write() as unit:
        before = _locked_active(unit.session)
        if before is None or before.id != based_on:
            raise PolicyChangedError(_told(before))
        row = _existing(unit.session, policy_id)
        if row.active:
            return version_of(row)
        policy = _parse(runtime, row.text, row.source)
        changes = _changes(runtime, before, policy)
        if row.activated_at is not None:
            values = _values(policy, row.text, changes, unit.now)
            row = queries.add(unit.session, values | _maker(agent))
        queries.set_inactive(unit.session, before.id)
        queries.set_active(unit.session, row.id, _activation(agent, changes, unit.now))
        unit.session.refresh(row)
        done = version_of(row)
    runtime.policies.forget()
    return done


def version_of(row: PolicyRow) -> Version:
    return Version(
        id=row.id,
        version=row.version,
        source=row.source,
        active=row.active,
        made_at=row.made_at,
        made_by=row.made_by_name,
        activated_at=row.activated_at,
        activated_by=row.activated_by_name,
        changes=read_changes(row.summary),
        mistakes=read_mistakes(row.summary),
    )


def _may_edit(runtime: Runtime, agent: Agent) -> None:
    require_supervisor(agent)
    if not runtime.policies.editable:
        raise PermissionDeniedError("CHECKOUT_CASE_POLICY_EDITABLE is off: the file is the policy")


def _locked_active(session: Session) -> PolicyRow | None:
    # Whoever waited for an activation sees that the old one is active no more, and asks again.
    return queries.active(session, lock=True) or queries.active(session, lock=True)


def _existing(session: Session, policy_id: int) -> PolicyRow:
    row = queries.by_id(session, policy_id)
    if row is None:
        raise NotFoundError(f"there is no policy {policy_id}")
    return row


def _parse(runtime: Runtime, text: str, source: str) -> Policy:
    return parse_policy(text, source, base_currency=runtime.settings.base_currency)


def _changes(runtime: Runtime, before: PolicyRow | None, policy: Policy) -> tuple[Change, ...]:
    if before is None:
        return ()
    try:
        return differences(_parse(runtime, before.text, before.source), policy)
    except PolicyError:
        # The version in force is of a release whose words this one refuses.
        return differences(runtime.policies.file_policy, policy)


def _values(policy: Policy, text: str, changes: Sequence[Change], now: datetime) -> dict[str, Any]:
    return {
        "version": policy.version,
        "source": policy.source,
        "text": text,
        "summary": write_changes(changes),
        "active": False,
        "made_at": now,
    }


def _faulty(text: str, mistakes: int, now: datetime) -> dict[str, Any]:
    return {
        "version": version_of_text(text),
        "source": SOURCE,
        "text": text,
        "summary": write_mistakes(mistakes),
        "active": False,
        "made_at": now,
    }


def _maker(agent: Agent) -> dict[str, Any]:
    return {"made_by": str(agent.ref), "made_by_name": agent.name}


def _activation(agent: Agent, changes: Sequence[Change], now: datetime) -> dict[str, Any]:
    return {
        "summary": write_changes(changes),
        "activated_at": now,
        "activated_by": str(agent.ref),
        "activated_by_name": agent.name,
    }


def _told(row: PolicyRow | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {
        "id": row.id,
        "version": row.version,
        "name": row.activated_by_name,
        "at": row.activated_at,
        "changes": read_changes(row.summary),
    }
