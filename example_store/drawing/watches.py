"""Watches, seen from the front and drawn in millimetre-like care."""

from __future__ import annotations

import math

from .paint import Canvas, darker, lighter

_STEEL = ((0.0, "#f7f9fb"), (0.3, "#aab2bc"), (0.55, "#e8ecf0"), (0.8, "#7b848f"), (1.0, "#d5dae0"))
_GOLD = ((0.0, "#fff1c9"), (0.3, "#d4a550"), (0.55, "#f6dda0"), (0.8, "#94691f"), (1.0, "#e9c77d"))
_X, _Y = 400.0, 490.0


def _at(angle: float, radius: float) -> tuple[float, float]:
    turn = math.radians(angle - 90)
    return _X + radius * math.cos(turn), _Y + radius * math.sin(turn)


def _strap(c: Canvas, colour: str) -> None:
    shade = c.linear(
        (0, darker(colour, 0.45)),
        (0.25, lighter(colour, 0.12)),
        (0.7, colour),
        (1, darker(colour, 0.5)),
    )
    thread = lighter(colour, 0.5)
    with c.group(filter=c.grain()):
        c.path("M310 300L322 64Q324 44 344 44H456Q476 44 478 64L490 300Z", shade)
        c.path("M310 680L326 944Q330 962 348 962H452Q470 962 474 944L490 680Z", shade)
    c.stitches("M328 292L338 70Q339 60 350 60H450Q461 60 462 70L472 292", thread, 2.4)
    c.stitches("M328 688L342 934Q344 946 354 946H446Q456 946 458 934L472 688", thread, 2.4)
    for y in (790, 834, 878):
        c.ellipse(400, y, 7, 5, darker(colour, 0.75))


def _bracelet(c: Canvas) -> None:
    outer = c.linear((0, "#eef2f5"), (0.5, "#b4bcc6"), (1, "#7f8995"), angle="v")
    middle = c.linear((0, "#ffffff"), (0.5, "#d3d9df"), (1, "#98a2ad"), angle="v")
    c.path("M316 300L330 54H470L484 300Z", "#5f6873")
    c.path("M316 680L330 926H470L484 680Z", "#5f6873")
    for index in range(7):
        for y, sign in ((268 - index * 36, -1), (680 + index * 36, 1)):
            half = 92 - index * 3
            c.rect(400 - half, y, half * 0.6, 34, outer, rx=7)
            c.rect(400 - half * 0.37, y + 2 * sign, half * 0.74, 34, middle, rx=7)
            c.rect(400 + half * 0.4, y, half * 0.6, 34, outer, rx=7)


def _case(c: Canvas, metal: str, dial: str, bezel: str | None = None) -> None:
    for x in (306, 462):
        c.path(f"M{x} 268Q{x + 16} 250 {x + 32} 268V712Q{x + 16} 730 {x} 712Z", metal)
    c.circle(_X + 6, _Y + 14, 236, "#1c120a", opacity=0.3, filter=c.blur(14))
    c.rect(628, 470, 34, 40, metal, rx=7)
    for offset in range(5):
        c.line(f"M634 {476 + offset * 7}H658", "#5d6570", 1.6)
    c.circle(_X, _Y, 236, metal)
    c.circle(_X, _Y, 226, "none", stroke="#ffffff", stroke_width=3, opacity=0.6)
    if bezel:
        c.circle(_X, _Y, 220, bezel)
    c.circle(
        _X,
        _Y,
        196,
        c.radial((0, lighter(dial, 0.22)), (0.6, dial), (1, darker(dial, 0.4)), cx=0.36, cy=0.3),
    )
    c.circle(_X, _Y, 196, "none", stroke=darker(dial, 0.7), stroke_width=3, opacity=0.5)


