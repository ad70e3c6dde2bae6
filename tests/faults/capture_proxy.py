"""A Unix socket in front of PostgreSQL that can fall silent, as a network does."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Proxy:
    """Passes bytes on until :attr:`silent` is set; then it keeps everything to itself."""

    def __init__(self, listen: Path, target: Path) -> None:
        self.silent = threading.Event()
        self.refuses = False
        self._target = target
        self._sockets: list[socket.socket] = []
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(listen))
        self._server.listen(16)
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._server.accept()
                if self.refuses:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                server.connect(str(self._target))
                self._sockets += [client, server]
                for source, sink in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=(source, sink), daemon=True).start()

    def _pass_on(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                if not self.silent.is_set():
                    sink.sendall(data)
            sink.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for one in [self._server, *self._sockets]:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def running_proxy(database_url: str, directory: Path) -> Iterator[tuple[Proxy, str]]:
    """Stand between a shop and the PostgreSQL of ``database_url``; yield the proxy and its URL."""
    base, _, host = database_url.partition("?host=")
    name = ".s.PGSQL.5432"
    proxy = Proxy(directory / name, Path(host) / name)
    try:
        yield proxy, f"{base}?host={directory}"
    finally:
        proxy.close()
