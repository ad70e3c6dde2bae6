"""A customer's browser that watches: what the launcher's script would send, by HTTP."""

from __future__ import annotations

from typing import Any

from webtest import TestResponse

from tests.support.shop import Shop
from tests.support.widget import ORIGIN, Person


def observed(shop: Shop) -> Shop:
    """Let the shop's customers consent to being observed."""
    shop.cases.consent_loader(lambda _purpose: True)
    return shop


class Page:
    """One page view of somebody."""

    def __init__(self, person: Person, name: str = "page-0001", **headers: str) -> None:
        self.person = person
        self.name = name
        self.headers = headers
        self.state: Any = person.get("state", headers=headers).json
        self._number = 0

    @property
    def is_watched(self) -> bool:
        return "watch" in self.state

    def tell(self, *kinds: str, status: int | str = 200, **changes: Any) -> TestResponse:
        """Send signals that have just happened."""
        told = []
        for kind in kinds:
            told.append([kind, self._number, 0])
            self._number += 1
        token = self.state.get("watch", {}).get("token", "")
        body = {"token": token, "page": self.name, "signals": told, **changes}
        return self.person.http.post_json(
            "/checkout-case/signals", body, headers={**ORIGIN, **self.headers}, status=status
        )

    def offer(self, *kinds: str) -> str | None:
        """Send signals; what is offered then."""
        found = self.tell(*kinds).json.get("offer")
        return found["text"] if found else None


def come(shop: Shop, ref: str = "c-1", who: str | None = None, **headers: str) -> Page:
    """Open the checkout's page in a browser of one's own, after the shop has told of it."""
    page = Page(Person(shop.app, ref, who), **headers)
    with shop.app.app_context():
        shop.cases.flush()
    return page
