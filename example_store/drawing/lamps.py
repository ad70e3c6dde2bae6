"""Lamps, lit."""

from __future__ import annotations

from .paint import Canvas, darker, lighter

_BRASS = ((0.0, "#8c6424"), (0.3, "#f1d693"), (0.6, "#b98a3a"), (1.0, "#70501a"))


def table_lamp(colour: str, wall: str, title: str) -> str:
    """A ceramic foot under a linen shade."""
    c = Canvas(title, wall)
    c.ellipse(400, 330, 460, 400, c.faded("#ffe2a8", 0.75))
    c.shadow(400, 856, 170, 34)
    c.ellipse(400, 846, 300, 50, c.faded("#ffe9bd", 0.6))
    foot = c.linear((0, lighter(colour, 0.3)), (0.35, colour), (1, darker(colour, 0.5)))
    c.rect(390, 480, 20, 90, c.linear(*_BRASS))
    with c.group(filter=c.grain(0.16, 0.3)):
        c.path(
            "M372 552H428C430 590 520 640 520 726C520 812 470 852 400 852S280 812 280 726"
            "C280 640 370 590 372 552Z",
            foot,
        )
    c.path(
        "M316 690C322 660 348 628 362 610C352 660 330 700 330 770C316 750 312 720 316 690Z",
        "#ffffff",
        opacity=0.28,
    )
    c.ellipse(400, 554, 28, 8, "#b98a3a")
    c.path(
        "M286 196H514L604 502H196Z",
        c.linear((0, "#f9e7c4"), (0.45, "#fff8e6"), (1, "#e3c48f")),
        filter=c.grain(0.14, 0.9),
    )
    c.path("M196 502Q400 540 604 502L602 494Q400 530 198 494Z", "#d9b981")
    c.ellipse(400, 504, 200, 20, "#fff3cf", opacity=0.8)
    c.path("M286 196Q400 178 514 196L516 204Q400 187 284 204Z", "#d9b981")
    return c.svg()


def arc_lamp(wall: str, title: str) -> str:
    """A brass arc with a dome, standing on marble."""
    c = Canvas(title, wall)
    c.ellipse(214, 470, 300, 300, c.faded("#ffe4ad", 0.85))
    c.path("M214 396L60 852H368Z", c.linear((0, "#fff0c8"), (1, wall), angle="v"), opacity=0.45)
    c.ellipse(214, 862, 180, 34, c.faded("#fff0c8", 0.9))
    c.shadow(600, 872, 130, 28)
    brass = c.linear(*_BRASS)
    arc = "M600 836V420C600 120 214 120 214 300"
    c.line(arc, "#6b4c18", 13)
    c.line(arc, "#d8b062", 9)
    c.line(arc, "#fff0c4", 2.5, transform="translate(-2 -1)", opacity=0.9)
    c.path(
        "M116 398C116 322 158 286 214 286S312 322 312 398Z",
        c.linear((0, "#f0d491"), (0.4, "#c4943f"), (1, "#6a4a17"), angle="d"),
    )
    c.path(
        "M146 374C150 330 176 306 206 302",
        "none",
        stroke="#fff3cf",
        stroke_width=6,
        stroke_linecap="round",
        opacity=0.7,
    )
    c.ellipse(214, 398, 98, 17, "#fff7df")
    c.circle(214, 288, 13, brass)
    marble = c.linear((0, "#ffffff"), (0.5, "#e7e5e1"), (1, "#a9a49b"))
    c.path("M512 832H688V862Q688 876 674 876H526Q512 876 512 862Z", marble)
    c.line("M530 866C560 842 590 872 620 846S668 858 680 840", "#b9b3a8", 2.4, opacity=0.8)
    c.line("M548 836C570 850 580 836 600 852", "#c7c2b8", 2)
    c.rect(588, 812, 24, 22, brass, rx=3)
    return c.svg()


def pendant(wall: str, title: str) -> str:
    """A globe of opal glass on a brass stem."""
    c = Canvas(title, wall)
    c.circle(400, 520, 460, c.faded("#fff2cf", 0.85))
    c.rect(396, 0, 8, 290, "#3a3129")
    c.path("M352 0H448V18Q448 34 432 34H368Q352 34 352 18Z", c.linear(*_BRASS))
    c.path("M366 276H434L446 332H354Z", c.linear(*_BRASS))
    c.circle(
        400,
        520,
        204,
        c.radial(
            (0, "#ffffff"), (0.5, "#fffaf0"), (0.85, "#f3dfb6"), (1, "#d9bd86"), cx=0.46, cy=0.5
        ),
    )
    c.ellipse(330, 430, 58, 40, "#ffffff", opacity=0.75, transform="rotate(-38 330 430)")
    c.path("M232 628A204 204 0 0 0 568 628A230 230 0 0 1 232 628Z", "#b9935a", opacity=0.28)
    c.path("M346 326H454V338Q400 350 346 338Z", "#a67b32")
    return c.svg()


def mushroom(colour: str, wall: str, title: str) -> str:
    """A small lamp in one piece of glass."""
    c = Canvas(title, wall)
    c.ellipse(400, 500, 430, 380, c.faded(lighter(colour, 0.7), 0.8))
    c.shadow(400, 846, 170, 32)
    c.ellipse(400, 836, 280, 46, c.faded(lighter(colour, 0.8), 0.75))
    glass = c.linear(
        (0, lighter(colour, 0.72)), (0.45, lighter(colour, 0.35)), (1, colour), angle="v"
    )
    c.path(
        "M352 500H448C440 600 470 700 520 800Q534 836 490 842H310Q266 836 280 800"
        "C330 700 360 600 352 500Z",
        c.linear((0, lighter(colour, 0.55)), (0.4, lighter(colour, 0.8)), (1, colour)),
    )
    c.path(
        "M136 522C136 356 262 236 400 236S664 356 664 522Q664 548 636 548H164Q136 548 136 522Z",
        glass,
    )
    c.ellipse(400, 540, 246, 22, lighter(colour, 0.88))
    c.path(
        "M196 470C206 370 280 300 360 276",
        "none",
        stroke="#ffffff",
        stroke_width=16,
        stroke_linecap="round",
        opacity=0.6,
    )
    c.path(
        "M560 300C620 350 648 420 652 500",
        "none",
        stroke=darker(colour, 0.3),
        stroke_width=10,
        stroke_linecap="round",
        opacity=0.25,
    )
    return c.svg()
