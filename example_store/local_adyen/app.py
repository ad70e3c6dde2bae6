"""The HTTP side of the local Adyen: two calls of its Checkout API, and Klarna's page."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Flask, abort, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from .payments import ANSWERS, Payment, Payments, told

_NEEDED = ("amount", "merchantAccount", "reference", "returnUrl")


def create_app(payments: Payments | None = None) -> Flask:
    """Make the application.

    Args:
        payments: where they are kept; without receivers of webhooks when ``None``.
    """
    app = Flask(__name__, static_folder="../local_stripe/static")
    kept = payments or Payments()
    app.extensions["local_adyen"] = kept
    _add_api(app, kept)
    _add_pages(app, kept)

    @app.after_request
    def secure(response: Any) -> Any:
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'"
        response.headers["Cache-Control"] = "no-store"
        return response

    return app


def _add_api(app: Flask, kept: Payments) -> None:
    @app.post("/v<int:version>/payments")
    def begin(version: int) -> ResponseReturnValue:
        if (refused := _refused(kept)) is not None:
            return refused
        asked = request.get_json()
        missing = [name for name in _NEEDED if not asked.get(name)]
        if missing:
            return _error(422, "14_030", f"Required field '{missing[0]}' is not provided.")
        payment = kept.begin(asked)
        page = url_for("klarna", ident=payment.id, _external=True)
        action = {
            "type": "redirect",
            "method": "GET",
            "url": page,
            "paymentMethodType": asked["paymentMethod"]["type"],
        }
        return jsonify(resultCode="RedirectShopper", action=action)

    @app.post("/v<int:version>/payments/details")
    def details(version: int) -> ResponseReturnValue:
        if (refused := _refused(kept)) is not None:
            return refused
        result = str((request.get_json().get("details") or {}).get("redirectResult", ""))
        payment = kept.find(result)
        if payment is None or payment.answer is None:
            return _error(422, "14_002", "Invalid payment details")
        return jsonify(told(payment))


def _add_pages(app: Flask, kept: Payments) -> None:
    @app.get("/")
    def home() -> str:
        return render_template("local_adyen/home.html", answers=ANSWERS, broken=kept.broken)

    @app.post("/trouble")
    def trouble() -> ResponseReturnValue:
        kept.broken = request.form.get("mode") == "errors"
        return redirect(url_for("home"), 303)

    @app.get("/klarna/<ident>")
    def klarna(ident: str) -> str:
        payment = _payment(kept, ident)
        return render_template("local_adyen/klarna.html", payment=payment, answers=ANSWERS)

    @app.post("/klarna/<ident>")
    def choose(ident: str) -> ResponseReturnValue:
        payment, answer = _payment(kept, ident), request.form.get("answer", "")
        if answer not in ANSWERS:
            abort(400)
        kept.decide(payment, answer)
        back = payment.request["returnUrl"]
        joined = "&" if "?" in back else "?"
        return redirect(f"{back}{joined}{urlencode({'redirectResult': payment.id})}", 303)


def _payment(kept: Payments, ident: str) -> Payment:
    return kept.find(ident) or abort(404)


def _refused(kept: Payments) -> ResponseReturnValue | None:
    if not request.headers.get("X-API-Key"):
        return _error(401, "000", "HTTP Status Response - Unauthorized", "security")
    if kept.broken:
        return _error(500, "905", "Payment details are not supported", "configuration")
    return None


def _error(status: int, code: str, message: str, kind: str = "validation") -> ResponseReturnValue:
    said = {"status": status, "errorCode": code, "message": message, "errorType": kind}
    return jsonify(said), status
