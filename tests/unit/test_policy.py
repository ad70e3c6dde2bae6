from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_checkout_case.errors import PolicyError
from flask_checkout_case.rules.policy import (
    Policy,
    load_policy,
    parse_policy,
    read_policy_text,
)
from flask_checkout_case.rules.policy_values import (
    LONGEST,
    format_duration,
    parse_amount,
    parse_duration,
)
from flask_checkout_case.types import Money

GOOD = """\
[teams.support]

[[routes]]
name = "All"
team = "support"
"""


def refused(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        parse_policy(text, "p.toml")
    return str(caught.value).splitlines()


def test_the_smallest_policy_has_sane_defaults() -> None:
    policy = parse_policy(GOOD, "p.toml")
    assert policy.currency == "USD"
    assert policy.teams["support"].name == "Support"
    assert policy.hesitation.over == Money(5000, "USD")
    assert policy.hesitation.after == timedelta(minutes=10)
    assert policy.outreach.enabled
    assert policy.outreach.after == timedelta(minutes=10)
    assert policy.routes[0].sla is None


def test_the_default_policy_is_the_documented_one() -> None:
    policy = load_policy(None)
    told = [
        (route.team, route.priority, route.sla.key if route.sla else None, route.protocol)
        for route in policy.routes
    ]
    assert told == [
        ("payments", "urgent", "payment", None),
        ("risk", "high", "risk", None),
        ("fulfilment", "high", "fulfilment", None),
        ("concierge", "urgent", "concierge", "white-glove"),
        ("payments", "high", "payment", None),
        ("support", "normal", "support", None),
    ]
    assert list(policy.teams) == [
        *("payments", "risk", "fulfilment", "concierge", "support", "supervisors"),
    ]
    assert policy.sla["payment"].first_response == timedelta(minutes=15)
    assert policy.sla["support"].first_response == timedelta(days=1)
    assert policy.source == "default_policy.toml"


def test_a_file_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "shop.toml"
    path.write_text(GOOD.replace("All", "Alle für einen"), encoding="utf-8")
    policy = load_policy(path)
    assert policy.routes[0].name == "Alle für einen"
    assert policy.source == "shop.toml"


def test_the_version_follows_the_text() -> None:
    first, same = parse_policy(GOOD, "a.toml"), parse_policy(GOOD, "b.toml")
    assert first.version == same.version
    assert len(first.version) == 12
    assert parse_policy(GOOD + "# changed\n", "a.toml").version != first.version


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"none\.toml: the policy can't be read"):
        load_policy(tmp_path / "none.toml")


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes("name = 'für'".encode("latin-1"))
    with pytest.raises(PolicyError, match=r"latin\.toml: expected text in UTF-8"):
        load_policy(tmp_path / "latin.toml")


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ('a = 1\nb = "never closed', 2)],
)
def test_broken_toml_is_refused_with_its_line(text: str, line: int) -> None:
    (told,) = refused(text)
    assert told.startswith(f"p.toml:{line}: expected TOML: ")


