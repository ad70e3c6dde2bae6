"""``python -m example_store.localstripe_server --port N``: the PyPI package ``localstripe``.

Here it listens on the loopback interface only and keeps its state in memory. Its own command
listens on every interface and reads its state back from a pickle in ``/tmp``.
"""

from __future__ import annotations

import argparse

from aiohttp import web
from localstripe import resources
from localstripe.server import app


def main() -> None:
    """Serve until the process is told to end."""
    parser = argparse.ArgumentParser(prog="python -m example_store.localstripe_server")
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    resources.Store.dump_to_disk = lambda _store: None
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


if __name__ == "__main__":
    main()
