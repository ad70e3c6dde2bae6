from __future__ import annotations

import json
import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.rules.policy_toml import Path, line_of, locate

TEXT = '''\
# a comment = [ "not a key" ]
top = "a # b"
"quoted key" = 'c = d'
dotted . inside."x.y" = 1

[table]
long = """
not = "a key" \\"""
]]}}
"""
literal = \'\'\'
neither = 1 \'\'\'
list = [
  "one", # first
  [2, 3],

  { four = 5, six.seven = "8" },
]

[table.below]
inline = { a = 1, b = { c = [1, "]"] } }

[[things]]
name = "first"
[things.part]
when = 1979-05-27 07:32:00

[[things]]
name = "second"
[[things.parts]]
n = 1
[[things.parts]]
n = 2
[things.parts.deep]
x = 0
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("dotted",), 4),
        (("dotted", "inside", "x.y"), 4),
        (("table",), 6),
        (("table", "long"), 7),
        (("table", "literal"), 11),
        (("table", "list"), 13),
        (("table", "list", 0), 14),
        (("table", "list", 1), 15),
        (("table", "list", 1, 1), 15),
        (("table", "list", 2, "four"), 17),
        (("table", "list", 2, "six", "seven"), 17),
        (("table", "below"), 20),
        (("table", "below", "inline", "b", "c"), 21),
        (("things",), 23),
        (("things", 0, "name"), 24),
        (("things", 0, "part", "when"), 26),
        (("things", 1), 28),
        (("things", 1, "name"), 29),
        (("things", 1, "parts", 0, "n"), 31),
        (("things", 1, "parts", 1, "n"), 33),
        (("things", 1, "parts", 1, "deep", "x"), 35),
    ],
)
def test_each_key_has_its_line(path: Path, line: int) -> None:
    assert locate(TEXT)[path] == line


def test_what_has_no_line_takes_the_one_above() -> None:
    lines = locate(TEXT)
    assert line_of(lines, ("table", "below", "missing", 3)) == 20
    assert line_of(lines, ("nowhere",)) == 1


def paths_of(value: Any, path: Path = ()) -> set[Path]:
    if isinstance(value, dict):
        below = [paths_of(one, (*path, key)) for key, one in value.items()]
    elif isinstance(value, list):
        below = [paths_of(one, (*path, index)) for index, one in enumerate(value)]
    else:
        below = []
    return set().union({path} if path else set(), *below)


def test_all_paths_of_a_document_are_found() -> None:
    for text in (TEXT, default_text()):
        assert paths_of(tomllib.loads(text)) <= set(locate(text))


def default_text() -> str:
    return files("flask_checkout_case.rules").joinpath("default_policy.toml").read_text("utf-8")


keys = st.one_of(st.from_regex(r"[A-Za-z0-9_-]{1,8}", fullmatch=True), st.text(max_size=8))
scalars = st.one_of(st.integers(-9, 9), st.booleans(), st.text(max_size=12), st.just(1.5))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(keys, inner, min_size=1, max_size=3)
    ),
    max_leaves=8,
)


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(k)} = {written(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + "".join(f"\n  {written(one)}, # ] \" }} '" for one in value) + "\n]"
    return quoted(value) if isinstance(value, str) else json.dumps(value)


def quoted(text: str) -> str:
    # JSON's escapes are TOML's, but for surrogate pairs and DEL.
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@given(st.dictionaries(keys, values, max_size=5))
def test_whatever_tomllib_reads_is_located(document: dict[str, Any]) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in document.items())
    lines = locate(text)
    assert paths_of(tomllib.loads(text)) == set(lines)
    for key in document:
        line = text.split("\n")[lines[(key,)] - 1]
        assert line.startswith(quoted(key))
