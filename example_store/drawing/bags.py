"""Bags: full-grain leather, saddle stitches, brass."""

from __future__ import annotations

from .paint import Canvas, darker, lighter

_BRASS = ((0.0, "#f4dfa6"), (0.45, "#c99b46"), (0.7, "#8c6424"), (1.0, "#e0bd74"))


def _leather(canvas: Canvas, colour: str, angle: str = "d") -> str:
    return canvas.linear(
        (0, lighter(colour, 0.2)), (0.38, colour), (1, darker(colour, 0.42)), angle=angle
    )


def _brass(canvas: Canvas) -> str:
    return canvas.linear(*_BRASS, angle="d")


def _handle(canvas: Canvas, d: str, colour: str, width: float = 24) -> None:
    canvas.line(d, darker(colour, 0.55), width)
    canvas.line(d, colour, width - 5)
    canvas.line(d, lighter(colour, 0.22), width / 4, transform="translate(-3 -3)", opacity=0.8)


def _ring(canvas: Canvas, x: float, y: float, r: float = 17) -> None:
    canvas.circle(x, y, r, "none", stroke=_brass(canvas), stroke_width=7)


def tote(colour: str, wall: str, title: str) -> str:
    """An open tote with two rolled handles."""
    c = Canvas(title, wall)
    c.shadow(400, 852, 270, 44)
    thread, grain = lighter(colour, 0.55), c.grain()
    _handle(c, "M292 470C286 250 330 190 400 190S514 250 508 470", darker(colour, 0.3), 22)
    body = "M158 420H642L680 826Q682 850 656 850H144Q118 850 120 826Z"
    with c.group(filter=grain):
        c.path(body, _leather(c, colour))
    c.path("M158 420H642L645 450H155Z", darker(colour, 0.5), opacity=0.35)
    c.path("M158 420H642L644 436H156Z", lighter(colour, 0.18), opacity=0.75)
    c.path("M560 436L600 850H656Q682 850 680 826L642 420Z", "#000000", opacity=0.16)
    c.stitches("M170 462H630", thread)
    c.stitches("M172 446L138 822Q138 832 148 832H652Q662 832 662 822L628 446", thread)
    for x in (284, 500):
        c.path(
            f"M{x - 18} 470H{x + 34}V560Q{x + 8} 590 {x - 18} 560Z",
            _leather(c, darker(colour, 0.14)),
        )
        c.stitches(f"M{x - 10} 478V556Q{x + 8} 576 {x + 26} 556V478Z", thread, 2)
    _handle(c, "M292 500C284 300 332 236 400 236S516 300 508 500", colour)
    for x in (292, 508):
        c.circle(x, 528, 8, _brass(c))
    c.rect(352, 640, 96, 34, darker(colour, 0.25), rx=4, opacity=0.6)
    c.text(400, 663, "CORVANE", lighter(colour, 0.5), 15)
    return c.svg()


def satchel(colour: str, wall: str, title: str) -> str:
    """A structured satchel with a flap and two buckled straps."""
    c = Canvas(title, wall)
    c.shadow(400, 826, 300, 44)
    thread, grain = lighter(colour, 0.5), c.grain()
    _handle(c, "M300 372C300 268 500 268 500 372", colour, 28)
    with c.group(filter=grain):
        c.path(
            "M124 400Q124 372 152 372H648Q676 372 676 400V800Q676 826 650 826H150Q124 826 124 800Z",
            _leather(c, darker(colour, 0.22)),
        )
        c.path("M124 640H676V800Q676 826 650 826H150Q124 826 124 800Z", _leather(c, colour))
    c.stitches("M142 660V796Q142 808 154 808H646Q658 808 658 796V660", thread)
    flap = "M116 396Q116 360 152 360H648Q684 360 684 396V590Q684 676 600 676H200Q116 676 116 590Z"
    c.path(flap, "#000000", opacity=0.3, transform="translate(4 16)", filter=c.blur(7))
    with c.group(filter=grain):
        c.path(flap, _leather(c, colour))
    c.stitches("M134 400V588Q134 658 202 658H598Q666 658 666 588V400", thread)
    c.path("M152 360H648Q684 360 684 396V408H116V396Q116 360 152 360Z", "#ffffff", opacity=0.13)
    for x in (236, 520):
        c.path(
            f"M{x} 372H{x + 44}V744Q{x + 22} 766 {x} 744Z", _leather(c, darker(colour, 0.12), "h")
        )
        c.stitches(f"M{x + 8} 380V738Q{x + 22} 750 {x + 36} 738V380", thread, 2)
        c.rect(x - 9, 620, 62, 52, "none", rx=8, stroke=_brass(c), stroke_width=8)
        c.line(f"M{x + 22} 646H{x + 50}", "#b98a3a", 6)
    return c.svg()


