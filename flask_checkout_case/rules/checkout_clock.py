"""When a checkout itself runs out of time, as the shop's signals tell it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

ENDS: Final = ("reserved_until", "session_expires_at", "ships_at")
"""Arguments of a signal: the stock reservation's end, the payment session's, the warehouse's."""


def checkout_due(data: Mapping[str, Any], at: datetime) -> datetime | None:
    """Return the earliest instant after which the checkout can't be saved as it is, UTC.

    Args:
        data: of the signal, plain JSON; what is no aware instant is left out.
        at: when the signal was sent; what had passed by then is left out.
    """
    told = (_instant(data.get(name)) for name in ENDS)
    return min((end for end in told if end is not None and end > at), default=None)


def _instant(given: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
