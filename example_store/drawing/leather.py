"""Small leather goods."""

from __future__ import annotations

from .paint import Canvas, darker, lighter


def _hide(c: Canvas, colour: str) -> str:
    return c.linear(
        (0, lighter(colour, 0.18)), (0.45, colour), (1, darker(colour, 0.38)), angle="d"
    )


def card_holder(colour: str, wall: str, title: str) -> str:
    """A slim holder with three cards in it."""
    c = Canvas(title, wall)
    thread = lighter(colour, 0.5)
    with c.group(transform="rotate(-8 400 540)"):
        c.path("M196 392H616V776H196Z", "#1c120a", opacity=0.34, filter=c.blur(18))
        for y, shade in ((306, "#cfd6dc"), (334, "#b89a5a"), (362, "#2f3b4c")):
            c.rect(
                214,
                y,
                372,
                240,
                c.linear((0, lighter(shade, 0.25)), (1, darker(shade, 0.15))),
                rx=16,
            )
        with c.group(filter=c.grain()):
            c.rect(190, 400, 420, 366, _hide(c, colour), rx=20)
            c.path(
                "M190 516L400 560L610 516V746Q610 766 590 766H210Q190 766 190 746Z",
                _hide(c, darker(colour, 0.06)),
            )
        c.line("M190 516L400 560L610 516", darker(colour, 0.55), 4, opacity=0.6)
        c.line("M190 512L400 556L610 512", lighter(colour, 0.3), 2.5, opacity=0.7)
        c.stitches("M206 420V742Q206 750 214 750H586Q594 750 594 742V420", thread)
        c.text(400, 690, "CORVANE", lighter(colour, 0.4), 20)
    return c.svg()


def wallet(colour: str, wall: str, title: str) -> str:
    """A bifold wallet, standing half open."""
    c = Canvas(title, wall)
    c.shadow(400, 772, 300, 40)
    thread, grain = lighter(colour, 0.5), c.grain()
    with c.group(filter=grain):
        c.path(
            "M400 350L690 392Q704 394 704 408V734Q704 748 690 750L400 772Z",
            _hide(c, darker(colour, 0.3)),
        )
    c.path("M420 420L684 448V500L420 480Z", darker(colour, 0.6), opacity=0.5)
    c.path("M440 404L668 432V470L440 450Z", c.linear((0, "#e8e4da"), (1, "#b9b2a2")))
    c.path("M440 438L668 462V500L440 484Z", "#2f3b4c")
    with c.group(filter=grain):
        c.path("M414 470L704 492V734Q704 748 690 750L414 770Z", _hide(c, darker(colour, 0.18)))
        c.path(
            "M400 350Q396 346 380 346H124Q104 346 104 366V752Q104 772 124 772H400Z",
            _hide(c, colour),
        )
    c.path("M372 346H400V772H372Z", "#000000", opacity=0.25)
    c.stitches("M122 370V748Q122 754 128 754H384M122 370Q122 364 128 364H384", thread)
    c.stitches("M424 488L688 508V732L424 750", thread)
    c.text(246, 712, "CORVANE", lighter(colour, 0.35), 20)
    return c.svg()


def folio(colour: str, wall: str, title: str) -> str:
    """A travel folio with an elastic band and a pen."""
    c = Canvas(title, wall)
    thread = lighter(colour, 0.5)
    with c.group(transform="rotate(5 400 520)"):
        c.rect(196, 214, 430, 620, "#1c120a", rx=20, opacity=0.36, filter=c.blur(20))
        c.rect(196, 196, 420, 610, "#efe7d8", rx=14)
        c.line("M608 214V790M604 214V790M600 214V790", "#cbbfa8", 1.4)
        with c.group(filter=c.grain()):
            c.path(
                "M186 210Q186 190 206 190H580Q600 190 600 210V790Q600 810 580 810H206"
                "Q186 810 186 790Z",
                _hide(c, colour),
            )
        c.path("M186 210Q186 190 206 190H232V810H206Q186 810 186 790Z", "#000000", opacity=0.18)
        c.stitches("M246 208H572Q582 208 582 218V782Q582 792 572 792H246Z", thread)
        c.rect(516, 186, 20, 628, darker(colour, 0.62), rx=4)
        c.rect(519, 186, 4, 628, "#ffffff", opacity=0.14)
        c.text(384, 520, "CORVANE", lighter(colour, 0.4), 24)
    with c.group(transform="rotate(-24 640 640)"):
        c.rect(634, 380, 28, 470, "#1c120a", rx=14, opacity=0.3, filter=c.blur(8))
        c.rect(
            622, 370, 26, 440, c.linear((0, "#4a4f58"), (0.35, "#16191e"), (1, "#000000")), rx=12
        )
        c.rect(622, 540, 26, 12, "#d8b062")
        c.rect(640, 384, 7, 150, "#d8b062", rx=3)
        c.path("M624 806H646L637 858H633Z", "#d8b062")
    return c.svg()


