"""The guard of our blueprints, tried on a blueprint of the test's own inside a real shop."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from flask import Blueprint, Flask, request
from flask.testing import FlaskClient
from flask_wtf.csrf import CSRFProtect
from werkzeug.test import TestResponse

from flask_checkout_case.i18n import current_locale
from flask_checkout_case.web import guard
from tests.support.ports import free_port
from tests.support.shop import Shop
from tests.support.widget import hidden_fields

HOME = {"Origin": "http://localhost"}
Make = Callable[..., Shop]


@pytest.fixture
def make(make_sqlite_app: Make) -> Callable[..., Flask]:
    """Make a shop's app with a guarded blueprint below ``/checkout-case/try``."""

    def build(**config: Any) -> Flask:
        app = make_sqlite_app(**config).app
        blueprint = Blueprint("checkout_case_trial", __name__)
        guard.protect(blueprint, csp="default-src 'none'")

        @blueprint.get("/form")
        def form() -> str:
            return str(guard.csrf_field())

        @blueprint.post("/form")
        @guard.csrf_protected
        def post_form() -> str:
            guard.limit_rate("form")
            return f"took {len(request.form.get('text', ''))}"

        @blueprint.get("/token")
        def token() -> dict[str, str]:
            guard.limit_rate("token", fail_closed=True)
            return {"token": guard.csrf_token()}

        @blueprint.post("/json")
        @guard.proves_itself
        @guard.csrf_protected
        def post_json() -> dict[str, Any]:
            return {"took": guard.read_json()}

        @blueprint.post("/open")
        def post_open() -> str:
            return f"took {len(request.get_data())}"

        @blueprint.get("/language")
        def language() -> str:
            guard.limit_rate("language", reading=True)
            return current_locale.get()

        @blueprint.get("/broken")
        def broken() -> str:
            raise ZeroDivisionError("a secret in a traceback")

        app.register_blueprint(blueprint, url_prefix="/checkout-case/try")
        return app

    return build


def token_of(client: FlaskClient) -> str:
    return str(client.get("/checkout-case/try/token").get_json()["token"])


def post_form(client: FlaskClient, headers: dict[str, str], **fields: str) -> TestResponse:
    page = client.get("/checkout-case/try/form").text
    data = {**hidden_fields(page), **fields}
    return client.post("/checkout-case/try/form", data=data, headers=headers)


def test_a_form_of_our_own_page_is_taken(make: Callable[..., Flask]) -> None:
    assert post_form(make().test_client(), HOME, text="abc").text == "took 3"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "https://localhost"},
        {"Referer": "http://evil.example/http://localhost/"},
        {"Sec-Fetch-Site": "cross-site", **HOME},
        {"Sec-Fetch-Site": "same-site", **HOME},
        {"Sec-Fetch-Site": "none", **HOME},
    ],
)
def test_a_form_from_elsewhere_is_refused(
    make: Callable[..., Flask], headers: dict[str, str]
) -> None:
    assert post_form(make().test_client(), headers).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Referer": "http://localhost/checkout"}, HOME],
)
def test_every_way_a_browser_says_where_it_comes_from(
    make: Callable[..., Flask], headers: dict[str, str]
) -> None:
    assert post_form(make().test_client(), headers).status_code == 200


def test_behind_a_proxy_the_public_address_is_ours_too(make: Callable[..., Flask]) -> None:
    client = make(CHECKOUT_CASE_PUBLIC_URL="https://shop.example.com").test_client()
    assert post_form(client, {"Origin": "https://shop.example.com"}).status_code == 200
    assert post_form(client, {"Origin": "http://shop.example.com"}).status_code == 403


def test_a_token_belongs_to_one_browser_and_one_day(make: Callable[..., Flask]) -> None:
    app = make()
    ada, eve = app.test_client(), app.test_client()
    fields = hidden_fields(ada.get("/checkout-case/try/form").text)
    eve.get("/checkout-case/try/form")
    address = "/checkout-case/try/form"
    assert eve.post(address, data=fields, headers=HOME).status_code == 403
    assert app.test_client().post(address, data=fields, headers=HOME).status_code == 403
    assert ada.post(address, data={guard.FIELD: "forged"}, headers=HOME).status_code == 403
    assert ada.post(address, data=fields, headers=HOME).status_code == 200
    with time_machine.travel(time.time() + 25 * 3600):
        assert ada.post(address, data=fields, headers=HOME).status_code == 403


