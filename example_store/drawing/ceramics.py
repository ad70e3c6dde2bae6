"""Stoneware and porcelain, thrown and glazed."""

from __future__ import annotations

from .paint import Canvas, darker, lighter


def _glaze(c: Canvas, colour: str) -> str:
    return c.linear(
        (0, darker(colour, 0.16)),
        (0.22, lighter(colour, 0.35)),
        (0.5, colour),
        (0.82, darker(colour, 0.32)),
        (1, darker(colour, 0.5)),
    )


def moon_jar(colour: str, wall: str, title: str) -> str:
    """A large white jar joined from two bowls."""
    c = Canvas(title, wall)
    c.shadow(400, 842, 200, 40)
    body = (
        "M322 262H478C480 292 500 304 540 330C636 394 676 480 676 566C676 700 580 800 490 838"
        "H310C220 800 124 700 124 566C124 480 164 394 260 330C300 304 320 292 322 262Z"
    )
    shade = c.radial(
        (0, lighter(colour, 0.75)),
        (0.5, colour),
        (0.85, darker(colour, 0.25)),
        (1, darker(colour, 0.42)),
        cx=0.34,
        cy=0.3,
    )
    with c.group(filter=c.grain(0.12, 0.25)):
        c.path(body, shade)
    c.path(
        "M128 590C240 628 560 628 672 590",
        "none",
        stroke=darker(colour, 0.3),
        stroke_width=3,
        opacity=0.35,
    )
    c.ellipse(400, 262, 78, 15, darker(colour, 0.55))
    c.path("M322 262A78 15 0 0 0 478 262A78 11 0 0 1 322 262Z", lighter(colour, 0.6))
    c.ellipse(
        268, 450, 46, 92, "#ffffff", opacity=0.4, transform="rotate(22 268 450)", filter=c.blur(12)
    )
    for x, y, r in ((500, 470, 3), (452, 640, 2.4), (560, 560, 2), (350, 700, 2.6), (420, 420, 2)):
        c.circle(x, y, r, "#8a6f4d", opacity=0.5)
    return c.svg()


def vase(colour: str, wall: str, title: str) -> str:
    """A tall dark vase with one olive branch."""
    c = Canvas(title, wall)
    c.shadow(400, 862, 130, 30)
    c.line("M404 420C398 300 440 200 520 96", "#6d6a3f", 6)
    for x, y, turn in (
        (424, 300, 20),
        (408, 348, -130),
        (446, 246, -140),
        (462, 214, 24),
        (482, 170, -130),
        (498, 140, 30),
        (520, 100, -60),
        (416, 262, -160),
    ):
        with c.group(transform=f"translate({x} {y}) rotate({turn})"):
            c.path("M0 0C24 -22 66 -24 92 0C66 18 24 16 0 0Z", "#7d8a55")
            c.line("M4 0H82", "#5d683c", 1.6)
    with c.group(filter=c.grain(0.4, 0.35)):
        c.path(
            "M362 398H438C436 450 428 480 440 520C470 580 520 640 520 730C520 812 478 862 430 862"
            "H370C322 862 280 812 280 730C280 640 330 580 360 520C372 480 364 450 362 398Z",
            _glaze(c, colour),
        )
    c.ellipse(400, 398, 38, 9, darker(colour, 0.7))
    c.path(
        "M280 730C280 690 290 660 304 632C330 660 360 622 400 646S470 620 498 636"
        "C512 664 520 694 520 730C520 812 478 862 430 862H370C322 862 280 812 280 730Z",
        "#e9dfcd",
        opacity=0.2,
    )
    c.ellipse(
        334, 690, 16, 76, "#ffffff", opacity=0.24, transform="rotate(8 334 690)", filter=c.blur(6)
    )
    return c.svg()


def tea_set(colour: str, wall: str, title: str) -> str:
    """A pot with a bamboo handle and two cups."""
    c = Canvas(title, wall)
    c.shadow(360, 800, 220, 36)
    c.shadow(632, 838, 86, 20)
    c.shadow(200, 872, 86, 20)
    c.line("M212 560C220 330 500 330 508 560", "#7b5a2d", 20)
    c.line("M212 560C220 330 500 330 508 560", "#c89d5e", 13)
    for x, y in ((232, 470), (300, 402), (420, 402), (488, 470)):
        c.circle(x, y, 9, "#8a6533")
    glaze = _glaze(c, colour)
    c.path("M496 660C560 660 570 600 616 566L636 588C600 640 600 716 510 730Z", glaze)
    with c.group(filter=c.grain(0.26, 0.4)):
        c.path(
            "M360 520C490 520 540 600 540 672C540 752 470 800 420 800H300C250 800 180 752 180 672"
            "C180 600 230 520 360 520Z",
            glaze,
        )
    c.path("M262 540Q360 500 458 540Q360 562 262 540Z", darker(colour, 0.35))
    c.path("M270 534Q360 492 450 534Q360 550 270 534Z", lighter(colour, 0.12))
    c.circle(360, 498, 19, glaze)
    c.ellipse(
        262, 640, 22, 60, "#ffffff", opacity=0.3, transform="rotate(18 262 640)", filter=c.blur(8)
    )
    for x, y in ((200, 790), (632, 758)):
        with c.group(filter=c.grain(0.26, 0.4)):
            c.path(
                f"M{x - 74} {y}H{x + 74}C{x + 72} {y + 54} {x + 44} {y + 80} {x + 30} {y + 80}"
                f"H{x - 30}C{x - 44} {y + 80} {x - 72} {y + 54} {x - 74} {y}Z",
                glaze,
            )
        c.ellipse(x, y, 74, 19, lighter(colour, 0.3))
        c.ellipse(x, y + 3, 66, 14, "#7a5a26")
        c.ellipse(x - 12, y + 1, 40, 6, "#a9853f")
    return c.svg()


def bowl(colour: str, wall: str, title: str) -> str:
    """A wide bowl with a reactive glaze."""
    c = Canvas(title, wall)
    c.shadow(400, 806, 190, 40)
    outer = "M90 520H710C700 660 590 770 490 784V804Q400 816 310 804V784C210 770 100 660 90 520Z"
    with c.group(filter=c.grain(0.34, 0.3)):
        c.path(outer, _glaze(c, colour))
    c.path(
        "M90 520H710C706 570 690 612 668 650C600 620 560 690 500 650S380 700 300 650"
        "S180 670 128 640C106 600 92 562 90 520Z",
        darker(colour, 0.55),
        opacity=0.4,
    )
    c.ellipse(400, 520, 310, 92, lighter(colour, 0.25))
    c.ellipse(
        400,
        526,
        298,
        82,
        c.radial(
            (0, "#2f6f73"),
            (0.45, "#1f4c54"),
            (0.8, darker(colour, 0.45)),
            (1, darker(colour, 0.2)),
            cy=0.6,
        ),
    )
    c.ellipse(400, 560, 150, 34, "#4fa3a0", opacity=0.5, filter=c.blur(14))
    c.path(
        "M150 500C220 450 330 436 400 438",
        "none",
        stroke="#ffffff",
        stroke_width=7,
        stroke_linecap="round",
        opacity=0.5,
    )
    return c.svg()
