"""``python -m example_store.drawing``: write every picture of the shop."""

from __future__ import annotations

from pathlib import Path

from .catalogue import PICTURES


def main() -> None:
    folder = Path(__file__).resolve().parent.parent / "static" / "products"
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in PICTURES.items():
        (folder / f"{name}.svg").write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
