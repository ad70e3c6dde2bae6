"""The queue's address: what it asks for, and the addresses of its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from ...errors import InvalidInputError
from ...services.queue import Question, View, Wanted, read_place, views_of, write_place
from ...types import Agent, Category, Priority, Status

_LISTS: Final[Mapping[str, str]] = {
    "team": "teams",
    "category": "categories",
    "priority": "priorities",
}


def read_question(arguments: MultiDict[str, str], agent: Agent, teams: Sequence[str]) -> Question:
    """Read what an address asks for.

    Args:
        teams: the policy's teams.

    Raises:
        InvalidInputError: a word of it is none of ours.
    """
    after, before = arguments.get("after"), arguments.get("before")
    status = arguments.get("status")
    return Question(
        view=View(_known(arguments.get("view") or views_of(agent)[0], list(View), "view")),
        wanted=Wanted(
            status=_known(status, list(Status), "status") if status else None,
            teams=_many(arguments, "team", teams),
            categories=_many(arguments, "category", list(Category)),
            priorities=_many(arguments, "priority", list(Priority)),
        ),
        after=read_place(after, "after") if after else None,
        before=read_place(before, "before") if before and not after else None,
    )


def arguments_of(question: Question, **changes: Any) -> dict[str, Any]:
    """Return the query of the address that asks ``question``, with ``changes`` put in."""
    wanted = question.wanted
    told: dict[str, Any] = {
        "view": str(question.view),
        "status": wanted.status,
        "team": list(wanted.teams),
        "category": list(wanted.categories),
        "priority": list(wanted.priorities),
        "after": write_place(question.after) if question.after else None,
        "before": write_place(question.before) if question.before else None,
        **changes,
    }
    return {name: value for name, value in told.items() if value}


@dataclass(frozen=True, slots=True)
class Active:
    """A filter in force.

    Args:
        name, value: as they stand in the address.
        rest: the query of the address without it.
    """

    name: str
    value: str
    rest: dict[str, Any]


def active_filters(question: Question) -> list[Active]:
    """Return the filters in force, each with the way out of it."""
    top: dict[str, Any] = {"after": None, "before": None}
    found = []
    if question.wanted.status:
        rest = arguments_of(question, status=None, **top)
        found.append(Active("status", question.wanted.status, rest))
    for name, attribute in _LISTS.items():
        values: tuple[str, ...] = getattr(question.wanted, attribute)
        for value in values:
            kept = [other for other in values if other != value]
            found.append(Active(name, value, arguments_of(question, **{name: kept}, **top)))
    return found


def _known(word: str, known: Sequence[str], field: str) -> str:
    if word not in known:
        raise InvalidInputError(f"{word!r} is not a {field}", field=field)
    return word


def _many(arguments: MultiDict[str, str], name: str, known: Sequence[str]) -> tuple[str, ...]:
    words = dict.fromkeys(word for word in arguments.getlist(name) if word)
    return tuple(_known(word, known, name) for word in words)
