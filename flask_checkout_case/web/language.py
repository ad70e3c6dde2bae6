"""The runtime of the app that answers, and the reader's language."""

from __future__ import annotations

import logging

from flask import current_app, request

from ..services.runtime import Runtime

log = logging.getLogger(__name__)


def this_runtime() -> Runtime:
    """Return the runtime of the app that answers this request."""
    found: Runtime = current_app.extensions["checkout_case"]
    return found


def pick_locale() -> str:
    """Choose the reader's language: the shop's ``locale_loader``, else what the browser asks for.

    Only languages of ``CHECKOUT_CASE_LOCALES`` are spoken; its first one when none fits.
    """
    runtime = this_runtime()
    offered = runtime.settings.locales
    wanted = [tag for tag, _ in request.accept_languages]
    if runtime.hooks.locale_loader is not None:
        try:
            wanted.insert(0, runtime.hooks.locale_loader() or "")
        except Exception:
            log.exception("the locale_loader failed; the browser's languages are used")
    spoken = {_language(tag) for tag in offered}
    return next((tag for tag in wanted if _language(tag) in spoken), offered[0])


def _language(tag: str) -> str:
    return tag.replace("_", "-").split("-", 1)[0].strip().lower()
