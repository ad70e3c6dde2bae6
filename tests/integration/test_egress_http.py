"""HTTP on its way out: the checked address, the host's name, no redirect."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from flask import Flask, Response, redirect, request
from werkzeug.serving import make_server

from flask_checkout_case import egress
from flask_checkout_case.errors import EgressRefusedError
from tests.support.certificate import make_certificate

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed.wsgi import WSGIApplication

LOCAL = egress.read_networks(["127.0.0.0/8"])


def local(_host: str, _port: int) -> Iterable[str]:
    return ["127.0.0.1"]


def receiver() -> Flask:
    app = Flask("receiver")

    @app.post("/hook")
    def hook() -> dict[str, str]:
        return {"host": request.host, "body": request.get_data(as_text=True)}

    @app.post("/moved")
    def moved() -> Response:
        return redirect("http://169.254.169.254/latest/meta-data/", code=307)  # type: ignore[return-value]

    @app.get("/large")
    def large() -> str:
        return "x" * 1_000_000

    return app


@pytest.fixture
def address(live_server: Callable[[WSGIApplication], str]) -> str:
    return live_server(receiver()).replace("127.0.0.1", "hooks.example")


def test_a_request_goes_to_the_checked_address_in_the_hosts_name(address: str) -> None:
    answer = egress.request("POST", f"{address}/hook", body=b"hi", allow=LOCAL, resolver=local)
    assert answer.status == 200
    assert b'"body":"hi"' in answer.body
    assert f'"host":"{address.removeprefix("http://")}"'.encode() in answer.body


def test_a_redirect_is_an_answer_and_not_followed(address: str) -> None:
    answer = egress.request("POST", f"{address}/moved", allow=LOCAL, resolver=local)
    assert answer.status == 307


def test_no_more_of_an_answer_is_read_than_needed(address: str) -> None:
    answer = egress.request("GET", f"{address}/large", allow=LOCAL, resolver=local)
    assert len(answer.body) == egress.ANSWER_LIMIT


def test_the_name_is_resolved_once(address: str) -> None:
    asked: list[str] = []

    def rebinding(host: str, _port: int) -> Iterable[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    assert egress.request("POST", f"{address}/hook", allow=LOCAL, resolver=rebinding).status == 200
    assert asked == ["hooks.example"]


def test_without_leave_the_same_request_is_refused(address: str) -> None:
    with pytest.raises(EgressRefusedError):
        egress.request("POST", f"{address}/hook", resolver=local)


@contextmanager
def https(app: Flask, context: ssl.SSLContext) -> Iterator[int]:
    server = make_server("127.0.0.1", 0, app, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def test_tls_checks_the_hosts_certificate_at_the_checked_address(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "hooks.example")
    trusting = certificate.client_context()
    with https(receiver(), certificate.server_context()) as port:
        answer = egress.request(
            "POST",
            f"https://hooks.example:{port}/hook",
            body=b"hi",
            allow=LOCAL,
            context=trusting,
            resolver=local,
        )
        assert answer.status == 200
        for host, context in (("other.example", trusting), ("hooks.example", None)):
            with pytest.raises(ssl.SSLCertVerificationError):
                egress.request(
                    "POST",
                    f"https://{host}:{port}/hook",
                    allow=LOCAL,
                    context=context,
                    resolver=local,
                )
