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

THEMES = {"light": LIGHT, "dark": DARK}

# The sign drawn before a name, as a letter for DOT and the outline, and by its key as a vector for our own painters.
SIGNS = {
    "input": "▷", "parameter": "◆", "buffer": "▤", "constant": "#", "linear": "⊗", "activation": "ƒ", "norm": "≈",
    "elementwise": "+", "reduction": "Σ", "shape": "↔", "index": "⌗", "logic": "?", "custom": "λ", "loss": "★",
    "open": "⊟", "closed": "⊞", "repeat": "⊞", "output": "★",
}
KIND_WORDS = {
    "input": "input", "parameter": "parameter", "buffer": "buffer", "constant": "constant", "linear": "linear",
    "norm": "norm", "activation": "non-linear", "elementwise": "elementwise", "reduction": "reduction",
    "shape": "shape", "index": "index", "logic": "logic", "custom": "custom", "loss": "output", "closed": "module",
    "repeat": "repeats",
}
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


def _with_swatch_inks(theme: dict[str, str]) -> None:
    for role in [*(f"ramp{i}" for i in range(STEPS)), "alarm"]:
        theme[role + "-ink"] = max("#000000", "#FFFFFF", key=lambda ink: contrast(ink, theme[role]))


for _theme in THEMES.values():
    _with_swatch_inks(_theme)


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
