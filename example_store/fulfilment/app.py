"""The warehouse's web service: takes signed changes, keeps them, and answers each."""

from __future__ import annotations

import json
import logging
import threading
from datetime import UTC, datetime
from typing import Any

import requests
from flask import Flask, render_template, request
from flask.typing import ResponseReturnValue
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from .parcels import Answer, Parcels

_log = logging.getLogger(__name__)


def create_app(parcels: Parcels, secret: str, shop_url: str) -> Flask:
    """Make the service.

    Args:
        secret: shared with the shop; it signs both ways.
        shop_url: of the shop's ``…/fulfilment``, where answers go.
    """
    app = Flask(__name__)
    app.extensions["answering"] = Answering(parcels, secret, shop_url)

    @app.post("/changes")
    def changes() -> ResponseReturnValue:
        try:
            told: dict[str, Any] = Webhook(secret).verify(request.get_data(), dict(request.headers))
        except (WebhookVerificationError, ValueError):
            return {"error": "the signature does not verify"}, 401
        data = told["data"]
        if told["type"] == "order.hold":
            parcels.hold(data["order_ref"], data["change_id"])
        elif told["type"] == "order.release":
            parcels.release(data["order_ref"], data["change_id"])
        else:
            parcels.take(data)
            app.extensions["answering"].wake()
        return {}, 202

    @app.get("/")
    def home() -> str:
        return render_template("warehouse.html", changes=parcels.newest())

    @app.get("/health")
    def health() -> ResponseReturnValue:
        return {"ok": True}

    return app


class Answering:
    """Posts each answer until the shop has confirmed it, also those that a killed process owed."""

    def __init__(self, parcels: Parcels, secret: str, shop_url: str, every: float = 1.0) -> None:
        self._parcels, self._secret, self._url, self._every = parcels, secret, shop_url, every
        self._woken, self._ended = threading.Event(), threading.Event()

    def start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="answering", daemon=True)
        thread.start()
        return thread

    def wake(self) -> None:
        self._woken.set()

    def stop(self) -> None:
        self._ended.set()
        self._woken.set()

    def _run(self) -> None:
        while not self._ended.is_set():
            for answer in self._parcels.unheard():
                try:
                    self._post(answer)
                except requests.RequestException as error:
                    _log.warning("the shop has not heard %s: %s", answer.change_id, error)
            self._woken.wait(self._every)
            self._woken.clear()

    def _post(self, answer: Answer) -> None:
        told = {
            "change_id": answer.change_id,
            "order_version": answer.order_version,
            "result": answer.result,
            "reason": answer.reason,
        }
        body = json.dumps({"type": "change.answered", "data": told})
        now = datetime.now(UTC)
        message_id = f"answer_{answer.change_id}"
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self._secret).sign(message_id, now, body),
        }
        heard = requests.post(self._url, data=body, headers=headers, timeout=10)
        # A shop that doesn't know the change will not know it later either.
        if heard.ok or heard.status_code == requests.codes.not_found:
            self._parcels.was_heard(answer.change_id)
