"""A thousand simulated checkout sessions: calm buyers, people who waver, and bots.

``python -m benchmarks.sessions`` prints what is in them. They tell how well hesitation is seen, so
they are made from what is known of shopping, not from what our score counts, and are not adjusted
to it. What they assume:

- *Calm* people (62 %) know what they want. Seven of ten buy; the others leave without a sign,
  mostly early, because they only wanted to see the total. Who buys hesitates a little too, each
  thing for itself: one mistake in a form, one look back, a short pause, a mistyped coupon, a
  pointer that leaves, a look at another tab, once in a while a mistyped card or a night between two
  steps. One of ten buyers takes two to three times longer for everything, with pauses.
- *Wavering* people (30 %) have one to three troubles, each seen by some of what belongs to it, in
  any order: delivery dearer than thought, a hunt for coupons, a card that is refused, doubts about
  returns, an address that the form doesn't take, indecision, a night to think, a page that doesn't
  answer. They hesitate in small things as often as the calm. One of twenty shows hardly anything.
  A third buy in the end; the others leave where the trouble was, or at the payment.
- *Bots* (8 %) don't run scripts as a rule. Crawlers fetch all steps within a second, stuffers send
  forms with nonsense, scrapers look at one step again and again for prices. A quarter call
  themselves a browser.
- What a basket is worth is log-normal around 500 dollars, between 20 and 20,000, and doesn't depend
  on who it is: calm and wavering people spend alike. Delivery is told after the address.
- Half have a mouse. The pointer leaves the page of nobody else.
- Everybody lets the shop watch. Without :class:`Noticed` it is the session of who doesn't.
- No help is offered, thus none is dismissed.
"""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Final

from benchmarks import _hesitating as why
from benchmarks._hesitating import Hesitation
from benchmarks._shopping import FILLING, STEPS, Noticed, Told, Walk, worth
from flask_checkout_case import Line, Money

__all__ = ["SEED", "SHARES", "Kind", "Noticed", "Session", "Told", "sessions"]

SEED: Final = 20260302
_CHEAPEST, _MIDDLE, _DEAREST = 2_000, 50_000, 2_000_000
_SPREAD: Final = 1.6


class Kind(StrEnum):
    CALM = "calm"
    WAVERING = "wavering"
    BOT = "bot"


_WEBKIT: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_BLINK: Final = "AppleWebKit/537.36 (KHTML, like Gecko)"
_DESKTOPS: Final = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_BLINK} Chrome/143.0.0.0 Safari/537.36",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/18.5 Safari/605.1.15",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:146.0) Gecko/20100101 Firefox/146.0",
)
_PHONES: Final = (
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_WEBKIT} Version/18.5 Mobile/15E148",
    f"Mozilla/5.0 (Linux; Android 10; K) {_BLINK} Chrome/143.0.0.0 Mobile Safari/537.36",
)
_BOTS: Final = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    f"Mozilla/5.0 {_BLINK}; compatible; GPTBot/1.2; +https://openai.com/gptbot",
    f"Mozilla/5.0 (X11; Linux x86_64) {_BLINK} HeadlessChrome/143.0.0.0 Safari/537.36",
    "python-requests/2.32.3",
    "Scrapy/2.12.0 (+https://scrapy.org)",
    "curl/8.11.1",
)

SHARES: Final = {Kind.CALM: 620, Kind.WAVERING: 300, Kind.BOT: 80}


@dataclass(frozen=True, slots=True)
class Session:
    """One checkout from its first page to the order, or to where it was left.

    Args:
        value: of the goods at the beginning.
        troubles: what made a wavering customer waver, or what sort of bot it is.
        happenings: in the order in which they happened.
    """

    kind: Kind
    ref: str
    value: Money
    lines: tuple[Line, ...]
    user_agent: str
    troubles: tuple[str, ...]
    happenings: tuple[Told | Noticed, ...]

    @property
    def bought(self) -> bool:
        return "order_completed" in {one.name for one in self.happenings if isinstance(one, Told)}


def sessions(seed: int = SEED) -> tuple[Session, ...]:
    """Make the sessions, in mixed order; the same ones for the same seed."""
    kinds = [kind for kind, number in SHARES.items() for _ in range(number)]
    Random(seed).shuffle(kinds)
    return tuple(_session(kind, f"c-{at}", Random(f"{seed}-{at}")) for at, kind in enumerate(kinds))


