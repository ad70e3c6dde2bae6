"""The health page: is everything that was captured on its way into the database?"""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from .current import runtime
from .guard import protect

blueprint = Blueprint("checkout_case_system", __name__)
protect(blueprint, csp="default-src 'none'")


@blueprint.get("/health")
def health() -> ResponseReturnValue:
    """Answer 200 when nothing captured is at risk, else 503; figures stay on the machine."""
    recorder = runtime().recorder
    healthy = recorder is None or bool(recorder.health().get("ok"))
    return jsonify(ok=healthy), 200 if healthy else 503
