"""The house: a file imports only from floors below its own, also inside functions; and what else all files keep to.

FLOORS lists every file of the packages once, from the ground up.  Files of one floor stand side by side and do not
import one another, so there is no import cycle anywhere.  What stands under `if TYPE_CHECKING` is for type checkers and
editors and does not count.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent

# By package, the ground floor first; "" is the package's own __init__.py, "ops" that of ops/.
FLOORS = {
    "autograd": [
        ("cuda", "devices", "errors", "heap", "place", "promotion", "quiet", "node"),
        ("ancestry", "changes", "describe", "modes"),
        ("tensor",),
        ("aliasing", "copying", "creation", "guard", "recording"),
        ("call",),
        ("forms",),
        ("op",),
        ("ops.portions",),
        (
            "ops.accumulate",
            "ops.winograd",
            "ops.axes",
            "ops.composed",
            "ops.erf",
            "ops.logarithms",
            "ops.scipy_functions",
        ),  # no ops yet: what several of them need
        ("ops.linear", "ops.logic", "ops.operands", "ops.windows", "ops.counting"),
        ("ops.elementwise", "ops.matrix", "ops.rows", "ops.sliding", "ops.bessel"),
        (
            "ops.activation",
            "ops.arithmetic",
            "ops.binary",
            "ops.einsum",
            "ops.gaussian",
            "ops.polynomials",
            "ops.reduce",
            "ops.shape",
            "ops.solve",
            "ops.unary",
        ),
        (
            "ops.alignment",
            "ops.blanks",
            "ops.complex_parts",
            "ops.cosines",
            "ops.draws",
            "ops.fills",
            "ops.finite",
            "ops.fractional",
            "ops.histograms",
            "ops.mantissa",
            "ops.native",
            "ops.queries",
            "ops.symmetric",
            "ops.tapers",
            "ops.adaptive",
            "ops.arrange",
            "ops.compose",
            "ops.conv",
            "ops.factorize",
            "ops.fourier",
            "ops.loss",
            "ops.triangular",
            "ops.matrix_functions",
            "ops.normalize",
            "ops.rounding",
            "ops.scan",
            "ops.scattering",
            "ops.special",
            "ops.stacking",
            "ops.statistics",
            "ops.unpool",
            "ops.writing",
        ),
        (
            "ops.averages",
            "ops.copied",
            "ops.curves",
            "ops.edits",
            "ops.segments",
            "ops.strided",
            "ops.copies",
            "ops.pool",
            "ops.products",
            "ops.spectral",
            "ops.shorttime",
        ),
        ("ops.image", "ops.singular"),
        ("ops.lowrank", "ops.norms", "ops.warp"),
        ("ops.lengths",),
        ("ops",),
        ("sweep",),
        ("graph.costs", "graph.naming", "graph.cut", "graph.families", "graph.nodes", "graph.trees", "graph.watched"),
        ("graph.reading", "graph.sweeping", "graph.text"),
        ("graph.exchange", "graph.sizes", "graph.tracing"),
        ("graph.running",),
        ("graph.again", "graph.filling", "graph.rewriting"),
        ("graph.derivative", "graph.identities"),
        ("graph.passes",),
        ("graph.difference",),
        ("graph.graphs",),
        ("graph.entry",),
        ("masked", "signal", "methods", "backward", "graph", "special", "fft", "linalg", "transforms.trees"),
        ("transforms.calls", "transforms.functional", "transforms.rules", "transforms.forward"),
        ("transforms.gradient", "transforms.step", "transforms.rules_shape", "transforms.rules_linear",
         "transforms.lanes"),
        ("transforms.levels", "transforms.recompute", "transforms.custom", "transforms.curvature"),
        ("transforms.batching", "transforms.jets"),
        ("transforms.jacobians",),
        ("transforms",),
        ("anomaly", "check", "inplace", "reasons", "protocols.arguments"),
        ("protocols.complexes", "protocols.fourier", "protocols.reductions", "protocols.shapes"),
        ("protocols.joining", "protocols.orders", "protocols.products", "protocols.selecting"),
        ("protocols.linalg",),
        ("protocols.dispatch",),
        ("protocols.hooks",),
        ("protocols", "function"),
        ("builtins", "spaces", "numpy.adapted", "numpy.creation", "numpy.joined", "numpy.numpy_boxes", "numpy.random",
         "scipy.installed", "scipy.signal", "misc.tracers"),
        ("differential_operators", "extend", "misc.flatten", "numpy.fft", "numpy.linalg"),
        ("misc", "misc.fixed_points", "misc.optimizers", "numpy", "scipy.integrate", "scipy.linalg", "scipy.special",
         "test_util", "tracer"),
        ("core", "scipy.stats.supports"),
        ("scipy.stats.beta", "scipy.stats.dirichlet", "scipy.stats.gamma", "scipy.stats.multivariate_normal",
         "scipy.stats.norm", "scipy.stats.poisson", "scipy.stats.t"),
        ("scipy.stats.chi2",),
        ("scipy.stats",),
        ("scipy",),
        ("",),
    ],
    "optim": [
        ("loop", "checks", "hooks", "line_search"),
        ("saving", "clip"),
        ("optimizer",),
        ("sgd", "adam", "adagrad", "rmsprop", "adadelta", "adafactor", "adamax", "around", "asgd", "lbfgs", "lion",
         "muon", "nadam", "radam", "rprop", "schedule_free", "lr_scheduler.scheduler"),
        ("registry", "lr_scheduler.cycles", "lr_scheduler.decay", "lr_scheduler.plateau", "lr_scheduler.warmup"),
        ("lr_scheduler.sequences",),
        ("lr_scheduler",),
        ("swa_utils",),
        ("",),
    ],
    "nn": [
        ("cache", "data.check", "data.cifar", "data.dataset", "data.embedded", "data.idx", "data.prefetch",
         "diagnosis.report", "functional.channels", "functional.composed", "functional.layers",
         "functional.reduction", "functional.rules", "functional.unrolled", "functional.variants", "hooks", "init",
         "location", "members", "metrics.metric", "packing", "parameter", "training", "training.history",
         "training.progress", "training.randomness", "training.spelling", "training.warned", "utils", "utils.fusion",
         "utils.vectors", "whole"),
        ("callbacks.monitor", "callbacks.records", "data.augmentation", "data.images", "data.joining", "data.loader",
         "functional.activation", "functional.attending", "functional.bags", "functional.dropping",
         "functional.loss", "functional.normalization", "functional.recurrent", "metrics.accuracy",
         "metrics.confusion", "metrics.likelihood", "metrics.ranking", "metrics.regression", "npz", "safetensors",
         "state", "utils.rnn"),
        ("callbacks.rates", "callbacks.stopping", "data", "data.generated", "data.sampling", "data.sequences",
         "data.text", "files", "functional", "functional.attention", "functional.loss_variants", "functional.margin",
         "metrics.registry", "module", "training.feed"),
        ("containers", "diagnosis.kept", "distance", "dropout", "everywhere", "functional.heads", "linear", "losses",
         "merging", "metrics", "noise", "padding", "parameters", "pooling", "regularizers", "training.checkpoint",
         "training.objective", "training.outputs", "training.summary", "utils.prune"),
        ("activation", "attention", "callbacks.saving", "cells", "convolution", "diagnosis.case", "embedding",
         "likelihoods", "loss_variants", "margins", "normalization", "positions", "recurrent", "resampling",
         "training.plan", "training.saved", "utils.parametrize"),
        ("blocks", "callbacks", "diagnosis.gradients", "diagnosis.outputs", "diagnosis.rows", "diagnosis.training",
         "gpt", "grouped", "lazy", "separable", "training.tuning", "transformer", "utils.parametrizations",
         "variants", "vit"),
        ("additive", "diagnosis.examination", "training.watch", "utils.reparametrized"),
        ("diagnosis", "training.rehearsal"),
        ("training.passes",),
        ("training.fitting",),
        ("training.model",),
        ("", "estimators"),
    ],
    "viz": [
        ("backend", "chain", "chain.elements", "chain.values", "compare", "compare.renaming", "coordinates", "embed",
         "example", "files", "fold", "live", "live.statistics", "offline", "plots", "plots.running", "plots.values",
         "scene", "second", "signs", "target", "text", "theme"),
        ("chain.handles", "chain.local", "chain.names", "chain.programs", "checkup", "compare.colours",
         "compare.gradients", "compare.merge", "dot", "layered", "live.probe", "marks", "mermaid",
         "offline.arithmetic", "offline.colours", "outline", "plots.animation", "plots.directions", "plots.style",
         "shapes", "view"),
        ("chain.cone", "chain.expressions", "chain.folding", "chain.scalar", "compare.fold", "layout", "live.record",
         "measure", "offline.units", "plots.activations", "plots.boundary", "plots.curves", "plots.distributions",
         "plots.images", "plots.matrices", "plots.terrain", "reverse", "svg", "tikz", "words", "xdot"),
        ("cards", "chain.formulas", "chain.paths", "compare.picture", "follow", "live.table", "offline.stepping",
         "paint", "painting", "plots.race", "plots.surfaces", "plots.trajectory"),
        ("chain.sections", "compose", "live.panel", "offline.pictures", "offline.walk"),
        ("beside", "chain.latex", "chain.picture", "chain.text", "live.page", "offline.animation", "offline.inset",
         "offline.record"),
        ("chain.explaining", "drawing", "live.screens", "offline.document"),
        ("chain.zooming", "command", "compare.diff", "live.watch", "page"),
        ("", "__main__"),
    ],
}

# What a package may take from the others; "autograd.graph" is that file alone, "autograd" all of it.
DOORS = {"autograd": [], "optim": ["autograd"], "nn": ["autograd"], "viz": ["autograd.graph"]}
OWN_DOORS = {
    "nn.training.plan": ["optim"], "nn.estimators": ["optim"],
    "nn.utils": ["optim"],
    "optim.swa_utils": ["nn"],
    "viz.demo": ["autograd", "nn", "optim"],
    "viz.example": ["autograd"],
    "viz.plots.running": ["autograd"],
    "viz.plots.race": ["autograd"],
    "viz.plots.activations": ["autograd", "nn"],
}

# What a file may import when it is imported itself: NumPy, and what NumPy or Python has loaded by then.
LIGHT = """
    __future__ builtins collections contextlib contextvars copy enum functools inspect itertools keyword math numbers
    numpy operator os re reprlib string sys textwrap time types typing warnings weakref zlib
