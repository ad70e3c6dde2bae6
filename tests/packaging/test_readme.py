"""What the README says of the example store is counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
MARK = "  # checkout-case"


SECOND_GATEWAY = ROOT / "example_store" / "klarna.py"
CHANGES = ROOT / "example_store" / "changes.py"


def marked_statements(*sources: Path) -> list[str]:
    return [line for path in sources for line in path.read_text().splitlines() if MARK in line]


def test_the_integration_of_the_example_store_is_short_and_counted() -> None:
    claimed = re.search(
        r"<!-- integration-lines -->(\d+) statements of it, (\d+) more for .*, and (\d+) for",
        (ROOT / "README.md").read_text(),
    )
    assert claimed is not None
    shop = set((ROOT / "example_store").rglob("*.py")) - {SECOND_GATEWAY, CHANGES}
    assert len(marked_statements(*shop)) == int(claimed[1])
    assert len(marked_statements(SECOND_GATEWAY)) == int(claimed[2])
    assert len(marked_statements(CHANGES)) == int(claimed[3])
    assert 0 < len(marked_statements(*shop)) <= 16


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_local_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    missing = [t for t in targets if "://" not in t and not (ROOT / t).exists()]
    assert missing == []
