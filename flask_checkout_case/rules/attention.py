"""Whether a person is behind a request: crawlers, monitors and prefetches don't hesitate."""

from __future__ import annotations

from typing import Final, Protocol

_MACHINES: Final = (
    "bot",
    "crawl",
    "spider",
    "slurp",
    "scrap",
    "preview",
    "headlesschrome",
    "monitor",
    "pingdom",
    "uptime",
    "facebookexternalhit",
    "curl/",
    "wget/",
    "python-",
    "python/",
    "httpx/",
    "aiohttp/",
    "go-http-client",
    "java/",
    "okhttp/",
    "libwww",
    "axios/",
    "node-fetch",
)
_AHEAD: Final = ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz")


class Headers(Protocol):
    """The headers of a request, by name in any case."""

    def get(self, key: str, default: str) -> str: ...


def is_machine(user_agent: str) -> bool:
    """Whether a browser's name for itself is a program's. One without a name isn't judged."""
    name = user_agent.lower()
    return any(word in name for word in _MACHINES)


def is_ahead_of_time(headers: Headers) -> bool:
    """Whether a browser asks for what nobody has opened yet."""
    return any(
        word in headers.get(name, "").lower()
        for name in _AHEAD
        for word in ("prefetch", "prerender", "preview")
    )


def is_unattended(headers: Headers) -> bool:
    """Whether nobody looks at what a request asks for."""
    return is_machine(headers.get("User-Agent", "")) or is_ahead_of_time(headers)
