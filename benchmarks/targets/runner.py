"""`./run bench targets [names]`: run the programs, print the table; --write keeps it in benchmarks/TARGETS.md."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter

import autograd

from ..table import VERDICT, duration, machine, markdown
from .outcome import Outcome, Target

PAGE = Path(__file__).resolve().parent.parent / "TARGETS.md"
HEAD = ["target", "published", "ours", "difference", "criterion", "within", "seconds"]
NOTHING = 1e-4                                # seconds in which nothing was run
DISTRIBUTIONS = {"sklearn": "scikit-learn"}   # where a package is not installed under the name it is imported by


def parsed(arguments: list[str], targets: Mapping[str, Target]) -> argparse.Namespace:
    """The command line; it ends the program where it cannot be understood."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks targets",
        description="Published results, reproduced with glassgrad: target, published, ours, difference.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to run: {', '.join(targets)}")
    parser.add_argument("--all", action="store_true", help="also those that take minutes: "
                        + ", ".join(name for name, target in targets.items() if target.slow))
    parser.add_argument("--write", action="store_true", help=f"write the table to benchmarks/{PAGE.name} too")
    parser.add_argument("--mnist", type=Path, metavar="DIR", help="folder with the four IDX files, .gz or not")
    parser.add_argument("--names", type=Path, metavar="FILE", dest="names_file", help="names.txt of makemore")
    parser.add_argument("--shakespeare", type=Path, metavar="FILE", help="tiny-shakespeare, input.txt")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in targets]
    if unknown:
        parser.error(f"there is no target {unknown[0]!r}; there are {', '.join(targets)}")
    if options.write and options.names:
        parser.error("--write writes the whole table: name no targets with it")
    for name in ("mnist", "names_file", "shakespeare"):
        path = getattr(options, name)
        if path is not None and not path.exists():
            parser.error(f"--{name.removesuffix('_file')}: there is no {path}")
    return options


def obstacle(target: Target, options: argparse.Namespace, named: bool) -> str:
    """Why a target cannot run now, in the words of the table; empty if it can."""
    if target.file and getattr(options, target.file) is None:
        return f"needs --{target.file.removesuffix('_file')}"
    absent = [DISTRIBUTIONS.get(name, name) for name in target.packages if not find_spec(name)]
    if absent:
        return f"needs {', '.join(absent)}"
    if target.slow and not (named or options.all or target.file):  # whoever names a file wants it read
        return "minutes: runs with --all"
    return ""


def lines(targets: Mapping[str, Target], options: argparse.Namespace) -> Iterator[tuple[Outcome, float | None]]:
    """Every outcome, with the seconds since the one before, None where that measured it too."""
    for name in options.names or targets:
        target = targets[name]
        reason = obstacle(target, options, name in options.names)
        if reason:
            yield Outcome(target.about, target.published, reason, "-", "-", None), None
            continue
        autograd.manual_seed(0)               # each target gives the same, alone or among others
        start = perf_counter()
        for outcome in target.run(options):
            seconds = perf_counter() - start
            yield outcome, seconds if seconds > NOTHING else None      # the line before measured it too
            start = perf_counter()


def cells(found: list[tuple[Outcome, float | None]]) -> list[list[str]]:
    """The table, its head first."""
    return [HEAD, *[[*(cell.replace("|", r"\|") for cell in outcome[:-1]), VERDICT[outcome.within],
                     "-" if seconds is None else duration(seconds)] for outcome, seconds in found]]


def page(found: list[tuple[Outcome, float | None]]) -> str:
    """The whole of TARGETS.md."""
    met = [outcome.within for outcome, _ in found]
    return "\n".join([
        "# Targets", "",
        "Published results and what glassgrad gets, written by `./run bench targets --write` (`--all` for those that "
        "take minutes). The programs are in [`targets/`](targets); each says where its number comes from. Seconds "
        "are those of this machine, with everything that a target needs: data, training, measuring.", "",
        *[f"* {line}" for line in machine()],
        f"* {met.count(True)} within, {met.count(False)} not, {met.count(None)} not run", "",
        markdown(cells(found)), "",
    ])


def main(targets: Mapping[str, Target], arguments: list[str]) -> int:
    """Run what the command line asks for; 1 if something is not within its criterion."""
    options = parsed(arguments, targets)
    found = []
    for outcome, seconds in lines(targets, options):
        found.append((outcome, seconds))
        print(f"  {outcome.what}: {outcome.ours} (published {outcome.published})"
              + ("" if seconds is None else f", {duration(seconds)}"), file=sys.stderr, flush=True)
    print("\n".join(machine()), "", markdown(cells(found)), sep="\n")
    if options.write:
        PAGE.write_text(page(found), encoding="utf-8")
    return 1 if any(outcome.within is False for outcome, _ in found) else 0
