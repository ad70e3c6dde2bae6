"""The shop and the extension together, without a browser."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from webtest import TestApp

import flask_checkout_case
from example_store.extensions import db
from example_store.models import Basket
from example_store.support import cases
from flask_checkout_case import CaseInfo

from .steps import add, fill_contact, fill_shipping, pay, sign_in, to_payment

STORE = Path(__file__).parents[2] / "example_store"
MARK = "# checkout-case"
ALLOWED = {
    *("Agent", "CaseInfo", "Checkout", "CheckoutCase", "Customer"),
    *("Line", "Money", "Order", "signals", "Change", "errors"),
}


def open_cases(app: Flask) -> list[CaseInfo]:
    with app.app_context():
        ref = db.session.query(Basket).order_by(Basket.id.desc()).first()
        assert ref is not None
        checkout_ref = ref.ref
        db.session.rollback()
        cases.flush()
        return cases.find(checkout_ref=checkout_ref)


@pytest.mark.parametrize("rolled_back", [False, True])
def test_a_decline_opens_one_case_and_paying_closes_it(
    make_shop: Callable[..., Flask], rolled_back: bool
) -> None:
    app = make_shop(STORE_ROLLBACK_ON_DECLINE=rolled_back)
    visitor = TestApp(app)
    declined = pay(to_payment(visitor), "pm_card_chargeDeclinedInsufficientFunds")
    (case,) = open_cases(app)
    assert (case.category, case.failure_class, case.team) == (
        "payment_declined",
        "funds",
        "payments",
    )
    assert case.value is not None
    assert case.value.minor_units == 148_000
    declined = pay(declined, "pm_card_chargeDeclined")
    (case,) = open_cases(app)
    assert case.occurrences == 2
    assert pay(declined).status_int == 303
    (case,) = open_cases(app)
    assert (case.status, case.outcome) == ("closed", "self_recovered")


def test_a_dear_decline_goes_to_the_concierge(visitor: TestApp, app: Flask) -> None:
    pay(to_payment(visitor, "marlow-weekender"), "pm_card_chargeDeclined")
    (case,) = open_cases(app)
    assert (case.team, case.priority) == ("concierge", "urgent")


def test_a_fraudulent_card_goes_to_risk(visitor: TestApp, app: Flask) -> None:
    pay(to_payment(visitor), "pm_card_chargeDeclinedStolenCard")
    (case,) = open_cases(app)
    assert (case.team, case.failure_class) == ("risk", "fraud")


def test_short_stock_and_undeliverable_places_open_cases(
    make_shop: Callable[..., Flask], tmp_path: Path
) -> None:
    app = make_shop()
    visitor = TestApp(app)
    add(visitor, "dorian-watch-roll", 2)
    fill_contact(visitor)
    fill_shipping(visitor, "GL")
    fill_shipping(visitor).follow()
    found = {case.category for case in open_cases(app)}
    assert "stock" in found
    assert len(found) == 2


def test_the_widget_is_on_the_decline_page_and_not_elsewhere(visitor: TestApp) -> None:
    declined = pay(to_payment(visitor), "pm_card_chargeDeclined")
    assert 'id="checkout-case"' in declined.text
    assert 'id="checkout-case"' not in visitor.get("/").text


def test_the_workspace_is_for_the_staff(visitor: TestApp, app: Flask) -> None:
    visitor.get("/checkout-case/agent/", status=[302, 303, 401, 403])
    sign_in(visitor, "ada.whitfield@mail.example")
    visitor.get("/checkout-case/agent/", status=403)
    member = TestApp(app)
    sign_in(member, "lin.okafor@corvane.example")
    member.get("/checkout-case/agent/", status=200)


def sources() -> Iterator[tuple[str, str]]:
    for path in sorted(STORE.rglob("*.py")):
        if not {"local_adyen", "local_stripe", "migrations"}.intersection(path.parts):
            yield path.name, path.read_text(encoding="utf-8")


def marked_statements() -> list[str]:
    return [
        f"{name}:{token.start[0]}"
        for name, text in sources()
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and token.string == MARK
    ]


def test_the_integration_is_short() -> None:
    found = marked_statements()
    changes = [one for one in found if one.startswith("changes.py")]
    assert 10 <= len(found) - len(changes) <= 20, found
    assert len(changes) <= 20, changes


def statements_that_use_it(text: str) -> Iterator[int]:
    """Yield the line of each statement that names something of the extension."""
    known = re.compile(r"\b(cases|flask_checkout_case|signals|as_checkout)\b")
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.Return, ast.Expr)):
            docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not docstring and known.search(ast.unparse(node)):
                yield node.lineno


def test_no_statement_of_the_integration_is_left_unmarked() -> None:
    for name, text in sources():
        if name in ("history.py", "demo.py"):
            continue
        lines = text.splitlines()
        for number in statements_that_use_it(text):
            assert MARK in lines[number - 1], f"{name}:{number} {lines[number - 1]}"


def test_the_shop_imports_public_names_only() -> None:
    for name, text in sources():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                assert not any(alias.name.startswith("flask_checkout_case") for alias in node.names)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
                "flask_checkout_case"
            ):
                assert node.module == "flask_checkout_case", name
                imported = {alias.name for alias in node.names}
                assert imported <= ALLOWED <= set(flask_checkout_case.__all__)


def test_no_card_number_is_taken(visitor: TestApp) -> None:
    page = to_payment(visitor)
    names: Any = {field.get("name") for field in page.html.select("input")}
    assert not names & {"cardnumber", "number", "cvc", "exp-date"}
