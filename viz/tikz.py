"""A sheet as a LaTeX document of its own: one TikZ picture with the positions of the SVG, for papers and lecture notes.

It needs pdflatex and the package tikz, no other package or font.  What stands between \\begin{tikzpicture} and
\\end{tikzpicture} can be pasted into any document, with the lines of the preamble that define \\gg...
"""

from __future__ import annotations

from .shapes import Box, Path, Sheet, Text
from .text import width

MOST = 15_000.0                                # points of a side; TeX knows no length over 16383
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedblright{}", "-": "{-}", "`": r"\textasciigrave{}", "'": r"{'}", ",": "{,}",
    "×": r"$\times$", "·": r"$\cdot$", "…": r"\ldots{}", "∂": r"$\partial$", "Σ": r"$\Sigma$", "∑": r"$\Sigma$",
    "∇": r"$\nabla$", "≈": r"$\approx$", "−": "$-$", "∞": r"$\infty$", "±": r"$\pm$", "²": r"$^2$", "³": r"$^3$",
    "≤": r"$\leq$", "≥": r"$\geq$", "≠": r"$\neq$", "→": r"$\to$", "←": r"$\gets$", "√": r"$\surd$", "′": r"$'$",
    "″": r"$''$", "°": r"$^\circ$", "ƒ": r"$f$", "µ": r"$\mu$", "–": "--", "—": "---", "‘": "`", "’": "'", "“": "``",
    "”": "''", "ß": r"\ss{}", "ø": r"\o{}", "Ø": r"\O{}", "æ": r"\ae{}", "Æ": r"\AE{}", "å": r"\aa{}", "Å": r"\AA{}",
    "ł": r"\l{}", "Ł": r"\L{}", "œ": r"\oe{}", "Œ": r"\OE{}", "⊗": r"$\otimes$", "\u00a0": "~",
}
_ACCENTS = {"\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0308": '"', "\u0304": "=", "\u0307": ".",
            "\u030c": "v", "\u0306": "u", "\u030b": "H", "\u0327": "c", "\u030a": "r"}
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta", "θ": "theta",
    "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi", "ρ": "rho", "ς": "varsigma",
    "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma",
    "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Υ": "Upsilon", "Φ": "Phi", "Ψ": "Psi",
    "Ω": "Omega",
}
_PREAMBLE = r"""\documentclass{article}
\usepackage{tikz}
\pagestyle{empty}
\setlength{\parindent}{0pt}\setlength{\topskip}{0pt}
\setlength{\hoffset}{-1in}\setlength{\voffset}{-1in}
\setlength{\oddsidemargin}{0pt}\setlength{\topmargin}{0pt}\setlength{\headheight}{0pt}\setlength{\headsep}{0pt}
\setlength{\footskip}{0pt}
% text in the room it was given: another font is squeezed to it instead of running over
\newsavebox{\ggbox}
\newcommand{\ggtext}[3]{\sbox{\ggbox}{\fontsize{#1bp}{#1bp}\selectfont #3}%
  \ifdim\wd\ggbox>#2bp \resizebox{#2bp}{\height}{\usebox{\ggbox}}\else\usebox{\ggbox}\fi}
\newcommand{\ggcode}[1]{\fbox{\tiny #1}}% a character that TeX's fonts do not have
"""


def escape(text: str) -> str:
    """Text that TeX sets as it stands; what its fonts lack as its number in a small box."""
    return "".join(map(_character, text))


def _character(c: str) -> str:
    code = ord(c)
    if c in _SPECIAL:
        return _SPECIAL[c]
    if 0x20 <= code < 0x7F:
        return c
    if c in _GREEK:
        return f"$\\{_GREEK[c]}$"
    from unicodedata import normalize
    base, accent = (parts := normalize("NFD", c))[0], parts[1:]
    if accent in _ACCENTS and base.isascii() and base.isalpha():
        letter = {"i": r"\i", "j": r"\j"}.get(base, base) if accent != "\u0327" else base
        return f"\\{_ACCENTS[accent]}{{{letter}}}"
    return f"\\ggcode{{{code:X}}}"