@pytest.mark.parametrize(
    ("change", "line", "told"),
    [
        (("support]", "support]\nlimit = 3"), 2, "teams.support.limit: is no key here"),
        (('"support"', '"suport"'), 5, "routes[0].team: expected one of [teams]: support"),
        (('"support"', '"suport"'), 5, "did you mean 'support'?"),
        (('"support"', '"support"\nsla = "x"'), 6, "routes[0].sla: expected one of [sla]"),
        (('"support"', '"support"\npriority = "hgh"'), 6, "did you mean 'high'?"),
        (('"support"', "3"), 5, "routes[0].team: expected a text"),
        (('name = "All"\n', ""), 3, "routes[0].name: expected a value, but it is missing"),
        (('"All"', '"All"\nwhen = 3'), 5, "routes[0].when: expected conditions"),
        (("[[routes]]", "[routes]"), 3, "routes: expected at least one route"),
        (("[teams.support]", "[teams]"), 1, "teams: expected at least one team"),
        (("[teams.support]", "curency = 'EUR'\n[teams.support]"), 1, "did you mean 'currency'?"),
        (("[teams.support]", "currency = 'Euro'\n[teams.support]"), 1, "an ISO 4217 code"),
        (("[[routes]]", "[rates]\nEUR = -1\n[[routes]]"), 4, "rates.EUR: expected a rate above 0"),
        (("[[routes]]", "[rates]\nEuro = 1\n[[routes]]"), 4, "rates.Euro: expected an ISO 4217"),
        (("[[routes]]", "[rates]\nEUR = 1e999999\n[[routes]]"), 4, "expected a rate from 0.0"),
        (("[[routes]]", "[rates]\nEUR = '1e-99'\n[[routes]]"), 4, "expected a rate from 0.0"),
        (("[[routes]]", "[payments]\nrecovers_within = '-2m'\n[[routes]]"), 4, "'90s', or '0s'"),
        (("[[routes]]", "[hesitation]\nover = 5000\n[[routes]]"), 4, "an amount such as"),
        (("[[routes]]", "[hesitation]\nover = '5 EUR'\n[[routes]]"), 4, "one of [rates]"),
        (("[[routes]]", "[hesitation]\nafter = '10'\n[[routes]]"), 4, "a duration such as"),
        (("[[routes]]", "[outreach]\nenabled = 'no'\n[[routes]]"), 4, "expected true or false"),
        (("[[routes]]", "[sla.x]\n[[routes]]"), 3, "expected first_response, next_response"),
        (("[[routes]]", "sla = 3\n[[routes]]"), 3, "teams.support.sla: is no key here"),
    ],
)
def test_a_mistake_is_named_with_its_place(change: tuple[str, str], line: int, told: str) -> None:
    lines = refused(GOOD.replace(*change))
    assert any(one.startswith(f"p.toml:{line}: ") and told in one for one in lines), lines


@pytest.mark.parametrize("number", ["'1.08'", "1.08", "1e-9", "1e9"])
def test_an_amount_is_converted_by_a_rate_however_it_is_written(number: str) -> None:
    over = "name = 'Much'\nteam = 'support'\nwhen = { total_over = '999999999999999 EUR' }"
    policy = parse_policy(
        f"[rates]\nEUR = {number}\n"
        + GOOD.replace("[[routes]]", f"[[routes]]\n{over}\n[[routes]]"),
        "p.toml",
    )
    assert policy.in_base(Money(100, "EUR")) == 100 * Decimal(number.strip("'"))


def test_a_currency_without_a_rate_is_told_with_those_that_have_one() -> None:
    (told,) = refused("[rates]\nEUR = 1\n[hesitation]\nover = '5 EUU'\n" + GOOD)
    assert told == (
        "p.toml:4: hesitation.over: expected an amount in the policy's currency or one of [rates]: "
        "USD, EUR; did you mean 'EUR'?"
    )


def test_a_broken_rate_is_told_once() -> None:
    (told,) = refused("[rates]\nEUR = '1,08'\n[hesitation]\nover = '5 EUR'\n" + GOOD)
    assert told.startswith("p.toml:2: rates.EUR: ")


def test_another_currency_says_what_the_default_of_hesitation_is() -> None:
    (told,) = refused("currency = 'EUR'\n" + GOOD)
    assert told.startswith("p.toml:1: hesitation.over: expected an amount in ")
    assert told.endswith("EUR; without one it is 5000.00 USD")


def test_a_shop_of_another_currency_may_leave_hesitation_off() -> None:
    policy = parse_policy("currency = 'EUR'\n[hesitation]\nenabled = false\n" + GOOD, "p.toml")
    assert policy.hesitation.enabled is False


@pytest.mark.parametrize("deep", ["[" * 5000 + "]" * 5000, "{ a = " * 5000 + "1" + " }" * 5000])
def test_values_within_values_end_in_a_message(deep: str) -> None:
    (told,) = refused(f"currency = {deep}\n" + GOOD)
    assert told == "p.toml:1: expected fewer values within values"


def test_a_number_of_too_many_digits_is_no_toml() -> None:
    (told,) = refused(f"currency = {'9' * 5000}\n" + GOOD)
    assert "expected TOML: " in told


