"""The workspace's pages by HTTP, without a script: what they show, what the buttons do."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from flask_checkout_case import Agent, CaseInfo, signals
from flask_checkout_case.errors import InvalidInputError
from flask_checkout_case.rules.redact import mask_text
from flask_checkout_case.services import cases, reading
from flask_checkout_case.types import Outcome, Priority, Status
from flask_checkout_case.web.agent import timeline
from tests.support.bad_input import bad_texts
from tests.support.desk import (
    AGENTS,
    BOSS,
    LIN,
    Desk,
    ago,
    checkout,
    decline,
    know_agents,
    open_desk,
    runtime_of,
    statements,
)
from tests.support.shop import Shop

Make = Callable[..., Shop]


@pytest.fixture
def shop(make_sqlite_app: Make) -> Shop:
    made = open_desk(make_sqlite_app)
    know_agents(made)
    return made


@pytest.fixture
def case(shop: Shop) -> CaseInfo:
    return decline(shop, "c-1", attempt_id="ch_1", method="card")


@pytest.fixture
def lin(shop: Shop) -> Desk:
    return Desk(shop, "lin")


def now(shop: Shop, case: CaseInfo) -> CaseInfo:
    return reading.get(runtime_of(shop), case.reference)


def body(page: str) -> str:
    """What a reader sees of a page: no tags, one space between words."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page)))


# --- what is shown -------------------------------------------------------------------------------


def test_the_queue_shows_what_an_agent_needs(lin: Desk, case: CaseInfo) -> None:
    seen = body(lin.get().text)
    for fact in ("Insufficient funds", case.reference, "Ada Lovelace", "$120.00", "Payments"):
        assert fact in seen
    for fact in ("Payment declined", "High", "Nobody", "First response", "left"):
        assert fact in seen


def test_a_filtered_queue_has_an_address(lin: Desk, case: CaseInfo) -> None:
    assert case.reference in lin.get("?view=all&team=payments&priority=high").text
    page = lin.get("?view=all&team=payments&priority=low")
    assert case.reference not in page.text
    assert "No case fits these filters" in page.text


@pytest.mark.parametrize(
    "query", ["view=other", "status=lost", "team=nobody", "category=x", "after=x", "priority=1"]
)
def test_an_address_that_asks_for_nothing_of_ours_is_refused(lin: Desk, query: str) -> None:
    assert "That did not work" in lin.get(f"?{query}", status=400).text


def test_an_empty_queue_says_so(shop: Shop) -> None:
    assert "All caught up" in Desk(shop, "eve").get().text
    assert "You have no open case" in Desk(shop, "eve").get("?view=mine").text


def test_pages_of_the_queue_are_links(shop: Shop, lin: Desk) -> None:
    for number in range(27):
        decline(shop, f"c-{number}")
    first = lin.get("?view=teams&priority=high")
    second = first.click(href=r"after=")
    assert len(re.findall(r'class="row"', first.text)) == 25
    assert len(re.findall(r'class="row"', second.text)) == 2
    assert "priority=high" in second.request.url
    assert len(re.findall(r'class="row"', second.click(href=r"before=").text)) == 25


def test_the_case_page_has_the_whole_story(shop: Shop, lin: Desk) -> None:
    started = ago(minutes=9)
    with shop.app.app_context():
        signals.checkout_started.send(shop.app, checkout=checkout("c-1"), at=started)
        signals.coupon_rejected.send(
            shop.app, checkout=checkout("c-1"), code="TEN", reason="expired", at=ago(minutes=8)
        )
    decline(shop, "c-0", code="expired_card")
    case = decline(shop, "c-1", attempt_id="ch_1", method="card")
    decline(shop, "c-1", attempt_id="ch_2", method="card")
    runtime = runtime_of(shop)
    cases.customer_message(runtime, case.reference, "My card is fine!", name="Ada Lovelace")
    cases.note(runtime, case.reference, "Limit, says the bank.", agent=LIN)
    seen = body(lin.get(f"cases/{case.reference}").text)
    for fact in (
        *("My card is fine!", "Internal note", "Limit, says the bank."),
        *("Your bank didn't approve this payment.", "Pay another way"),
        *("Colette crossbody", "BAG-1", "$120.00"),
        *("Started the checkout", "Coupon refused", "expired", "Payment failed"),
        *("insufficient_funds", "stripe", "2 occurrences"),
        *("Card expired · Ada Lovelace", "3 orders"),
        *("Why here", "Routed to Payments by “Payment declined”", "Category: Payment declined"),
        *("First response", "Resolution", "Ada Lovelace"),
    ):
        assert fact in seen, fact


