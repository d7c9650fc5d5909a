"""Colours by role, the diverging gradient ramp, and which sign stands for which kind.

A painter never writes a colour: it writes a role, and a theme says what the role is.  The ramp is
relative: log10 of a gradient's RMS over the RMS at the network's output, one step per decade, blue
where gradients vanish, red where they explode.  Roles ending in `-ink` are text and lines on the role
of the same stem.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from autograd.graph import Graph, Summary

LIGHT: dict[str, str] = {
    "page": "#FFFFFF", "ink": "#1B1F24", "sub": "#4F5761", "edge": "#57606A", "card": "#FFFFFF", "hair": "#D0D7DE",
    "linear": "#D7E8F7", "linear-ink": "#0B5394",
    "elementwise": "#ECEFF2", "elementwise-ink": "#4B545E",
    "activation": "#D9F0E4", "activation-ink": "#005E45",
    "norm": "#E7DFF5", "norm-ink": "#5B3A9C",
    "reduction": "#E1ECEE", "reduction-ink": "#1F565F",
    "shape": "#F1F3F5", "shape-ink": "#4B545E",
    "index": "#F1F3F5", "index-ink": "#4B545E",
    "logic": "#ECEFF2", "logic-ink": "#4B545E",
    "custom": "#F4E6DC", "custom-ink": "#7A3E1D",
    "loss": "#FBDDEB", "loss-ink": "#8E1656",
    "input": "#DDF1FA", "input-ink": "#00567A",
    "parameter": "#FFE8C2", "parameter-ink": "#7A4200",
    "buffer": "#EDEFF2", "buffer-ink": "#4B545E",
    "constant": "#FFFFFF", "constant-ink": "#4B545E",
    "module": "#F6F8FA", "module-ink": "#828B96", "module-2": "#EEF1F4",
    "ramp0": "#053061", "ramp1": "#1F62A3", "ramp2": "#56A1CE", "ramp3": "#A6CFE4", "ramp4": "#EFF1F3",
    "ramp5": "#F6B595", "ramp6": "#E17A62", "ramp7": "#B2182B", "ramp8": "#67001F", "alarm": "#C9005F",
    "flow0": "#053061", "flow1": "#1F62A3", "flow2": "#3A85B8", "flow3": "#5391B8", "flow4": "#57606A",
    "flow5": "#C5694A", "flow6": "#C9483A", "flow7": "#B2182B", "flow8": "#67001F",
}

DARK: dict[str, str] = {
    "page": "#0D1117", "ink": "#F0F3F6", "sub": "#B1BAC4", "edge": "#9EA7B3", "card": "#161B22", "hair": "#30363D",
    "linear": "#12314F", "linear-ink": "#8FC7FF",
    "elementwise": "#262C34", "elementwise-ink": "#C9D1D9",
    "activation": "#0E3A2C", "activation-ink": "#6FE0B4",
    "norm": "#2E2250", "norm-ink": "#CDB8FF",
    "reduction": "#16363C", "reduction-ink": "#8FD8E2",
    "shape": "#20262D", "shape-ink": "#C9D1D9",
    "index": "#20262D", "index-ink": "#C9D1D9",
    "logic": "#262C34", "logic-ink": "#C9D1D9",
    "custom": "#3F2817", "custom-ink": "#FFC09A",
    "loss": "#4A1430", "loss-ink": "#FFA6CF",
    "input": "#0C3547", "input-ink": "#8ADCFF",
    "parameter": "#42290A", "parameter-ink": "#FFC56B",
    "buffer": "#20262D", "buffer-ink": "#B1BAC4",
    "constant": "#161B22", "constant-ink": "#B1BAC4",
    "module": "#12171F", "module-ink": "#67717D", "module-2": "#171D26",
    "ramp0": "#A5D8F5", "ramp1": "#63B3E2", "ramp2": "#3F8FC6", "ramp3": "#245580", "ramp4": "#30363D",
    "ramp5": "#7A3B35", "ramp6": "#D9695A", "ramp7": "#F08C79", "ramp8": "#FFC2B0", "alarm": "#FF4D9D",
    "flow0": "#BFE3F7", "flow1": "#8CCBEF", "flow2": "#5FB0E0", "flow3": "#5C9CC8", "flow4": "#9EA7B3",
    "flow5": "#C97F70", "flow6": "#E0705C", "flow7": "#FF8A73", "flow8": "#FFBBA6",
}

# For paper: black on white.  Signs, outlines and dashes carry the kinds; the darker a swatch and the thicker an edge,
# the larger the gradient, so nothing is lost in shades of grey.
PRINT: dict[str, str] = {
    **{role: "#000000" if role.endswith("-ink") else "#FFFFFF" for role in LIGHT},
    "ink": "#000000", "sub": "#333333", "edge": "#000000", "hair": "#8C8C8C", "module-ink": "#595959",
    "parameter": "#EDEDED", "buffer": "#F6F6F6", "alarm": "#000000",
    "ramp0": "#FFFFFF", "ramp1": "#F4F4F4", "ramp2": "#E8E8E8", "ramp3": "#D9D9D9", "ramp4": "#C4C4C4",
    "ramp5": "#9E9E9E", "ramp6": "#626262", "ramp7": "#363636", "ramp8": "#000000",
    "flow0": "#707070", "flow1": "#666666", "flow2": "#595959", "flow3": "#404040",
    **{f"flow{k}": "#000000" for k in range(4, 9)},
}

# For those who need it: white and strong colours on black, text at 7 to 1 and more.
CONTRAST: dict[str, str] = {
    "page": "#000000", "ink": "#FFFFFF", "sub": "#F2F2F2", "edge": "#FFFFFF", "card": "#000000", "hair": "#949494",
    "linear": "#00213F", "linear-ink": "#A6D8FF",
    "elementwise": "#1C1C1C", "elementwise-ink": "#F2F2F2",
    "activation": "#002B1C", "activation-ink": "#7DFFC8",
    "norm": "#240F4D", "norm-ink": "#E0D1FF",
    "reduction": "#002B30", "reduction-ink": "#A3F4FF",
    "shape": "#1C1C1C", "shape-ink": "#F2F2F2",
    "index": "#1C1C1C", "index-ink": "#F2F2F2",
    "logic": "#1C1C1C", "logic-ink": "#F2F2F2",
    "custom": "#331700", "custom-ink": "#FFD0AD",
    "loss": "#3D0022", "loss-ink": "#FFB8DB",
    "input": "#00293B", "input-ink": "#A3E7FF",
    "parameter": "#332000", "parameter-ink": "#FFDB94",
    "buffer": "#1C1C1C", "buffer-ink": "#F2F2F2",
    "constant": "#000000", "constant-ink": "#F2F2F2",
    "module": "#0A0A0A", "module-ink": "#C9C9C9", "module-2": "#141414",
    "ramp0": "#BDE4FF", "ramp1": "#84CAF8", "ramp2": "#57B0F0", "ramp3": "#0F4170", "ramp4": "#242424",
    "ramp5": "#66201A", "ramp6": "#FF8A78", "ramp7": "#FFB0A1", "ramp8": "#FFD6C4", "alarm": "#FF7ABF",
    "flow0": "#D6F0FF", "flow1": "#A8DCFF", "flow2": "#7DC6FA", "flow3": "#6BAFE0", "flow4": "#FFFFFF",
    "flow5": "#E8968A", "flow6": "#FF8A78", "flow7": "#FFA899", "flow8": "#FFD0C4",
}

THEMES = {"light": LIGHT, "dark": DARK, "print": PRINT, "contrast": CONTRAST}
AUTO = ("light", "dark")                       # what theme="auto" changes between, as the reader's system says


def colours(theme: str) -> dict[str, str]:
    """The roles of a theme by name; of "auto" the light ones, which a still picture has."""
    return THEMES[AUTO[0] if theme == "auto" else theme]


# The sign drawn before a name, as a letter for DOT and the outline, and by its key as a vector for our own painters.
SIGNS = {
    "input": "▷", "parameter": "◆", "buffer": "▤", "constant": "#", "linear": "⊗", "activation": "ƒ", "norm": "≈",
    "elementwise": "+", "reduction": "Σ", "shape": "↔", "index": "⌗", "logic": "?", "custom": "λ", "loss": "★",
    "open": "⊟", "closed": "⊞", "repeat": "⊞", "output": "★", "cut": "✂", "hook": "⚓", "retain": "⚲",
}
KIND_WORDS = {
    "input": "input", "parameter": "parameter", "buffer": "buffer", "constant": "constant", "linear": "linear",
    "norm": "norm", "activation": "non-linear", "elementwise": "elementwise", "reduction": "reduction",
    "shape": "shape", "index": "index", "logic": "logic", "custom": "custom", "loss": "output", "closed": "module",
    "repeat": "repeats", "cut": "gradient cut", "hook": "hook", "retain": "gradient kept",
}
_SHOWN_AS = {"closed": "module", "repeat": "module", "open": "module", "cut": "card", "hook": "card", "retain": "card"}


def chip(kind: str) -> tuple[str, str]:
    """The roles of fill and ink of a kind in the legend."""
    return (_SHOWN_AS[kind], "ink") if kind in _SHOWN_AS else (kind, f"{kind}-ink")


STEPS = 9                                      # of the ramp; the middle one is "typical"
RAMP_WORDS = ("≤1e-4", "1e-3", "1e-2", "0.1", "typical", "10", "100", "1e3", "≥1e4")


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb" (WCAG 2.2), 0 to 1."""
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def contrast(a: str, b: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2), 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def _complete(theme: dict[str, str]) -> None:
    """The ink of each swatch, and its rim: a line of its own where it is hardly told from the card."""
    for role in [*(f"ramp{i}" for i in range(STEPS)), "alarm"]:
        theme[role + "-ink"] = max("#000000", "#FFFFFF", key=lambda ink: contrast(ink, theme[role]))
        pale = role == "ramp4" or contrast(theme[role], theme["card"]) < 1.5
        theme[role + "-rim"] = theme["hair"] if pale else theme[role]