def weekender(colour: str, wall: str, title: str) -> str:
    """A wide travel bag of canvas and leather."""
    c = Canvas(title, wall)
    c.shadow(400, 812, 350, 46)
    linen, thread, grain = "#cdbd9d", lighter(colour, 0.5), c.grain(0.3, 0.8)
    _handle(c, "M250 520C250 300 310 262 400 262S550 300 550 520", darker(colour, 0.3), 24)
    body = "M74 520Q74 428 168 428H632Q726 428 726 520V774Q726 814 686 814H114Q74 814 74 774Z"
    with c.group(filter=grain):
        c.path(body, c.linear((0, "#e7dabd"), (0.5, linen), (1, "#8f7f60"), angle="d"))
        c.path("M74 690H726V774Q726 814 686 814H114Q74 814 74 774Z", _leather(c, colour))
        c.path("M74 520Q74 428 168 428H196V814H114Q74 814 74 774Z", _leather(c, colour))
        c.path(
            "M604 428H632Q726 428 726 520V774Q726 814 686 814H604Z",
            _leather(c, darker(colour, 0.2)),
        )
    c.stitches("M206 706H594", thread)
    c.stitches("M182 440V802M618 440V802", thread)
    c.line("M150 424C300 396 500 396 650 424", darker(colour, 0.5), 22)
    c.line("M150 421C300 393 500 393 650 421", "#c9a257", 5, stroke_dasharray="3 4")
    for x in (236, 534):
        c.path(f"M{x} 452H{x + 32}V814H{x}Z", _leather(c, darker(colour, 0.1), "h"))
        c.stitches(f"M{x + 7} 456V812M{x + 25} 456V812", thread, 2)
        _ring(c, x + 16, 520, 20)
    _handle(c, "M252 508C252 330 318 300 400 300S548 330 548 508", colour, 26)
    c.path("M354 318Q400 306 446 318V350Q400 338 354 350Z", _leather(c, darker(colour, 0.1)))
    c.path("M650 470L688 470L682 566Q668 580 654 566Z", _leather(c, darker(colour, 0.3)))
    c.text(400, 770, "MAISON CORVANE", lighter(colour, 0.5), 16)
    return c.svg()


def crossbody(colour: str, wall: str, title: str) -> str:
    """A rounded saddle bag on a long strap."""
    c = Canvas(title, wall)
    c.shadow(400, 838, 210, 34)
    thread, grain = lighter(colour, 0.5), c.grain()
    _handle(c, "M226 560C150 250 300 120 400 120S650 250 574 560", colour, 17)
    with c.group(filter=grain):
        c.path("M200 530H600V660Q600 838 400 838T200 660Z", _leather(c, darker(colour, 0.28)))
    flap = "M194 548Q194 498 244 498H556Q606 498 606 548V610Q606 754 400 754T194 610Z"
    c.path(flap, "#000000", opacity=0.35, transform="translate(3 14)", filter=c.blur(7))
    with c.group(filter=grain):
        c.path(flap, _leather(c, colour))
    c.stitches("M211 552V610Q211 737 400 737T589 610V552", thread)
    c.path("M244 498H556Q606 498 606 548V556H194V548Q194 498 244 498Z", "#ffffff", opacity=0.14)
    for x in (226, 574):
        _ring(c, x, 540, 16)
    c.circle(400, 700, 30, darker(colour, 0.4), opacity=0.5)
    c.circle(400, 696, 27, _brass(c))
    c.circle(400, 696, 17, c.linear((0, "#8c6424"), (1, "#f4dfa6"), angle="d"))
    return c.svg()


def top_handle(colour: str, wall: str, title: str) -> str:
    """A trapezoid evening bag with one handle and a turn lock."""
    c = Canvas(title, wall)
    c.shadow(400, 834, 265, 40)
    thread, grain = lighter(colour, 0.45), c.grain(0.16)
    _handle(c, "M272 470C262 236 322 190 400 190S538 236 528 470", colour, 27)
    with c.group(filter=grain):
        c.path("M206 458H594L668 812Q670 834 646 834H154Q130 834 132 812Z", _leather(c, colour))
        c.path("M206 458H594L612 545H188Z", _leather(c, darker(colour, 0.12)))
    c.path("M520 458L580 834H646Q670 834 668 812L594 458Z", "#000000", opacity=0.2)
    front = "M200 458H600L560 664Q556 684 536 684H264Q244 684 240 664Z"
    c.path(front, "#000000", opacity=0.32, transform="translate(2 12)", filter=c.blur(6))
    with c.group(filter=grain):
        c.path(front, _leather(c, lighter(colour, 0.05)))
    c.stitches("M218 474L255 656Q258 668 270 668H530Q542 668 545 656L582 474", thread)
    c.path("M200 458H600L597 474H203Z", "#ffffff", opacity=0.2)
    c.rect(356, 626, 88, 52, _brass(c), rx=10)
    c.rect(392, 612, 16, 82, c.linear((0, "#fbeec4"), (1, "#98702c")), rx=7)
    c.rect(160, 560, 14, 270, "#ffffff", opacity=0.07, rx=7)
    for x in (272, 528):
        _ring(c, x, 468, 18)
    for x in (180, 620):
        c.circle(x, 832, 9, "#a37a34")
    return c.svg()
