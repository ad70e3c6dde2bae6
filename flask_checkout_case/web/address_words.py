"""What the parts of an address are called, for customers and agents alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..i18n import N_

FIELDS: Final[Mapping[str, str]] = {
    "name": N_("Name"),
    "company": N_("Company"),
    "line1": N_("Street and number"),
    "line2": N_("Flat, floor, building"),
    "sublocality": N_("District"),
    "city": N_("Town or city"),
    "region": N_("State or region"),
    "postcode": N_("Postcode"),
    "country": N_("Country (two letters)"),
}