"""

# Files that are loaded when asked for, and what they cannot be written without.
MADE_OF = {"nn.estimators": ("sklearn",)}

WORDS = {"util", "utils", "helper", "helpers", "manager", "managers", "impl", "misc"}
OTHERS_NAMES = {
    "autograd.misc",
    "autograd.test_util",
    "nn.utils",
    "optim.swa_utils",
}  # where published programs import from
LONGEST, LONG = 400, 350                      # lines


class Import(NamedTuple):
    target: str                               # a dotted module of the house, or the first part of any other
    ours: bool
    line: int
    hidden: bool                              # inside a function


def modules() -> Iterator[tuple[str, Path]]:
    """(dotted name, file) of all that is installed; a package is its __init__.py."""
    for package in FLOORS:
        for file in sorted((ROOT / package).rglob("*.py")):
            parts = file.relative_to(ROOT).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


FILES = dict(modules())
FLOOR = {f"{package}.{name}".rstrip("."): (package, height)
         for package, floors in FLOORS.items() for height, names in enumerate(floors) for name in names}


def nodes(tree: ast.AST, hidden: bool = False) -> Iterator[tuple[ast.AST, bool]]:
    """Everything that runs, and whether it runs inside a function."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other, hidden
                yield from nodes(other, hidden)
            continue
        yield child, hidden
        yield from nodes(child, hidden or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)))