def _session(kind: Kind, ref: str, chance: Random) -> Session:
    goods = _basket(chance)
    mouse = chance.random() < 0.5
    walk = Walk(chance, ref, goods, postage=_postage(chance), mouse=mouse)
    troubles = _WAYS[kind](walk)
    if kind is Kind.BOT and chance.random() < 0.75:
        user_agent = chance.choice(_BOTS)
    else:
        user_agent = chance.choice(_DESKTOPS if mouse else _PHONES)
    return Session(
        kind=kind,
        ref=ref,
        value=Money.minor(worth(goods), "USD"),
        lines=tuple(goods),
        user_agent=user_agent,
        troubles=troubles,
        happenings=tuple(sorted(walk.happened, key=lambda one: one.after)),
    )


def _basket(chance: Random) -> list[Line]:
    cents = 0.0
    while not _CHEAPEST <= cents <= _DEAREST:
        cents = chance.lognormvariate(math.log(_MIDDLE), _SPREAD)
    number = chance.choices((1, 2, 3, 4), (45, 30, 15, 10))[0]
    parts = [chance.uniform(0.3, 1) for _ in range(number)]
    return list(_lines(chance, [cents * part / sum(parts) for part in parts]))


def _lines(chance: Random, worths: list[float]) -> Iterator[Line]:
    for number, cents in enumerate(worths):
        quantity = chance.choices((1, 2, 3), (80, 15, 5))[0]
        price = Money.minor(math.ceil(cents / quantity), "USD")
        yield Line(f"SKU-{number}", f"Article {number}", quantity, price)


def _postage(chance: Random) -> int:
    return 0 if chance.random() < 0.45 else chance.choice((490, 690, 990, 1490))


def _dear_postage(chance: Random, cents: int) -> int:
    """Parcels of small orders cost a third of them; great ones come with freight and customs."""
    if cents < 20_000:
        return round(cents * chance.uniform(0.15, 0.4))
    if cents < 100_000:
        return round(cents * chance.uniform(0.07, 0.2))
    return round(cents * chance.uniform(0.03, 0.12))


_SMALL: Final[tuple[tuple[str | None, float, Hesitation], ...]] = (
    (None, 0.05, why.typo),
    (None, 0.04, why.pause),
    (None, 0.12, why.pointer_out),
    (None, 0.03, why.look_elsewhere),
    (None, 0.015, why.correct_a_field),
    (None, 0.02, why.sluggish_page),
    (None, 0.005, why.click_in_vain),
    ("shipping", 0.04, why.glance_back),
    ("shipping", 0.015, why.leave_out_a_line),
    ("payment", 0.04, why.glance_back),
    ("payment", 0.05, why.mistyped_coupon),
    ("payment", 0.12, why.look_elsewhere),
    ("payment", 0.05, why.read_the_terms),
    ("payment", 0.03, why.mistyped_card),
    ("payment", 0.015, why.sleep_on_it),
)
"""At which step (any), how often, and what everybody does now and then."""

_TROUBLES: Final[dict[Hesitation, tuple[int, tuple[str, ...]]]] = {
    why.shipping_shock: (22, ("payment",)),
    why.coupon_hunt: (16, ("contact", "payment", "payment")),
    why.card_trouble: (17, ("payment",)),
    why.doubts_about_returns: (12, ("shipping", "payment", "payment")),
    why.address_struggle: (13, ("shipping",)),
    why.indecision: (12, ("shipping", "payment")),
    why.next_day: (8, ("contact", "shipping", "payment", "payment")),
    why.stubborn_page: (6, ("contact", "shipping", "payment")),
}
"""How often, and where."""


def _hesitate_a_little(walk: Walk) -> None:
    why.some_of(walk, *((share, do) for at, share, do in _SMALL if at in (None, walk.step)))


def _enter(walk: Walk, step: str) -> None:
    if step == STEPS[0]:
        walk.start()
    else:
        walk.view(step)


def _calm(walk: Walk) -> tuple[str, ...]:
    leaves = walk.chance.choices(STEPS, (45, 35, 20))[0] if walk.likely(0.28) else None
    slow = leaves is None and walk.likely(0.1)
    walk.pace = walk.chance.uniform(2, 3) if slow else 1
    for step in STEPS:
        _enter(walk, step)
        if step == leaves:
            break
        walk.wait(FILLING[step])
        if leaves is None:
            _hesitate_a_little(walk)
        if slow:
            why.some_of(walk, (0.5, why.pause), (0.3, why.linger_in_a_field))
        if step == STEPS[-1]:
            walk.pay()
        else:
            walk.complete()
    return ()