def test_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_text("\ufeff" + GOOD, encoding="utf-8")
    assert read_policy_text(tmp_path / "p.toml") == (GOOD, "p.toml")


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        ('categry = "fraud"', "when.categry: is no condition"),
        ('categry = "fraud"', "did you mean 'category'?"),
        ('category = "frud"', "did you mean 'fraud'?"),
        ('category = ["fraud", "frud"]', "when.category[1]: expected one of"),
        ("category = []", "at least one"),
        ("category = 3", "when.category: expected one of"),
        ("total_over = 5000", "expected an amount such as '5000 USD'"),
        ('total_over = "5000 EUR"', "expected an amount in the policy's currency"),
        ('total_over = ["5000 USD"]', "expected an amount"),
        ('total_under = "5.001 USD"', "more digits than USD has"),
        ('provider = ""', "when.provider: expected a text"),
    ],
)
def test_a_bad_condition_is_named(condition: str, told: str) -> None:
    text = f'[[routes]]\nname = "First"\nteam = "support"\nwhen = {{ {condition} }}\n' + GOOD
    lines = refused(text)
    assert any(one.startswith("p.toml:4: routes[0].") and told in one for one in lines), lines


def test_every_mistake_is_named_at_once() -> None:
    text = GOOD.replace("[[routes]]", '[sla.x]\nfirst_respons = "1h"\n[[routes]]\nsla = "y"')
    lines = refused(text.replace("support]", "support]\nteam_limit = 0"))
    assert [line.split(": ")[1] for line in lines] == [
        "teams.support.team_limit",
        "sla.x",
        "sla.x.first_respons",
        "routes[0].sla",
    ]


def test_routes_that_nothing_can_reach_are_refused() -> None:
    unreachable = GOOD + '[[routes]]\nname = "More"\nteam = "support"\n'
    (told,) = refused(unreachable)
    assert told.startswith("p.toml:3: routes[0]: expected `when` or `unless`")


def test_a_last_route_with_conditions_is_refused() -> None:
    (told,) = refused(GOOD + 'unless = { category = "fraud" }\n')
    assert told.startswith("p.toml:3: routes[0]: expected a last route without")


def test_two_routes_of_one_name_are_refused() -> None:
    first = '[[routes]]\nname = "All"\nteam = "support"\nwhen = { step = "payment" }\n'
    (told,) = refused(first + GOOD)
    assert told.startswith("p.toml:8: routes[1].name: expected a name of its own")


def test_the_base_currency_can_be_overridden() -> None:
    text = GOOD + "[hesitation]\nover = '5000 EUR'\n"
    assert parse_policy(text, "p.toml", base_currency="EUR").currency == "EUR"


# --- amounts -------------------------------------------------------------------------------------


def with_rates() -> Policy:
    return parse_policy('[rates]\nEUR = 1.08\nJPY = "0.0067"\n' + GOOD, "p.toml")


@pytest.mark.parametrize(
    ("money", "base"),
    [
        (Money("5000.01", "USD"), Decimal("5000.01")),
        (Money(100, "EUR"), Decimal("108.00")),
        (Money(1000, "JPY"), Decimal("6.7000")),
        (Money(1, "GBP"), None),
        (None, None),
    ],
)
def test_amounts_are_compared_exactly(money: Money | None, base: Decimal | None) -> None:
    assert with_rates().in_base(money) == base


@pytest.mark.parametrize("text", ["5000", "USD 5000", "5,000 USD", "-1 USD", "1 usd", "1.001 USD"])
def test_a_text_that_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="expected an amount"):
        parse_amount(text)


# --- durations -----------------------------------------------------------------------------------


@given(st.integers(1, int(LONGEST.total_seconds())))
def test_a_duration_survives_being_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


@given(st.integers(1, 99), st.sampled_from([("s", 1), ("m", 60), ("h", 3600), ("d", 86400)]))
def test_a_duration_is_its_number_times_its_unit(number: int, unit: tuple[str, int]) -> None:
    assert parse_duration(f"{number}{unit[0]}") == timedelta(seconds=number * unit[1])


@given(st.text(max_size=6))
def test_any_other_text_is_no_duration(text: str) -> None:
    if text[-1:] in {"s", "m", "h", "d"} and text[:-1].isascii() and text[:-1].isdigit():
        return
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["0m", "1w", "1.5h", "15 m", "-1h", "1h30m", "9999d", 15, None])
def test_these_are_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        parse_duration(text)
