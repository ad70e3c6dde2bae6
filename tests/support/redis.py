"""A real Redis server on a free port."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from .ports import free_port
from .waiting import wait_until


@contextmanager
def running_redis() -> Iterator[str]:
    """Start a server that keeps nothing on disk; yield its ``redis://`` address."""
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed: `make install` brings it"
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="cc-redis-") as home:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--dir", home]
        server = subprocess.Popen(
            [*command, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
        )
        try:
            with Redis(port=port) as client:
                wait_until(lambda: _answers(client), what="redis-server")
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(timeout=10)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisConnectionError:
        return False
