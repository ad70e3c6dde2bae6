"""Which status may follow which, what a message does to one, and which case is the same case."""

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


def dedupe_key(
    family: str,
    *,
    checkout_ref: str | None = None,
    order_ref: str | None = None,
    own_key: str | None = None,
    reason: str | None = None,
) -> str:
    """Return the key of which there is one live case: whose it is, and of which family.

    A shop may number checkouts and orders alike, so each kind of ref has a name of its own.

    Raises:
        ValueError: nothing says whose it is.
    """
    if checkout_ref is not None:
        whose = f"checkout:{checkout_ref}"
    elif order_ref is not None:
        whose = f"order:{order_ref}"
    elif own_key is not None:
        whose = f"own:{own_key}"
    else:
        raise ValueError("a case belongs to a checkout, an order or a key of its own")
    return f"{whose}|{family}" + (f"|{reason}" if reason else "")


def same_owner(
    ref: str | None, email: str | None, other_ref: str | None, other_email: str | None
) -> bool:
    """Whether two cases are surely one customer's: the same account, or guests of one address."""
    if ref is not None or other_ref is not None:
        return ref == other_ref
    return email is not None and email == other_email