def house_module(dotted: str) -> str | None:
    """The file that a dotted name is, or is a name in; None for what is not of the house."""
    parts = dotted.split(".")
    if parts[0] not in FLOORS:
        return None
    while ".".join(parts) not in FILES:
        parts.pop()
    return ".".join(parts)


@cache
def imports(module: str) -> list[Import]:
    """All that a file imports, at its top and inside its functions."""
    file, found = FILES[module], []
    package = module.split(".") if file.name == "__init__.py" else module.split(".")[:-1]
    for node, hidden in nodes(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*(package[:len(package) - node.level + 1] if node.level else []),
                             *([node.module] if node.module else [])])
            targets = [base if alias.name == "*" else f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            ours = house_module(target)
            found.append(Import(ours or target.split(".")[0], ours is not None, node.lineno, hidden))
    return found


def where(module: str, line: int = 0) -> str:
    path = FILES[module].relative_to(ROOT).as_posix()
    return f"{path}:{line}" if line else path


def test_every_file_has_a_floor():
    homeless = []
    for module in sorted(FILES.keys() - FLOOR.keys()):
        below = sorted({i.target for i in imports(module) if i.ours})
        above = sorted(m for m in FILES if any(i.target == module for i in imports(m)))
        homeless.append(f"{where(module)}: above what it imports ({', '.join(below) or 'nothing'}) and below what "
                        f"imports it ({', '.join(above) or 'nothing'})")
    assert not homeless, "enter in FLOORS in tests/test_house.py\n" + "\n".join(homeless)
    gone = FLOOR.keys() - FILES.keys()
    assert not gone, f"take out of FLOORS in tests/test_house.py what is no file any more: {sorted(gone)}"
    assert len(FLOOR) == sum(len(names) for floors in FLOORS.values() for names in floors), "a file is listed twice"


@pytest.mark.parametrize("module", FILES)
def test_a_file_imports_from_floors_below(module):
    package, height = FLOOR.get(module, (module.split(".")[0], len(FLOORS[module.split(".")[0]])))
    for target, ours, line, hidden in imports(module):
        if not ours or target == module:
            continue
        inside = " (hidden inside a function)" if hidden else ""
        if target.split(".")[0] == package:
            assert FLOOR.get(target, (package, -1))[1] < height, \
                f"{where(module, line)} imports {target}{inside}, which is not on a floor below it: move what both " \
                "need to a file below them"
        else:
            doors = DOORS[package] + OWN_DOORS.get(module, [])
            assert any(target == door or target.startswith(f"{door}.") for door in doors), \
                f"{where(module, line)} imports {target}{inside}; of the other packages it may import " \
                f"{' and '.join(doors) or 'nothing'}"


@cache
def at_once() -> set[str]:
    """The files that `import autograd, nn, optim, viz` loads; the others wait until they are asked for."""
    program = "import autograd, nn, optim, viz, sys; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True,
                              encoding="utf-8").stdout.split())


