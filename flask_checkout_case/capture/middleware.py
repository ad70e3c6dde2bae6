"""The wrapper around ``app.wsgi_app`` that knows when a response is out.

Flask's own teardown runs before the server sends the body; a server calls ``close()`` after it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from .recorder import Scope, SpoolRecorder

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

log = logging.getLogger(__name__)


class CaptureMiddleware:
    """Gives each request a scope, and ends it when the server has sent the response."""

    def __init__(self, wsgi_app: WSGIApplication, recorder: SpoolRecorder) -> None:
        self.wsgi_app = wsgi_app
        self._recorder = recorder

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        recorder = self._recorder
        try:
            scope = recorder.begin_request()
        except Exception:
            log.exception("a request is not watched; its events go into the spool alone")
            return self.wsgi_app(environ, start_response)
        try:
            body = self.wsgi_app(environ, start_response)
        except BaseException:
            recorder.end_request(scope)
            raise
        try:
            return self._watched(body, environ, scope)
        except Exception:
            log.exception("a body is not watched; its request's events are inserted before it")
            recorder.end_request(scope)
            return body

    def _watched(
        self, body: Iterable[bytes], environ: WSGIEnvironment, scope: Scope
    ) -> Iterable[bytes]:
        scope.returned = True
        file_wrapper = environ.get("wsgi.file_wrapper")
        if isinstance(file_wrapper, type) and isinstance(body, file_wrapper):
            hooked: Iterable[bytes] = self._hooked(body, scope)
            return hooked
        if isinstance(body, (list, tuple)):
            return SizedBody(body, scope)
        return Body(body, scope)

    def _hooked(self, body: Any, scope: Scope) -> Any:
        """Keep the server's own file object, which it may send without reading it."""
        close: Callable[[], object] | None = getattr(body, "close", None)
        try:
            body.close = Body(body, scope, close).close
        except AttributeError:
            self._recorder.end_request(scope)
        return body


class Body:
    """A response's body whose ``close()`` tells the recorder; it is iterated as it is."""

    __slots__ = ("_body", "_close", "_scope")

    def __init__(
        self, body: Iterable[bytes], scope: Scope, close: Callable[[], object] | None = None
    ) -> None:
        self._body = body
        self._scope: Scope | None = scope
        self._close = close or getattr(body, "close", None)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._body)

    def close(self) -> None:
        scope, self._scope = self._scope, None
        try:
            if self._close is not None:
                self._close()
        finally:
            if scope is not None:
                scope.recorder.end_request(scope)


class SizedBody(Body):
    """Servers derive a Content-Length from a list of one: they still can."""

    __slots__ = ()

    def __len__(self) -> int:
        return len(self._body)  # type: ignore[arg-type]
