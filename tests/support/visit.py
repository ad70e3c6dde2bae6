"""People who use the widget in Chromium."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, Locator, Page, Request, expect

from .shop import Shop
from .widget import cases_of

CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0"
"""A browser without a head says so, and is taken for the program that it is."""
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}
SMALL = {"width": 320, "height": 640}
LISTEN = """
window.broken = [];
document.addEventListener("securitypolicyviolation", (event) => window.broken.push(
  event.violatedDirective + " " + event.blockedURI + " " + event.sample));
window.alert = (text) => window.broken.push("alert " + text);
"""


class Visit:
    """One person's browser in the shop, and what went on in it."""

    def __init__(self, shop: Shop, address: str, context: BrowserContext) -> None:
        self.shop, self.address, self.context = shop, address, context
        self.requests: list[str] = []
        self.complaints: list[str] = []
        context.add_init_script(LISTEN)
        self.page = context.new_page()
        self.page.on("request", self._note)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", lambda told: self.complaints.append(f"{told.type} {told.text}"))

    def _note(self, request: Request) -> None:
        self.requests.append(request.url.removeprefix(self.address))

    def enter(self, ref: str = "c-1") -> Page:
        self.page.goto(f"{self.address}/enter/{ref}")
        self.page.goto(f"{self.address}/checkout")
        return self.page

    def pay(self, card: str = "insufficient_funds") -> None:
        self.page.fill("[name=card]", card)
        self.page.click("#pay")
        expect(self.launcher).to_contain_text(re.compile(r"\?|؟"))

    @property
    def launcher(self) -> Locator:
        return self.page.locator("#checkout-case")

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("dialog")

    def open(self) -> Locator:
        self.launcher.click()
        expect(self.panel.locator("textarea")).to_be_visible()
        return self.panel

    def write(self, text: str) -> None:
        self.panel.locator("textarea").fill(text)
        self.panel.locator(".send").click()

    @property
    def broken(self) -> list[str]:
        found: list[str] = self.page.evaluate("window.broken")
        return found

    @property
    def reference(self) -> str:
        return str(cases_of(self.shop)[0].reference)
