"""Teams, calendars, escalations and protocols of a policy: what is read, and what is refused."""

from __future__ import annotations

import copy
import functools
import operator
import tomllib
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.errors import PolicyError
from flask_checkout_case.rules.calendars import DAY, Calendar, Shift
from flask_checkout_case.rules.policy import (
    Burst,
    Policy,
    Step,
    Task,
    load_policy,
    parse_policy,
    read_policy_text,
)
from flask_checkout_case.rules.policy_calendars import WEEKDAYS
from flask_checkout_case.rules.policy_check import build
from flask_checkout_case.rules.policy_toml import Path
from flask_checkout_case.types import Priority

REST = """
[teams.support]
[[routes]]
name = "All"
team = "support"
"""
HOUR = 3600


def read(text: str) -> Policy:
    return parse_policy(text + REST, "p.toml")


def refused(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        read(text)
    return str(caught.value).splitlines()


def office(text: str) -> Calendar:
    return read(f'[calendars.office]\ntimezone = "America/New_York"\n{text}').calendars["office"]


# --- calendars -----------------------------------------------------------------------------------


def test_a_calendar_is_read() -> None:
    calendar = office('"mon-wed" = ["13:30-18:00", "09:00-12:30"]\n"sat,sun" = ["10:00-14:00"]')
    weekday = (Shift(9 * HOUR, 12 * HOUR + 1800), Shift(13 * HOUR + 1800, 18 * HOUR))
    weekend = (Shift(10 * HOUR, 14 * HOUR),)
    assert calendar.timezone == ZoneInfo("America/New_York")
    assert calendar.shifts == {
        **dict.fromkeys((0, 1, 2), weekday),
        **dict.fromkeys((5, 6), weekend),
    }
    assert calendar.holidays == frozenset()


def test_hours_may_pass_midnight() -> None:
    calendar = office('mon = ["22:00-06:00"]\ntue = ["22:00-00:00"]\nwed = ["22:00-24:00"]')
    assert calendar.shifts == {
        0: (Shift(22 * HOUR, 30 * HOUR),),
        1: (Shift(22 * HOUR, DAY),),
        2: (Shift(22 * HOUR, DAY),),
    }


def test_days_may_run_over_the_weekend_and_hours_add_up() -> None:
    calendar = office('"fri-mon" = ["09:00-12:00"]\nmon = ["12:00-13:00"]')
    assert sorted(calendar.shifts) == [0, 4, 5, 6]
    assert calendar.shifts[0] == (Shift(9 * HOUR, 12 * HOUR), Shift(12 * HOUR, 13 * HOUR))


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_range_of_days_begins_and_ends_where_it_says(first: int, last: int) -> None:
    calendar = office(f'"{WEEKDAYS[first]}-{WEEKDAYS[last]}" = ["09:00-10:00"]')
    assert {first, last} <= set(calendar.shifts)
    assert len(calendar.shifts) == (last - first) % 7 + 1


def test_public_holidays_are_those_of_the_region() -> None:
    text = 'mon = ["09:00-10:00"]\nholidays = '
    assert date(2026, 7, 3) in office(text + '"US-NY"').holidays
    assert date(2026, 10, 3) in office(text + '"DE"').holidays
    assert date(2026, 1, 6) not in office(text + '"DE"').holidays
    assert date(2026, 1, 6) in office(text + '"DE-BY"').holidays


def test_holidays_may_be_dates_and_dates_beside_a_region() -> None:
    text = 'mon = ["09:00-10:00"]\nholidays = '
    assert office(text + '[2026-12-24, "2026-12-31"]').holidays == {
        date(2026, 12, 24),
        date(2026, 12, 31),
    }
    mixed = office(text + '["DE", "2026-12-24"]').holidays
    assert date(2026, 12, 24) in mixed
    assert date(2026, 12, 25) in mixed


@pytest.mark.parametrize(
    ("text", "line", "told"),
    [
        ("", 1, "calendars.office: expected hours such as"),
        ("mon = []", 1, "it is never open"),
        ('monday = ["09:00-10:00"]', 3, "did you mean 'mon'?"),
        ('holiday = "DE"', 3, "did you mean 'holidays'?"),
        ('"mon-" = ["09:00-10:00"]', 3, "is no key here"),
        ('mon = "09:00-10:00"', 3, "expected a list of hours"),
        ('mon = ["9-17"]', 3, "mon[0]: expected hours such as '09:00-17:30'"),
        ('mon = ["09:00-25:00"]', 3, "mon[0]: expected hours"),
        ('mon = ["24:00-06:00"]', 3, "mon[0]: expected hours"),
        ('mon = ["09:00-09:00"]', 3, "mon[0]: expected hours"),
        ("mon = [9]", 3, "mon[0]: expected hours"),
        ('mon = ["09:00-12:00", "11:59-13:00"]', 3, "mon[1]: expected hours apart from others"),
        ('mon = ["22:00-06:00"]\ntue = ["05:00-09:00"]', 4, "mon 22:00-06:00 isn't over yet"),
        ('sun = ["22:00-06:00"]\nmon = ["05:00-09:00"]', 4, "sun 22:00-06:00 isn't over yet"),
        ('mon = ["09:00-10:00"]\nholidays = "US-NX"', 4, "holidays: expected a region"),
        ('mon = ["09:00-10:00"]\nholidays = "us-ny"', 4, "did you mean 'US-NY'?"),
        ('mon = ["09:00-10:00"]\nholidays = ["DE", "2026-13-01"]', 4, "holidays[1]: expected"),
        ('mon = ["09:00-10:00"]\nholidays = [1]', 4, "holidays[0]: expected a region"),
        ('mon = ["09:00-10:00"]\nholidays = [2026-12-24T10:00:00]', 4, "holidays[0]: expected"),
    ],
)
def test_a_mistake_in_a_calendar_is_named(text: str, line: int, told: str) -> None:
    lines = refused(f'[calendars.office]\ntimezone = "America/New_York"\n{text}\n')
    assert len(lines) == 1
    assert lines[0].startswith(f"p.toml:{line}: calendars.office")
    assert told in lines[0]


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ('timezone = "America/New_Yrok"', "did you mean 'America/New_York'?"),
        ('timezone = "America"', "expected a time zone such as 'America/New_York'"),
        ('timezone = "../etc/passwd"', "expected a time zone"),
        ("timezone = 1", "expected a time zone"),
        ("", "expected a time zone"),
    ],
)
def test_a_calendar_needs_a_time_zone(zone: str, told: str) -> None:
    (line,) = refused(f'[calendars.office]\n{zone}\nmon = ["09:00-10:00"]\n')
    assert "calendars.office.timezone: " in line
    assert told in line


