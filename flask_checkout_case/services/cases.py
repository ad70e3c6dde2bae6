"""What people do to a case. Messages are append-only; everything else names its version."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.exc import IntegrityError

from ..data import queries_case as queries
from ..errors import InvalidInputError, InvalidTransitionError
from ..rules import lifecycle
from ..rules.assignment import belongs
from ..rules.redact import mask_text
from ..types import (
    Agent,
    AuthorKind,
    CaseInfo,
    EntryKind,
    Outcome,
    Priority,
    Status,
)
from . import agent_mail, assignment, protocols
from .closing import ended
from .permission import require
from .reading import info
from .runtime import Runtime
from .work import Work, on_case, versioned

TEXT_LIMIT: Final = 10_000


def clean_text(text: str) -> str:
    """Return a message as it may be stored: masked, trimmed, without control characters.

    Raises:
        InvalidInputError: when it is empty or longer than 10,000 characters.
    """
    if not isinstance(text, str):
        raise InvalidInputError("a message is a text", field="text")
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = "".join(
        char for char in plain if char in "\n\t" or unicodedata.category(char) not in {"Cc", "Cs"}
    ).strip()
    if not kept:
        raise InvalidInputError("a message can't be empty", field="text")
    if len(kept) > TEXT_LIMIT:
        raise InvalidInputError(f"a message has at most {TEXT_LIMIT} characters", field="text")
    return mask_text(kept)


def reply(
    runtime: Runtime,
    reference: str,
    text: str,
    *,
    agent: Agent,
    key: str | None = None,
    status: Status | None = None,
    outcome: Outcome | None = None,
    reason: str | None = None,
    with_link: bool = False,
    at: datetime | None = None,
) -> CaseInfo:
    """Answer the customer; the first answer stops the first-response clock.

    Args:
        key: makes a repeated post of the same reply one reply.
        status: what the case becomes; waiting for the customer when ``None``. It needs the
            permission to change the status, too.
        outcome: of a case that the reply ends.
        reason: why the case ends although required tasks of its protocol are open.
        with_link: it also goes out by e-mail, with a link back to the checkout.
        at: when it was written, UTC; now when ``None``.

    Raises:
        NotFoundError, PermissionDeniedError, InvalidInputError, InvalidTransitionError.
    """
    kept = clean_text(text)
    with on_case(runtime, reference, at) as work:
        require(runtime, agent, "reply", info(work.row))
        if status is not None:
            require(runtime, agent, "status", info(work.row))
        if work.is_repeated(key):
            return work.result
        new = status or lifecycle.after_agent_reply(Status(work.row.status))
        lifecycle.check_move(Status(work.row.status), new)
        values: dict[str, Any] = {"unanswered_since": None}
        values["first_response_at"] = work.row.first_response_at or work.now
        if work.row.assignee_ref is None:
            values["assignee_ref"] = str(agent.ref)
        old = Status(work.row.status)
        ends = lifecycle.is_live(old) and not lifecycle.is_live(new)
        why = protocols.reason_to_end(work, new, reason, agent)
        if ends:
            work.end(values | ended(new, outcome, work.now))
        else:
            work.change(values, status=new)
        work.append(EntryKind.MESSAGE, agent=agent, public=True, text=kept, key=key)
        if with_link:
            agent_mail.put(work, kept, agent)
        work.unit.emit("message_posted", case=info(work.row), author="agent", text=kept)
        if ends:
            signal = "case_solved" if new is Status.SOLVED else "case_closed"
            work.unit.emit(signal, case=info(work.row), outcome=outcome)
        if why:
            told = {"action": "status", "from": old, "to": new, "outcome": outcome, **why}
            work.append(EntryKind.DECISION, agent=agent, data=told)
        return work.result


def note(
    runtime: Runtime,
    reference: str,
    text: str,
    *,
    agent: Agent,
    key: str | None = None,
    at: datetime | None = None,
) -> CaseInfo:
    """Write an internal note, which customers never see."""
    kept = clean_text(text)
    with on_case(runtime, reference, at) as work:
        require(runtime, agent, "note", info(work.row))
        if not work.is_repeated(key):
            work.change({})
            work.append(EntryKind.NOTE, agent=agent, text=kept, key=key)
        return work.result


def customer_message(
    runtime: Runtime,
    reference: str,
    text: str,
    *,
    key: str | None = None,
    name: str | None = None,
    email: str | None = None,
    at: datetime | None = None,
) -> CaseInfo:
    """Post a customer's message; it reopens a case that had ended.

    When another case of the same customer has taken the place of the ended one meanwhile, the
    message goes there; another customer's case is left alone.

    Args:
        name, email: kept on the case when it has none yet.
    """
    kept = clean_text(text)
    posted = _CustomerPost(kept, key, name, email)
    try:
        return _post_from_customer(runtime, reference, posted, at)
    except IntegrityError:
        # Another case took the ended one's place between our look and our write: look again.
        return _post_from_customer(runtime, reference, posted, at)


@dataclass(frozen=True, slots=True)
class _CustomerPost:
    text: str
    key: str | None
    name: str | None
    email: str | None


def _post_from_customer(
    runtime: Runtime, reference: str, posted: _CustomerPost, at: datetime | None
) -> CaseInfo:
    with on_case(runtime, reference, at) as work:
        if work.is_repeated(posted.key):
            return work.result
        apart = work.move_to_live_successor()
        if work.is_repeated(posted.key):
            return work.result
        row, old = work.row, Status(work.row.status)
        new = lifecycle.after_customer_message(old)
        values: dict[str, Any] = {
            "unanswered_since": row.unanswered_since or work.now,
            "customer_name": row.customer_name or posted.name or None,
            "customer_email": row.customer_email or posted.email or None,
            **apart,
        }
        if not lifecycle.is_live(old):
            holder = assignment.holder_on_return(work.unit, row.assignee_ref)
            values |= {"outcome": None, "ended_at": None, "assignee_ref": holder}
        work.change(values, status=new)
        if not lifecycle.is_live(old):
            work.append(EntryKind.DECISION, data={"action": "reopened", "from": old, "to": new})
        work.append(
            EntryKind.MESSAGE,
            author=AuthorKind.CUSTOMER,
            author_name=work.row.customer_name,
            public=True,
            text=posted.text,
            key=posted.key,
        )
        told = {"author": "customer", "text": posted.text}
        work.unit.emit("message_posted", case=info(work.row), **told)
        return work.result


def take(runtime: Runtime, reference: str, *, agent: Agent, version: int | None) -> CaseInfo:
    """Assign the case to oneself."""
    with versioned(runtime, reference, agent, "take", version) as work:
        _assign(work, agent, str(agent.ref), agent.name, "taken")
        return work.result


def assign(
    runtime: Runtime,
    reference: str,
    *,
    agent: Agent,
    assignee_ref: str | None,
    version: int | None,
) -> CaseInfo:
    """Give the case to a known agent of its team, or to nobody (``None``).

    Raises:
        InvalidInputError: no such agent is known, or not in the case's team.
    """
    with versioned(runtime, reference, agent, "assign", version) as work:
        name = None
        if assignee_ref is not None:
            known = queries.agent_by_ref(work.unit.session, assignee_ref)
            policy, team = runtime.policy, work.row.team
            if known is None or not (
                known.role == "supervisor" or belongs(policy, team, known.ref, known.teams)
            ):
                raise InvalidInputError("no such agent in this team", field="assignee")
            name = known.name
        _assign(work, agent, assignee_ref, name, "assigned")
        return work.result


def _assign(
    work: Work, agent: Agent, assignee_ref: str | None, name: str | None, action: str
) -> None:
    before = work.row.assignee_ref
    values: dict[str, Any] = {"assignee_ref": assignee_ref}
    status = Status(work.row.status)
    opens = status is Status.NEW and assignee_ref is not None
    work.change(values, status=Status.OPEN if opens else status)
    assignment.moved(work.unit, work.row, before, action, agent)
    told = {"action": action, "from": before, "to": assignee_ref, "name": name}
    work.append(EntryKind.DECISION, agent=agent, data=told)
    if assignee_ref is not None:
        work.unit.emit("case_assigned", case=info(work.row), agent_ref=assignee_ref)


def transfer(
    runtime: Runtime, reference: str, *, agent: Agent, team: str, version: int | None
) -> CaseInfo:
    """Hand the case to another team; nobody there has it yet.

    Raises:
        InvalidInputError: the policy has no such team.
    """
    if team not in runtime.policy.teams:
        raise InvalidInputError(f"the policy has no team {team!r}", field="team")
    with versioned(runtime, reference, agent, "transfer", version) as work:
        before = work.row.team
        work.change({"team": team, "assignee_ref": None})
        told = {"action": "transferred", "from": before, "to": team}
        work.append(EntryKind.DECISION, agent=agent, data=told)
        work.unit.emit("case_routed", case=info(work.row), reasons=[told])
        return work.result


def set_priority(
    runtime: Runtime, reference: str, priority: str, *, agent: Agent, version: int | None
) -> CaseInfo:
    """Change how urgent the case is held to be."""
    new = _word(Priority, priority, "priority")
    with versioned(runtime, reference, agent, "priority", version) as work:
        before = work.row.priority
        work.change({"priority": new})
        told = {"action": "priority", "from": before, "to": new}
        work.append(EntryKind.DECISION, agent=agent, data=told)
        return work.result


def set_status(
    runtime: Runtime,
    reference: str,
    status: str,
    *,
    agent: Agent,
    version: int | None,
    outcome: str | None = None,
    reason: str | None = None,
) -> CaseInfo:
    """Move the case along its lifecycle; an outcome belongs to solved and closed only.

    Args:
        reason: why the case ends although required tasks of its protocol are open.

    Raises:
        InvalidInputError: there are such tasks and no reason was given (``field="reason"``).
    """
    new = _word(Status, status, "status")
    result = _word(Outcome, outcome, "outcome") if outcome else None
    with versioned(runtime, reference, agent, "status", version) as work:
        _move(work, new, result, agent, reason)
        return work.result


def solve(
    runtime: Runtime,
    reference: str,
    *,
    agent: Agent | None = None,
    version: int | None = None,
    outcome: str | None = None,
    reason: str | None = None,
    at: datetime | None = None,
) -> CaseInfo:
    """Solve the case, from code: without a version it is based on what is stored now.

    Args:
        agent: who solved it; the system when ``None``. An agent's permission is checked.
        reason: why it is solved although required tasks are open; an agent has to give one.
    """
    result = _word(Outcome, outcome, "outcome") if outcome else None
    with on_case(runtime, reference, at) as work:
        if agent is not None:
            require(runtime, agent, "status", info(work.row))
        if version is not None:
            work.check(version)
        _move(work, Status.SOLVED, result, agent, reason)
        return work.result


def _move(
    work: Work, new: Status, outcome: Outcome | None, agent: Agent | None, reason: str | None
) -> None:
    old = Status(work.row.status)
    lifecycle.check_move(old, new)
    why = protocols.reason_to_end(work, new, reason, agent)
    if lifecycle.is_live(new) and not lifecycle.is_live(old) and work.live_successor():
        raise InvalidTransitionError("another case of this checkout is open by now")
    if lifecycle.is_live(new):
        if outcome is not None:
            raise InvalidInputError("an outcome belongs to an ended case", field="outcome")
        values: dict[str, Any] = {"outcome": None, "ended_at": None}
        work.change(values, status=new)
    else:
        kept = outcome or (Outcome(work.row.outcome) if work.row.outcome else None)
        work.end(ended(new, kept, work.now))
        signal = "case_solved" if new is Status.SOLVED else "case_closed"
        work.unit.emit(signal, case=info(work.row), outcome=kept)
    told = {"action": "status", "from": old, "to": new, "outcome": outcome, **why}
    work.append(EntryKind.DECISION, agent=agent, data=told)


def _word(kind: Callable[[str], Any], word: str, field: str) -> Any:
    try:
        return kind(word)
    except ValueError as error:
        raise InvalidInputError(f"{word!r} is not a {field}", field=field) from error