def test_raw_codes_need_their_permission(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    @shop.cases.permission
    def allowed(_agent: Agent, action: str, _case: CaseInfo | None) -> bool:
        return action in ("view", "reply")

    page = lin.get(f"cases/{case.reference}").text
    assert "insufficient_funds" not in page
    assert "Insufficient funds" in page
    assert "note_text" not in page
    for deed in ("/take", "/assign", "/transfer", "/status", "/priority", "/note"):
        assert f"{case.reference}{deed}" not in page


def test_a_solved_case_shows_its_outcome(lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "reply", reply_text="It is done.", then="solved")
    seen = body(lin.get(f"cases/{case.reference}").text)
    assert "Saved with our help" in seen
    assert "Reopen" in seen
    assert "Due times" not in seen


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        (
            "mail",
            {"state": "sent", "subject": "Your order"},
            "E-mail to the customer: “Your order”",
        ),
        ("mail", {"state": "failed"}, "An e-mail to the customer could not be sent"),
        (
            "signal",
            {"signal": "hesitation", "minutes": 12},
            "No progress in the checkout for 12m 0s",
        ),
        ("signal", {"signal": "order_completed", "order_ref": "o-7"}, "Order placed: Order o-7"),
        ("signal", {"signal": "stock_short", "sku": "BAG"}, "Item out of stock: BAG"),
        ("escalation", {"clock": "resolution", "percent": 100}, "Resolution is overdue"),
        ("escalation", {"clock": "first_response", "percent": 75}, "First response is due soon"),
        ("decision", {"action": "recovered", "outcome": "self_recovered"}, "closed by itself"),
        ("decision", {"action": "recovered", "outcome": "assisted"}, "solved with our help"),
        ("decision", {"action": "reopened"}, "The customer wrote again"),
        ("decision", {"action": "assigned", "to": "8", "name": None}, "gave the case to Sam"),
        ("decision", {"action": "assigned", "to": None}, "put the case back"),
        ("decision", {"action": "of a later release"}, "The system: of a later release"),
    ],
)
def test_what_the_system_noted_is_a_sentence(kind: str, data: dict[str, Any], told: str) -> None:
    def team(key: str) -> str:
        return key

    def agent(ref: str | None) -> str | None:
        return "Sam" if ref == "8" else ref

    assert told in timeline.sentence(kind, None, data, team, agent)[0]


# --- what the buttons do -------------------------------------------------------------------------


def test_reply(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "reply", reply_text="Please try another card.")
    answered = now(shop, case)
    assert (answered.status, answered.assignee) == (Status.WAITING, "7")
    assert "Please try another card." in lin.get(f"cases/{case.reference}").text


def test_reply_and_solve(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "reply", reply_text="It is done.", then="solved")
    assert (now(shop, case).status, now(shop, case).outcome) == (Status.SOLVED, Outcome.ASSISTED)


def test_the_same_reply_sent_twice_is_one(lin: Desk, case: CaseInfo) -> None:
    page = lin.get(f"cases/{case.reference}").text
    for _ in range(2):
        lin.send(case.reference, "reply", page, reply_text="Only once.")
    assert lin.get(f"cases/{case.reference}").text.count("Only once.") == 1


def test_a_note_stays_inside(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "note", note_text="Between us.")
    assert now(shop, case).status is Status.NEW
    assert "Between us." in lin.get(f"cases/{case.reference}").text