def test_the_calendar_of_all_hours_keeps_its_name() -> None:
    (line,) = refused('[calendars.always]\ntimezone = "UTC"\nmon = ["09:00-10:00"]\n')
    assert line.startswith("p.toml:1: calendars.always: expected another name")


def test_calendars_are_tables() -> None:
    assert "calendars: expected a table" in refused("calendars = 3\n")[0]
    assert "calendars.office: expected a table" in refused("[calendars]\noffice = 3\n")[0]


# --- service levels ------------------------------------------------------------------------------

LADDER = """
[calendars.office]
timezone = "Europe/Berlin"
mon = ["09:00-17:00"]
[protocols.calls]
tasks = [{ title = "Call" }]
[sla.x]
calendar = "office"
first_response = "1h"
resolution = "1d"
escalate = [
  { at = "75%", notify = "assignee" },
  { at = "100%", priority = "urgent", notify = ["team", "supervisors", "team"] },
  { after = "15m", team = "support", protocol = "calls" },
  { clock = "resolution", at = "75%", notify = "team" },
]
"""


def test_an_escalation_is_read() -> None:
    sla = read(LADDER).sla["x"]
    assert sla.calendar == "office"
    assert sla.escalate == (
        Step(percent=75, notify=("assignee",)),
        Step(percent=100, priority=Priority.URGENT, notify=("team", "supervisors")),
        Step(after=timedelta(minutes=15), team="support", protocol="calls"),
        Step(clock="resolution", percent=75, notify=("team",)),
    )


