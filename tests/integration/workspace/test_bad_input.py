"""What people write never becomes a page's markup."""

from __future__ import annotations

from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser

import pytest

from flask_checkout_case import Line
from flask_checkout_case.errors import InvalidInputError
from flask_checkout_case.rules.redact import mask_text
from flask_checkout_case.services import cases
from tests.support.bad_input import bad_texts
from tests.support.desk import LIN, Desk, body, decline, now, open_desk, runtime_of
from tests.support.shop import Shop

Make = Callable[..., Shop]


def test_nothing_that_people_write_becomes_markup(shop: Shop, lin: Desk) -> None:
    runtime = runtime_of(shop)
    texts = [text for text in bad_texts() if takes(text)][:400]
    case = decline(shop, "c-1", name=texts[2])
    for text in texts:
        cases.note(runtime, case.reference, text, agent=LIN)
    pages = [lin.get().text, lin.get(f"cases/{case.reference}").text]
    pages.append(
        lin.do(case.reference, "reply", answers=400, reply_text=" ", note_text=texts[1]).text
    )
    for page in pages:
        markup = Markup()
        markup.feed(page)
        assert markup.tags <= KNOWN_TAGS, markup.tags - KNOWN_TAGS
        assert not [name for name in markup.attributes if name.startswith("on")]
    shown = unescape(pages[1])
    newest = mask_text(cases.clean_text(texts[-1]))
    assert newest in shown


def takes(text: str) -> bool:
    try:
        return bool(cases.clean_text(text))
    except InvalidInputError:
        return False


class Markup(HTMLParser):
    """The names of the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


KNOWN_TAGS = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "link",
        "script",
        "body",
        "header",
        "nav",
        "main",
        "section",
    ),
    *("a", "div", "span", "b", "small", "ul", "ol", "li", "dl", "dt", "dd", "p", "h1", "h2", "h3"),
    *("button", "kbd", "form", "input", "textarea", "details", "summary", "fieldset", "legend"),
    *("label", "table", "thead", "tr", "th", "tbody", "td", "i", "time", "aside", "blockquote"),
    *("bdi", "code", "dialog", "img"),
}


@pytest.mark.parametrize("number", ["9" * 19, "9" * 40, "-1", "-" + "9" * 19])
@pytest.mark.parametrize("deed", ["take", "priority", "tick", "decline"])
def test_a_version_that_no_case_can_have_is_not_the_newest(
    make_app: Make, deed: str, number: str
) -> None:
    shop = open_desk(make_app)
    case = decline(shop, "c-1")
    more = {"version": number, "priority": "low", "task": "1 done"}
    Desk(shop, "lin").do(case.reference, deed, answers=409, **more)
    assert now(shop, case) == case


@pytest.mark.parametrize("part", ["", "/live"])
@pytest.mark.parametrize("before", ["9" * 19, "9" * 40, "0", "-1"])
def test_lines_before_one_that_cannot_be_are_the_newest(
    make_app: Make, part: str, before: str
) -> None:
    shop = open_desk(make_app)
    case = decline(shop, "c-1")
    page = Desk(shop, "lin").get(f"cases/{case.reference}{part}?before={before}")
    assert "Insufficient funds" in page


def test_no_nul_reaches_the_database(make_app: Make) -> None:
    shop = open_desk(make_app)
    case = decline(shop, "c-1")
    lin = Desk(shop, "lin")
    lin.get(f"cases/{case.reference}%00", status=404)
    lin.do(case.reference, "reply", reply_text="An \0answer.", reply_key="one\0")
    lin.do(case.reference, "note", note_text="A \0note.", note_key="\0")
    lin.do(case.reference, "assign", assignee="8\0")
    shown = body(lin.get(f"cases/{case.reference}").text)
    assert "An answer." in shown
    assert "A note." in shown
    assert now(shop, case).assignee == "8"


def test_links_and_pictures_of_the_cart_are_addresses(shop: Shop, lin: Desk) -> None:
    lines = [
        Line(sku="A", title="Bag", url="javascript:alert(1)", image_url="data:text/html,x"),
        Line(sku="B", title="Cup", url="//evil.example/x", image_url="/static/cup.svg"),
        Line(sku="C", title="Pen", url="https://shop.example/pen", image_url="\\\\evil"),
    ]
    case = decline(shop, "c-1", lines=lines)
    page = lin.get(f"cases/{case.reference}").text
    for bad in ("javascript:", "data:text", "//evil", "\\\\evil"):
        assert bad not in page
    assert 'src="/static/cup.svg"' in page
    assert 'href="https://shop.example/pen"' in page