def test_an_older_key_still_verifies(make: Callable[..., Flask]) -> None:
    app = make(CHECKOUT_CASE_SECRET_KEYS=["old"])
    client = app.test_client()
    fields = hidden_fields(client.get("/checkout-case/try/form").text)
    runtime = app.extensions["checkout_case"]
    runtime.secret_keys = lambda: ("new", "old")
    assert client.post("/checkout-case/try/form", data=fields, headers=HOME).status_code == 200
    runtime.secret_keys = lambda: ("new",)
    assert client.post("/checkout-case/try/form", data=fields, headers=HOME).status_code == 403


@pytest.mark.parametrize("after_us", [True, False])
def test_the_shops_own_protection_lets_us_through(
    make: Callable[..., Flask], make_sqlite_app: Make, after_us: bool
) -> None:
    app = make()
    if after_us:
        CSRFProtect(app)
    else:
        CSRFProtect().init_app(app)

    @app.post("/theirs")
    def theirs() -> str:
        return "not protected"

    client = app.test_client()
    assert client.post("/theirs").status_code == 400
    assert post_form(client, HOME).status_code == 200
    assert client.post("/checkout-case/try/form", headers=HOME).status_code == 400
    token = token_of(client)
    address, headers = "/checkout-case/try/json", {**HOME, guard.HEADER: token}
    assert client.post(address, json={"a": 1}, headers=headers).json == {"took": {"a": 1}}
    assert client.post(address, json={"a": 1}, headers=HOME).status_code == 403
    assert client.post("/theirs").status_code == 400


# --- bodies --------------------------------------------------------------------------------------


def post_json(client: FlaskClient, body: str, kind: str = "application/json") -> TestResponse:
    token = token_of(client)
    return client.post(
        "/checkout-case/try/json",
        data=body,
        content_type=kind,
        headers={**HOME, guard.HEADER: token},
    )


