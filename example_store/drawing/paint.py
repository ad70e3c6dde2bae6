"""A small SVG painter: shapes, gradients, shadows, grain and stitches on a studio backdrop."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from xml.sax.saxutils import escape

WIDTH: Final = 800
HEIGHT: Final = 1000

Stops = tuple[tuple[float, str], ...]


def mix(first: str, second: str, share: float) -> str:
    """Return the colour that is ``share`` of the way from ``first`` to ``second``."""
    pairs = ((int(first[i : i + 2], 16), int(second[i : i + 2], 16)) for i in (1, 3, 5))
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def lighter(colour: str, share: float) -> str:
    return mix(colour, "#ffffff", share)


def darker(colour: str, share: float) -> str:
    return mix(colour, "#120c08", share)


class Canvas:
    """One picture. Light falls from the upper left.

    Args:
        title: what is shown, for those who don't see it.
        wall: colour of the backdrop.
    """

    def __init__(self, title: str, wall: str) -> None:
        self._title = title
        self._defs: list[str] = []
        self._body: list[str] = []
        self._count = 0
        self._backdrop(wall)

    def _name(self) -> str:
        self._count += 1
        return f"d{self._count}"

    def linear(self, *stops: tuple[float, str], angle: str = "h") -> str:
        """Define a gradient over a shape's box: ``h``, ``v`` or ``d`` (diagonal)."""
        ends = {"h": "1 0", "v": "0 1", "d": "1 1"}[angle].split()
        name = self._name()
        self._defs.append(
            f'<linearGradient id="{name}" x2="{ends[0]}" y2="{ends[1]}">{_stops(stops)}'
            "</linearGradient>"
        )
        return f"url(#{name})"

    def radial(self, *stops: tuple[float, str], cx: float = 0.5, cy: float = 0.5) -> str:
        name = self._name()
        self._defs.append(
            f'<radialGradient id="{name}" cx="{cx}" cy="{cy}" r=".75">{_stops(stops)}'
            "</radialGradient>"
        )
        return f"url(#{name})"

    def faded(self, colour: str, start: float, end: float = 0.0) -> str:
        """Define a radial gradient of one colour that fades out."""
        name = self._name()
        self._defs.append(
            f'<radialGradient id="{name}"><stop stop-color="{colour}" stop-opacity="{start}"/>'
            f'<stop offset="1" stop-color="{colour}" stop-opacity="{end}"/></radialGradient>'
        )
        return f"url(#{name})"

    def grain(self, strength: float = 0.22, scale: float = 0.55) -> str:
        """Define a filter that gives a surface the unevenness of leather, clay or linen."""
        name = self._name()
        self._defs.append(
            f'<filter id="{name}" x="0" y="0" width="1" height="1">'
            f'<feTurbulence type="fractalNoise" baseFrequency="{scale}" numOctaves="3" seed="7"/>'
            f'<feColorMatrix values="0 0 0 0 .1 0 0 0 0 .06 0 0 0 0 .03 0 0 0 {strength * 3:.2f} '
            f'-{strength:.2f}"/><feComposite in2="SourceGraphic" operator="in" result="n"/>'
            "<feMerge>"
            '<feMergeNode in="SourceGraphic"/><feMergeNode in="n"/></feMerge></filter>'
        )
        return f"url(#{name})"

    def blur(self, amount: float) -> str:
        name = self._name()
        self._defs.append(
            f'<filter id="{name}" x="-.5" y="-.5" width="2" height="2">'
            f'<feGaussianBlur stdDeviation="{amount}"/></filter>'
        )
        return f"url(#{name})"

    def clip(self, path: str) -> str:
        name = self._name()
        self._defs.append(f'<clipPath id="{name}"><path d="{path}"/></clipPath>')
        return f"url(#{name})"

    def add(self, tag: str, **attributes: str | float | None) -> None:
        """Add one element; ``stroke_width`` becomes ``stroke-width``, ``None`` is left out."""
        written = "".join(
            f' {name.replace("_", "-")}="{_number(value)}"'
            for name, value in attributes.items()
            if value is not None
        )
        self._body.append(f"<{tag}{written}/>")

    def path(self, d: str, fill: str = "none", **attributes: str | float | None) -> None:
        self.add("path", d=d, fill=fill, **attributes)

    def line(self, d: str, colour: str, width: float, **attributes: str | float | None) -> None:
        self.add(
            "path",
            d=d,
            fill="none",
            stroke=colour,
            stroke_width=width,
            stroke_linecap="round",
            stroke_linejoin="round",
            **attributes,
        )

    def circle(self, cx: float, cy: float, r: float, fill: str, **more: str | float | None) -> None:
        self.add("circle", cx=cx, cy=cy, r=r, fill=fill, **more)

    def ellipse(
        self, cx: float, cy: float, rx: float, ry: float, fill: str, **more: str | float | None
    ) -> None:
        self.add("ellipse", cx=cx, cy=cy, rx=rx, ry=ry, fill=fill, **more)

    def rect(
        self, x: float, y: float, width: float, height: float, fill: str, **more: str | float | None
    ) -> None:
        self.add("rect", x=x, y=y, width=width, height=height, fill=fill, **more)

    def text(self, x: float, y: float, words: str, fill: str, size: float) -> None:
        self._body.append(
            f'<text x="{x}" y="{y}" fill="{fill}" font-size="{size}" text-anchor="middle"'
            f' font-family="Georgia, serif" letter-spacing="{size / 8:.1f}">{escape(words)}</text>'
        )

    def stitches(self, d: str, colour: str, width: float = 2.6) -> None:
        """Sew along a path: a seam in the shadow, thread above it."""
        self.line(d, "#000000", width + 1.4, opacity=0.14)
        self.line(d, colour, width, stroke_dasharray="9 6.5")

    def shadow(self, cx: float, cy: float, rx: float, ry: float, strength: float = 0.42) -> None:
        """Let an object stand on the floor: a wide soft shadow and a narrow dark one."""
        self.ellipse(cx + rx * 0.12, cy, rx * 1.25, ry * 1.5, self.faded("#1c120a", strength * 0.7))
        self.ellipse(cx, cy - ry * 0.12, rx, ry * 0.7, self.faded("#1c120a", strength))

    @contextmanager
    def group(self, **attributes: str | float) -> Iterator[None]:
        """Draw the block's shapes together, with a transform, filter, opacity or clip path."""
        written = "".join(
            f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items()
        )
        self._body.append(f"<g{written}>")
        yield
        self._body.append("</g>")

    def svg(self) -> str:
        """Return the finished picture."""
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
            f"<title>{escape(self._title)}</title><defs>{''.join(self._defs)}</defs>"
            f"{''.join(self._body)}</svg>\n"
        )

    def _backdrop(self, wall: str) -> None:
        self.rect(
            0,
            0,
            WIDTH,
            HEIGHT,
            self.linear((0, lighter(wall, 0.12)), (1, darker(wall, 0.1)), angle="v"),
        )
        floor = self.linear((0, darker(wall, 0.05)), (1, lighter(wall, 0.22)), angle="v")
        self.path(f"M0 745Q400 716 800 745V{HEIGHT}H0Z", floor, opacity=0.85)
        self.rect(0, 690, WIDTH, 110, self.linear((0, wall), (1, wall)), opacity=0.0)
        self.ellipse(230, 250, 560, 470, self.faded("#ffffff", 0.5))


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _stops(stops: Stops) -> str:
    return "".join(f'<stop offset="{at}" stop-color="{colour}"/>' for at, colour in stops)
