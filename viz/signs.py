"""The small signs of the kinds as vectors, so that no font need have them; and outlines of cards."""

from __future__ import annotations

from typing import NamedTuple

Commands = tuple[tuple[str, tuple[float, ...]], ...]       # M x y, L x y, C x1 y1 x2 y2 x y, Z
ROUND = 0.5523                                 # control points of a quarter circle


class Stroke(NamedTuple):
    """A line, or where `solid` a filled outline, in the unit square."""

    commands: Commands
    solid: bool = False


def path(text: str) -> Commands:
    """Commands from a short notation: "M.1,.2 L.5,.5 Z"."""
    result = []
    for word in text.split():
        numbers = tuple(float(n) for n in word[1:].split(",") if n)
        result.append((word[0], numbers))
    return tuple(result)


def circle(x: float, y: float, r: float) -> Commands:
    """A circle as four curves."""
    k = r * ROUND
    return (("M", (x + r, y)), ("C", (x + r, y + k, x + k, y + r, x, y + r)),
            ("C", (x - k, y + r, x - r, y + k, x - r, y)), ("C", (x - r, y - k, x - k, y - r, x, y - r)),
            ("C", (x + k, y - r, x + r, y - k, x + r, y)), ("Z", ()))


def rounded(x: float, y: float, w: float, h: float, top: float, bottom: float | None = None) -> Commands:
    """A rectangle with round corners, of one radius at the top and another at the bottom; 0 is a sharp corner."""
    if not top and not bottom:
        return polygon((x, y), (x + w, y), (x + w, y + h), (x, y + h))
    t = min(top, w / 2, h / 2)
    b = min(top if bottom is None else bottom, w / 2, h / 2)
    i, j = t * (1 - ROUND), b * (1 - ROUND)
    return (("M", (x + t, y)), ("L", (x + w - t, y)), ("C", (x + w - i, y, x + w, y + i, x + w, y + t)),
            ("L", (x + w, y + h - b)), ("C", (x + w, y + h - j, x + w - j, y + h, x + w - b, y + h)),
            ("L", (x + b, y + h)), ("C", (x + j, y + h, x, y + h - j, x, y + h - b)),
            ("L", (x, y + t)), ("C", (x, y + i, x + i, y, x + t, y)), ("Z", ()))


def polygon(*points: tuple[float, float]) -> Commands:
    """A closed polygon."""
    return (("M", points[0]), *(("L", p) for p in points[1:]), ("Z", ()))


def octagon(x: float, y: float, w: float, h: float) -> Commands:
    """A rectangle with cut corners."""
    c = min(w, h) * 0.29
    return polygon((x + c, y), (x + w - c, y), (x + w, y + c), (x + w, y + h - c), (x + w - c, y + h), (x + c, y + h),
                   (x, y + h - c), (x, y + c))


def folder(x: float, y: float, w: float, h: float, tab: float) -> Commands:
    """A card with a tab of height `tab` on its top, at the left."""
    r, wide = 5.0, min(46.0, w * 0.4)
    k = r * (1 - ROUND)
    return (("M", (x, y + r)), ("C", (x, y + k, x + k, y, x + r, y)), ("L", (x + wide - 4, y)),
            ("C", (x + wide, y, x + wide + 1, y + tab, x + wide + 5, y + tab)), ("L", (x + w - r, y + tab)),
            ("C", (x + w - k, y + tab, x + w, y + tab + k, x + w, y + tab + r)), ("L", (x + w, y + h - r)),
            ("C", (x + w, y + h - k, x + w - k, y + h, x + w - r, y + h)), ("L", (x + r, y + h)),
            ("C", (x + k, y + h, x, y + h - k, x, y + h - r)), ("Z", ()))


