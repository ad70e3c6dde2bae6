"""Whatever line of capture raises, the shop's response is the same, byte for byte."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from flask.typing import ResponseReturnValue

import flask_checkout_case.capture
from tests.faults.capture_shop import decline, recorder_of
from tests.support.shop import Shop

pytestmark = [pytest.mark.faults, pytest.mark.slow]

CAPTURE = str(Path(flask_checkout_case.capture.__file__).parent)
# The frames that catch: a line of theirs can only raise if Python itself does.
GUARDS = {"receive_signal", "__call__", "end_request", "end_context", "close", "__iter__"}


class InjectedError(Exception):
    """What a line raises that never raises."""


Line = tuple[str, int]


@contextmanager
def traced(at_line: Callable[[Line], object]) -> Iterator[None]:
    """Call ``at_line`` before each line of capture that runs in this thread."""

    def local(frame: FrameType, kind: str, _argument: Any) -> Any:
        if kind == "line":
            at_line((frame.f_code.co_filename, frame.f_lineno))
        return local

    def begin(frame: FrameType, _kind: str, _argument: Any) -> Any:
        code = frame.f_code
        ours = code.co_filename.startswith(CAPTURE) and code.co_name not in GUARDS
        return local if ours else None

    before = sys.gettrace()
    sys.settrace(begin)
    try:
        yield
    finally:
        sys.settrace(before)


def answer_of(shop: Shop, ref: str) -> tuple[str, str, bytes]:
    answer = shop.app.test_client().post("/pay", headers={"X-Ref": ref}, buffered=True)
    return answer.status, str(sorted(answer.headers)), answer.data


def test_every_line_may_raise(make_sqlite_app: Callable[..., Shop]) -> None:
    shop = make_sqlite_app(CHECKOUT_CASE_PARTS=[])

    @shop.app.post("/pay")
    def pay() -> ResponseReturnValue:
        decline(shop, "c-1")
        return "declined", 402, {"X-Shop": "its own"}

    baseline = answer_of(shop, "first")
    lines: dict[Line, None] = {}
    with traced(lines.setdefault):
        assert answer_of(shop, "second") == baseline
    assert len(lines) > 150, "the trace has missed capture"

    for line in lines:

        def raise_there(reached: Line, wanted: Line = line) -> None:
            if reached == wanted:
                raise InjectedError(f"{wanted[0]}:{wanted[1]}")

        with traced(raise_there):
            assert answer_of(shop, "again") == baseline, f"{line} reaches the shop"
    recorder = recorder_of(shop)
    recorder.flush()
    assert answer_of(shop, "last") == baseline
