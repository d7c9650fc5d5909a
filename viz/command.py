"""The program `glassgrad`: `glassgrad draw model.py:make_model --input 32x1x28x28 --out graph.svg`, `glassgrad doctor`.

Exit status: 0 done; 1 it failed, also when the user's own code raised; 2 the words on the command line are wrong.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from . import checkup, drawing, example, files
from .target import TargetError, load, made

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  glassgrad draw model.py:make_model --input 32x1x28x28 --out graph.html
  glassgrad draw model.py:Net --input 1x784 --backward --theme dark --out backward.svg
  glassgrad draw my.models:transformer --input src=8x16:int64 --input tgt=8x16:int64 --depth 2
  glassgrad doctor
"""
DRAW = """Draw what a model does with example inputs.

TARGET is FILE.py:NAME or PACKAGE.MODULE:NAME.  NAME is a model, a class that can be made without arguments, a
factory (a function without required arguments that returns a model, or a tuple of model and inputs), a function of
tensors, or a tensor.  Without --out the picture is printed in words.
"""


class Usage(ValueError):
    """Something on the command line is wrong: exit status 2."""


def parser() -> argparse.ArgumentParser:
    """What the program takes."""
    import argparse
    whole = argparse.ArgumentParser(
        prog="glassgrad", description="Pictures of computations, and what this machine can draw.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    whole.add_argument("--version", action="version", version=f"glassgrad {checkup.ours()}")
    tasks = whole.add_subparsers(dest="task", metavar="{draw,doctor}")
    draw = tasks.add_parser("draw", help="draw a model", description=DRAW, epilog=EXAMPLES,
                            formatter_class=argparse.RawDescriptionHelpFormatter)
    draw.add_argument("target", metavar="TARGET", help="FILE.py:NAME or PACKAGE.MODULE:NAME")
    draw.add_argument("--input", "-i", action="append", default=[], metavar="[NAME=]SHAPE[:DTYPE]",
                      help="an example input, once for each: 32x1x28x28, 8x16:int64, scalar, mask=8x8:bool; "
                           "integers and booleans are zeros")
    draw.add_argument("--out", "-o", action="append", default=[], metavar="FILE",
                      help=f"write the picture here, once for each file: {' '.join(files.SUFFIXES)}")
    options = drawing.OPTIONS
    for name, about in (("direction", "which way the picture runs"), ("theme", "its colours"),
                        ("params", "parameters as rows of their cards or as nodes of their own"),
                        ("rankdir", "from top to bottom or from left to right"),
                        ("engine", "who lays it out")):
        draw.add_argument(f"--{name}", choices=[str(v) for v in options[name] if v is not None], help=about)
    for name, about in (("values", "mean and deviation of all values that are known, or no values"),
                        ("gradients", "the gradient, or the word for what is missing, on each card; or none")):
        draw.add_argument(f"--{name}", choices=["yes", "no"], help=about)
    draw.add_argument("--backward", action="store_true",
                      help="run backward too and draw it: short for --direction backward")
    draw.add_argument("--depth", type=int, metavar="N", help="how many levels of modules are open")
    draw.add_argument("--budget", type=int, metavar="N", help="about how many cards are shown; 0 shows everything")
    draw.add_argument("--dpi", type=float, default=144.0, help="of a PNG (144)")
    doctor = tasks.add_parser("doctor", help="what can be drawn here, and how to add what is missing",
                              description="Try each renderer of this machine, and name the line that adds a missing "
                                          "one.")
    for one in (draw, doctor):
        one.add_argument("--traceback", action="store_true", help="show where an error came from")
    return whole


def main(arguments: list[str] | None = None) -> int:
    """Run the program; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")          # a terminal that knows no ⊗ shows a ? there
    whole = parser()
    try:
        asked = whole.parse_args(arguments)
    except SystemExit as stop:                # argparse has said what it wants
        return stop.code if isinstance(stop.code, int) else 2
    try:
        if asked.task == "draw":
            _draw(asked)
        elif asked.task == "doctor":
            report, fine = checkup.checkup()
            print(report)
            return 0 if fine else 1
        else:
            print(whole.format_help(), end="")
            return 2
        sys.stdout.flush()
    except BrokenPipeError:                   # who reads has seen enough: `glassgrad draw ... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("glassgrad: stopped", file=sys.stderr)
        return 130
    except (Exception, SystemExit) as error:
        if asked.traceback:
            import traceback
            traceback.print_exc()
        print(f"glassgrad: {told(error)}", file=sys.stderr)
        return 2 if isinstance(error, (Usage, TargetError)) else 1
    return 0


def _draw(asked: argparse.Namespace) -> None:
    options = {name: getattr(asked, name) for name in ("direction", "theme", "params", "rankdir", "engine")
               if getattr(asked, name) is not None}
    options |= {name: getattr(asked, name) == "yes" for name in ("values", "gradients") if getattr(asked, name)}
    if asked.backward:
        if options.get("direction", "backward") == "forward":
            raise Usage("expected one direction; got --backward and --direction forward")
        options.setdefault("direction", "backward")
    if asked.depth is not None and asked.depth < 0:
        raise Usage(f"--depth: expected a number of at least 0; got {asked.depth}")
    if asked.budget is not None and asked.budget < 0:
        raise Usage(f"--budget: expected a number of at least 1, or 0 for no bound; got {asked.budget}")
    if not 1 <= asked.dpi <= 10_000:
        raise Usage(f"--dpi: expected a number from 1 to 10000; got {asked.dpi:g}")
    options |= {"depth": asked.depth} | ({"budget": asked.budget or None} if asked.budget is not None else {})
    try:
        for out in asked.out:                 # before the user's code runs, which may take long
            files.checked(out)
    except (ValueError, OSError) as error:
        raise Usage(str(error)) from error
    picture = _picture(asked, options)
    for out in asked.out:
        picture.save(out, dpi=asked.dpi) if out.lower().endswith(".png") else picture.save(out)
        print(f"{out}: {len(picture.scene.cards)} cards, {max(os.path.getsize(out) / 1000, 1):,.0f} kB")
    for note in picture.notes:
        _say(note)
    if not asked.out:
        print(picture.text)


def _picture(asked: argparse.Namespace, options: dict[str, Any]) -> drawing.Drawing:
    try:
        specs = [example.spec(text) for text in asked.input]
    except ValueError as error:
        raise Usage(str(error)) from None
    target, brought = made(load(asked.target), asked.target, bool(specs))
    if isinstance(target, drawing.Drawing):
        target = target.graph
    if not callable(target) or isinstance(target, drawing.Graph):
        if specs:
            raise Usage(f"expected no --input: {asked.target} is a {type(target).__name__}, which is computed already")
        return drawing.draw(target, **options)
    if not specs and not brought:
        raise Usage(f"expected an --input for the {type(target).__name__} of {asked.target}; "
                    "say --input 32x1x28x28 for an array of that shape, once for each argument")
    turned = options.get("direction", "forward") in ("backward", "both")
    placed, named, said = (list(brought), {}, []) if not specs else example.examples(specs, target)
    misfit = example.misfit(target, placed, named)
    if misfit:
        raise Usage(f"--input: {misfit}")
    graph, said = _run(target, specs, placed, named, said, turned)
    for line in said:
        _say(line)
    if turned and any(graph.nodes[i].shape for i in graph.outputs):
        _say("the gradient is that of the sum of the results; draw a loss for its own: a function that returns it")
    return drawing.draw(graph, **options)


def _run(target: Any, specs: list[example.Spec], placed: list[Any], named: dict[str, Any], said: list[str],
         turned: bool) -> tuple[drawing.Graph, list[str]]:
    """The graph, and what to say of the inputs: a table is looked up by whole numbers, which the user need not say."""
    try:
        return example.run(target, placed, named, turned), said
    except TypeError as error:
        guesses = example.tables(specs, target)
        for integers in guesses:
            placed, named, said = example.examples(specs, target, integers)
            try:
                return example.run(target, placed, named, turned), said
            except TypeError:
                continue
        raise error                           # what was said of the inputs as the user gave them


def _say(line: str) -> None:
    print(f"glassgrad: {line}", file=sys.stderr)


def told(error: BaseException) -> str:
    """An error in one message, with the line of the user's code it came from."""
    if isinstance(error, (Usage, TargetError)):
        return str(error)
    if isinstance(error, SyntaxError) and error.filename:
        line = (error.text or "").strip()
        return f"{_short(error.filename)}:{error.lineno}: {line}\n  {type(error).__name__}: {error.msg}"
    if isinstance(error, SystemExit):
        what = f"SystemExit: the program ended itself, exit({error.code!r})"
    elif isinstance(error, MemoryError):
        what = "MemoryError: it does not fit in memory; a smaller --input draws the same picture"
    else:
        what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    place = _users_line(error)
    if place:
        return f"{place}\n  {what}"
    if isinstance(error, (LookupError, AttributeError, AssertionError, ArithmeticError)):
        return f"{what}  (inside the library, which should have said more; --traceback shows where)"
    return what if isinstance(error, (SystemExit, MemoryError)) else str(error) or what


def _users_line(error: BaseException) -> str:
    """`model.py:12, in forward: return self.fc(x)` of the innermost line that is neither ours nor a package's."""
    import traceback
    from sysconfig import get_paths
    places = get_paths()
    installed = [os.path.realpath(places[k]) for k in ("stdlib", "platstdlib", "purelib", "platlib")]
    own = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
    installed += [os.path.join(own, room) for room in ("autograd", "nn", "optim", "viz")]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = os.path.realpath(frame.filename)
        if not frame.filename.startswith("<") and not any(path.startswith(f"{p}{os.sep}") for p in installed):
            inside = f", in {frame.name}" if frame.name != "<module>" else ""
            return f"{_short(path)}:{frame.lineno}{inside}: {frame.line}"
    return ""


def _short(path: str) -> str:
    """A path as seen from the working folder, where that is shorter."""
    try:
        near = os.path.relpath(path)
    except ValueError:                        # another drive
        return path
    return near if len(near) < len(path) else path