_BOX = "M.08,.08 L.92,.08 L.92,.92 L.08,.92 L.08,.05"
VECTORS: dict[str, tuple[Stroke, ...]] = {
    "linear": (Stroke(circle(.5, .5, .45)), Stroke(path("M.2,.2 L.8,.8")), Stroke(path("M.8,.2 L.2,.8"))),
    "activation": (Stroke(path("M.85,.1 C.66,-.04,.54,.08,.5,.34 L.4,.8 C.36,1.0,.26,1.04,.1,.94")),
                   Stroke(path("M.24,.4 L.74,.4"))),
    "norm": tuple(Stroke(path(f"M.04,{y + .1:.2f} C.22,{y - .12:.2f},.34,{y - .1:.2f},.5,{y:.2f} "
                              f"C.66,{y + .1:.2f},.78,{y + .12:.2f},.96,{y - .1:.2f}")) for y in (.32, .68)),
    "elementwise": (Stroke(path("M.5,.08 L.5,.92")), Stroke(path("M.08,.5 L.92,.5"))),
    "reduction": (Stroke(path("M.84,.08 L.14,.08 L.52,.5 L.14,.92 L.84,.92")),),
    "shape": (Stroke(path("M.05,.5 L.95,.5")), Stroke(path("M.3,.22 L.05,.5 L.3,.78")),
              Stroke(path("M.7,.22 L.95,.5 L.7,.78"))),
    "index": (Stroke(path("M.32,.06 L.1,.06 L.1,.94 L.32,.94")), Stroke(path("M.68,.06 L.9,.06 L.9,.94 L.68,.94")),
              Stroke(circle(.5, .5, .1), solid=True)),
    "logic": (Stroke(path("M.22,.28 C.26,-.02,.8,.0,.78,.3 C.76,.5,.5,.48,.5,.72")),
              Stroke(circle(.5, .92, .07), True)),
    "custom": (Stroke(path("M.12,.08 C.4,.0,.42,.2,.52,.45 L.86,.94")), Stroke(path("M.5,.42 L.14,.94"))),
    "loss": (Stroke(path("M.5,.0 L.62,.36 L1.0,.36 L.69,.59 L.81,.96 L.5,.73 L.19,.96 L.31,.59 L.0,.36 L.38,.36 Z"),
                    solid=True),),
    "input": (Stroke(path("M.14,.06 L.94,.5 L.14,.94 Z")),),
    "parameter": (Stroke(path("M.5,.02 L.94,.5 L.5,.98 L.06,.5 Z"), True),),
    "buffer": (Stroke(path(_BOX)), Stroke(path("M.08,.36 L.92,.36")), Stroke(path("M.08,.64 L.92,.64"))),
    "constant": (Stroke(path("M.38,.06 L.26,.94")), Stroke(path("M.74,.06 L.62,.94")),
                 Stroke(path("M.08,.34 L.94,.34")), Stroke(path("M.06,.66 L.92,.66"))),
    "open": (Stroke(path(_BOX)), Stroke(path("M.28,.5 L.72,.5"))),
    "closed": (Stroke(path(_BOX)), Stroke(path("M.28,.5 L.72,.5")), Stroke(path("M.5,.28 L.5,.72"))),
    "cut": (Stroke(circle(.2, .22, .17)), Stroke(circle(.2, .78, .17)), Stroke(path("M.33,.33 L.98,.8")),
            Stroke(path("M.33,.67 L.98,.2"))),
    "hook": (Stroke(circle(.5, .14, .12)), Stroke(path("M.5,.26 L.5,.96")), Stroke(path("M.28,.42 L.72,.42")),
             Stroke(path("M.06,.62 C.1,.86,.3,.95,.5,.96 C.7,.95,.9,.86,.94,.62"))),
    "retain": (Stroke(path("M.3,.06 L.7,.06 L.66,.36 C.82,.42,.84,.52,.84,.58 L.16,.58 C.16,.52,.18,.42,.34,.36 Z"),
                      solid=True), Stroke(path("M.5,.56 L.5,1.0"))),
    "repeat": (Stroke(path("M.06,.3 L.7,.3 L.7,.94 L.06,.94 L.06,.27")),
               Stroke(path("M.3,.3 L.3,.06 L.94,.06 L.94,.7 L.7,.7"))),
}