@pytest.mark.parametrize(
    "body",
    [
        "",
        "nothing",
        "[]",
        '"text"',
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": ' + "1" * 5000 + "}",
        '{"a":' * 30 + "1" + "}" * 30,
        "[" * 20000,
        '{"a": "\ud800"}'.encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_json_that_is_no_plain_object_is_refused(make: Callable[..., Flask], body: str) -> None:
    answer = post_json(make().test_client(), body)
    if "\xed" in body:
        # Read as Latin-1 it is a text like any other; it must not be a fault.
        assert answer.status_code in (200, 400)
        return
    assert answer.status_code == 400
    assert answer.get_json()["error"]["code"] == "invalid"


def test_only_json_is_read_as_json(make: Callable[..., Flask]) -> None:
    client = make().test_client()
    assert post_json(client, '{"a": 1}').status_code == 200
    assert post_json(client, '{"a": 1}', "text/plain").status_code == 400


def test_a_body_has_a_limit_even_when_the_shop_reads_it_first(make: Callable[..., Flask]) -> None:
    app = make(CHECKOUT_CASE_MAX_BODY=2000)

    @app.before_request
    def shop_reads_forms() -> None:
        assert request.form is not None

    client = app.test_client()
    assert client.post("/checkout-case/try/open", data=b"x" * 2000).status_code == 200
    assert client.post("/checkout-case/try/open", data=b"x" * 2001).status_code == 413
    assert post_form(client, HOME, text="x" * 3000).status_code == 413


@pytest.mark.parametrize(("size", "status"), [(1999, 200), (2000, 413), (9000, 413)])
def test_a_chunked_body_that_reaches_the_limit_is_refused(
    make: Callable[..., Flask], size: int, status: int
) -> None:
    client = make(CHECKOUT_CASE_MAX_BODY=2000).test_client()
    answer = client.post(
        "/checkout-case/try/open",
        input_stream=io.BytesIO(b"x" * size),
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input_terminated": True, "CONTENT_LENGTH": ""},
    )
    assert answer.status_code == status


# --- rates ---------------------------------------------------------------------------------------


def test_too_many_posts_are_refused_alike(make: Callable[..., Flask]) -> None:
    client = make(CHECKOUT_CASE_RATE_LIMIT="2 per minute").test_client()
    codes = [post_form(client, HOME).status_code for _ in range(4)]
    assert codes == [200, 200, 429, 429]
    refused = post_form(client, {**HOME, "Accept": "application/json"})
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert refused.get_json()["error"]["code"] == "rate_limited"


def test_pages_may_be_read_more_often_than_written_to(make: Callable[..., Flask]) -> None:
    client = make(CHECKOUT_CASE_RATE_LIMIT="2 per hour; 5 per day").test_client()
    answers = [client.get("/checkout-case/try/language") for _ in range(82)]
    assert [answer.status_code for answer in answers] == [200] * 80 + [429] * 2
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 3600


def test_without_the_store_of_the_counts_posts_pass_and_tokens_do_not(
    make: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    storage = f"redis://127.0.0.1:{free_port()}/0"
    client = make(CHECKOUT_CASE_RATE_LIMIT_STORAGE=storage).test_client()
    assert post_form(client, HOME).status_code == 200
    assert client.get("/checkout-case/try/token").status_code == 429
    assert "rate limits can't be reached" in caplog.text


# --- answers -------------------------------------------------------------------------------------


def test_answers_are_private_and_strict(make: Callable[..., Flask]) -> None:
    headers = make().test_client().get("/checkout-case/try/language").headers
    assert headers["Cache-Control"] == "private, no-store"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert {"Cookie", "Accept-Language"} <= {part.strip() for part in headers["Vary"].split(",")}
    assert "Set-Cookie" not in headers


def test_no_other_site_may_read_us(make: Callable[..., Flask]) -> None:
    client = make().test_client()
    for method in ("GET", "OPTIONS"):
        answer = client.open(
            "/checkout-case/try/token", method=method, headers={"Origin": "https://evil.example"}
        )
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control")]


def test_the_cookie_is_out_of_reach_of_scripts(make: Callable[..., Flask]) -> None:
    answer = make().test_client().get("/checkout-case/try/token", base_url="https://localhost")
    cookie = answer.headers["Set-Cookie"]
    for part in ("HttpOnly", "SameSite=Lax", "Secure", "Path=/checkout-case"):
        assert part in cookie


def test_errors_are_ours_on_our_pages_alone(make: Callable[..., Flask]) -> None:
    app = make()
    app.config["PROPAGATE_EXCEPTIONS"] = False

    @app.errorhandler(404)
    def theirs(_error: Exception) -> tuple[str, int]:
        return "the shop's own", 404

    client = app.test_client()
    assert client.get("/nowhere").text == "the shop's own"
    page = client.get("/checkout-case/try/broken")
    assert page.status_code == 500
    assert "secret" not in page.text
    told = client.get("/checkout-case/try/broken", headers={"Accept": "application/json"})
    assert set(told.get_json()["error"]) == {"code", "message"}
    assert client.put("/checkout-case/try/form").status_code == 405


def test_the_language_is_the_readers_and_stays_in_the_request(
    make: Callable[..., Flask], make_sqlite_app: Make
) -> None:
    app = make()
    client = app.test_client()

    def speaks(accepted: str) -> str:
        answer = client.get("/checkout-case/try/language", headers={"Accept-Language": accepted})
        return answer.text

    assert speaks("de-AT,de;q=0.9") == "de-AT"
    assert speaks("fr, ar;q=0.5") == "ar"
    assert speaks("fr") == "en"
    assert current_locale.get() == "en"
    hooks = app.extensions["checkout_case"].hooks
    hooks.locale_loader = lambda: "ar"
    assert speaks("de") == "ar"
    hooks.locale_loader = lambda: "fr"
    assert speaks("de") == "de"
    hooks.locale_loader = lambda: json.loads("broken")
    assert speaks("de") == "de"


def test_static_files_may_be_kept_for_a_year_under_their_version(
    make: Callable[..., Flask],
) -> None:
    app = make()
    with app.test_request_context():
        address = guard.asset_of(app.blueprints["checkout_case_widget"], "launcher.js")
    client = app.test_client()
    with client.get(address) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with client.get(address.split("?", maxsplit=1)[0]) as bare:
        assert "immutable" not in bare.headers.get("Cache-Control", "")