for _theme in THEMES.values():
    _complete(_theme)


class Ramp(NamedTuple):
    """The scale of one picture: the gradient RMS that counts as typical, 0 where no gradient is known."""

    reference: float

    def step(self, rms: float) -> int:
        """0 (vanishing) to 8 (exploding), one step per decade; 4 where nothing can be said."""
        if self.reference <= 0 or not (rms > 0 and math.isfinite(rms)):
            return STEPS // 2
        return max(0, min(STEPS - 1, STEPS // 2 + round(math.log10(rms / self.reference))))

    def swatch(self, rms: float) -> str:
        """The role that fills the swatch of a gradient."""
        return "alarm" if rms == 0 or not math.isfinite(rms) else f"ramp{self.step(rms)}"

    def flow(self, rms: float | None) -> tuple[str, float, bool]:
        """Colour role, line width and "is it dead?" of an edge that this gradient travels."""
        if rms is None:
            return "edge", 1.3, False
        if rms == 0 or not math.isfinite(rms):
            return "alarm", 1.3, True
        if self.reference <= 0:
            return "edge", 1.5, False
        decades = max(-4.0, min(4.0, math.log10(rms / self.reference)))
        return f"flow{self.step(rms)}", round(max(0.8, 1.6 + 0.6 * decades), 2), False


def rms_of(grad: Summary | None) -> float | None:
    """RMS of a gradient; NaN or infinity where it holds any; None where it is not known."""
    if grad is None:
        return None
    return math.nan if grad.nans else math.inf if grad.infs else grad.rms


def ramp_of(graph: Graph) -> Ramp:
    """Typical is the gradient at the network's output: of the last result with more than one element."""
    known = [(node.grad.size > 1, rms) for node in reversed(graph.nodes)
             if node.kind == "op" and node.grad and 0 < (rms := rms_of(node.grad) or 0) < math.inf]
    tensors = [rms for more, rms in known if more]
    return Ramp(tensors[0] if tensors else known[0][1] if known else 0.0)
