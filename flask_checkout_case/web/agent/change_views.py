"""Deciding on changes of orders, on the case's page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from flask import request
from flask.typing import ResponseReturnValue

from ...errors import InvalidInputError
from ...services import cases, changes, dead_letters, reading
from ...types import Agent, CaseInfo
from ..current import runtime
from ..guard import csrf_protected
from . import change_words
from .blueprint import blueprint
from .case_views import do, form_key
from .fields import version, word

Decide = Callable[[str, str, str, Agent], object]


@blueprint.post("/cases/<reference>/change")
@csrf_protected
def change(reference: str) -> ResponseReturnValue:
    """Decide on a change: ``change`` is a deed, the change's id, and what an approval binds."""

    def deed(reference: str, agent: Agent) -> CaseInfo:
        name, _, rest = word("change").partition(" ")
        change_id, _, content = rest.partition(" ")
        decide = _DEEDS.get(name)
        if decide is None:
            raise InvalidInputError(f"expected one of: {', '.join(_DEEDS)}", field="change")
        decide(reference, change_id, content, agent)
        return reading.get(runtime(), reference)

    return do(reference, deed)


def _approve(reference: str, change_id: str, content: str, agent: Agent) -> object:
    return changes.approve(runtime(), reference, change_id, content, agent=agent, version=version())


def _refuse(reference: str, change_id: str, _content: str, agent: Agent) -> object:
    return changes.refuse(
        runtime(), reference, change_id, agent=agent, text=_why(change_id), version=version()
    )


def _ask(reference: str, change_id: str, _content: str, agent: Agent) -> object:
    # A question goes to the customer as any answer does; the change stays open.
    text = request.form.get(f"question {change_id}", "")
    return cases.reply(runtime(), reference, text, agent=agent, key=form_key("reply_key"))


def _again(reference: str, change_id: str, _content: str, agent: Agent) -> object:
    return dead_letters.send_again(runtime(), reference, change_id, agent=agent, version=version())


def _done(reference: str, change_id: str, _content: str, agent: Agent) -> object:
    return dead_letters.settle(
        runtime(), reference, change_id, done=True, agent=agent, version=version()
    )


def _undone(reference: str, change_id: str, _content: str, agent: Agent) -> object:
    return dead_letters.settle(
        runtime(),
        reference,
        change_id,
        done=False,
        agent=agent,
        text=_why(change_id),
        version=version(),
    )


def _correct(reference: str, change_id: str, _content: str, agent: Agent) -> object:
    changes.may_decide(runtime(), reference, change_id, agent)
    kind = changes.get(runtime(), change_id).kind
    given = change_words.read_edits(kind, request.form, change_id)
    return dead_letters.correct(
        runtime(), reference, change_id, given, agent=agent, version=version()
    )


def _why(change_id: str) -> str:
    return request.form.get(f"why {change_id}", "")


_DEEDS: Final[dict[str, Decide]] = {
    "approve": _approve,
    "refuse": _refuse,
    "ask": _ask,
    "again": _again,
    "done": _done,
    "undone": _undone,
    "correct": _correct,
}
