"""Who and what this request is about, as the shop's loaders tell it."""

from __future__ import annotations

import logging
from typing import Final

from flask import g, request

from ..errors import PermissionDeniedError
from ..i18n import gettext
from ..services.runtime import Runtime
from ..services.staff import hear_of, remember_agent, with_policy_teams
from ..types import Agent, Checkout
from .language import this_runtime

TAB_HEADER: Final = "X-Checkout-Case-Tab"
"""Of a page that asks for what has changed: ``hidden`` while nobody looks at it."""

log = logging.getLogger(__name__)


def runtime() -> Runtime:
    """Return the runtime of the app that answers this request."""
    return this_runtime()


def current_checkout() -> Checkout | None:
    """Return the checkout of this request; a failing loader is logged and means none."""
    if "checkout_case_checkout" not in g:
        g.checkout_case_checkout = _load_checkout()
    found: Checkout | None = g.checkout_case_checkout
    return found


def _load_checkout() -> Checkout | None:
    loader = runtime().hooks.checkout_loader
    if loader is None:
        return None
    try:
        found = loader()
    except Exception:
        log.exception("the checkout_loader failed")
        return None
    return found if isinstance(found, Checkout) else None


def current_agent() -> Agent:
    """Return the agent behind this request, and remember them for work beside the requests.

    Raises:
        PermissionDeniedError: there is no ``agent_loader``, it failed, or it knows no agent here.
    """
    if "checkout_case_agent" not in g:
        g.checkout_case_agent = _load_agent()
    agent: Agent | None = g.checkout_case_agent
    if agent is None:
        raise PermissionDeniedError(gettext("These pages are for the shop's agents."))
    return agent


def _load_agent() -> Agent | None:
    loader = runtime().hooks.agent_loader
    if loader is None:
        return None
    try:
        found = loader()
    except Exception:
        log.exception("the agent_loader failed; the request is refused")
        return None
    if not isinstance(found, Agent):
        return None
    # Kept are the loader's teams alone: who is listed in the policy no more has lost those at once.
    if request.headers.get(TAB_HEADER) == "hidden":
        hear_of(runtime(), found)
    else:
        remember_agent(runtime(), found)
    return with_policy_teams(runtime(), found)
