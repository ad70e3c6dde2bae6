"""``python -m example_store.fulfilment --port 5004 --home DIR --shop URL``: serve the warehouse."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from werkzeug.serving import run_simple

from .app import create_app
from .parcels import Parcels


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--home", type=Path, required=True, help="where its database lies")
    parser.add_argument("--shop", required=True, help="address of the shop's …/fulfilment")
    given = parser.parse_args()
    given.home.mkdir(parents=True, exist_ok=True)
    app = create_app(
        Parcels(given.home / "warehouse.db"), os.environ["FULFILMENT_SECRET"], given.shop
    )
    app.extensions["answering"].start()
    run_simple("127.0.0.1", given.port, app, threaded=True)


if __name__ == "__main__":
    main()