def _indices(c: Canvas, metal: str, length: float = 28, skip: tuple[int, ...] = ()) -> None:
    for minute in range(60):
        (x1, y1), (x2, y2) = _at(minute * 6, 188), _at(minute * 6, 181)
        c.line(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", "#8a8f98", 1.6)
    for hour in range(12):
        if hour in skip:
            continue
        (x1, y1), (x2, y2) = _at(hour * 30, 174), _at(hour * 30, 174 - length)
        c.line(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", metal, 8 if hour % 3 else 12)


def _hands(c: Canvas, metal: str, second: str) -> None:
    for angle, length, width in ((304, 104, 11), (54, 150, 8)):
        (x, y), (bx, by) = _at(angle, length), _at(angle + 180, 26)
        c.line(
            f"M{bx + 3:.1f} {by + 5:.1f}L{x + 3:.1f} {y + 5:.1f}", "#000000", width, opacity=0.25
        )
        c.line(f"M{bx:.1f} {by:.1f}L{x:.1f} {y:.1f}", metal, width)
    (x, y), (bx, by) = _at(212, 166), _at(32, 40)
    c.line(f"M{bx:.1f} {by:.1f}L{x:.1f} {y:.1f}", second, 3)
    c.circle(_X, _Y, 10, metal)
    c.circle(_X, _Y, 4, "#2b2b2b")


def _glass(c: Canvas) -> None:
    c.path(
        "M250 372A196 196 0 0 1 520 336Q420 380 330 520Q280 590 262 620A196 196 0 0 1 250 372Z",
        "#ffffff",
        opacity=0.1,
    )


def _name(c: Canvas, colour: str, y: float = 408) -> None:
    c.text(400, y, "CORVANE", colour, 19)


def dress(dial: str, strap: str, wall: str, title: str) -> str:
    """A plain steel dress watch with small seconds."""
    c = Canvas(title, wall)
    metal, applied = c.linear(*_STEEL, angle="d"), c.linear(*_STEEL, angle="d")
    _strap(c, strap)
    _case(c, metal, dial)
    _indices(c, "#6c747f", skip=(6,))
    c.circle(400, 590, 46, c.radial((0, lighter(dial, 0.1)), (1, darker(dial, 0.16))))
    c.circle(400, 590, 46, "none", stroke="#9aa1aa", stroke_width=1.6)
    c.line("M400 590L424 566", "#3c4550", 3)
    _name(c, "#3c4550")
    _hands(c, "#46505c", "none")
    c.circle(400, 490, 10, applied)
    _glass(c)
    return c.svg()


def moonphase(dial: str, strap: str, wall: str, title: str) -> str:
    """A gold watch that shows the moon."""
    c = Canvas(title, wall)
    metal = c.linear(*_GOLD, angle="d")
    _strap(c, strap)
    _case(c, metal, dial)
    _indices(c, "#b3873a", skip=(6,))
    window = "M318 600A82 82 0 0 1 482 600A41 41 0 0 0 400 600A41 41 0 0 0 318 600Z"
    with c.group(clip_path=c.clip(window)):
        c.rect(310, 510, 180, 100, c.linear((0, "#0f1d46"), (1, "#22377a"), angle="v"))
        c.circle(428, 562, 30, c.radial((0, "#fff6d8"), (1, "#d9b45f"), cx=0.35, cy=0.35))
        for x, y in ((345, 570), (362, 545), (384, 562), (395, 535), (470, 582), (380, 588)):
            c.circle(x, y, 2.4, "#fff1c0")
    c.line(window, "#b3873a", 3)
    _name(c, "#7d5a1c", 400)
    _hands(c, "#9a7024", "none")
    _glass(c)
    return c.svg()


def diver(dial: str, wall: str, title: str) -> str:
    """A diver's watch on a steel bracelet."""
    c = Canvas(title, wall)
    metal = c.linear(*_STEEL, angle="d")
    _bracelet(c)
    bezel = c.radial(
        (0, lighter(dial, 0.1)), (0.7, darker(dial, 0.25)), (1, darker(dial, 0.55)), cx=0.3, cy=0.25
    )
    _case(c, metal, dial, bezel)
    for minute in range(0, 60, 5):
        (x1, y1), (x2, y2) = _at(minute * 6, 214), _at(minute * 6, 203)
        c.line(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}", "#e9edf2", 4)
    c.path("M400 276L412 292H388Z", "#f2f5f8")
    for hour in range(12):
        x, y = _at(hour * 30, 156)
        if hour % 3:
            c.circle(x, y, 13, "#f2f6ea", stroke="#c8ced5", stroke_width=3)
        else:
            with c.group(transform=f"rotate({hour * 30} {x:.1f} {y:.1f})"):
                c.rect(x - 9, y - 20, 18, 40, "#f2f6ea", rx=4, stroke="#c8ced5", stroke_width=3)
    _name(c, "#f2f5f8", 436)
    c.text(400, 570, "300 m", "#c9d3de", 15)
    _hands(c, "#f2f6f8", "#e2632c")
    _glass(c)
    return c.svg()


def chronograph(dial: str, strap: str, wall: str, title: str) -> str:
    """A gold chronograph with three registers."""
    c = Canvas(title, wall)
    metal = c.linear(*_GOLD, angle="d")
    _strap(c, strap)
    for y in (398, 556):
        with c.group(transform=f"rotate({-24 if y < 490 else 24} 620 {y})"):
            c.rect(600, y - 15, 46, 30, metal, rx=8)
    _case(c, metal, dial)
    _indices(c, "#e3c27a", 22, skip=(3, 6, 9))
    for x, y, angle in ((318, 490, 40), (482, 490, 200), (400, 574, 300)):
        c.circle(x, y, 50, c.radial((0, lighter(dial, 0.16)), (1, darker(dial, 0.3))))
        c.circle(x, y, 50, "none", stroke="#e3c27a", stroke_width=2)
        for tick in range(12):
            turn = math.radians(tick * 30)
            c.circle(x + 42 * math.cos(turn), y + 42 * math.sin(turn), 1.7, "#e3c27a")
        turn = math.radians(angle)
        c.line(
            f"M{x} {y}L{x + 36 * math.cos(turn):.1f} {y + 36 * math.sin(turn):.1f}", "#f4dca4", 3
        )
        c.circle(x, y, 4, "#f4dca4")
    _name(c, "#f1d9a0", 410)
    _hands(c, "#efd596", "#e8b04b")
    _glass(c)
    return c.svg()
