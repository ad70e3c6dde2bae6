"""What a browser loads from Stripe: script, card fields in their frame, 3-D Secure page."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from .cards import CARDS
from .errors import StripeError
from .intents import CardDeclinedError, Intents
from .store import Json
from .trouble import TITLES, Mode, Trouble

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self';"
    " form-action *; base-uri 'none'"
)


def make_blueprint(intents: Intents, trouble: Trouble) -> Blueprint:
    """Make the pages over ``intents``, with the switch for ``trouble``."""
    pages = Blueprint(
        "local_stripe",
        __name__,
        template_folder="templates",
        static_folder="static",
        static_url_path="/elements/static",
    )

    @pages.after_request
    def secure(response: Response) -> Response:
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Cache-Control"] = "no-store"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    @pages.get("/js.stripe.com/v3/")
    @pages.get("/v3/")
    def script() -> Response:
        response: Response = pages.send_static_file("stripe.js")
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        return response

    @pages.get("/elements/card")
    def card() -> str:
        return render_template("local_stripe/card.html")

    @pages.get("/")
    def home() -> str:
        return render_template("local_stripe/home.html", cards=CARDS, trouble=trouble, modes=TITLES)

    @pages.post("/trouble")
    def switch() -> AnyResponse | tuple[str, int]:
        mode = request.form.get("mode", "")
        if mode not in set(Mode):
            return "There is no such trouble.", 400
        trouble.mode = Mode(mode)
        return redirect(url_for("local_stripe.home"), 303)

    _add_challenge(pages, intents)
    return pages


def _add_challenge(pages: Blueprint, intents: Intents) -> None:
    @pages.get("/3d-secure/<ident>")
    def challenge(ident: str) -> tuple[str, int] | str:
        try:
            intent = intents.get(ident)
        except StripeError as error:
            return error.message, error.status
        return render_template(
            "local_stripe/challenge.html", intent=intent, redirected="redirect" in request.args
        )

    @pages.post("/3d-secure/<ident>")
    def answer(ident: str) -> AnyResponse | str | tuple[str, int]:
        try:
            passed = request.form.get("answer") == "complete"
            intent = _authenticate(intents, ident, passed)
        except StripeError as error:
            return error.message, error.status
        back = intents.return_address(ident)
        if "redirect" in request.args and back:
            return redirect(_with_result(back, intent), 303)
        return render_template("local_stripe/answered.html", intent=intent)


def _authenticate(intents: Intents, ident: str, passed: bool) -> Json:
    """Take the answer; a card that then declines leaves its error in the intent, as Stripe does."""
    try:
        return intents.authenticate(ident, passed)
    except CardDeclinedError:
        return intents.get(ident)


def _with_result(address: str, intent: Json) -> str:
    parts = urlsplit(address)
    result = urlencode(
        {
            "payment_intent": intent["id"],
            "payment_intent_client_secret": intent["client_secret"],
            "redirect_status": "succeeded" if intent["status"] == "succeeded" else "failed",
        }
    )
    query = f"{parts.query}&{result}" if parts.query else result
    return urlunsplit(parts._replace(query=query))
