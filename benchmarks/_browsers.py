"""Browsers with a checkout open: what their pages fetch, at an even rate, of two shops in turn.

Run as a process of its own by :mod:`benchmarks.heartbeats`; prints one line of JSON. A page asks
for its state, tells the first thing that it notices, and later the rest, as the widget's script
does; what is noticed on a page is what people notice in :mod:`benchmarks.sessions`, whose quiet
pages are left out: they would tell nothing. A page that got no token asks for its state alone.
"""

from __future__ import annotations

import argparse
import asyncio
import heapq
import json
import secrets
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from benchmarks.sessions import Kind, Noticed, sessions

LARGEST: Final = 512
LIMIT: Final = 128
"""Fetches under way at once; others wait, and are left out when their shop's turn is over."""
_AGENT: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/143.0.0.0 Safari/537.36"
)


@dataclass
class Page:
    """One view of a checkout's page in somebody's browser."""

    number: int
    token: str
    noticed: Sequence[Noticed]
    told: int = 0
    name: str = field(default_factory=lambda: secrets.token_urlsafe(9))

    def body(self, chance: Random) -> bytes:
        signals = []
        for one in self.noticed[1:8] if self.told else self.noticed[:1]:
            signal = [one.kind, self.told, chance.randrange(20_000)]
            signals.append([*signal, one.field_class] if one.field_class else signal)
            self.told += 1
        told = {"token": self.token, "page": self.name, "signals": signals}
        made = json.dumps(told, separators=(",", ":")).encode()
        assert len(made) <= LARGEST, f"{len(made)} bytes"
        return made


def noticed_on_pages() -> list[list[Noticed]]:
    """Return what people, not bots, noticed on each page on which anything was."""
    pages: dict[tuple[str, int], list[Noticed]] = {}
    for session in sessions():
        for one in session.happenings if session.kind is not Kind.BOT else ():
            if isinstance(one, Noticed):
                pages.setdefault((session.ref, one.page), []).append(one)
    return list(pages.values())


class Shop:
    """One shop's address, its connections that are kept open, and what it has answered."""

    def __init__(self, port: int, checkouts: int, waits: tuple[float, float]) -> None:
        self.port, self.waits, self._checkouts = port, waits, checkouts
        self.answers: Counter[str] = Counter()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._due: list[tuple[float, int, Page]] = []
        self._pages = noticed_on_pages()
        self._chance = Random(port)
        self._numbers = 0

    async def fetch(self) -> None:
        """Do what is most urgent: tell what a page has noticed, or open another page."""
        now = time.monotonic()
        if self._due and self._due[0][0] <= now:
            page = heapq.heappop(self._due)[2]
            has_more = page.told == 0 and len(page.noticed) > 1
            if await self._ask("signals", page.number, page.body(self._chance)) and has_more:
                self._later(page, now + self.waits[1])
            return
        number = self._chance.randrange(self._checkouts)
        answer = await self._ask("state", number)
        token = (answer.get("watch") or {}).get("token") if answer else None
        if token:
            noticed = self._chance.choice(self._pages)
            self._later(Page(number, token, noticed), now + self.waits[0])

    def _later(self, page: Page, when: float) -> None:
        self._numbers += 1
        heapq.heappush(self._due, (when, self._numbers, page))

    async def _ask(self, what: str, number: int, body: bytes = b"") -> dict[str, Any] | None:
        try:
            status, answer = await asyncio.wait_for(self._exchange(what, number, body), 30)
        except (OSError, EOFError, TimeoutError) as error:
            self.answers[f"{what} {type(error).__name__}"] += 1
            return None
        self.answers[f"{what} {status}"] += 1
        found: dict[str, Any] = json.loads(answer) if answer and status == 200 else {}
        return found if status in (200, 204) else None

    async def _exchange(self, what: str, number: int, body: bytes) -> tuple[int, bytes]:
        if self._idle:
            reader, writer = self._idle.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(self._head(what, number, body) + body)
            lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            headers = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
            answer = await reader.readexactly(int(headers.get("content-length", 0)))
        except BaseException:
            writer.close()
            raise
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(lines[0].split()[1]), answer

    def _head(self, what: str, number: int, body: bytes) -> bytes:
        origin = f"http://127.0.0.1:{self.port}"
        lines = [
            f"{'POST' if body else 'GET'} /checkout-case/{what} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            f"User-Agent: {_AGENT}",
            f"Referer: {origin}/checkout",
            "Sec-Fetch-Site: same-origin",
            "Accept-Language: en",
            f"Cookie: basket=c-{number}",
            f"X-Forwarded-For: 10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}",
        ]
        if body:
            lines += [f"Origin: {origin}", "Content-Type: application/json"]
            lines += [f"Content-Length: {len(body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def browse(
    shops: list[Shop], *, rate: float, began: float, turn: float, turns: int
) -> list[float]:
    """Fetch from one shop after the other, a turn each; return how late each fetch began."""
    free = asyncio.Semaphore(LIMIT)
    under_way: set[asyncio.Task[None]] = set()
    late: list[float] = []

    async def fetch(shop: Shop) -> None:
        try:
            await shop.fetch()
        finally:
            free.release()

    for number in range(int(rate * turn * turns)):
        due = began + number / rate
        if (ahead := due - time.monotonic()) > 0:
            await asyncio.sleep(ahead)
        await free.acquire()
        at = int(number / rate / turn)
        shop, now = shops[at % len(shops)], time.monotonic()
        if now > began + (at + 1) * turn:
            shop.answers["too late"] += 1
            free.release()
            continue
        late.append(now - due)
        task = asyncio.create_task(fetch(shop))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
    await asyncio.gather(*under_way)
    return late


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ports", type=int, nargs="+", required=True)
    parser.add_argument("--checkouts", type=int, required=True)
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--began", type=float, required=True, help="by the monotonic clock")
    parser.add_argument("--turn", type=float, required=True, help="seconds")
    parser.add_argument("--turns", type=int, required=True)
    parser.add_argument("--waits", type=float, nargs=2, required=True)
    given = parser.parse_args()
    first, second = given.waits
    shops = [Shop(port, given.checkouts, (first, second)) for port in given.ports]
    pace = {"rate": given.rate, "began": given.began, "turn": given.turn, "turns": given.turns}
    late = sorted(asyncio.run(browse(shops, **pace)))
    answers = [shop.answers for shop in shops]
    print(json.dumps({"answers": answers, "late_p99": late[int(len(late) * 0.99)]}))


if __name__ == "__main__":
    main()
