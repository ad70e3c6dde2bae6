"""Who may ask for what: every route of the extension, each kind of caller, as one table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import Rule

from flask_checkout_case import CaseInfo
from flask_checkout_case.rules.policy import read_policy_text
from flask_checkout_case.services import policies
from tests.support.desk import ORIGIN, Desk, decline, open_desk, watch
from tests.support.protocols import follow_protocol, promise_call
from tests.support.shop import Shop
from tests.support.storm import stand_for_incident

Make = Callable[..., Shop]

CALLERS = ("anonymous", "customer", "sam", "eve", "boss", "no loader")
"""Sam works in the case's team, Eve in another; the boss is a supervisor."""


@dataclass(frozen=True)
class Access:
    """The status that each caller is answered with, in the order of :data:`CALLERS`."""

    anonymous: int
    customer: int
    sam: int
    eve: int
    boss: int
    no_loader: int


FOR_ANYBODY = Access(200, 200, 200, 200, 200, 200)
AGENTS_ONLY = Access(403, 403, 200, 200, 200, 403)
THEIR_CASES = Access(403, 403, 200, 404, 200, 403)
THEIR_DEEDS = Access(403, 403, 303, 404, 303, 403)

AGENT_ROUTES = {
    "checkout_case_agent.static": FOR_ANYBODY,
    "checkout_case_agent.queue": AGENTS_ONLY,
    "checkout_case_agent.queue_part": AGENTS_ONLY,
    "checkout_case_agent.case": THEIR_CASES,
    "checkout_case_agent.case_part": THEIR_CASES,
    "checkout_case_agent.incident": THEIR_CASES,
    "checkout_case_agent.live_view": AGENTS_ONLY,
    "checkout_case_agent.live_view_part": AGENTS_ONLY,
    "checkout_case_agent.team_board": AGENTS_ONLY,
    "checkout_case_agent.team_board_part": AGENTS_ONLY,
    "checkout_case_agent.reply": THEIR_DEEDS,
    "checkout_case_agent.note": THEIR_DEEDS,
    "checkout_case_agent.take": THEIR_DEEDS,
    "checkout_case_agent.decline": Access(403, 403, 403, 404, 403, 403),
    "checkout_case_agent.assign": THEIR_DEEDS,
    "checkout_case_agent.transfer": THEIR_DEEDS,
    "checkout_case_agent.status": THEIR_DEEDS,
    "checkout_case_agent.priority": THEIR_DEEDS,
    "checkout_case_agent.tick": THEIR_DEEDS,
    "checkout_case_agent.callback": THEIR_DEEDS,
    # This case is about no change: there is none to decide on.
    "checkout_case_agent.change": Access(403, 403, 404, 404, 404, 403),
}
SPEAKING = {"checkout_case_agent.live_start": Access(403, 403, 404, 404, 303, 403)}
"""The checkout's hesitation would be nobody's case of the two teams."""
PRESENCE = {"checkout_case_agent.presence": Access(403, 403, 303, 303, 303, 403)}
SUPERVISORS_ONLY = Access(403, 403, 403, 403, 200, 403)
SUPERVISORS_DEEDS = Access(403, 403, 403, 403, 303, 403)
POLICY_ROUTES = {
    "checkout_case_agent.policy": SUPERVISORS_ONLY,
    "checkout_case_agent.policy_save": SUPERVISORS_DEEDS,
    "checkout_case_agent.policy_check": SUPERVISORS_ONLY,
    "checkout_case_agent.policy_version": SUPERVISORS_ONLY,
    "checkout_case_agent.policy_activate": SUPERVISORS_DEEDS,
    "checkout_case_agent.policy_replay": SUPERVISORS_ONLY,
}
LETTER_ROUTES = {
    "checkout_case_agent.letters": SUPERVISORS_ONLY,
    # Nothing was given up: there is no letter 1.
    "checkout_case_agent.letter": Access(403, 403, 403, 403, 404, 403),
}
REPORT_ROUTES = {
    "checkout_case_agent.reports": SUPERVISORS_ONLY,
    "checkout_case_agent.reports_csv": SUPERVISORS_ONLY,
}
POLICY_FIELDS = {
    "policy_save": {"text": read_policy_text(None)[0], "do": "save"},
    "policy_check": {"text": read_policy_text(None)[0]},
    "policy_activate": {"based_on": "1"},
}
# What customers and machines may ask for. Each proves itself by a token or a signature where it
# touches anything; here stands what a caller gets who has none.
OTHER_ROUTES = {
    "checkout_case_system.health": "GET 200",
    "checkout_case_webhooks.receive": "POST 404",
    "checkout_case_webhooks.fulfilment": "POST 404",
    "checkout_case_widget.static": "GET 200",
    "checkout_case_widget.help_page": "GET 200",
    "checkout_case_widget.help_post": "POST 403",
    "checkout_case_widget.state": "GET 200",
    "checkout_case_widget.take_signals": "POST 403",
    "checkout_case_widget.panel": "GET 200",
    "checkout_case_widget.poll": "GET 404",
    "checkout_case_widget.token": "GET 200",
    "checkout_case_widget.send": "POST 403",
    "checkout_case_widget.callback": "POST 403",
    "checkout_case_widget.help_callback": "POST 403",
    "checkout_case_widget.change_page": "GET 404",
    "checkout_case_widget.checkout_page": "GET 404",
    "checkout_case_widget.checkout_post": "POST 404",
    "checkout_case_widget.rescue_page": "GET 404",
    "checkout_case_widget.rescue_post": "POST 404",
    "checkout_case_widget.change_post": "POST 404",
}
FIELDS = {
    "reply": {"reply_text": "An answer."},
    "note": {"note_text": "A note."},
    "take": {},
    "decline": {},
    "assign": {"assignee": "8"},
    "transfer": {"team": "payments"},
    "status": {"status": "open"},
    "priority": {"priority": "low"},
    "tick": {"task": "1 done"},
    "callback": {"callback": "reached"},
    "change": {"change": "approve CH-0123456789 00"},
}