def tikz(sheet: Sheet, theme: dict[str, str]) -> str:
    """The sheet as a complete LaTeX document; made smaller where a side is longer than TeX can say."""
    scale = min(1.0, MOST / max(sheet.width, sheet.height))
    body = [line for mark in sheet.marks if (line := _mark(mark, scale))]
    roles = {r for m in sheet.marks if isinstance(m, (Path, Box)) for r in (m.fill, m.stroke) if r}
    roles |= {m.ink for m in sheet.marks if isinstance(m, Text)}
    colours = [f"\\definecolor{{{_colour(role)}}}{{HTML}}{{{theme[role][1:]}}}" for role in sorted(roles)]
    w, h = f"{sheet.width * scale:.2f}bp", f"{sheet.height * scale:.2f}bp"
    size = [f"\\setlength{{\\{name}}}{{{value}}}" for name, value in (
        ("paperwidth", w), ("paperheight", h), ("pdfpagewidth", w), ("pdfpageheight", h), ("textwidth", w),
        ("textheight", h))]
    return "\n".join([
        f"% {_comment(sheet.title)}", f"% {_comment(sheet.description)}", _PREAMBLE + "\n".join([*size, *colours]),
        r"\begin{document}", r"\sffamily%", r"\begin{tikzpicture}[x=1bp,y=-1bp,inner sep=0pt,outer sep=0pt,"
        r"line join=round]", f"\\useasboundingbox (0,0) rectangle ({sheet.width * scale:.2f},"
        f"{sheet.height * scale:.2f});", *body, r"\end{tikzpicture}%", r"\end{document}", ""])


def _comment(text: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in " .,:;()_-") else "?" for c in text)


def _colour(role: str) -> str:
    return "gg-" + role


def _mark(mark: object, scale: float) -> str:
    if isinstance(mark, Box):
        return _box(mark, scale)
    if isinstance(mark, Path):
        steps, closed = [], False
        for op, v in mark.commands:
            points = [f"({v[i] * scale:.2f},{v[i + 1] * scale:.2f})" for i in range(0, len(v), 2)]
            if op == "C":
                steps.append(f".. controls {points[0]} and {points[1]} .. {points[2]}")
            elif op == "Z":
                steps.append("-- cycle")
                closed = True
            else:
                steps.append(points[0] if op == "M" else f"-- {points[0]}")
        return f"\\path[{_paint(mark, scale, closed)}] {' '.join(steps)};"
    return _text(mark, scale) if isinstance(mark, Text) else ""


def _box(mark: Box, scale: float) -> str:
    corner = f",rounded corners={min(mark.r, mark.w / 2, mark.h / 2) * scale:.2f}bp" if mark.r else ""
    return (f"\\path[{_paint(mark, scale, True)}{corner}] ({mark.x * scale:.2f},{mark.y * scale:.2f}) rectangle "
            f"({(mark.x + mark.w) * scale:.2f},{(mark.y + mark.h) * scale:.2f});")


def _paint(mark: Path | Box, scale: float, closed: bool) -> str:
    parts = [f"fill={_colour(mark.fill)}"] if mark.fill else []
    if mark.stroke:
        dash = {"": "", "dotted": ",dash pattern=on 1.5bp off 3.5bp", "dashed": ",dash pattern=on 5bp off 3.5bp"}
        parts.append(f"draw={_colour(mark.stroke)},line width={mark.width * scale:.2f}bp{dash[mark.dash]}")
    return ",".join(parts)


def _text(mark: Text, scale: float) -> str:
    anchor = {"start": "base west", "middle": "base", "end": "base east"}[mark.align]
    face = (r"\bfseries " if mark.bold else "") + (r"\ttfamily " if mark.mono else "")
    room = width(mark.text, mark.size, mark.bold, mark.mono) * scale
    halo = ",fill=gg-page" if mark.halo else ""
    return (f"\\node[anchor={anchor},text={_colour(mark.ink)}{halo}] at ({mark.x * scale:.2f},{mark.y * scale:.2f}) "
            f"{{\\ggtext{{{mark.size * scale:.2f}}}{{{max(room, 1):.2f}}}{{{face}{escape(mark.text)}}}}};")
