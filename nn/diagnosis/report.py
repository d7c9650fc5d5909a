"""What the doctor says: findings, each with evidence and the fix, and what was looked at and is fine."""

from __future__ import annotations

from textwrap import wrap
from typing import NamedTuple

WIDTH = 100
SIGNS = {"error": "✗", "warning": "!", "note": "·"}


class Finding(NamedTuple):
    """One mistake: how bad, what, where, the numbers that show it, and what to do."""

    severity: str                             # "error", "warning" or "note"
    title: str
    evidence: str
    fix: str
    layer: str = ""                           # dotted path and class, "" for what is outside the model
    line: str = ""                            # file:line of the user's program


class Report:
    """The outcome of an examination; printed, it is the whole story.

    `findings` is sorted, the worst first; `fine` are (what was checked, what was seen); `skipped` are (what, why).
    `ok` is True when there is no error and no warning.
    """

    __slots__ = ("findings", "fine", "skipped", "patient", "called")

    def __init__(self, patient: str, called: str = "") -> None:
        self.patient, self.called = patient, called          # what is examined, and on which line
        self.findings: list[Finding] = []
        self.fine: list[tuple[str, str]] = []
        self.skipped: list[tuple[str, str]] = []

    @property
    def ok(self) -> bool:
        """No error and no warning; notes do not count."""
        return all(f.severity == "note" for f in self.findings)

    @property
    def titles(self) -> list[str]:
        """The titles of errors and warnings, in order."""
        return [f.title for f in self.findings if f.severity != "note"]

    def add(self, severity: str, title: str, evidence: str, fix: str, layer: str = "", line: str = "") -> None:
        """Enter a finding."""
        line = line or (f"{self.called} (where nn.doctor was called)" if self.called else "")
        self.findings.append(Finding(severity, title, evidence, fix, layer, line))
        self.findings.sort(key=lambda f: list(SIGNS).index(f.severity))

    def has(self, title: str) -> bool:
        """Whether something of this title was found."""
        return any(f.title == title for f in self.findings)

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        count = {s: sum(f.severity == s for f in self.findings) for s in SIGNS}
        said = [f"{n} {s}{'s' if n != 1 else ''}" for s, n in count.items() if n]
        verdict = "healthy" if self.ok else "in need of care"
        lines = [f"nn.doctor · {self.patient}",
                 f"{verdict}: {', '.join(said) or 'nothing wrong'}; {len(self.fine)} checks found nothing", "═" * WIDTH]
        for f in self.findings:
            lines += ["", f"{SIGNS[f.severity]} {f.severity.upper()}  {f.title}"]
            for name, text in (("layer", f.layer), ("line", f.line), ("evidence", f.evidence), ("fix", f.fix)):
                if text:
                    folded = wrap(text, WIDTH - 14)
                    lines += [f"    {name:<9} {folded[0]}", *(" " * 14 + more for more in folded[1:])]
        if self.fine:
            wide = max(len(what) for what, _ in self.fine)
            lines += ["", "checked and found fine", *(f"  ✓ {what:<{wide}}  {seen}" for what, seen in self.fine)]
        if self.skipped:
            wide = max(len(what) for what, _ in self.skipped)
            lines += ["", "not checked", *(f"  - {what:<{wide}}  {why}" for what, why in self.skipped)]
        return "\n".join(lines)
