"""Write the JSON Schema of what is posted to fulfilment: ``python -m tools.change_schema``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin

from flask_checkout_case.change_schema import VERSION, ChangeMessage

FILE = Path(__file__).parent.parent / f"docs/schemas/order-change.v{VERSION}.json"
_REFS = "#/components/schemas/"


def schema() -> dict[str, Any]:
    """Return the schema, by JSON Schema 2020-12."""
    spec = APISpec("-", "1", "3.1.0", plugins=[MarshmallowPlugin()])
    spec.components.schema("ChangeMessage", schema=ChangeMessage)
    parts: dict[str, Any] = json.loads(json.dumps(spec.to_dict()["components"]["schemas"]))
    message = parts.pop("ChangeMessage")
    whole: dict[str, Any] = _moved(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": f"A change of an order, version {VERSION}",
            "description": ChangeMessage.__doc__,
            **message,
            "$defs": parts,
        }
    )
    return whole


def _moved(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _moved(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_moved(one) for one in value]
    is_ref = isinstance(value, str) and value.startswith(_REFS)
    return value.replace(_REFS, "#/$defs/") if is_ref else value


def text() -> str:
    """Return the file's content."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(text())
