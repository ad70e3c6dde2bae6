"""A real HTTP server of a WSGI application, in threads of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from webtest.http import StopableWSGIServer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@contextmanager
def running_server(application: WSGIApplication) -> Iterator[str]:
    """Serve ``application`` on a free port; yield its address without a slash at the end.

    By waitress: Werkzeug's own server leaves a file open when a browser goes away in the middle.
    """
    server = StopableWSGIServer.create(application, host="127.0.0.1", threads=16)
    try:
        yield f"http://127.0.0.1:{server.adj.port}"
    finally:
        server.shutdown()
        server.runner.join(timeout=10)
