"""`python -m benchmarks [--write] [names]`: run the groups named, or all, and print the table.

`python -m benchmarks targets [...]` is another table, of published numbers reached: see benchmarks/targets.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import (
    hips,
    kernels,
    layers,
    memory,
    optimizers,
    overhead,
    pages,
    pictures,
    progress,
    recurrent,
    scalars,
    startup,
    targets,
    training,
    watching,
)
from .table import machine, report, table

GROUPS = {
    "scalars": scalars,
    "training": training,
    "kernels": kernels,
    "layers": layers,
    "recurrent": recurrent,
    "optimizers": optimizers,
    "hips": hips,
    "overhead": overhead,
    "startup": startup,
    "memory": memory,
    "pictures": pictures,
    "pages": pages,
    "watching": watching,
    "progress": progress,
}
RESULTS = Path(__file__).resolve().parent / "RESULTS.md"


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["targets"]:
        return targets.main(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="glassgrad beside other libraries",
        epilog="`targets` runs the programs whose results are published: python -m benchmarks targets --help")
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to run: {', '.join(GROUPS)} (all by default)")
    parser.add_argument("--write", action="store_true", help=f"write the table to benchmarks/{RESULTS.name} too")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in GROUPS]
    if unknown:
        parser.error(f"there is no {unknown[0]!r}; there are {', '.join(GROUPS)}")
    if options.write and options.names:
        parser.error("--write writes the whole table: name no groups with it")
    print("\n".join(machine()), flush=True)
    rows = []
    for name in options.names or GROUPS:
        for row in GROUPS[name].rows():
            rows.append(row)
            print(f"  {row.what}: {row.measured}", file=sys.stderr, flush=True)
    print(f"\n{table(rows)}")
    if options.write:
        RESULTS.write_text(report(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
