"""What is to be done about a case of a kind, by whom, until when. Pure; instants are aware UTC."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Protocol, TypeAlias, TypeVar

from ..types import Priority
from .policy import Protocol as Rules

SOON_SHARE: Final = 0.25
SOON_MOST: Final = timedelta(hours=1)
"""A task is pressing in the last quarter of its time, and never longer than this."""

AddTime: TypeAlias = Callable[[datetime, timedelta], datetime | None]
"""Adds working time to an instant; ``None`` where it never comes to an end."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A task as it is written down for a case; ``due_at`` is ``None`` where time is not limited."""

    position: int
    title: str
    owner: str
    required: bool
    due_at: datetime | None


class Tracked(Protocol):
    """What a stored task tells about itself."""

    @property
    def required(self) -> bool: ...
    @property
    def due_at(self) -> datetime | None: ...
    @property
    def done_at(self) -> datetime | None: ...


T = TypeVar("T", bound=Tracked)


def plan(protocol: Rules, added_at: datetime, add: AddTime) -> tuple[Planned, ...]:
    """Return a protocol's tasks in order, each due so long after ``added_at`` as it is allowed.

    Args:
        add: counts the time allowed by the case's calendar.
    """
    return tuple(
        Planned(
            position=position,
            title=task.title,
            owner=task.owner,
            required=task.required,
            due_at=None if task.within is None else add(added_at, task.within),
        )
        for position, task in enumerate(protocol.tasks)
    )


def open_tasks(tasks: Iterable[T]) -> list[T]:
    """Return what is still to be done, in the order given."""
    return [task for task in tasks if task.done_at is None]


def holding(tasks: Iterable[T]) -> list[T]:
    """Return the tasks for which ending the case needs a reason."""
    return [task for task in open_tasks(tasks) if task.required]


def state(task: Tracked, opened_at: datetime, now: datetime) -> str:
    """Return ``done``, ``open`` (no due time), ``fine``, ``soon`` or ``overdue``.

    Exactly at the due time is still in time, as it is for a case.
    """
    if task.done_at is not None:
        return "done"
    if task.due_at is None:
        return "open"
    if now > task.due_at:
        return "overdue"
    return "soon" if now >= soon_at(task.due_at, opened_at) else "fine"


def soon_at(due: datetime, opened_at: datetime) -> datetime:
    """Return from when on a task is pressing.

    Args:
        opened_at: when its case was opened, at or before the task was added.
    """
    return due - min(max(due - opened_at, timedelta(0)) * SOON_SHARE, SOON_MOST)


def raised(priority: Priority) -> Priority:
    """Return the next higher priority; the highest stays what it is."""
    ranks = list(Priority)
    return ranks[min(ranks.index(priority) + 1, len(ranks) - 1)]
