"""What a local Stripe process is told when it starts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One receiver of webhooks.

    Args:
        url: where events are posted.
        secret: the signing secret of this endpoint, ``whsec_…``.
        events: the event types it wants; all of them when empty.
    """

    url: str
    secret: str
    events: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that can be set.

    Args:
        endpoints: receivers of webhooks.
        database: path of the SQLite file that holds the state; memory when ``None``.
        retry_delays: seconds to wait before each redelivery of a webhook that was not answered 2xx.
        delivery_timeout: seconds that a receiver has for its answer.
        upstream: address of a running ``localstripe``, for the parts that are not our own.
    """

    endpoints: tuple[Endpoint, ...] = ()
    database: str | None = None
    retry_delays: tuple[float, ...] = field(
        default=(0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0)
    )
    delivery_timeout: float = 10.0
    upstream: str | None = None
