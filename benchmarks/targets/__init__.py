"""Programs whose results are published, written with this library: what they should give, and what they give here.

    ./run bench targets                       # all that need no download and no minutes
    ./run bench targets moons rosenbrock      # by name
    ./run bench targets --all --write         # also the slow ones; benchmarks/TARGETS.md is written
    ./run bench targets --mnist DIR --names FILE --shakespeare FILE
"""

from __future__ import annotations

from . import (
    adbench,
    burgers,
    characters,
    curvature,
    descent,
    micrograd,
    mnist,
    runner,
    sequences,
    signals,
    spiral,
    tables,
)

FAMILIES = (micrograd, spiral, tables, descent, curvature, signals, sequences, adbench, burgers, characters, mnist)
TARGETS = {name: target for family in FAMILIES for name, target in family.TARGETS.items()}


def main(arguments: list[str]) -> int:
    """The command line of `python -m benchmarks targets`."""
    return runner.main(TARGETS, arguments)