def test_take_assign_and_give_back(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "take")
    assert now(shop, case).assignee == "7"
    lin.do(case.reference, "assign", assignee="8")
    assert now(shop, case).assignee == "8"
    lin.do(case.reference, "assign", assignee="")
    assert now(shop, case).assignee is None


def test_a_case_goes_to_its_team_alone(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    page = lin.get(f"cases/{case.reference}").text
    assert "Sam Duarte" in page
    assert "Eve Lindqvist" not in page
    refused = lin.do(case.reference, "assign", answers=400, assignee="9")
    assert "Something in what was sent is not right." in refused.text
    assert now(shop, case).assignee is None


def test_transfer_takes_it_out_of_sight(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "transfer", team="risk")
    assert now(shop, case).team == "risk"
    lin.get(f"cases/{case.reference}", status=404)
    Desk(shop, "boss").get(f"cases/{case.reference}")


def test_status_and_priority(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "priority", priority="low")
    assert now(shop, case).priority is Priority.LOW
    press(lin, case, "solved lost")
    assert (now(shop, case).status, now(shop, case).outcome) == (Status.SOLVED, Outcome.LOST)
    press(lin, case, "open")
    assert (now(shop, case).status, now(shop, case).outcome) == (Status.OPEN, None)


def press(desk: Desk, case: CaseInfo, status: str, expected: int = 303) -> str:
    page = desk.get(f"cases/{case.reference}").text
    return body(desk.send(case.reference, "status", page, expected, status=status).text)


def test_a_move_that_the_lifecycle_refuses_is_said(lin: Desk, case: CaseInfo) -> None:
    press(lin, case, "closed")
    assert "can't become that" in press(lin, case, "waiting", 409)
    assert "not right" in press(lin, case, "nonsense", 400)


@pytest.mark.parametrize(
    ("text", "told"), [("  \n ", "Write something first."), ("x" * 10_001, "at most 10000")]
)
def test_a_text_that_cant_be_taken_stays_in_the_field(
    lin: Desk, case: CaseInfo, text: str, told: str
) -> None:
    page = lin.do(case.reference, "reply", answers=400, reply_text=text, note_text="keep me")
    assert told in page.text
    assert ">keep me</textarea>" in page.text


# --- somebody else was faster --------------------------------------------------------------------


def test_a_stale_write_keeps_the_text_and_tells_who_did_what(
    shop: Shop, lin: Desk, case: CaseInfo
) -> None:
    page = lin.get(f"cases/{case.reference}").text
    boss = Desk(shop, "boss")
    boss.do(case.reference, "priority", priority="urgent")
    cases.customer_message(runtime_of(shop), case.reference, "Hello?", name="Ada Lovelace")
    stale = lin.send(case.reference, "take", page, 409, reply_text="Half a sentence", note_text="n")
    seen = body(stale.text)
    assert "Noor Haddad changed the priority from High to Urgent" in seen
    assert "Ada Lovelace wrote: “Hello?”" in seen
    assert ">Half a sentence</textarea>" in stale.text
    assert ">n</textarea>" in stale.text
    assert now(shop, case).assignee is None
    again = lin.send(case.reference, "take", stale.text, 200, reply_text="Half a sentence")
    assert ">Half a sentence</textarea>" in again.text
    assert now(shop, case).assignee == "7"


def test_replies_and_notes_never_conflict(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    page = lin.get(f"cases/{case.reference}").text
    Desk(shop, "boss").do(case.reference, "priority", priority="urgent")
    lin.send(case.reference, "reply", page, reply_text="An answer.")
    lin.send(case.reference, "note", page, note_text="A note.")
    seen = lin.get(f"cases/{case.reference}").text
    assert "An answer." in seen
    assert "A note." in seen


def test_a_write_without_a_version_is_refused(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    lin.do(case.reference, "take", answers=428, version=None)
    assert now(shop, case).assignee is None


def test_what_is_typed_beside_an_action_is_not_lost(lin: Desk, case: CaseInfo) -> None:
    page = lin.do(case.reference, "take", answers=200, reply_text="Not sent yet")
    assert ">Not sent yet</textarea>" in page.text
    lin.do(case.reference, "reply", answers=200, reply_text="Sent", note_text="Still here")


# --- what keeps itself up to date ----------------------------------------------------------------


@pytest.mark.parametrize("part", ["queue?view=teams", "cases/{reference}/live"])
def test_a_part_is_sent_again_only_when_it_changed(
    shop: Shop, lin: Desk, case: CaseInfo, part: str
) -> None:
    address = part.format(reference=case.reference)
    first = lin.get(address)
    known = {"If-None-Match": first.headers["ETag"]}
    same = lin.get(address, headers=known, status=304)
    assert same.body == b""
    assert same.headers["Cache-Control"] == "private, no-store"
    cases.customer_message(runtime_of(shop), case.reference, "Is anybody there?")
    changed = lin.get(address, headers=known, status=200)
    assert "Unanswered" in changed.text or "Is anybody there?" in changed.text


def test_a_part_in_another_language_is_another(lin: Desk, case: CaseInfo) -> None:
    known = {"If-None-Match": lin.get("queue").headers["ETag"], "Accept-Language": "de"}
    assert 'lang="de"' in lin.get("queue", headers=known, status=200).text


def test_the_page_knows_what_its_first_question_will_be(lin: Desk, case: CaseInfo) -> None:
    for page, part in (("", "queue"), (f"cases/{case.reference}", None)):
        shown = lin.get(page).text
        found = re.search(r'data-live="([^"]+)" data-etag="([^"]+)"', shown)
        assert found, part
        address = unescape(found[1]).removeprefix("/checkout-case/agent/")
        lin.get(address, headers={"If-None-Match": f'"{found[2]}"'}, status=304)


# --- prices --------------------------------------------------------------------------------------


def test_what_pages_cost(make_app: Make) -> None:
    shop = open_desk(make_app)
    know_agents(shop)
    case = decline(shop, "c-1", attempt_id="ch_1")
    runtime = runtime_of(shop)
    for number in range(25):
        cases.customer_message(runtime, case.reference, f"Question {number}")
        cases.reply(runtime, case.reference, f"Answer {number}", agent=LIN)
        decline(shop, f"c-{number + 2}")
    lin = Desk(shop, "lin")
    lin.get()
    pages = {
        "": 3,
        f"cases/{case.reference}": 9,
        "queue?view=all": 2,
        f"cases/{case.reference}/live": 8,
    }
    for page, most in pages.items():
        with statements(shop) as noted:
            lin.get(page)
        assert len(noted) <= most, (page, noted)
        assert not [line for line in noted if not line.startswith("SELECT")], page
        known = {"If-None-Match": lin.get(page).headers.get("ETag", "")}
        with statements(shop) as noted:
            lin.get(page, headers=known)
        assert len(noted) <= most


def test_a_poll_with_nothing_new_is_small(shop: Shop, lin: Desk, case: CaseInfo) -> None:
    for address, most in (("queue", 2), (f"cases/{case.reference}/live", 1)):
        known = {"If-None-Match": lin.get(address).headers["ETag"]}
        with statements(shop) as noted:
            lin.get(address, headers=known, status=304)
        assert len(noted) <= most, noted


# --- bad input -----------------------------------------------------------------------------------


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


def test_links_and_pictures_of_the_cart_are_addresses(shop: Shop, lin: Desk) -> None:
    from flask_checkout_case import Line

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


# --- languages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["de", "ar"])
def test_the_workspace_speaks_the_agents_language(lin: Desk, case: CaseInfo, language: str) -> None:
    accept = {"Accept-Language": language}
    for page in ("", f"cases/{case.reference}"):
        shown = lin.get(page, headers=accept).text
        assert f'lang="{language}" dir="{"rtl" if language == "ar" else "ltr"}"' in shown
        seen = body(shown)
        for english in ("My teams", "Next due", "Reply to customer", "Why here", "Nobody"):
            assert english not in seen, english
        assert "duration-" not in shown


def test_agents_are_as_the_loader_said(shop: Shop) -> None:
    Desk(shop, "boss").get()
    assert BOSS.is_supervisor
    assert AGENTS["boss"].name in Desk(shop, "boss").get().text
