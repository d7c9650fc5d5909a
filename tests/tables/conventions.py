"""Writes docs/conventions.md from the rows beside this file, each of which tests/autograd/test_conventions.py runs.

    ./run python tests/tables/conventions.py     # write it again after a row was added
"""

from __future__ import annotations

from pathlib import Path

import fields
import gaps
import kinks
import poles
from row import Row, cells

TARGET = Path(__file__).resolve().parents[2] / "docs" / "conventions.md"
SECTIONS: list[tuple[str, str, list[Row]]] = [*kinks.SECTIONS, *poles.SECTIONS, *gaps.SECTIONS, *fields.SECTIONS]
ROWS = [row for _, _, rows in SECTIONS for row in rows]
HEAD = """# Conventions

What a derivative is where calculus has none, and what a function gives at the edge of its domain.
Where a convention decides, it is PyTorch's (2.13); where PyTorch is merely less accurate, or NaN where there is a
number, it is the right number, and the column *PyTorch* says what PyTorch has.
Every row is a test. This page is written by `tests/tables/conventions.py`; change the rows there.

How to read a row: *function* is an expression that means the same here (`from autograd import *`,
`import nn.functional as F`) and in PyTorch (`from torch import *`, `import torch.nn.functional as F`).
*Where* gives the inputs x, y, z, in float64 unless another type stands there.
*Gradient* is that of the sum of the result, for a complex result that of the real part of the sum;
for several inputs each has its own, and "none" means that no gradient arrives. A dash: nothing is differentiated.
The name of an exception means that it is raised, in PyTorch perhaps one of another name.
−0 is written where the sign of a zero counts.
"""


def anchors() -> dict[str, str]:
    """Function -> the name of the place where its first row stands."""
    return {row.function: f"at-{row.function}" for row in ROWS if row.function}


def text() -> str:
    """The whole page."""
    lines, placed = [HEAD, "Sections: " + ", ".join(f"[{t}](#{place(t)})" for t, _, _ in SECTIONS) + "."], set()
    columns = "| function | where | value | gradient | PyTorch | note |"
    for title, about, rows in SECTIONS:
        lines += [f"\n## {title}\n", about, "", columns, "|---" * 6 + "|"]
        for row in rows:
            first, *rest = cells(row)
            if row.function and row.function not in placed:
                placed.add(row.function)
                first = f'<a id="{anchors()[row.function]}"></a>{first}'
            lines.append("| " + " | ".join([first, *rest]).rstrip() + " |")
    return "\n".join(lines) + "\n"


def place(title: str) -> str:
    """A heading as Markdown links to it."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c == "-")


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
    print(f"wrote {TARGET.name}: {len(ROWS)} rows")