@pytest.mark.parametrize("module", FILES)
def test_heavy_imports_stand_where_they_are_used(module):
    allowed = {*LIGHT.split(), *MADE_OF.get(module, ())} | (set() if module in at_once() else sys.stdlib_module_names)
    for target, ours, line, hidden in imports(module):
        assert ours or hidden or target.split(".")[0] in allowed, \
            f"{where(module, line)} imports {target} when it is imported: move that into the function that uses it"


@pytest.mark.parametrize("module", FILES)
def test_no_import_is_out_of_sight(module):
    """`import_module(name)` and `__import__` would get round the floors; only a package's lazy exports do that."""
    if FILES[module].name == "__init__.py":
        return
    for node, _ in nodes(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert not called.endswith(("import_module", "__import__")), f"{where(module, node.lineno)}: {called}(...)"


@pytest.mark.parametrize("module", [m for m, file in FILES.items() if file.name == "__init__.py"])
def test_a_package_file_only_exports(module):
    """Imports, other names for what was imported, `__all__`; and functions only to export lazily (PEP 562)."""
    for node in ast.parse(FILES[module].read_text(encoding="utf-8")).body:
        fine = (isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign))
                or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
                or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
                or (isinstance(node, ast.FunctionDef) and node.name in ("__getattr__", "__dir__")))
        assert fine, f"{where(module, node.lineno)}: an __init__.py only exports; move this to a file of its own"


def test_no_late_family_hides_a_function():
    """Importing `ops/scatter.py` would put the module where `ops.scatter`, the function, is looked for."""
    import autograd.ops
    import nn.functional
    for home, package in (("autograd/ops", autograd.ops), ("nn/functional", nn.functional)):
        late = {name.rpartition(".")[2] for name in package.FAMILIES}
        functions = set(package.LATE) | {n for n, f in vars(package).items() if callable(f)}
        assert not late & functions, f"{home}: rename {sorted(late & functions)}"


def lengths() -> list[tuple[int, str]]:
    return sorted(((len(file.read_text(encoding="utf-8").splitlines()), where(m)) for m, file in FILES.items()),
                  reverse=True)


@pytest.mark.filterwarnings("default:near the limit")
def test_no_file_is_long():
    near = [f"{name} {n}" for n, name in lengths() if LONG < n <= LONGEST]
    if near:
        warnings.warn(f"near the limit of {LONGEST} lines: {', '.join(near)}", stacklevel=1)
    over = [f"{name} has {n} lines" for n, name in lengths() if n > LONGEST]
    assert not over, f"{'; '.join(over)}: a file is one subject, of {LONGEST} lines at most; split it"


@pytest.mark.parametrize("module", FILES)
def test_names_say_what_a_thing_is(module):
    named = [] if module in OTHERS_NAMES else [(module.rsplit(".", 1)[-1], 0)]
    for node, _ in nodes(ast.parse(FILES[module].read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            named.append((node.name, node.lineno))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            named.append((node.id, node.lineno))
    for name, line in named:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
        assert not WORDS & set(words), f"{where(module, line)}: {name!r} says nothing of what it is; name its subject"


def texts() -> Iterator[tuple[str, str]]:
    """Every text file of the repository but what tools leave behind."""
    skipped = {"__pycache__", "build", "dist", "htmlcov"}
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        dotted = any(part.startswith(".") and part not in (".ci", ".gitignore") for part in parts)
        if dotted or any(part in skipped or part.endswith(".egg-info") for part in parts) or not path.is_file():
            continue
        try:
            yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:            # a picture
            continue


# Written so that this file does not contain what it looks for.
PLACES = re.compile(r"(?<![\w.~])/(?:root|home|work|tmp|Users|mnt|scratch)/\w|[A-Z]:\\\\?Users\\")
HOSTS = re.compile(r"\b(?:pypi|pythonhosted|anaconda|npmjs)\.(?:org|com)\b|\bdownload\.pytorch\.org\b")


def test_nobody_names_a_machine_or_a_registry():
    for name, text in texts():
        for line, content in enumerate(text.splitlines(), 1):
            for what, pattern in (("a path of some machine", PLACES), ("the host of a package registry", HOSTS)):
                found = pattern.search(content)
                assert not found, f"{name}:{line} names {what}: {content[max(found.start() - 30, 0):][:80]!r}"
