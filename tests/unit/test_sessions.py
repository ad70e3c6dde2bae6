"""The simulated checkout sessions of the benchmarks: repeatable, and made as they say."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from benchmarks.sessions import SHARES, Kind, Noticed, Session, Told, sessions
from flask_checkout_case.signals import FROM_SHOP

KINDS_OF_BROWSERS = {
    *("rage", "dead", "error", "reentry", "dwell", "idle", "away", "coupon_away", "exit"),
    *("back", "slow", "policy"),
}


@pytest.fixture(scope="module")
def made() -> tuple[Session, ...]:
    return sessions()


def of(kind: Kind, made: tuple[Session, ...]) -> list[Session]:
    return [one for one in made if one.kind is kind]


def share(made: list[Session], least: int) -> float:
    return sum(one.value.minor_units > least * 100 for one in made) / len(made)


def test_a_seed_gives_the_same_sessions(made: tuple[Session, ...]) -> None:
    assert sessions() == made


def test_another_seed_gives_others(made: tuple[Session, ...]) -> None:
    assert sessions(seed=1) != made


def test_the_shares_are_as_said(made: tuple[Session, ...]) -> None:
    assert SHARES == {Kind.CALM: 620, Kind.WAVERING: 300, Kind.BOT: 80}
    assert Counter(one.kind for one in made) == SHARES
    assert len({one.ref for one in made}) == 1000


def test_calm_and_wavering_people_spend_alike(made: tuple[Session, ...]) -> None:
    assert all(1_999 < one.value.minor_units < 2_001_000 for one in made)
    for kind in (Kind.CALM, Kind.WAVERING):
        assert 0.25 < share(of(kind, made), 1000) < 0.45
        assert 0.04 < share(of(kind, made), 5000) < 0.12


def test_most_calm_people_buy_and_a_third_of_the_wavering_and_no_bot(
    made: tuple[Session, ...],
) -> None:
    bought = {kind: sum(one.bought for one in of(kind, made)) / SHARES[kind] for kind in Kind}
    assert 0.65 < bought[Kind.CALM] < 0.8
    assert 0.25 < bought[Kind.WAVERING] < 0.4
    assert bought[Kind.BOT] == 0


def test_calm_people_who_leave_show_nothing(made: tuple[Session, ...]) -> None:
    left = [one for one in of(Kind.CALM, made) if not one.bought]
    assert left
    assert not any(isinstance(happening, Noticed) for one in left for happening in one.happenings)


def test_what_happens_is_in_order_and_known(made: tuple[Session, ...]) -> None:
    for one in made:
        times = [happening.after for happening in one.happenings]
        assert times == sorted(times)
        for happening in one.happenings:
            if isinstance(happening, Told):
                assert happening.name in FROM_SHOP
                assert happening.checkout.value is not None
                assert happening.checkout.value.minor_units > 0
                assert happening.checkout.lines
            else:
                assert happening.kind in KINDS_OF_BROWSERS


def test_a_page_tells_once_of_a_pause(made: tuple[Session, ...]) -> None:
    for one in made:
        noticed = [happening for happening in one.happenings if isinstance(happening, Noticed)]
        once = [(note.page, note.kind) for note in noticed if note.kind in {"idle", "exit", "slow"}]
        assert len(once) == len(set(once))


def test_totals_rise_late_and_lines_are_left_out(made: tuple[Session, ...]) -> None:
    wavering = of(Kind.WAVERING, made)
    totals = [
        [told.checkout.value.minor_units for told in one.happenings if isinstance(told, Told)]  # type: ignore[union-attr]
        for one in wavering
    ]
    assert sum(max(total) > total[0] * 1.03 for total in totals) > len(wavering) / 5
    fewer = [
        one
        for one in wavering
        if any(
            isinstance(told, Told) and len(told.checkout.lines) < len(one.lines)
            for told in one.happenings
        )
    ]
    assert len(fewer) > len(wavering) / 20


def test_crawlers_take_a_second_and_most_bots_say_so(made: tuple[Session, ...]) -> None:
    bots = of(Kind.BOT, made)
    for one in bots:
        if one.troubles == ("crawler",):
            assert one.happenings[-1].after < timedelta(seconds=1)
    known = ("bot", "python", "curl", "headless", "scrapy")
    says_so = [any(name in one.user_agent.lower() for name in known) for one in bots]
    assert 0.6 < sum(says_so) / len(bots) < 0.9
    people = [one for one in made if one.kind is not Kind.BOT]
    assert not any(name in one.user_agent.lower() for name in known for one in people)
