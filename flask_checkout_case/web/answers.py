"""What leaves our blueprints: addresses of static files, headers, errors in one form."""

from __future__ import annotations

import hashlib
import logging
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from flask import Response, current_app, make_response, request, url_for
from flask import render_template as render
from flask.sansio.blueprints import Blueprint as AnyBlueprint
from markupsafe import escape

from ..errors import CheckoutCaseError, InvalidInputError
from ..i18n import current_locale, gettext, is_rtl
from .csrf import HEADER
from .rates import RateLimitedError

log = logging.getLogger(__name__)

YEAR_SECONDS: Final = 365 * 24 * 3600


def asset(name: str) -> str:
    """Return the versioned address of a static file of the blueprint that answers."""
    blueprint = current_app.blueprints[request.blueprint or ""]
    return asset_of(blueprint, name)


def asset_of(blueprint: AnyBlueprint, name: str) -> str:
    """Return the address of a static file of ``blueprint``; it changes with the content."""
    path = Path(str(blueprint.static_folder)) / name
    return url_for(f"{blueprint.name}.static", filename=name, v=_hash(path, path.stat().st_mtime))


@lru_cache(maxsize=256)
def _hash(path: Path, _changed: float) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def wants_json() -> bool:
    """Whether the caller is a script rather than a person."""
    if request.is_json or HEADER in request.headers:
        return True
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def set_headers(response: Response, csp: str, static_endpoint: str) -> Response:
    headers = response.headers
    if response.status_code == 304:
        # Asked for every few seconds, and nothing of it is ever shown: as short as it can be.
        headers.remove("Content-Type")
        headers["Cache-Control"] = "private, no-store"
        response.vary.update(("Cookie", "Accept-Language"))
        return response
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    if request.endpoint == static_endpoint and response.status_code == 200:
        if request.args.get("v"):
            headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        return response
    headers["Cache-Control"] = "private, no-store"
    headers["Content-Security-Policy"] = csp
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "same-origin"
    response.vary.update(("Cookie", "Accept-Language"))
    return response


def answer(error: Exception, code: str, status: int, page: str | None) -> Response:
    """The one form of every error on our blueprints; a fault of ours tells nothing about itself."""
    title, message = error_texts(status)
    if isinstance(error, CheckoutCaseError) and status < 500 and status != 404:
        message = str(error)
    if isinstance(error, CheckoutCaseError) and status >= 500:
        log.error("%s failed", request.endpoint, exc_info=error)
    if wants_json():
        body: dict[str, Any] = {"code": code, "message": message}
        if isinstance(error, InvalidInputError) and error.field:
            body["field"] = error.field
        response = make_response({"error": body}, status)
    elif page is not None:
        response = make_response(
            render(page, status=status, code=code, title=title, message=message), status
        )
    else:
        response = make_response(_plain_page(title, message), status)
    if isinstance(error, RateLimitedError):
        response.headers["Retry-After"] = str(error.wait)
    return response


def error_texts(status: int) -> tuple[str, str]:
    """Return a title and a sentence for people."""
    texts = {
        400: (gettext("That did not work"), gettext("Something in what was sent is not right.")),
        403: (gettext("Not allowed"), gettext("You may not see or do this.")),
        404: (gettext("Not found"), gettext("There is nothing here, or it is not yours.")),
        413: (gettext("Too long"), gettext("That is more than can be sent at once.")),
        429: (
            gettext("A moment, please"),
            gettext("Too many requests. Please wait a moment and try again."),
        ),
    }
    if status in texts:
        return texts[status]
    if status < 500:
        return texts[400]
    return (
        gettext("Something went wrong here"),
        gettext("It is our fault, not yours. Please try again in a moment."),
    )


def _plain_page(title: str, message: str) -> str:
    direction = "rtl" if is_rtl() else "ltr"
    return (
        f'<!doctype html><html lang="{escape(current_locale.get())}" dir="{direction}">'
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{escape(title)}</title><h1>{escape(title)}</h1><p>{escape(message)}</p></html>"
    )
