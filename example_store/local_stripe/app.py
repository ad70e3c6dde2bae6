"""The HTTP side of the local Stripe."""

from __future__ import annotations

import hashlib
import json
import logging
from urllib.parse import urlencode

from flask import Flask, Response, request

from . import pages
from .api import Api, Handler
from .auth import allow, key_of
from .errors import StripeError, invalid
from .events import Events
from .forms import unflatten
from .intents import Intents
from .settings import Settings
from .store import Json, Store, new_id
from .trouble import Trouble
from .upstream import forward

_log = logging.getLogger(__name__)
_PASSED_ON = ("Authorization", "Content-Type", "Accept")


def create_app(settings: Settings | None = None) -> Flask:
    """Make the application; ``app.extensions["local_stripe"].start()`` begins to deliver webhooks.

    Args:
        settings: defaults to a Stripe in memory without receivers of webhooks.
    """
    settings = settings or Settings()
    app = Flask(__name__)
    store = Store(settings.database)
    events = Events(store, settings)
    trouble = Trouble()
    intents = Intents(store, events.emit, lambda: request.host_url.rstrip("/"), trouble)
    app.extensions["local_stripe"] = events
    app.extensions["local_stripe_store"] = store
    app.extensions["local_stripe_trouble"] = trouble
    api = Api(store, intents, events)
    app.register_blueprint(pages.make_blueprint(intents, trouble))

    @app.route("/v1/<path:path>", methods=["GET", "POST", "DELETE", "OPTIONS"])
    def v1(path: str) -> Response:
        if request.method == "OPTIONS":
            return _cors(Response(status=204))
        try:
            response = _answer(api, store, settings, path)
        except StripeError as error:
            response = _json(error.status, json.dumps(error.body(), indent=2))
        response.headers["Request-Id"] = new_id("req")
        return _cors(response)

    @app.errorhandler(404)
    def unknown(_error: Exception) -> Response:
        body = invalid(f"Unrecognized request URL ({request.method}: {request.path}).").body()
        return _json(404, json.dumps(body))

    return app


def _answer(api: Api, store: Store, settings: Settings, path: str) -> Response:
    params = _params()
    key = key_of(request, params)
    allow(request, key)
    handler = api.find(request.method, path)
    if handler is None:
        return _from_upstream(settings)
    idempotency_key = request.headers.get("Idempotency-Key")
    if request.method != "POST" or not idempotency_key:
        return _json(200, json.dumps(handler(params, key), indent=2))
    return _once(store, idempotency_key, params, handler, key)


def _once(store: Store, shown: str, params: Json, handler: Handler, key: str) -> Response:
    ident = f"{key}:{shown}"
    content = json.dumps([request.path, params], sort_keys=True)
    fingerprint = hashlib.sha256(content.encode()).hexdigest()
    state, status, body = store.begin(ident, fingerprint)
    if state == "other":
        raise StripeError(
            400,
            "idempotency_error",
            "Keys for idempotent requests can only be used with the same parameters they were first"
            f" used with. Try using a key other than"
            f" '{shown}' if you meant to execute a different request.",
        )
    if state == "busy":
        raise StripeError(
            409,
            "idempotency_error",
            "There is currently another in-progress request using this Idempotent Key.",
            code="idempotency_key_in_use",
        )
    if state == "same" and status is not None and body is not None:
        return _json(status, body, replayed=True)
    try:
        status, body = 200, json.dumps(handler(params, key), indent=2)
    except StripeError as error:
        status, body = error.status, json.dumps(error.body(), indent=2)
    except BaseException:
        store.release(ident)
        raise
    store.finish(ident, status, body)
    return _json(status, body)


def _params() -> Json:
    pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
    return unflatten(pairs)


def _json(status: int, body: str, *, replayed: bool = False) -> Response:
    response = Response(body, status, content_type="application/json")
    response.headers["Cache-Control"] = "no-store"
    if replayed:
        response.headers["Idempotent-Replayed"] = "true"
    return response


def _cors(response: Response) -> Response:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = (
        "Authorization, Content-Type, Stripe-Version, Idempotency-Key"
    )
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, DELETE"
    return response


def _from_upstream(settings: Settings) -> Response:
    if settings.upstream is None:
        raise StripeError(
            404,
            "invalid_request_error",
            f"Unrecognized request URL ({request.method}: {request.path}).",
        )
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    target = request.full_path if request.query_string else request.path
    # The form was parsed already; localstripe gets the same fields, written anew.
    body = _encoded_form() if request.form else request.get_data()
    status, kind, answer = forward(settings.upstream, request.method, target, headers, body)
    if "json" not in kind:
        message = answer.decode(errors="replace").strip()
        raise StripeError(status, "invalid_request_error", message or "Unrecognized request URL")
    return Response(answer, status, content_type="application/json")


def _encoded_form() -> bytes:
    return urlencode(list(request.form.items(multi=True))).encode()
