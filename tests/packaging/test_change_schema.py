"""The published JSON Schema is what the code posts."""

from __future__ import annotations

import jsonschema
import pytest

from tools.change_schema import FILE, schema, text

pytestmark = pytest.mark.packaging


def test_the_published_schema_is_up_to_date() -> None:
    assert FILE.read_text() == text(), "run: python -m tools.change_schema"


def test_it_is_a_schema_that_lets_new_fields_pass() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert 'additionalProperties": false' not in text()
