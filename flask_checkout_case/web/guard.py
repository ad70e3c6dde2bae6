"""What every blueprint of ours needs before a view runs: limits, language, CSRF, headers, errors.

``protect(blueprint, csp=…)`` once per blueprint; views that change something take
:func:`csrf_protected` (or call :func:`check_csrf`) and call :func:`limit_rate`. The shop's own
routes are never touched.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, make_response, request
from werkzeug.exceptions import HTTPException

from ..errors import CheckoutCaseError
from ..i18n import current_locale, gettext, is_rtl, ngettext, set_locale
from .answers import answer, asset, asset_of, error_texts, set_headers, wants_json
from .bodies import read_json, refuse_cut_body
from .csrf import (
    FIELD,
    HEADER,
    CsrfError,
    browser_nonce,
    check_csrf,
    csrf_field,
    csrf_protected,
    csrf_token,
    exempt_from_host_csrf,
    keep_browser_nonce,
    known_nonce,
    new_browser_nonce,
    proves_itself,
    set_browser_cookie,
    set_cookie,
    signing_keys,
)
from .language import pick_locale, this_runtime
from .rates import RateLimitedError, limit_rate

__all__ = (
    "FIELD",
    "HEADER",
    "CsrfError",
    "RateLimitedError",
    "asset",
    "asset_of",
    "browser_nonce",
    "check_csrf",
    "csrf_field",
    "csrf_protected",
    "csrf_token",
    "error_texts",
    "exempt_from_host_csrf",
    "keep_browser_nonce",
    "known_nonce",
    "limit_rate",
    "new_browser_nonce",
    "pick_locale",
    "protect",
    "proves_itself",
    "read_json",
    "set_cookie",
    "signing_keys",
    "this_runtime",
    "wants_json",
)


def protect(blueprint: Blueprint, *, csp: str, error_page: str | None = None) -> None:
    """Put the guard before every view of ``blueprint``.

    Args:
        csp: the Content-Security-Policy of its pages; ``frame-ancestors 'none'`` is added.
        error_page: template for errors, given ``status``, ``code``, ``title`` and ``message``; a
            plain page without one. Whoever asks for JSON gets
            ``{"error": {"code", "message", "field"}}``.
    """
    policy = csp if "frame-ancestors" in csp else f"{csp.rstrip('; ')}; frame-ancestors 'none'"

    @blueprint.url_value_preprocessor
    def _before_the_shop(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
        # The shop's before_request functions may read the body: the limit has to come first.
        request.max_content_length = this_runtime().settings.max_body

    @blueprint.before_request
    def _begin() -> None:
        g.checkout_case_locale = current_locale.get()
        set_locale(pick_locale())
        refuse_cut_body()

    @blueprint.after_request
    def _finish(response: Response) -> Response:
        set_browser_cookie(response)
        return set_headers(response, policy, f"{blueprint.name}.static")

    @blueprint.teardown_request
    def _end(_error: BaseException | None) -> None:
        if "checkout_case_locale" in g:
            set_locale(g.checkout_case_locale)

    blueprint.context_processor(_template_names)

    def answer_ours(error: CheckoutCaseError) -> Response:
        return answer(error, error.code, error.status, error_page)

    def answer_http(error: HTTPException) -> Response:
        if error.response is not None:
            return make_response(error.response)
        return answer(error, error.name.lower().replace(" ", "_"), error.code or 500, error_page)

    blueprint.register_error_handler(CheckoutCaseError, answer_ours)
    blueprint.register_error_handler(HTTPException, answer_http)


def _template_names() -> dict[str, Any]:
    return {
        "_": gettext,
        "gettext": gettext,
        "ngettext": ngettext,
        "lang": current_locale.get(),
        "dir": "rtl" if is_rtl() else "ltr",
        "csrf_field": csrf_field,
        "asset": asset,
        "shop_name": this_runtime().shop_name,
    }
