"""What the README says of the example store is counted."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.packaging

ROOT = Path(__file__).parents[2]
MARK = re.compile(r"(#|\{#) checkout-case\b")


def marked_lines() -> list[str]:
    sources = [*ROOT.glob("example_store/**/*.py"), *ROOT.glob("example_store/**/*.html")]
    return [line for path in sources for line in path.read_text().splitlines() if MARK.search(line)]


def test_the_integration_of_the_example_store_is_short_and_counted() -> None:
    claimed = re.search(r"<!-- integration-lines -->(\d+)", (ROOT / "README.md").read_text())
    assert claimed is not None
    assert len(marked_lines()) == int(claimed[1])
    assert 0 < len(marked_lines()) <= 15


def test_no_integration_goes_unmarked() -> None:
    used = re.compile(r"\b(flask_checkout_case|CheckoutCase|checkout_case_widget)\b|\bcases\.\w+\(")
    shop = [
        path
        for path in ROOT.glob("example_store/**/*.py")
        if not {"seed", "demo.py", "local_stripe"} & {path.name, *path.parts}
    ]
    unmarked = [
        f"{path.name}: {line.strip()}"
        for path in shop
        for line in path.read_text().splitlines()
        if used.search(line.split("# checkout-case")[0])
        and not MARK.search(line)
        and not line.lstrip().startswith(("#", '"'))
    ]
    assert unmarked == []


@pytest.mark.parametrize("page", ["README.md", "CHANGELOG.md"])
def test_local_links_lead_somewhere(page: str) -> None:
    targets = re.findall(r"\]\(([^)#]+)\)", (ROOT / page).read_text())
    missing = [t for t in targets if "://" not in t and not (ROOT / t).exists()]
    assert missing == []