@pytest.mark.parametrize(
    ("change", "key", "told"),
    [
        (('"office"\nf', '"ofice"\nf'), "sla.x.calendar", "did you mean 'office'?"),
        (('"75%", notify = "assignee"', '"75%"'), "sla.x.escalate[0]", "it does nothing"),
        (('{ at = "75%", notify = "assignee" }', "3"), "sla.x.escalate[0]", "expected a table"),
        (('at = "75%", notify = "a', 'notify = "a'), "sla.x.escalate[0]", "either `at`"),
        (('"75%", notify = "a', '"75%", after = "1m", notify = "a'), "escalate[0]", "either `at`"),
        (('"75%", notify = "a', '"75", notify = "a'), "escalate[0].at", "a share of the time"),
        (('"75%", notify = "a', '"101%", notify = "a'), "escalate[0].at", "a share of the time"),
        (('"assignee"', '"asignee"'), "escalate[0].notify", "did you mean 'assignee'?"),
        (('"assignee"', "[]"), "escalate[0].notify", "at least one"),
        (('"15m", team = "support"', '"15m", team = "suport"'), "[2].team", "did you mean"),
        (('protocol = "calls"', 'protocol = "call"'), "[2].protocol", "did you mean 'calls'?"),
        (('"resolution", at', '"resolutoin", at'), "[3].clock", "did you mean 'resolution'?"),
        (('"resolution", at', '"next_response", at'), "[3].clock", "that [sla.x] sets"),
        (('"100%"', '"75%"'), "sla.x.escalate[1]", "one step for a moment"),
        (('priority = "urgent"', 'priority = "urgnt"'), "[1].priority", "did you mean 'urgent'?"),
        (('priority = "urgent"', 'prio = "urgent"'), "[1].prio", "did you mean 'priority'?"),
    ],
)
def test_a_mistake_in_an_escalation_is_named(change: tuple[str, str], key: str, told: str) -> None:
    assert change[0] in LADDER
    (line,) = refused(LADDER.replace(*change))
    assert f"{key}: " in line
    assert told in line


def test_a_silent_step_needs_the_clock_of_the_first_response() -> None:
    (line,) = refused('[sla.x]\nresolution = "1h"\nescalate = [{ at = "75%", notify = "team" }]\n')
    assert "sla.x.escalate[0].clock: expected a clock that [sla.x] sets: resolution" in line


# --- teams and protocols -------------------------------------------------------------------------


def test_a_team_says_how_it_is_given_its_cases() -> None:
    text = """
        [teams.payments]
        assignment = "balanced"
        burst = "3 in 10m"
        accept_within = "5m"
        members = ["7", "9", "7"]
    """
    policy = read(text)
    team = policy.teams["payments"]
    assert team.assignment == "balanced"
    assert team.burst == Burst(3, timedelta(minutes=10))
    assert team.accept_within == timedelta(minutes=5)
    assert team.members == ("7", "9")
    assert policy.teams["support"].assignment == "manual"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('assignment = "balance"', "did you mean 'balanced'?"),
        ('burst = "3"', "such as '3 in 10m'"),
        ('burst = "0 in 10m"', "such as '3 in 10m'"),
        ('burst = "3 in ten"', "expected a duration"),
        ("accept_within = 5", "expected a duration"),
        ('members = "7"', "expected a list of agents' refs"),
        ("members = [7]", "expected a list of agents' refs, each a text such as '7'"),
    ],
)
def test_a_mistake_in_a_team_is_named(text: str, told: str) -> None:
    (line,) = refused(f"[teams.payments]\n{text}\n")
    assert line.startswith(f"p.toml:2: teams.payments.{text.split(' ', maxsplit=1)[0]}")
    assert told in line


