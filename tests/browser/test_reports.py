"""A supervisor reads what a month of cases has come to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from example_store.history import tell_history
from example_store.seed import PASSWORD
from flask_checkout_case.services.reports import sweep_reports
from tests.support.store import RunningStore, running_store, sign_in
from tests.support.visit import PHONE

pytestmark = pytest.mark.browser
SUPERVISOR = "ines.castellan@corvane.example"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStore]:
    folder: Path = tmp_path_factory.mktemp("reports")
    with running_store(folder) as running:
        tell_history(running.app, amount=48)
        with running.app.app_context():
            runtime = running.app.extensions["checkout_case"]
            while sweep_reports(runtime):
                pass
        yield running


@pytest.mark.parametrize("name", ["desktop", "phone-dark"])
def test_the_reports_of_a_month(
    store: RunningStore,
    person: Callable[..., BrowserContext],
    screenshot: Callable[[Page, str], None],
    name: str,
) -> None:
    options: dict[str, Any] = {}
    if name == "phone-dark":
        options = {"viewport": PHONE, "color_scheme": "dark"}
    page = person(**options).new_page()
    problems: list[str] = []
    page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
    sign_in(page, store.url, SUPERVISOR, PASSWORD)
    page.goto(f"{store.url}/checkout-case/agent/reports")
    expect(page.get_by_role("heading", name="By team")).to_be_visible()
    screenshot(page, f"reports-{name}")
    expect(page.locator(".tiles li").first).to_contain_text("Cases")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("link", name="Today").click()
    expect(page.get_by_role("link", name="Today")).to_have_attribute("aria-current", "page")
    screenshot(page, f"reports-today-{name}")
    assert problems == []