def _wavering(walk: Walk) -> tuple[str, ...]:
    walk.pace = walk.chance.uniform(1, 1.6)
    if walk.likely(0.05):
        return _wavering_within(walk)
    troubles = _some_troubles(walk.chance)
    if why.shipping_shock in troubles:
        walk.postage = _dear_postage(walk.chance, worth(walk.goods))
    buys = walk.likely(0.33)
    last = max(troubles.values(), key=STEPS.index)
    for step in STEPS:
        _enter(walk, step)
        walk.wait(FILLING[step])
        _hesitate_a_little(walk)
        for trouble, where in troubles.items():
            if where == step:
                trouble(walk)
        if not buys and (step == STEPS[-1] or (step == last and walk.likely(0.6))):
            why.some_of(walk, (0.4, why.pointer_out))
            break
        if step == STEPS[-1]:
            walk.pay()
        else:
            walk.complete()
    return tuple(one.__name__ for one in troubles)


def _wavering_within(walk: Walk) -> tuple[str, ...]:
    """Waver, but hardly show it: one pause, and gone."""
    for step in STEPS:
        _enter(walk, step)
        walk.wait(FILLING[step] * 1.5)
        if step != STEPS[-1]:
            walk.complete()
    why.some_of(walk, (0.5, why.pause), (0.5, why.pointer_out))
    return ("unseen",)


def _some_troubles(chance: Random) -> dict[Hesitation, str]:
    """Draw one to three troubles, and at which step each is met."""
    number = chance.choices((1, 2, 3), (45, 40, 15))[0]
    found: dict[Hesitation, str] = {}
    while len(found) < number:
        one = chance.choices(list(_TROUBLES), [share for share, _ in _TROUBLES.values()])[0]
        found[one] = chance.choice(_TROUBLES[one][1])
    return found


def _bot(walk: Walk) -> tuple[str, ...]:
    way = walk.chance.choices((_crawler, _stuffer, _scraper), (40, 25, 35))[0]
    way(walk)
    return (way.__name__.removeprefix("_"),)


def _crawler(walk: Walk) -> None:
    """Fetch all steps at once."""
    walk.pace = 0.001
    for step in STEPS:
        _enter(walk, step)
        walk.wait(100)


def _stuffer(walk: Walk) -> None:
    """Send forms with nonsense, codes and cards; one of three drives a real browser."""
    walk.pace = 0.05
    _enter(walk, STEPS[0])
    for number in range(walk.chance.randint(3, 15)):
        walk.wait(20)
        walk.tell("validation_shown", fields=("email", "postal_code"))
        walk.turn_page()
        if number % 3 == 0:
            walk.refuse_coupon(f"CODE{number}", "unknown")
    if walk.likely(0.4):
        walk.complete()
        walk.view(STEPS[-1])
        for _ in range(walk.chance.randint(1, 6)):
            walk.decline("generic_decline")
    if walk.likely(0.33):
        walk.notice("error", "email")
        walk.notice("dead")


def _scraper(walk: Walk) -> None:
    """Look at the step with the prices over and over, with another basket each time."""
    _enter(walk, STEPS[0])
    walk.complete()
    for _ in range(walk.chance.randint(12, 60)):
        walk.wait(3)
        walk.postage = walk.chance.choice((490, 990, 1490, 2990))
        walk.view("shipping")
        if walk.likely(0.3):
            walk.complete()


_WAYS: Final = {Kind.CALM: _calm, Kind.WAVERING: _wavering, Kind.BOT: _bot}


def main() -> None:
    made = sessions()
    for kind in Kind:
        ours = [one for one in made if one.kind is kind]
        dollars = [one.value.minor_units / 100 for one in ours]
        above = {least: sum(value > least for value in dollars) for least in (1000, 5000)}
        print(f"{kind}: {len(ours)}, {sum(one.bought for one in ours)} bought")
        print(f"  median {statistics.median(dollars):,.0f} dollars, above: {above}")
        print(f"  {Counter(trouble for one in ours for trouble in one.troubles).most_common()}")
        for sort in (Told, Noticed):
            print(f"  {sort.__name__.lower()}: {_names(ours, sort).most_common()}")


def _names(made: list[Session], sort: type[Told | Noticed]) -> Counter[str]:
    happened = (one for session in made for one in session.happenings if isinstance(one, sort))
    return Counter(one.name if isinstance(one, Told) else one.kind for one in happened)


if __name__ == "__main__":
    main()