@pytest.fixture
def shop(make_sqlite_app: Make) -> Shop:
    return open_desk(make_sqlite_app)


@pytest.fixture
def case(shop: Shop) -> CaseInfo:
    made = decline(shop, "c-1")
    follow_protocol(shop)
    stand_for_incident(shop, made)
    promise_call(shop, made)
    return made


def our_rules(app: Flask) -> list[Rule]:
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("checkout_case")]


def test_no_route_is_missing_from_the_table(shop: Shop) -> None:
    listed = {*AGENT_ROUTES, *PRESENCE, *SPEAKING, *POLICY_ROUTES, *OTHER_ROUTES, *LETTER_ROUTES}
    listed |= {*REPORT_ROUTES}
    there = {rule.endpoint for rule in our_rules(shop.app)}
    assert there == listed, f"unlisted: {there - listed}; gone: {listed - there}"


def test_every_address_of_the_desk_is_below_its_prefix(shop: Shop) -> None:
    for rule in our_rules(shop.app):
        inside = rule.rule.startswith("/checkout-case/agent/")
        assert inside == rule.endpoint.startswith("checkout_case_agent."), rule


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("endpoint", AGENT_ROUTES)
def test_agents_routes(shop: Shop, case: CaseInfo, endpoint: str, who: str) -> None:
    expected = getattr(AGENT_ROUTES[endpoint], who.replace(" ", "_"))
    desk = caller(shop, who)
    deed = endpoint.rpartition(".")[2]
    if deed not in FIELDS:
        desk.http.get(address_of(shop, endpoint, case), status=expected)
        return
    # With everything right but the person: a foreign page's token wouldn't show who is let in.
    form = {**token_of(desk), "version": str(case.version), **FIELDS[deed]}
    address = f"/checkout-case/agent/cases/{case.reference}/{deed}"
    desk.http.post(address, form, headers=ORIGIN, status=expected)


@pytest.mark.parametrize("deed", FIELDS)
def test_a_refused_deed_changes_nothing(shop: Shop, case: CaseInfo, deed: str) -> None:
    for who in ("anonymous", "customer", "eve", "no loader"):
        desk = caller(shop, who)
        form = {**token_of(desk), "version": str(case.version), **FIELDS[deed]}
        desk.http.post(
            f"/checkout-case/agent/cases/{case.reference}/{deed}",
            form,
            headers=ORIGIN,
            status=[403, 404],
        )
    with shop.app.app_context():
        assert shop.cases.get(case.reference) == case


