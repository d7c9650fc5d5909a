"""The roles of a difference: teal for what was added, vermilion for what was removed, yellow for what changed.

These three stay apart under all colour-vision deficiencies; a sign, a word and, for what was removed, a dashed border
say the same.
"""

from __future__ import annotations

from ..theme import THEMES

LIGHT = {"added": "#C4EFE6", "added-ink": "#00514B", "removed": "#FFD3C4", "removed-ink": "#8A2500",
         "changed": "#FFF1B0", "changed-ink": "#5A4700", "same": "#F6F8FA", "same-ink": "#57606A"}
DARK = {"added": "#063F3C", "added-ink": "#7FE8DC", "removed": "#5A210C", "removed-ink": "#FFB79F",
        "changed": "#4A3C00", "changed-ink": "#FFE27A", "same": "#161B22", "same-ink": "#9EA7B3"}
PRINT = {"added": "#FFFFFF", "added-ink": "#000000", "removed": "#E4E4E4", "removed-ink": "#000000",
         "changed": "#FFFFFF", "changed-ink": "#000000", "same": "#FFFFFF", "same-ink": "#595959"}
CONTRAST = {"added": "#002B28", "added-ink": "#8FFFF2", "removed": "#3D1400", "removed-ink": "#FFC8B0",
            "changed": "#332A00", "changed-ink": "#FFEB94", "same": "#000000", "same-ink": "#C9C9C9"}

SIGNS = {"added": "+", "removed": "−", "changed": "~"}
WORDS = {"added": "added", "removed": "removed", "changed": "changed", "same": "unchanged"}

for _name, _theme in THEMES.items():
    _theme.update({"dark": DARK, "print": PRINT, "contrast": CONTRAST}.get(_name, LIGHT))
