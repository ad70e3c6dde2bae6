"""What holds people up in a checkout: the small things that mean nothing, and the troubles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from benchmarks._shopping import Walk

Hesitation = Callable[[Walk], None]

_REFUSALS: Final = ("insufficient_funds", "do_not_honor", "generic_decline", "expired_card")
_CODES: Final = ("SAVE10", "WELCOME", "SPRING20", "FREESHIP", "VIP15")


def some_of(walk: Walk, *parts: tuple[float, Hesitation]) -> None:
    """Do each with its probability, in any order."""
    for share, part in walk.chance.sample(parts, len(parts)):
        if walk.likely(share):
            part(walk)


def typo(walk: Walk) -> None:
    walk.mistake(walk.some_field())


def glance_back(walk: Walk) -> None:
    walk.back_and_forth(6)


def walk_back(walk: Walk) -> None:
    walk.back_and_forth(18)


def pause(walk: Walk) -> None:
    walk.wait(50)
    walk.notice("idle")


def pointer_out(walk: Walk) -> None:
    walk.wait(5)
    walk.notice("exit")


def look_elsewhere(walk: Walk) -> None:
    """A message, a one-time code of the bank, the card that is in the other room, another shop."""
    walk.wait(25)
    walk.notice("away")


def correct_a_field(walk: Walk) -> None:
    walk.wait(10)
    walk.notice("reentry", walk.some_field())


def linger_in_a_field(walk: Walk) -> None:
    walk.wait(25)
    walk.notice("dwell", walk.some_field())


def click_in_anger(walk: Walk) -> None:
    walk.notice("rage")


def click_in_vain(walk: Walk) -> None:
    walk.notice("dead")


def sluggish_page(walk: Walk) -> None:
    walk.notice("slow")


def read_the_terms(walk: Walk) -> None:
    walk.notice("policy")
    walk.wait(30)
    if walk.likely(0.8):
        walk.notice("away")


def leave_out_a_line(walk: Walk) -> None:
    walk.leave_out_a_line()
    walk.wait(10)


def mistyped_coupon(walk: Walk) -> None:
    walk.refuse_coupon("WELCOM10", "unknown")
    walk.wait(8)
    walk.take_off(10)


def ask_for_free_shipping(walk: Walk) -> None:
    walk.refuse_coupon("FREESHIP", "unknown")


def search_for_codes(walk: Walk) -> None:
    walk.wait(40)
    walk.notice("coupon_away" if walk.likely(0.8) else "away")


def mistyped_card(walk: Walk) -> None:
    walk.decline(walk.chance.choice(("incorrect_cvc", "incorrect_number")))
    walk.wait(15)


def sleep_on_it(walk: Walk) -> None:
    walk.pass_hours(walk.chance.uniform(16, 30))
    walk.view(walk.step)
    walk.wait(15)


def shipping_shock(walk: Walk) -> None:
    """The total is higher than it was a page ago."""
    walk.wait(20)
    some_of(
        walk,
        (0.55, pause),
        (0.5, walk_back),
        (0.5, pointer_out),
        (0.45, look_elsewhere),
        (0.3, leave_out_a_line),
        (0.25, ask_for_free_shipping),
    )


def coupon_hunt(walk: Walk) -> None:
    """Others seem to pay less: off to the search engine, for codes that are long over."""
    for number, code in enumerate(walk.chance.sample(_CODES, walk.chance.choice((1, 2, 2, 3, 4)))):
        if number or walk.likely(0.3):
            search_for_codes(walk)
        walk.refuse_coupon(code, walk.chance.choice(("unknown", "expired", "minimum")))
    some_of(walk, (0.4, search_for_codes), (0.35, pointer_out), (0.25, pause))
    if walk.likely(0.15):
        walk.take_off(5)


def card_trouble(walk: Walk) -> None:
    """Refused, again, perhaps with another card; then back, to see whether it is the address."""
    for _ in range(walk.chance.choice((1, 1, 2, 2, 3))):
        walk.decline(walk.chance.choice(_REFUSALS))
        walk.wait(25)
        some_of(walk, (0.4, correct_a_field), (0.35, linger_in_a_field))
    some_of(
        walk,
        (0.5, walk_back),
        (0.4, look_elsewhere),
        (0.35, pause),
        (0.25, pointer_out),
        (0.1, click_in_anger),
    )


def doubts_about_returns(walk: Walk) -> None:
    """What if it doesn't fit, and who are they? The terms are read, and the card stays away."""
    for _ in range(walk.chance.choice((1, 1, 2, 3))):
        read_the_terms(walk)
        walk.wait(15)
    some_of(
        walk,
        (0.55, pause),
        (0.35, linger_in_a_field),
        (0.35, pointer_out),
        (0.2, glance_back),
        (0.15, leave_out_a_line),
    )


def address_struggle(walk: Walk) -> None:
    """The form knows better where people live."""
    where = walk.some_field()
    for _ in range(walk.chance.choice((2, 2, 3, 4))):
        walk.mistake(where)
    if walk.likely(0.6):
        walk.notice("reentry", where)
    some_of(
        walk,
        (0.4, linger_in_a_field),
        (0.25, click_in_anger),
        (0.2, pause),
        (0.2, look_elsewhere),
        (0.15, click_in_vain),
    )


def indecision(walk: Walk) -> None:
    """Both colours or one, now or later."""
    for _ in range(walk.chance.choice((1, 2, 2, 3))):
        walk_back(walk)
        walk.wait(15)
    some_of(walk, (0.6, leave_out_a_line), (0.5, pause), (0.4, look_elsewhere), (0.4, pointer_out))


def next_day(walk: Walk) -> None:
    """Left without a word, and here again where it was left, still unsure."""
    if walk.likely(0.4):
        pointer_out(walk)
    sleep_on_it(walk)
    some_of(walk, (0.5, pause), (0.35, walk_back), (0.3, look_elsewhere), (0.15, sleep_on_it))


def stubborn_page(walk: Walk) -> None:
    """A button that does nothing: it is clicked harder, then the page is loaded again."""
    click_in_vain(walk)
    some_of(walk, (0.6, click_in_anger), (0.4, sluggish_page))
    walk.wait(10)
    if walk.likely(0.6):
        walk.view(walk.step)
    some_of(walk, (0.3, look_elsewhere), (0.3, pointer_out))