def belt(colour: str, wall: str, title: str) -> str:
    """A belt rolled up beside its buckle."""
    c = Canvas(title, wall)
    c.shadow(390, 792, 270, 46)
    edge, thread = darker(colour, 0.55), lighter(colour, 0.5)
    for index in range(4):
        rx, ry = 236 - index * 52, 92 - index * 20
        top = 590 - index * 3
        c.path(
            f"M{390 - rx} {top}A{rx} {ry} 0 0 0 {390 + rx} {top}V{top + 150}"
            f"A{rx} {ry} 0 0 1 {390 - rx} {top + 150}Z",
            _hide(c, colour),
            filter=c.grain() if index == 0 else None,
        )
        c.ellipse(390, top, rx, ry, edge)
        c.ellipse(390, top, rx - 11, ry - 5, darker(colour, 0.78) if index == 3 else edge)
        c.ellipse(390, top, rx, ry, "none", stroke=lighter(colour, 0.15), stroke_width=3)
    c.stitches("M164 616A236 92 0 0 0 616 616", thread)
    c.stitches("M164 726A236 92 0 0 0 616 726", thread)
    brass = c.linear(
        (0, "#f4dfa6"), (0.45, "#c99b46"), (0.75, "#8c6424"), (1, "#e0bd74"), angle="d"
    )
    with c.group(transform="rotate(-6 600 690)"):
        c.rect(566, 620, 146, 160, "none", rx=26, stroke="#1c120a", stroke_width=22, opacity=0.3)
        c.rect(560, 606, 146, 160, "none", rx=26, stroke=brass, stroke_width=22)
        c.rect(552, 676, 110, 20, brass, rx=10)
    return c.svg()


def watch_roll(colour: str, wall: str, title: str) -> str:
    """A cylinder for three watches."""
    c = Canvas(title, wall)
    c.shadow(410, 762, 320, 46)
    side = c.linear(
        (0, darker(colour, 0.2)),
        (0.25, lighter(colour, 0.28)),
        (0.6, colour),
        (1, darker(colour, 0.55)),
        angle="v",
    )
    with c.group(filter=c.grain()):
        c.path("M176 440H640A66 158 0 0 1 640 756H176Z", side)
    c.ellipse(176, 598, 66, 158, darker(colour, 0.25))
    c.ellipse(176, 598, 54, 142, c.radial((0, "#efe4cf"), (1, "#b59f78")))
    c.ellipse(176, 598, 28, 84, "none", stroke="#a08960", stroke_width=4)
    thread = lighter(colour, 0.5)
    c.stitches("M236 452Q262 520 262 598T236 744", thread)
    c.stitches("M640 452Q692 520 692 598T640 744", thread)
    for x in (372, 560):
        c.path(
            f"M{x} 438H{x + 46}Q{x + 78} 520 {x + 78} 598T{x + 46} 760H{x}Q{x + 32} 676 "
            f"{x + 32} 598T{x} 438Z",
            darker(colour, 0.34),
        )
        c.stitches(f"M{x + 8} 444Q{x + 38} 520 {x + 38} 598T{x + 8} 752", thread, 2)
        c.circle(x + 52, 598, 15, "#c99b46")
        c.circle(x + 50, 595, 8, "#f4dfa6")
    return c.svg()
