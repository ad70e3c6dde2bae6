"""``python -m example_store.crowd``: customers who come all at once, fill a bag and pay by card."""

from __future__ import annotations

import argparse
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import requests
from bs4 import BeautifulSoup, Tag

_FEWEST: Final = 12
_AT_ONCE: Final = 6
_PRODUCTS: Final = ("arlo-card-holder", "arlo-wallet", "corso-belt", "ines-tote")
_GOOD: Final = "pm_card_visa"
_BAD: Final = ("pm_card_chargeDeclined", "pm_card_chargeDeclinedInsufficientFunds")


class Visitor:
    """One customer with a browser of their own, without scripts."""

    def __init__(self, shop: str, number: int) -> None:
        self._shop = shop
        self._number = number
        self._http = requests.Session()

    def buy(self, product: str, method: str) -> bool:
        """Go the whole way; whether it ended in an order."""
        self._post("add", f"/product/{product}", quantity="1")
        name = f"Customer {self._number}"
        email = f"customer-{self._number}@mail.example"
        self._post("contact", "/checkout/contact", email=email, name=name)
        self._post(
            "shipping",
            "/checkout/shipping",
            country="US",
            line1="12 Mill Lane",
            city="Boston",
            postcode="02110",
        )
        answer = self._post("payment", "/checkout/payment", payment_method=method)
        return "/checkout/confirmation/" in answer.url

    def _post(self, part: str, path: str, **fields: str) -> requests.Response:
        page = self._http.get(f"{self._shop}{path}", timeout=30)
        form = _form_to(page.text, part)
        address = str(form.get("action") or path)
        return self._http.post(f"{self._shop}{address}", {**_fields_of(form), **fields}, timeout=60)


def _form_to(page: str, part: str) -> Tag:
    """Return the form of a page that is called ``part``, or whose address names it."""
    for form in BeautifulSoup(page, "html.parser").find_all("form"):
        if form.get("id") == f"{part}-form" or f"/{part}/" in str(form.get("action")):
            return form
    raise LookupError(f"the page has no form for {part}")


def _fields_of(form: Tag) -> dict[str, str]:
    """Return what a form sends as it is: hidden and filled fields, what is ticked."""
    return {
        str(field["name"]): str(field.get("value", ""))
        for field in form.select("input[name]")
        if field.get("type") not in ("radio", "checkbox") or field.has_attr("checked")
    }


def come(shop: str, customers: int, chance: random.Random) -> int:
    """Let so many customers come; how many of them have ordered.

    Args:
        shop: its address, without a slash at the end.
    """

    def visit(number: int, product: str, method: str) -> bool:
        return Visitor(shop, number).buy(product, method)

    numbers = chance.sample(range(1000, 10_000), customers)
    products = chance.choices(_PRODUCTS, k=customers)
    methods = chance.choices([_GOOD, *_BAD], [85, 10, 5], k=customers)
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(pool.map(visit, numbers, products, methods))


def main(arguments: list[str] | None = None) -> None:
    """Let customers come, and say how many of them ordered."""
    parser = argparse.ArgumentParser(prog="python -m example_store.crowd", description=__doc__)
    parser.add_argument("--shop", default="http://127.0.0.1:5080", help="the shop's address")
    parser.add_argument("--customers", type=int, default=_FEWEST, help=f"how many come ({_FEWEST})")
    given = parser.parse_args(arguments)
    ordered = come(given.shop.rstrip("/"), given.customers, random.Random())
    sys.stdout.write(f"{given.customers} customers came, {ordered} ordered.\n")


if __name__ == "__main__":
    main()
