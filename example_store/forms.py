"""Reading the checkout's forms: what was typed, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from .pricing import BY_KEY, COUNTRIES

_EMAIL: Final = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
_CONTACT: Final = {"email": 254, "name": 120, "phone": 40}
_ADDRESS: Final = {
    "line1": 160,
    "line2": 160,
    "city": 80,
    "region": 80,
    "postcode": 20,
    "country": 2,
    "shipping_method": 20,
}


@dataclass(frozen=True, slots=True)
class Answers:
    """A form that was sent.

    Args:
        values: every field, trimmed and cut to its length.
        errors: a sentence for each field that must be corrected.
    """

    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)


def read_contact(form: Mapping[str, str]) -> Answers:
    """Read the first step of the checkout."""
    values = _values(form, _CONTACT)
    errors = {}
    if not _EMAIL.fullmatch(values["email"]):
        errors["email"] = "Enter an e-mail address such as ada@example.com."
    if len(values["name"]) < 2:
        errors["name"] = "Enter your name."
    return Answers(values, errors)


def read_shipping(form: Mapping[str, str]) -> Answers:
    """Read the second step of the checkout."""
    values = _values(form, _ADDRESS)
    needed = {"line1": "Enter a street and number.", "city": "Enter a town or city."}
    errors = {name: text for name, text in needed.items() if not values[name]}
    if values["country"] not in COUNTRIES:
        errors["country"] = "Choose a country."
    if values["country"] not in ("AE", "IE") and len(values["postcode"]) < 3:
        errors["postcode"] = "Enter a postcode."
    if values["shipping_method"] not in BY_KEY:
        errors["shipping_method"] = "Choose how we should deliver."
    return Answers(values, errors)


def read_account(form: Mapping[str, str]) -> Answers:
    """Read the form that makes an account."""
    values = _values(form, {"email": 254, "name": 120, "password": 200})
    errors = read_contact(form).errors
    if len(values["password"]) < 8:
        errors["password"] = "Use at least 8 characters."
    return Answers(values, errors)


def _values(form: Mapping[str, str], lengths: Mapping[str, int]) -> dict[str, str]:
    return {name: form.get(name, "").strip()[:length] for name, length in lengths.items()}