def test_a_protocol_is_read_in_its_order() -> None:
    protocol = read("""
        [protocols.gift-cards]
        [[protocols.gift-cards.tasks]]
        title = "Look at the balance"
        within = "10m"
        [[protocols.gift-cards.tasks]]
        title = "Tell the finance team"
        owner = "support"
        required = false
    """).protocols["gift-cards"]
    assert protocol.name == "Gift cards"
    assert protocol.tasks == (
        Task("Look at the balance", within=timedelta(minutes=10)),
        Task("Tell the finance team", owner="support", required=False),
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[protocols.x]", "protocols.x.tasks: expected at least one"),
        ("[protocols.x]\ntasks = []", "protocols.x.tasks: expected at least one"),
        ("[[protocols.x.tasks]]", "tasks[0].title: expected a value, but it is missing"),
        ("[[protocols.x.tasks]]\ntitle = 'A'\nowner = 'suport'", "did you mean 'support'?"),
        ("[[protocols.x.tasks]]\ntitle = 'A'\nwithn = '1m'", "did you mean 'within'?"),
        ("[[protocols.x.tasks]]\ntitle = 'A'\nrequired = 1", "expected true or false"),
    ],
)
def test_a_mistake_in_a_protocol_is_named(text: str, told: str) -> None:
    (line,) = refused(text + "\n")
    assert told in line


def test_a_route_names_a_protocol_that_exists() -> None:
    with pytest.raises(PolicyError, match=r"routes\[0\]\.protocol: .* did you mean 'calls'\?"):
        parse_policy(
            '[protocols.calls]\ntasks = [{ title = "Call" }]\n' + REST + 'protocol = "cals"\n',
            "p.toml",
        )


# --- the default ---------------------------------------------------------------------------------


def test_payments_and_concierge_escalate_by_default() -> None:
    policy = load_policy(None)
    ladder = (
        Step(percent=75, notify=("assignee",)),
        Step(percent=100, priority=Priority.URGENT, notify=("team",)),
        Step(after=timedelta(minutes=15), team="supervisors"),
    )
    assert {key for key, sla in policy.sla.items() if sla.escalate == ladder} == {
        "payment",
        "concierge",
    }
    assert {team.assignment for team in policy.teams.values()} == {"manual"}


def test_white_glove_is_the_protocol_of_high_value() -> None:
    policy = load_policy(None)
    routes = [route.name for route in policy.routes if route.protocol == "white-glove"]
    assert routes == ["High-value checkout"]
    tasks = policy.protocols["white-glove"].tasks
    assert tasks[0].required
    assert all(task.owner in {"assignee", "supervisors", *policy.teams} for task in tasks)


# --- whatever is written -------------------------------------------------------------------------

WHOLE = tomllib.loads(
    read_policy_text(None)[0]
    + LADDER
    + """
[[routes]]
name = "First"
team = "support"
sla = "x"
protocol = "calls"
when = { words = ["a*"], inside = "office", total_over = "5 USD", orders_over = 3 }
unless = { tags = "vip", category = ["stock"], language = "de" }
""",
    parse_float=Decimal,
)
WHOLE["routes"].insert(0, WHOLE["routes"].pop())
anything = st.recursive(
    st.one_of(
        st.integers(-1, 9),
        st.booleans(),
        st.text(max_size=5),
        st.just(Decimal("1.5")),
        st.just(date(2026, 1, 1)),
        st.sampled_from(["office", "always", "support", "payments", "15m", "75%", "DE", "mon"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=4,
)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    if isinstance(value, (dict, list)):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            yield (*path, key)
            yield from places(below, (*path, key))


def test_the_policy_to_be_broken_is_whole() -> None:
    assert build(WHOLE, version="1", source="p.toml")[1] == []


@given(st.sampled_from(list(places(WHOLE))), anything, st.booleans())
def test_whatever_is_written_is_read_whole_or_refused(
    path: Path, value: Any, is_left_out: bool
) -> None:
    raw: Any = copy.deepcopy(WHOLE)
    holder = functools.reduce(operator.getitem, path[:-1], raw)
    if is_left_out:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    policy, mistakes = build(raw, version="1", source="p.toml")
    assert (policy is None) == bool(mistakes)
    for one in mistakes:
        assert one.message.startswith(("expected", "is no "))
        assert one.key
