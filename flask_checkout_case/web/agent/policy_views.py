"""The policy in the workspace: what is in force, an editor, versions, activation."""

from __future__ import annotations

from typing import Any, Final

from flask import jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import RequestEntityTooLarge

from ...errors import InvalidInputError, PolicyChangedError, PolicyError
from ...i18n import gettext
from ...rules.policy_diff import line_difference
from ...services import policies, queue
from ...services.policies import Problem, Version
from ...types import Agent
from ..answers import answer
from ..current import current_agent, runtime
from ..guard import csrf_protected
from . import fields, policy_words
from .blueprint import blueprint

_TAKES_A_TEXT: Final = frozenset(
    f"{blueprint.name}.{view}" for view in ("policy_save", "policy_check")
)


@blueprint.url_value_preprocessor
def _take_long_texts(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    # The limit of all other bodies must not cost a supervisor what they have typed.
    if endpoint in _TAKES_A_TEXT:
        most = max(runtime().settings.max_body, policies.BODY_LIMIT)
        request.max_content_length = request.max_form_memory_size = most


@blueprint.errorhandler(RequestEntityTooLarge)
def _too_large(error: RequestEntityTooLarge) -> ResponseReturnValue:
    told: Exception = error
    if request.endpoint in _TAKES_A_TEXT:
        back = gettext("Go back in your browser: what you typed is still there.")
        told = InvalidInputError(f"{policy_words.longest(policies.TEXT_LIMIT)} {back}")
    return answer(told, "request_entity_too_large", 413, "checkout_case/agent/error.html")


def supervisor() -> Agent:
    """Return the supervisor behind this request.

    Raises:
        PermissionDeniedError: whoever it is isn't one.
    """
    agent = current_agent()
    policies.require_supervisor(agent)
    return agent


@blueprint.get("/policy")
def policy() -> ResponseReturnValue:
    """Show the policy in force, an editor that starts with it, and what has been before."""
    agent = supervisor()
    policies.note_file(runtime())
    start = request.args.get("from", type=fields.row_number)
    if start is None:
        return _page(agent, None)
    version, text = policies.find(runtime(), start)
    return _page(agent, text, _problems(text), checked=version.mistakes > 0)


@blueprint.post("/policy")
@csrf_protected
def policy_save() -> ResponseReturnValue:
    """Keep what was typed as a draft, mistakes and all; what is too long comes back as it was."""
    agent, text = supervisor(), _typed()
    if _is_too_long(text) or request.form.get("do") == "check":
        problems = _problems(text)
        return _page(agent, text, problems, checked=True), 422 if problems else 200
    draft = policies.save_draft(runtime(), text, agent=agent)
    return redirect(url_for(".policy_version", policy_id=draft.id), 303)


@blueprint.post("/policy/check")
@csrf_protected
def policy_check() -> ResponseReturnValue:
    """Answer an editor that asks, while somebody types, what is wrong."""
    supervisor()
    problems = _problems(_typed())
    return jsonify(
        verdict=policy_words.verdict(len(problems)),
        problems=[
            {"line": one.line, "key": one.key, "message": policy_words.mistake(one.message)}
            for one in problems
        ],
    )


@blueprint.get(f"/policy/versions/<int(max={fields.MOST_ROWS}):policy_id>")
def policy_version(policy_id: int) -> ResponseReturnValue:
    """Show a version and how it differs from the one in force; it can be activated here."""
    return _version_page(supervisor(), policy_id)


@blueprint.post(f"/policy/versions/<int(max={fields.MOST_ROWS}):policy_id>/activate")
@csrf_protected
def policy_activate(policy_id: int) -> ResponseReturnValue:
    """Put a version into force, unless another one came into force since the page was made."""
    agent = supervisor()
    based_on = request.form.get("based_on", type=fields.row_number)
    try:
        policies.activate(runtime(), policy_id, agent=agent, based_on=based_on)
    except PolicyChangedError as error:
        return _version_page(agent, policy_id, conflict=error.current), error.status
    except PolicyError:
        return _version_page(agent, policy_id, is_refused=True), 422
    return redirect(url_for(".policy"), 303)


def frame(agent: Agent) -> dict[str, Any]:
    """Return what every page of the policy is given."""
    return {
        "agent": agent,
        "now": runtime().clock(),
        "views": queue.views_of(agent),
        "counts": queue.counts(runtime(), agent),
        "told": policy_words.told,
        "author": policy_words.author,
        "verdict_of": policy_words.verdict,
        "mistake": policy_words.mistake,
    }


def _page(
    agent: Agent,
    text: str | None,
    problems: tuple[Problem, ...] = (),
    *,
    checked: bool = False,
) -> str:
    active, in_force = policies.active(runtime())
    history = policies.history(runtime())
    text = in_force if text is None else text
    return render_template(
        "checkout_case/agent/policy.html",
        active=active,
        file=runtime().policies.file_policy,
        is_unusable=bool(active.id and _problems(in_force)),
        text=text,
        editable=runtime().policies.editable,
        limit=policies.TEXT_LIMIT,
        longest=policy_words.longest(policies.TEXT_LIMIT),
        problems=problems,
        verdict=policy_words.verdict(len(problems)) if checked else "",
        lines=() if _is_too_long(text) else line_difference(in_force, text),
        history=history,
        waiting=_waiting(history),
        **frame(agent),
    )


def _version_page(
    agent: Agent,
    policy_id: int,
    *,
    conflict: dict[str, Any] | None = None,
    is_refused: bool = False,
) -> str:
    version, text = policies.find(runtime(), policy_id)
    active, in_force = policies.active(runtime())
    return render_template(
        "checkout_case/agent/policy_version.html",
        version=version,
        active=active,
        text=text,
        lines=line_difference(in_force, text),
        conflict=conflict,
        is_refused=is_refused,
        problems=() if version.active else _problems(text),
        **frame(agent),
    )


def _waiting(history: Any) -> Version | None:
    """Return the file's newest version where nobody has activated it yet."""
    of_file = next((one for one in history if one.made_by is None), None)
    return of_file if of_file is not None and of_file.activated_at is None else None


def _typed() -> str:
    # A form's lines end as on a typewriter; the text's hash is its version.
    typed = request.form.get("text", "").replace("\r\n", "\n")
    # PostgreSQL keeps no NUL.
    return typed.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _is_too_long(text: str) -> bool:
    return len(text) > policies.TEXT_LIMIT


def _problems(text: str) -> tuple[Problem, ...]:
    if _is_too_long(text):
        return (Problem(1, policy_words.longest(policies.TEXT_LIMIT)),)
    return policies.problems_of(runtime(), text)
