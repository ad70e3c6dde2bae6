"""The widget's blueprint, guarded before any view of it exists."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from ..guard import protect
from .customer import set_token_cookie

CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; require-trusted-types-for 'script'"
)

blueprint = Blueprint(
    "checkout_case_widget",
    __name__,
    static_folder="static",
    static_url_path="/static/widget",
    template_folder="templates",
)
protect(blueprint, csp=CSP, error_page="checkout_case/widget/error.html")
blueprint.after_request(set_token_cookie)