@pytest.mark.parametrize("deed", FIELDS)
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, ORIGIN])
def test_a_deed_needs_our_own_page(
    shop: Shop, case: CaseInfo, deed: str, headers: dict[str, str]
) -> None:
    sam = Desk(shop, "sam")
    form: dict[str, Any] = {"version": str(case.version), **FIELDS[deed]}
    if headers is not ORIGIN:
        form |= token_of(sam)
    address = f"/checkout-case/agent/cases/{case.reference}/{deed}"
    assert "csrf" in sam.http.post(
        address, form, headers={**headers, "Accept": "application/json"}, status=403
    )
    with shop.app.app_context():
        assert shop.cases.get(case.reference) == case


@pytest.mark.parametrize("who", CALLERS)
def test_who_says_how_present_they_are(shop: Shop, who: str) -> None:
    expected = getattr(PRESENCE["checkout_case_agent.presence"], who.replace(" ", "_"))
    desk = caller(shop, who)
    form = {**token_of(desk), "presence": "busy"}
    address = "/checkout-case/agent/presence"
    desk.http.post(address, form, headers=ORIGIN, status=expected)
    for headers in ({"Origin": "https://evil.example"}, ORIGIN):
        kept = form if headers is not ORIGIN else {"presence": "busy"}
        desk.http.post(address, kept, headers=headers, status=403)


@pytest.mark.parametrize("who", CALLERS)
def test_who_speaks_first(shop: Shop, who: str) -> None:
    expected = getattr(SPEAKING["checkout_case_agent.live_start"], who.replace(" ", "_"))
    watch(shop, "c-live")
    desk = caller(shop, who)
    form = {**token_of(desk), "checkout": "c-live", "text": "Can I help?"}
    address = "/checkout-case/agent/live/start"
    for headers in ({"Origin": "https://evil.example"}, {}):
        desk.http.post(address, form, headers=headers, status=403)
    desk.http.post(address, form, headers=ORIGIN, status=expected)
    with shop.app.app_context():
        spoken = shop.cases.find(checkout_ref="c-live")
    assert len(spoken) == (expected == 303)


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("endpoint", REPORT_ROUTES)
def test_reports_are_for_supervisors(shop: Shop, endpoint: str, who: str) -> None:
    expected = getattr(REPORT_ROUTES[endpoint], who.replace(" ", "_"))
    page = endpoint.rpartition(".")[2].replace("_", ".")
    caller(shop, who).http.get(f"/checkout-case/agent/{page}", status=expected)


@pytest.mark.parametrize("who", CALLERS)
def test_what_was_not_sent_is_for_supervisors(shop: Shop, who: str) -> None:
    page, deed = (getattr(access, who.replace(" ", "_")) for access in LETTER_ROUTES.values())
    desk = caller(shop, who)
    desk.http.get("/checkout-case/agent/not-sent", status=page)
    address, form = "/checkout-case/agent/not-sent/1", {**token_of(desk), "do": "again"}
    desk.http.post(address, form, headers=ORIGIN, status=deed)
    for headers in ({"Origin": "https://evil.example"}, ORIGIN):
        kept = form if headers is not ORIGIN else {"do": "again"}
        desk.http.post(address, kept, headers=headers, status=403)


@pytest.fixture
def policy_shop(make_sqlite_app: Make) -> Shop:
    made = open_desk(make_sqlite_app, CHECKOUT_CASE_POLICY_EDITABLE=True)
    policies.note_file(made.app.extensions["checkout_case"])
    return made


@pytest.mark.parametrize("who", CALLERS)
@pytest.mark.parametrize("endpoint", POLICY_ROUTES)
def test_the_policy_is_for_supervisors(policy_shop: Shop, endpoint: str, who: str) -> None:
    expected = getattr(POLICY_ROUTES[endpoint], who.replace(" ", "_"))
    desk, address = caller(policy_shop, who), policy_address(policy_shop, endpoint)
    fields = POLICY_FIELDS.get(endpoint.rpartition(".")[2])
    if fields is None:
        desk.http.get(address, status=expected)
    else:
        desk.http.post(address, {**token_of(desk), **fields}, headers=ORIGIN, status=expected)


