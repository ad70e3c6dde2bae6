"""Which status may follow which, and what a message does to a status."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..errors import InvalidTransitionError
from ..types import Status

_MOVES: Final[Mapping[Status, frozenset[Status]]] = {
    Status.NEW: frozenset({Status.OPEN, Status.WAITING, Status.SOLVED, Status.CLOSED}),
    Status.OPEN: frozenset({Status.WAITING, Status.SOLVED, Status.CLOSED}),
    Status.WAITING: frozenset({Status.OPEN, Status.SOLVED, Status.CLOSED}),
    Status.SOLVED: frozenset({Status.OPEN, Status.CLOSED}),
    Status.CLOSED: frozenset({Status.OPEN}),
}


def moves_from(status: Status) -> frozenset[Status]:
    """Return the statuses that may follow ``status``."""
    return _MOVES[status]


def check_move(old: Status, new: Status) -> None:
    """Let a move pass or refuse it; staying where one is always passes.

    Raises:
        InvalidTransitionError: when ``new`` can't follow ``old``.
    """
    if new != old and new not in _MOVES[old]:
        raise InvalidTransitionError(f"a case that is {old} can't become {new}")


def is_live(status: Status) -> bool:
    """Whether a case in ``status`` is still worked on (and holds its dedupe key)."""
    return status in (Status.NEW, Status.OPEN, Status.WAITING)


def after_agent_reply(status: Status) -> Status:
    """An agent's public reply passes the turn to the customer; it never reopens an ended case."""
    return Status.WAITING if is_live(status) else status


def after_customer_message(status: Status) -> Status:
    """A customer's message passes the turn to the agents, and reopens what had ended."""
    return Status.NEW if status is Status.NEW else Status.OPEN


def after_occurrence(status: Status) -> Status:
    """The same problem again: a case that waits for the customer needs an agent again."""
    return Status.OPEN if status is Status.WAITING else status
