"""The examples of the documentation run as they are written."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from marshmallow import Schema

from flask_checkout_case.rules import policy_schema
from flask_checkout_case.services.permission import ACTIONS
from flask_checkout_case.services.runtime import Hooks
from tests.support.readme import marked_blocks
from tests.support.shop import Shop

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    page
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    if any(block.mark == "runnable" for block in marked_blocks(page))
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_runnable_examples(
    page: Path,
    make_sqlite_app: Callable[..., Shop],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    shop = make_sqlite_app()
    names: dict[str, object] = {"app": shop.app, "db": shop.db, "cases": shop.cases}
    with shop.app.app_context():
        for block in marked_blocks(page):
            if block.mark == "runnable":
                code = compile("\n" * (block.line - 1) + block.code, page.name, "exec")
                exec(code, names)  # noqa: S102 - our own documentation


def test_python_blocks_of_all_pages_are_python() -> None:
    for page in [*(ROOT / "docs").glob("*.md"), ROOT / "README.md"]:
        for number, part in enumerate(page.read_text().split("```python\n")[1:], 1):
            ast.parse(part.split("```")[0], f"{page.name}, block {number}")


def test_every_hook_is_documented() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text()
    hooks = {name for name in dir(Hooks()) if not name.startswith("_")} - {"gateways"}
    assert {name for name in hooks if f"`{name}`" not in page} == set()


def test_every_action_is_documented() -> None:
    page = (ROOT / "docs" / "hooks.md").read_text()
    assert {action for action in ACTIONS if f"`{action}`" not in page} == set()


def test_every_key_of_the_policy_is_documented() -> None:
    page = (ROOT / "docs" / "policy.md").read_text()
    schemas = [
        schema
        for schema in vars(policy_schema).values()
        if isinstance(schema, type) and issubclass(schema, Schema) and schema is not Schema
    ]
    keys = {name for schema in schemas for name in schema().fields}
    assert {key for key in keys if not re.search(rf"\b{key}\b", page)} == set()
