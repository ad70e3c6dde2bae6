"""Due times in working hours as other systems' tests have them."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from flask_checkout_case.rules.calendars import Calendar, Interval, Shift, add_open, open_time
from tests.support import shared_data

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def vectors() -> list[dict[str, Any]]:
    text = (shared_data.root() / "business_time/due.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def seconds(clock: str) -> int:
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60


def shifts(spans: list[list[str]]) -> tuple[Shift, ...]:
    return tuple(Shift(seconds(opens), seconds(closes)) for opens, closes in spans)


def calendar(vector: dict[str, Any]) -> Calendar:
    return Calendar(
        key=vector["id"],
        timezone=ZoneInfo(vector["tz"]),
        shifts={WEEKDAYS.index(day): shifts(spans) for day, spans in vector["hours"].items()},
        holidays=frozenset(map(date.fromisoformat, vector["holidays"])),
        breaks={date.fromisoformat(day): shifts(spans) for day, spans in vector["breaks"].items()},
    )


@pytest.mark.parametrize("vector", vectors(), ids=lambda vector: vector["id"])
def test_the_due_time_is_theirs(vector: dict[str, Any]) -> None:
    hours, start = calendar(vector), datetime.fromisoformat(vector["start"])
    pauses = [Interval(*map(datetime.fromisoformat, pause)) for pause in vector["pauses"]]
    length = timedelta(seconds=vector["seconds"])
    due = add_open(hours, start, length, pauses)
    assert due == datetime.fromisoformat(vector["due"])
    assert open_time(hours, start, due, pauses).total_seconds() == vector["seconds"]
