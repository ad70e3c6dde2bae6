"""The switch that breaks this Stripe, to see what a shop and its staff make of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from .cards import PROCESSING, Decline
from .errors import StripeError


class Mode(StrEnum):
    """What is broken."""

    OFF = "off"
    DECLINES = "declines"
    ERRORS = "errors"


TITLES: Final = {
    Mode.OFF: "Everything works.",
    Mode.DECLINES: "Every charge fails with a processing error.",
    Mode.ERRORS: "Every confirmation is answered with status 500.",
}


class Trouble:
    """What is broken at present."""

    def __init__(self) -> None:
        self.mode = Mode.OFF

    @property
    def decline(self) -> Decline | None:
        """How every charge fails, whatever the card."""
        return PROCESSING if self.mode is Mode.DECLINES else None

    def strike(self) -> None:
        """Fail as Stripe does when something is wrong with itself.

        Raises:
            StripeError: with status 500, where that is switched on.
        """
        if self.mode is Mode.ERRORS:
            raise StripeError(500, "api_error", "An unknown error occurred")
