"""The workspace's blueprint, guarded before any view of it exists."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, request

from ...errors import CheckoutCaseError, NotFoundError
from ...services import teams
from ...services.teams import Standing
from ..current import current_agent
from ..guard import protect, this_runtime
from . import wording
from .fields import NUL

# Fragments are parsed by XMLHttpRequest's own "document" type, which is no sink of Trusted Types:
# the pages need no policy at all, and none can be made.
CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)

blueprint = Blueprint(
    "checkout_case_agent",
    __name__,
    static_folder="static",
    static_url_path="/static",
    template_folder="templates",
)
protect(blueprint, csp=CSP, error_page="checkout_case/agent/error.html")


@blueprint.before_request
def _refuse_what_names_nothing() -> None:
    if any(NUL in str(value) for value in (request.view_args or {}).values()):
        raise NotFoundError("there is nothing of this name")


@blueprint.context_processor
def _names() -> dict[str, Any]:
    return {"words": wording, "login_url": _login_url, "standing": _standing}


def _standing() -> Standing | None:
    """Return how the agent stands, for the header; ``None`` where a refusal is shown."""
    try:
        return teams.standing(this_runtime(), current_agent())
    except CheckoutCaseError:
        return None


def _login_url() -> str | None:
    hook = this_runtime().hooks.login_url
    return wording.safe_url(hook()) if hook is not None else None
