"""Card testing: somebody tries cards that aren't theirs, to learn which of them work.

Judged is what one source has tried lately: a network address, a checkout, a card. What gives it
away isn't that payments fail, nor that many come from one address (an office, a carrier): it is
that nearly all fail, and with more cards than one customer has.

The numbers are ours. A customer has three cards at hand and mistypes now and then; of ordinary
attempts 85 % pass, so that of eighteen from one office two or three fail, and fifteen of eighteen
once in some billion times. Testers send several a minute, and pass less than one in ten.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from ..types import FailureClass

WITHIN: Final = timedelta(minutes=10)
CARDS: Final = 6
"""Different cards in one checkout, where gateways tell cards apart."""
CARDS_OF_AN_ADDRESS: Final = 8
"""The same from one address: with six, unlucky customers of one office were taken for a tester
twice in sixty days of ``benchmarks/velocity.py``."""
TRIES_OF_A_CHECKOUT: Final = 10
"""Failures of one checkout, where nobody tells cards apart."""
TRIES: Final = 15
"""Failures of one address, of at least :data:`CHECKOUTS` checkouts."""
TRIES_OF_ONE_AMOUNT: Final = 8
"""The same, where all of them are over one and the same amount: bots buy what costs least."""
CHECKOUTS: Final = 3
PLACES_OF_A_CARD: Final = 5
"""Checkouts of different addresses at which one and the same card has failed."""
FAILING: Final = 0.8
"""The share of a source's attempts that has to have failed."""

TELLING: Final = frozenset(
    {
        FailureClass.SOFT,
        FailureClass.HARD,
        FailureClass.FUNDS,
        FailureClass.LIMIT,
        FailureClass.AUTH,
        FailureClass.FRAUD,
        FailureClass.CARD_DATA,
        FailureClass.EXPIRED,
    }
)
"""Failures that say something about the card; a gateway's own faults hit everybody."""
_PREFIX: Final = 64


class Source(StrEnum):
    """By what attempts are told to be of one hand."""

    ADDRESS = "address"
    CHECKOUT = "checkout"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt that has ended.

    Args:
        at: UTC.
        checkout: its ref.
        address: stands for the network address, where that is known; see :func:`network_of`.
        card: stands for the card, where a gateway or the shop tells it.
        amount: in minor units, and its currency, where that is told.
        failed: why, or ``None`` for a payment that passed.
    """

    at: datetime
    checkout: str
    address: str | None = None
    card: str | None = None
    amount: tuple[int, str] | None = None
    failed: FailureClass | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What gave a source away.

    Args:
        tries, failures, cards, checkouts, addresses: of it within :data:`WITHIN`; cards and
            addresses only where they are known.
        is_one_amount: whether all failures are over the same amount, as far as all tell it.
    """

    source: Source
    key: str
    began_at: datetime
    tries: int
    failures: int
    cards: int
    checkouts: int
    addresses: int
    is_one_amount: bool = False


def card_tests(tries: Iterable[Try], until: datetime) -> list[Evidence]:
    """Return the sources from which cards are tested, the one with the most failures first.

    Args:
        tries: of any sources, in any order; what is older than :data:`WITHIN` counts for nothing.
    """
    lately = [one for one in tries if until - WITHIN < one.at <= until and _tells(one)]
    found = [
        evidence
        for source, keyed in _by_source(lately).items()
        for key, its in keyed.items()
        if (evidence := _judged(source, key, its)) is not None
    ]
    return sorted(found, key=lambda one: (-one.failures, one.source, one.key))


@lru_cache(maxsize=4096)
def network_of(address: str) -> str:
    """Return whose an address is: IPv6 hands out /64s, so that one hand has as many as it likes.

    What is no address stays as it is.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        if mapped is not None:
            return str(mapped)
        return str(ipaddress.ip_network((found, _PREFIX), strict=False))
    return str(found)


def _tells(one: Try) -> bool:
    return one.failed is None or one.failed in TELLING


def keys_of(one: Try) -> dict[Source, str | None]:
    """Return what stands for each source of an attempt."""
    return {
        Source.ADDRESS: one.address,
        Source.CHECKOUT: one.checkout,
        Source.CARD: one.card,
    }


def _by_source(tries: Sequence[Try]) -> dict[Source, dict[str, list[Try]]]:
    found: dict[Source, dict[str, list[Try]]] = {source: {} for source in Source}
    for one in tries:
        for source, key in keys_of(one).items():
            if key:
                found[source].setdefault(key, []).append(one)
    return found


def _judged(source: Source, key: str, tries: Sequence[Try]) -> Evidence | None:
    failed = [one for one in tries if one.failed is not None]
    if len(failed) < FAILING * len(tries):
        return None
    evidence = Evidence(
        source=source,
        key=key,
        began_at=min(one.at for one in failed),
        tries=len(tries),
        failures=len(failed),
        cards=len({one.card for one in failed if one.card}),
        checkouts=len({one.checkout for one in failed}),
        addresses=len({one.address for one in failed if one.address}),
        is_one_amount=failed[0].amount is not None and len({one.amount for one in failed}) == 1,
    )
    return evidence if _IS_TESTED[source](evidence) else None


def _by_address(found: Evidence) -> bool:
    enough = TRIES_OF_ONE_AMOUNT if found.is_one_amount else TRIES
    many = found.failures >= enough and found.checkouts >= CHECKOUTS
    return many or found.cards >= CARDS_OF_AN_ADDRESS


def _by_checkout(found: Evidence) -> bool:
    # With cards told apart, one card that is typed ten times is one customer in despair.
    return found.cards >= CARDS or (found.cards == 0 and found.failures >= TRIES_OF_A_CHECKOUT)


def _by_card(found: Evidence) -> bool:
    return found.checkouts >= PLACES_OF_A_CARD and found.addresses >= PLACES_OF_A_CARD


_IS_TESTED: Final = {
    Source.ADDRESS: _by_address,
    Source.CHECKOUT: _by_checkout,
    Source.CARD: _by_card,
}
