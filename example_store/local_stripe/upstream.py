"""The PyPI package ``localstripe`` as a child process: customers, products and so on."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from example_store.ports import free_port


@contextlib.contextmanager
def running(timeout: float = 20.0) -> Iterator[str]:
    """Run ``localstripe`` in a child process for the time of the block.

    Args:
        timeout: seconds that it has to answer.

    Yields:
        its address.
    """
    port = free_port()
    child = subprocess.Popen(
        [sys.executable, "-m", "example_store.localstripe_server", "--port", str(port)],
        stdin=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _await_answer(address, child, timeout)
        yield address
    finally:
        child.terminate()
        try:
            child.wait(5)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _await_answer(address: str, child: subprocess.Popen[bytes], timeout: float) -> None:
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise RuntimeError(f"localstripe ended at once with status {child.returncode}")
        try:
            forward(address, "GET", "/js.stripe.com/v3/", {}, b"")
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"localstripe did not answer within {timeout:.0f} seconds")


def forward(
    address: str, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> tuple[int, str, bytes]:
    """Pass a request on as it came.

    Returns:
        status, content type and body of the answer.
    """
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=10)
    try:
        connection.request(method, target, body=body or None, headers=dict(headers))
        answer = connection.getresponse()
        kind = answer.getheader("Content-Type") or "text/plain"
        return answer.status, kind, answer.read()
    finally:
        connection.close()
