"""What a target is, and what came of it: a published number, ours, and whether they agree by a stated criterion."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple


class Outcome(NamedTuple):
    """One line of the table; `within` is None where nothing was measured."""

    what: str
    published: str
    ours: str
    difference: str
    criterion: str
    within: bool | None


class Target(NamedTuple):
    """A program that reproduces published numbers: it takes the options of the command line and yields outcomes."""

    run: Callable[[Namespace], Iterator[Outcome]]
    about: str                                # what stands in the table when it cannot run
    published: str = "-"
    packages: tuple[str, ...] = ()            # beyond NumPy, by the name they are imported by
    file: str = ""                            # the option that names what has to be downloaded first
    slow: bool = False                        # minutes: only when it is named, or with --all


def near(what: str, published: float, ours: Any, tolerance: float, digits: int = 6, unit: str = "") -> Outcome:
    """Ours is the published number, to a tolerance."""
    difference = ours - published
    return Outcome(what, f"{published:.{digits}g}{unit}", f"{ours:.{digits}g}{unit}", f"{difference:+.2g}{unit}",
                   f"± {tolerance:g}{unit}" if tolerance else "the same digits", bool(abs(difference) <= tolerance))


def between(what: str, published: str, ours: Any, low: float, high: float, digits: int = 6,
            unit: str = "") -> Outcome:
    """Ours lies where the published ones lie."""
    outside = float(ours - min(max(ours, low), high))
    return Outcome(what, published, f"{ours:.{digits}g}{unit}",
                   "inside" if outside == 0 else f"{outside:+.2g}{unit}", f"in [{low:.3g}, {high:.3g}]{unit}",
                   outside == 0)


def at_least(what: str, published: float, ours: Any, slack: float = 0.0, digits: int = 6, unit: str = "",
             shown: str = "") -> Outcome:
    """Ours is as good as the published number or better, where more is better."""
    if shown:                                 # in words; then the criterion says the number
        allowed = f">= {published - slack:.3g}{unit}"
    else:
        allowed = f">= published - {slack:g}{unit}" if slack else ">= published"
    return Outcome(what, shown or f"{published:.{digits}g}{unit}", f"{ours:.{digits}g}{unit}",
                   f"{ours - published:+.2g}{unit}", allowed, bool(ours >= published - slack))


def at_most(what: str, published: float, ours: Any, slack: float = 0.0, digits: int = 6, unit: str = "",
            shown: str = "") -> Outcome:
    """Ours is as good as the published number or better, where less is better."""
    if shown:                                 # in words; then the criterion says the number
        allowed = f"<= {published + slack:.3g}{unit}"
    else:
        allowed = "<= published" if not slack else f"<= {'published + ' if published else ''}{slack:g}{unit}"
    return Outcome(what, shown or f"{published:.{digits}g}{unit}", f"{ours:.{digits}g}{unit}",
                   f"{ours - published:+.2g}{unit}", allowed, bool(ours <= published + slack))


def percent(right: Any) -> float:
    """A fraction as a percentage."""
    return 100.0 * float(right)
