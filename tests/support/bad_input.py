"""Texts that have broken other people's programs, written for this project.

More of them are read from ``naughty_strings.jsonl`` and ``xss.jsonl`` below the directory that the
environment variable ``CHECKOUT_CASE_TEST_DATA`` names, when it names one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

OWN = (
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "javascript:alert(1)",
    "https://shop.example/\"onmouseover='alert(1)'",
    "{{ 7 * 7 }} {% raw %} ${7*7} #{7*7}",
    "%s %n %(name)s %",
    "'; DROP TABLE checkout_case_case; --",
    '=HYPERLINK("http://evil.example")',
    "\ufeffBOM, \u202eright to left, \u2066isolate\u2069",
    "e\u0301 \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea",
    "Z\u0351\u0300a\u0334l\u0335g\u0336o" * 20,
    "\u0627\u0644\u0639\u0631\u0628\u064a\u0629 mixed with English 123",
    "null",
    "undefined",
    "NaN",
    "-1",
    "\\",
    "line\r\nline\nline\ttab",
    "x" * 3999,
)


def bad_texts() -> list[str]:
    """Return our own bad texts, and those of the shared data where it is at hand."""
    folder = os.environ.get("CHECKOUT_CASE_TEST_DATA")
    if not folder:
        return list(OWN)
    found = list(OWN)
    for path in sorted((Path(folder) / "bad_input").glob("*.jsonl")):
        lines = path.read_text("utf-8").split("\n")
        found += [json.loads(line)["text"] for line in lines if line]
    return found
