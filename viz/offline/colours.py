"""The colours of a page as style rules: one set of variables a theme, one class a role."""

from __future__ import annotations

from ..theme import AUTO, THEMES, contrast

WORDS = {"auto": "as the system", "light": "light", "dark": "dark", "contrast": "high contrast", "print": "for print"}
FOCUS = ("#0550AE", "#58A6FF")                 # rings: for a light and for a dark page
BRIGHT = "#FFFF00"                             # in high contrast


def style() -> str:
    """Variables and classes as CSS.  The theme is the `data-theme` of the page, or what the system asks for."""
    automatic = ':root:not([data-theme]),:root[data-theme="auto"]'
    rules = [f":root{{{_variables(AUTO[0])}}}"]
    rules += [f"@media ({query}){{{automatic}{{{_variables(name)}}}}}" for query, name in
              (("prefers-color-scheme: dark", AUTO[1]), ("prefers-contrast: more", "contrast"))]
    rules += [f':root[data-theme="{name}"]{{{_variables(name)}}}' for name in THEMES]
    rules.append(f"@media print{{:root,:root[data-theme]{{{_variables('print')}}}}}")
    rules += [f"svg .f-{role}{{fill:var(--{role})}}svg .s-{role}{{stroke:var(--{role})}}" for role in THEMES[AUTO[0]]]
    return "\n".join(rules)


def _variables(name: str) -> str:
    theme = THEMES[name]
    dark = contrast(theme["page"], "#000000") < contrast(theme["page"], "#FFFFFF")
    focus = BRIGHT if name == "contrast" else "#000000" if name == "print" else FOCUS[dark]
    return (f"color-scheme:{'dark' if dark else 'light'};--focus:{focus};"
            + "".join(f"--{role}:{colour};" for role, colour in theme.items()))
