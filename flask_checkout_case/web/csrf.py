"""Whose request is it: this browser's random name, and tokens that only our own pages have."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request
from itsdangerous import BadSignature, URLSafeSerializer, URLSafeTimedSerializer
from markupsafe import Markup

from ..errors import PermissionDeniedError
from ..i18n import gettext
from .language import this_runtime

FIELD: Final = "checkout_case_csrf"
HEADER: Final = "X-Checkout-Case"
BROWSER_COOKIE: Final = "checkout_case_browser"
TOKEN_SECONDS: Final = 24 * 3600
_SIGNED: Final = "checkout_case_webhooks."
_UNSAFE: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

Taken = ParamSpec("Taken")
Given = TypeVar("Given")


class CsrfError(PermissionDeniedError):
    """The request doesn't come from one of our own pages, or its page was open for too long."""

    code = "csrf"


def signing_keys() -> list[str]:
    """Return the keys for itsdangerous: the oldest first, the one that signs last."""
    return list(reversed(this_runtime().secret_keys()))


def browser_nonce() -> str:
    """Return this browser's random name, and see to it that the answer sets its cookie.

    Call it only where the person has done something: before, no cookie is set.
    """
    return known_nonce() or new_browser_nonce()


def new_browser_nonce() -> str:
    """Give this browser another name: what was bound to the earlier one no longer holds."""
    name = secrets.token_urlsafe(18)
    g.checkout_case_nonce = g.checkout_case_new_nonce = name
    return name


def keep_browser_nonce() -> str:
    """Return this browser's name, and give its cookie its full time again."""
    name = browser_nonce()
    g.checkout_case_new_nonce = name
    return name


def known_nonce() -> str | None:
    """Return this browser's random name when it already has one."""
    if "checkout_case_nonce" not in g:
        g.checkout_case_nonce = _read_nonce(request.cookies.get(BROWSER_COOKIE))
    nonce: str | None = g.checkout_case_nonce
    return nonce


def _read_nonce(cookie: str | None) -> str | None:
    if not cookie:
        return None
    try:
        nonce = URLSafeSerializer(signing_keys(), salt="checkout-case-browser").loads(cookie)
    except BadSignature:
        return None
    return nonce if isinstance(nonce, str) else None


def set_browser_cookie(response: Response) -> None:
    nonce = g.get("checkout_case_new_nonce")
    if nonce is not None:
        signed = URLSafeSerializer(signing_keys(), salt="checkout-case-browser").dumps(nonce)
        set_cookie(response, BROWSER_COOKIE, str(signed))


def set_cookie(response: Response, name: str, value: str) -> None:
    """Set a cookie that scripts can't read and that only our own pages are sent."""
    settings = this_runtime().settings
    response.set_cookie(
        name,
        value,
        max_age=settings.token_days * 24 * 3600,
        path=f"{request.script_root}{settings.url_prefix}",
        secure=request.is_secure or bool(current_app.config.get("SESSION_COOKIE_SECURE")),
        httponly=True,
        samesite="Lax",
    )


def csrf_token() -> str:
    """Return a token that lets this browser change something for a day; sets its cookie."""
    serializer = URLSafeTimedSerializer(signing_keys(), salt="checkout-case-csrf")
    return str(serializer.dumps(browser_nonce()))


def csrf_field() -> Markup:
    """Return the hidden fields of a form: our token, and the shop's own when it asks for one."""
    fields = [(FIELD, csrf_token())]
    host = _host_token()
    if host is not None:
        fields.append(host)
    return Markup("").join(
        Markup('<input type="hidden" name="{}" value="{}">').format(name, value)
        for name, value in fields
    )


def _host_token() -> tuple[str, str] | None:
    """The field of the shop's global Flask-WTF protection, which refuses forms without it."""
    if "csrf" not in current_app.extensions:
        return None
    try:
        from flask_wtf.csrf import generate_csrf
    except ImportError:
        return None
    name = current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token")
    return str(name), str(generate_csrf())


def check_csrf() -> None:
    """Let the request pass when one of our own pages of this browser sent it.

    The token comes in the form's hidden field or in the ``X-Checkout-Case`` header, and the browser
    itself must say that the request comes from our origin.

    Raises:
        CsrfError: otherwise.
    """
    if request.method not in _UNSAFE:
        return
    if not is_same_origin():
        raise CsrfError(gettext("This request did not come from this shop's pages."))
    given = request.headers.get(HEADER) or request.form.get(FIELD) or ""
    serializer = URLSafeTimedSerializer(signing_keys(), salt="checkout-case-csrf")
    try:
        nonce = serializer.loads(given, max_age=TOKEN_SECONDS)
    except BadSignature as error:
        raise CsrfError(
            gettext("This page was open for too long. Please send it again.")
        ) from error
    known = known_nonce()
    if known is None or not hmac.compare_digest(str(nonce), known):
        raise CsrfError(_too_old())


def _too_old() -> str:
    return gettext("This page was open for too long. Please send it again.")


def is_same_origin() -> bool:
    """Whether the browser itself says that the request comes from our own pages."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if not origin:
        return False
    ours = {_origin(request.host_url)}
    public = this_runtime().settings.public_url
    if public:
        ours.add(_origin(public))
    return _origin(origin) in ours


def _origin(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    return parts.scheme, parts.netloc.lower()


def csrf_protected(view: Callable[Taken, Given]) -> Callable[Taken, Given]:
    """Call :func:`check_csrf` before ``view``."""

    @wraps(view)
    def guarded(*args: Taken.args, **kwargs: Taken.kwargs) -> Given:
        check_csrf()
        return view(*args, **kwargs)

    return guarded


def proves_itself(view: Callable[Taken, Given]) -> Callable[Taken, Given]:
    """Mark a view that checks our own token in a header: the shop's protection may let it pass."""
    view.checkout_case_proves_itself = True  # type: ignore[attr-defined]
    return view


def exempt_from_host_csrf(app: Flask) -> None:
    """Let the shop's global Flask-WTF protection pass signed webhooks and marked views.

    It may be initialised after us: what it needs to know is told to it with the first request,
    before any ``before_request`` function runs.
    """
    told: set[int] = set()

    @app.url_value_preprocessor
    def _tell(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        host = app.extensions.get("csrf")
        if host is None or id(host) in told:
            return
        told.add(id(host))
        for endpoint, view in app.view_functions.items():
            if endpoint.startswith(_SIGNED) or hasattr(view, "checkout_case_proves_itself"):
                host.exempt(view)