@pytest.mark.parametrize("deed", POLICY_FIELDS)
@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, ORIGIN])
def test_a_policy_is_changed_from_our_own_page(
    policy_shop: Shop, deed: str, headers: dict[str, str]
) -> None:
    boss = Desk(policy_shop, "boss")
    form = {**POLICY_FIELDS[deed], **(token_of(boss) if headers is not ORIGIN else {})}
    address = policy_address(policy_shop, f"checkout_case_agent.{deed}")
    accepting = {**headers, "Accept": "application/json"}
    assert "csrf" in boss.http.post(address, form, headers=accepting, status=403)


def policy_address(shop: Shop, endpoint: str) -> str:
    (rule,) = [rule for rule in our_rules(shop.app) if rule.endpoint == endpoint]
    return re.sub(r"<[^>]*policy_id>", "1", rule.rule)


@pytest.mark.parametrize("endpoint", OTHER_ROUTES)
def test_routes_of_customers_and_machines(shop: Shop, case: CaseInfo, endpoint: str) -> None:
    method, status = OTHER_ROUTES[endpoint].split()
    http = caller(shop, "anonymous").http
    address = address_of(shop, endpoint, case)
    ask = http.get if method == "GET" else http.post
    assert case.reference not in ask(address, status=int(status)).text


def test_a_case_that_is_not_there_and_one_that_is_not_yours_look_alike(
    shop: Shop, case: CaseInfo
) -> None:
    eve = Desk(shop, "eve")
    foreign = eve.get(f"cases/{case.reference}", status=404)
    absent = eve.get("cases/CC-00000000", status=404)
    assert foreign.body == absent.body


def test_the_page_of_a_refusal_says_who_it_is_for(shop: Shop) -> None:
    page = caller(shop, "anonymous").get(status=403)
    assert "agents" in page.text
    assert "Log in" not in page.text

    @shop.cases.login_url
    def login() -> str:
        return "/staff/login"

    assert 'href="/staff/login"' in caller(shop, "anonymous").get(status=403).text


def test_a_loader_that_fails_lets_nobody_in(make_sqlite_app: Make) -> None:
    shop = make_sqlite_app()

    @shop.cases.agent_loader
    def broken() -> None:
        raise RuntimeError("no session store")

    Desk(shop, "boss").get(status=403)


def test_headers_of_a_page(shop: Shop, case: CaseInfo) -> None:
    answer = Desk(shop, "sam").get(f"cases/{case.reference}")
    policy = answer.headers["Content-Security-Policy"]
    for part in (
        *("default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"),
        *("form-action 'self'", "frame-ancestors 'none'", "trusted-types 'none'"),
        "require-trusted-types-for 'script'",
    ):
        assert part in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Cookie" in answer.headers["Vary"]
    for tag in (" style=", "<style", "<script>"):
        assert tag not in answer.text


def caller(shop: Shop, who: str) -> Desk:
    if who == "no loader":
        shop.cases._hooks.agent_loader = None
        return Desk(shop, "boss")
    desk = Desk(shop, who if who in ("sam", "eve", "boss") else None)
    if who == "customer":
        desk.http.get("/checkout-case/help")
    return desk


def token_of(desk: Desk) -> dict[str, str]:
    """A token that this very browser has been given by the page for customers."""
    from tests.support.widget import hidden_fields

    found = hidden_fields(desk.http.get("/checkout-case/help").text)
    return {name: value for name, value in found.items() if name.endswith("csrf")}


def address_of(shop: Shop, endpoint: str, case: CaseInfo) -> str:
    values: dict[str, Any] = {
        "reference": case.reference,
        "gateway": "none",
        "filename": "agent.css",
        "number": "1",
        "token": "forged",
    }
    if endpoint == "checkout_case_widget.static":
        values["filename"] = "launcher.css"
    (rule,) = [rule for rule in our_rules(shop.app) if rule.endpoint == endpoint][:1]
    with shop.app.test_request_context():
        from flask import url_for

        return url_for(endpoint, **{name: values[name] for name in rule.arguments})
