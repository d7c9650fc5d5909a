"""The table of results: what was measured, on what, and whether it is what was aimed at."""

from __future__ import annotations

import datetime
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from .timing import Duel


class Row(NamedTuple):
    """One line of the table; `met` is None where nothing can be said."""

    what: str
    target: str
    measured: str
    ours: str
    peer: str
    met: bool | None


VERDICT = {True: "yes", False: "**no**", None: "-"}
HEAD = Row("what", "target", "measured, min / median", "glassgrad, min", "peer, min", None)


def duration(seconds: float) -> str:
    """Seconds in the unit that suits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}" if seconds < 1000 * size else f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def times(what: str, limit: float, peer: str, result: Duel) -> Row:
    """The row of a target on the ratio of two times."""
    low, middle = result.ratio
    return Row(what, f"<= {limit:g} x {peer}", f"{low:.2f} / {middle:.2f} x", duration(min(result.ours)),
               duration(min(result.peers)), max(low, middle) <= limit)


def missing(what: str, limit: float, peer: str, ours: list[float]) -> Row:
    """The row of a comparison with a library that is not here."""
    return Row(what, f"<= {limit:g} x {peer}", f"{peer} is not installed", duration(min(ours)), "-", None)


def version(distribution: str) -> str:
    """The installed version, or that there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "not installed"


def machine() -> list[str]:
    """What the numbers were measured on; nothing that names the machine or its owner."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    info = Path("/proc/cpuinfo")
    models = [line.partition(":")[2].strip() for line in info.read_text().splitlines()
              if line.startswith("model name")] if info.exists() else []
    return [
        f"{datetime.date.today():%Y-%m-%d}, {cores} cores, {models[0] if models else platform.machine()}, "
        f"{platform.system()}",
        f"Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch", "micrograd")),
    ]


def table(rows: list[Row]) -> str:
    """The rows, and whether each was met."""
    return markdown([[*HEAD[:-1], "met"], *[[*row[:-1], VERDICT[row.met]] for row in rows]])


def markdown(cells: list[list[str]]) -> str:
    """A table in Markdown, its head first, in columns that line up in a terminal as well."""
    widths = [max(map(len, column)) for column in zip(*cells)]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines)


def report(rows: list[Row]) -> str:
    """The whole of RESULTS.md."""
    return "\n".join([
        "# Results", "",
        "Written by `./run bench --write`. Rivals run in turn in one process, many short runs each; ratios are of the "
        "minima, and the median over neighbouring runs; a target is met when both are.", "",
        *[f"* {line}" for line in machine()], "",
        table(rows), "",
    ])
