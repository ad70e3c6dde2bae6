"""What the shop sells, read from ``catalogue.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CATEGORIES: Final = {
    key: {"key": key, "name": name, "line": line}
    for key, name, line in (
        ("bags", "Bags", "Full-grain leather, sewn by one pair of hands."),
        ("watches", "Watches", "Assembled in La Chaux-de-Fonds."),
        ("lighting", "Lighting", "Warm light, quiet shapes."),
        ("ceramics", "Ceramics", "Thrown, glazed and fired in small lots."),
        ("leather", "Leather goods", "Small things, made to be kept."),
    )
}


@dataclass(frozen=True, slots=True)
class Item:
    """One product as it is seeded; ``price_minor`` in cents."""

    sku: str
    slug: str
    name: str
    category: str
    price_minor: int
    stock: int
    blurb: str
    story: str
    details: list[str]


def items() -> list[Item]:
    """Return every product, in the order of the shop window."""
    path = Path(__file__).with_name("catalogue.toml")
    return [Item(**item) for item in tomllib.loads(path.read_text(encoding="utf-8"))["item"]]
