"""How the widget gets into the shop's pages, and how it stays out of where it doesn't belong."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, Response, abort, make_response, render_template_string, send_file

from tests.support.shop import Shop

Make = Callable[..., Shop]
PAGE = "<!doctype html><html><body><p>Zahlung</p></body></html>"
MARK = b'id="checkout-case"'


@pytest.fixture
def make(make_sqlite_app: Make) -> Callable[..., Flask]:
    def build(**config: Any) -> Flask:
        return make_sqlite_app(**config).app

    return build


def page_of(app: Flask, answer: Callable[[], Any], endpoint: str = "checkout.pay") -> Response:
    app.add_url_rule("/page", endpoint, answer)
    found: Any = app.test_client().get("/page")
    return found  # type: ignore[no-any-return]


def test_a_matching_page_gets_link_style_and_script(make: Callable[..., Flask]) -> None:
    body = page_of(make(), lambda: PAGE).get_data()
    assert body.count(MARK) == 1
    assert body.endswith(b"</script></body></html>")
    assert b'href="/checkout-case/help"' in body
    assert b" defer></script>" in body
    assert b" style=" not in body
    assert b"<script>" not in body


@pytest.mark.parametrize(
    ("globs", "endpoint", "there"),
    [
        (["checkout.*"], "checkout.pay", True),
        (["checkout.*"], "shop.home", False),
        (["checkout.*"], "checkout", False),
        (["cart", "checkout.pay"], "checkout.pay", True),
        (["*"], "shop.home", True),
        ([], "checkout.pay", False),
    ],
)
def test_endpoints_are_matched_by_globs(
    make: Callable[..., Flask], globs: list[str], endpoint: str, there: bool
) -> None:
    app = make(CHECKOUT_CASE_WIDGET_ENDPOINTS=globs)
    assert (MARK in page_of(app, lambda: PAGE, endpoint).get_data()) is there


def test_our_own_pages_get_none(make: Callable[..., Flask]) -> None:
    client = make(CHECKOUT_CASE_WIDGET_ENDPOINTS=["*"]).test_client()
    assert MARK not in client.get("/checkout-case/help").data


@pytest.mark.parametrize(
    ("status", "there"),
    [(200, True), (201, True), (402, True), (422, True), (400, False), (404, False), (500, False)],
)
def test_declined_pages_get_it_and_broken_ones_do_not(
    make: Callable[..., Flask], status: int, there: bool
) -> None:
    assert (MARK in page_of(make(), lambda: (PAGE, status)).get_data()) is there


def test_an_aborted_request_is_left_alone(make: Callable[..., Flask]) -> None:
    assert MARK not in page_of(make(), lambda: abort(503)).get_data()


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/xhtml+xml", "image/svg+xml"]
)
def test_only_html_gets_it(make: Callable[..., Flask], kind: str) -> None:
    answer = page_of(make(), lambda: Response(PAGE, mimetype=kind))
    assert answer.get_data() == PAGE.encode()


def test_a_streamed_page_is_left_alone(make: Callable[..., Flask]) -> None:
    def stream() -> Iterator[str]:
        yield from (PAGE[:20], PAGE[20:])

    assert page_of(make(), lambda: Response(stream())).get_data() == PAGE.encode()


def test_a_file_and_an_encoded_page_are_left_alone(
    make: Callable[..., Flask], tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE)
    app = make()
    app.add_url_rule("/file", "checkout.file", lambda: send_file(file))
    packed = gzip.compress(PAGE.encode())
    headers = {"Content-Encoding": "gzip"}
    app.add_url_rule("/packed", "checkout.packed", lambda: Response(packed, headers=headers))
    client = app.test_client()
    with client.get("/file") as answer:
        assert answer.data == PAGE.encode()
    assert client.get("/packed").data == packed


@pytest.mark.parametrize("page", ["", "<p>a fragment</p>", "<html><body>unclosed", "</bodyguard>"])
def test_without_an_end_of_the_body_nothing_changes(make: Callable[..., Flask], page: str) -> None:
    assert page_of(make(), lambda: page).get_data() == page.encode()


def test_the_last_end_of_the_body_counts(make: Callable[..., Flask]) -> None:
    page = "<body><script>const x = '</body>'</script><p>x</p></BODY  ></html>"
    body = page_of(make(), lambda: page.replace("</body>", "<\\/body>")).get_data()
    assert body.index(MARK) > body.index(b"<p>x</p>")
    twice = "<body><!-- </body> --><p>x</p></body></html>"
    second = page_of(make(), lambda: twice).get_data()
    assert second.index(MARK) > second.index(b"<p>x</p>")


def test_length_and_etag_follow_the_body(make: Callable[..., Flask]) -> None:
    def answer() -> Response:
        page = make_response(PAGE)
        page.add_etag()
        page.headers["Content-Length"] = str(len(PAGE))
        return page

    app = make()
    plain = make_response_etag(app)
    got = page_of(app, answer)
    assert got.headers["Content-Length"] == str(len(got.get_data()))
    assert got.headers["ETag"] not in ("", plain)


def make_response_etag(app: Flask) -> str:
    with app.test_request_context():
        page = make_response(PAGE)
        page.add_etag()
        return page.headers["ETag"]


def test_a_page_without_etag_gets_none(make: Callable[..., Flask]) -> None:
    assert "ETag" not in page_of(make(), lambda: PAGE).headers


def test_the_markup_is_right_in_any_encoding_and_language(make: Callable[..., Flask]) -> None:
    app = make()
    page = PAGE.replace("Zahlung", "Prüfung")

    def answer() -> Response:
        return Response(page.encode("latin-1"), content_type="text/html; charset=iso-8859-1")

    app.add_url_rule("/page", "checkout.pay", answer)
    body = app.test_client().get("/page", headers={"Accept-Language": "ar"}).data
    assert body.decode("latin-1").startswith(page[:40])
    assert MARK in body
    assert b'dir="rtl"' in body


def test_the_markup_holds_nothing_of_the_customer(make_sqlite_app: Make) -> None:
    from tests.support.widget import Person, furnish

    shop = furnish(make_sqlite_app())
    pages = {Person(shop.app, ref, who).http.get("/checkout").body for ref, who in WHO}
    assert len(pages) == 1


WHO = (("c-1", "ada"), ("c-2", None), ("c-3", "eve"))


def test_a_fault_of_ours_leaves_the_shops_page_as_it_was(
    make: Callable[..., Flask], caplog: pytest.LogCaptureFixture
) -> None:
    app = make()

    @app.url_defaults
    def broken(_endpoint: str, _values: dict[str, Any]) -> None:
        raise RuntimeError("the shop can't build addresses now")

    assert page_of(app, lambda: PAGE).get_data() == PAGE.encode()
    assert "the page goes out without it" in caplog.text


def test_by_hand_in_a_template(make: Callable[..., Flask]) -> None:
    app = make(CHECKOUT_CASE_WIDGET="manual")
    template = "<body>{{ checkout_case_widget() }}<p>{{ checkout_case_widget() }}</p></body>"
    body = page_of(app, lambda: render_template_string(template)).get_data()
    assert body.count(MARK) == 1
    assert body.endswith(b"<p></p></body>")


def test_by_hand_and_auto_is_still_once(make: Callable[..., Flask]) -> None:
    template = "<body>{{ checkout_case_widget() }}</body>"
    body = page_of(make(), lambda: render_template_string(template)).get_data()
    assert body.count(MARK) == 1


@pytest.mark.parametrize(
    "config", [{"CHECKOUT_CASE_WIDGET": "off"}, {"CHECKOUT_CASE_WIDGET": "manual"}]
)
def test_not_asked_for_is_not_added(make: Callable[..., Flask], config: dict[str, str]) -> None:
    assert page_of(make(**config), lambda: PAGE).get_data() == PAGE.encode()


def test_off_leaves_the_template_global_empty(make: Callable[..., Flask]) -> None:
    template = "<body>{{ checkout_case_widget() }}</body>"
    app = make(CHECKOUT_CASE_WIDGET="off")
    body = page_of(app, lambda: render_template_string(template)).get_data()
    assert body == b"<body></body>"


def test_the_page_varies_with_the_language_unless_the_shop_decides(
    make_sqlite_app: Make,
) -> None:
    shop = make_sqlite_app()
    shop.app.add_url_rule("/page", "checkout.pay", lambda: PAGE)
    client = shop.app.test_client()
    german = client.get("/page", headers={"Accept-Language": "de"})
    assert "Accept-Language" in german.headers["Vary"]
    assert "Hilfe" in german.text
    assert "Help" in client.get("/page").text
    shop.cases.locale_loader(lambda: "de")
    decided = client.get("/page")
    assert "Hilfe" in decided.text
    assert "Accept-Language" not in decided.headers.get("Vary", "")


def test_below_a_prefix_addresses_are_right(make: Callable[..., Flask]) -> None:
    app = make()
    app.add_url_rule("/page", "checkout.pay", lambda: PAGE)
    for prefix in ("", "/shop", "/other"):
        body = app.test_client().get("/page", environ_overrides={"SCRIPT_NAME": prefix}).text
        assert f'href="{prefix}/checkout-case/help"' in body
