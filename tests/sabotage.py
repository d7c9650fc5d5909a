"""Is a bug noticed?  Each entry breaks one thing in a copy of the repository; the tests it names must then fail.

    ./run python tests/sabotage.py [word ...]          entries whose description or file has one of the words; or all

The tree itself is never written to.  An entry whose text no longer stands in its file exactly once is out of date, and
so an error: mend it together with what it is about.  Without the mutation the same tests must pass.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("autograd", "nn", "optim", "viz", "tests", "benchmarks", "pyproject.toml")
FAILED = 1                                    # pytest's exit status when tests ran and some failed


class Sabotage(NamedTuple):
    """A mutation: in `file`, `old` becomes `new`; `tests` are the files that must notice, `only` a choice of theirs."""

    what: str
    file: str
    old: str
    new: str
    tests: str
    only: str = ""


ROWS, BACKWARD = "tests/autograd/test_rows.py", "tests/autograd/test_backward.py"
INPLACE = "tests/autograd/test_inplace.py"

SABOTAGES = [
    # -- rules -----------------------------------------------------------------------------------------
    Sabotage(
        "a wrong sign in a rule",
        "autograd/ops/elementwise.py",
        "y=lambda g: -g, symbol",
        "y=lambda g: g, symbol",
        ROWS,
        "subtract",
    ),
    Sabotage(
        "raw NumPy in a rule",
        "autograd/ops/elementwise.py",
        "x=lambda g, x: g * cos(x), floating",
        "x=lambda g, x: g * np.cos(getattr(x, 'value', x)), floating",
        ROWS,
        "[sin-",
    ),
    Sabotage(
        "a rule in float64",
        "autograd/ops/elementwise.py",
        "g * out * 0.6931471805599453",
        "g * out * np.float64(0.6931471805599453)",
        ROWS,
        "exp2",
    ),
    Sabotage(
        "the slope of relu at 0 is 1",
        "autograd/ops/activation.py",
        "keep(g, ~(out <= 0))",
        "keep(g, ~(out < 0))",
        "tests/autograd/test_conventions.py",
        "relu",
    ),
    Sabotage(
        "the rule of softmax lacks the sum",
        "autograd/ops/reduce.py",
        "out * (g - sum(g * out, dim=dim, keepdim=True))",
        "out * g",
        ROWS,
        "[softmax-",
    ),
    Sabotage(
        "softmax overflows",
        "autograd/ops/rows.py",
        "np.subtract(x[at], np.max(x[at], axis=1, keepdims=True), out=e)",
        "np.copyto(e, x[at])",
        "tests/autograd/test_kernels.py",
        "softmax",
    ),
    Sabotage(
        "a rule of matmul without the transpose",
        "autograd/ops/matrix.py",
        "    return g @ y.mT\n",
        "    return g @ y\n",
        ROWS,
        "matmul",
    ),
    Sabotage(
        "repeated indices overwrite each other",
        "autograd/ops/linear.py",
        "np.add.at(out, index, x)",
        "out[index] = x",
        ROWS,
        "[getitem- or [put-",
    ),
    Sabotage(
        "an op writes into its input",
        "autograd/ops/elementwise.py",
        "    return x * x if x.dtype.kind",
        "    x = np.asarray(x)\n    x *= x\n    return x if x.dtype.kind",
        ROWS,
        "square",
    ),
    # -- the engine ------------------------------------------------------------------------------------
    Sabotage(
        "broadcasting is not undone",
        "autograd/sweep.py",
        "if shape and gp.shape != p.shape:",
        "if False:",
        BACKWARD,
        "broadcasting",
    ),
    Sabotage(
        "a value used twice gets the last gradient only",
        "autograd/sweep.py",
        "grads[p] = grads[p] + gp",
        "grads[p] = gp",
        BACKWARD,
        "twice or diamonds",
    ),
    Sabotage(
        "backward() replaces .grad",
        "autograd/backward.py",
        "node.grad = before + g if create_graph else wrap(before.value + g)",
        "node.grad = g if create_graph else wrap(g)",
        BACKWARD,
        "accumulate",
    ),
    Sabotage(
        "leaves share one gradient array",
        "autograd/backward.py",
        "g.copy() if g.base is not None",
        "g.copy() if False",
        BACKWARD,
        "share or own",
    ),
    Sabotage(
        "a needed value is not kept",
        "autograd/forms.py",
        "node.saved = (xv, yv)",
        "node.saved = (xv, xv)",
        ROWS,
        "multiply or [divide",
    ),
    Sabotage(
        "more is kept than the rules name",
        "autograd/op.py",
        "self.kept = tuple(i for i, name in enumerate(record) if any(name in names for names in asked.values()))",
        "self.kept = tuple(range(len(record)))",
        "tests/autograd/test_errors.py",
        "second_backward",
    ),
    Sabotage(
        "no_grad is ignored",
        "autograd/modes.py",
        "return mode._replace(grad=False, since=user_line())",
        "return mode",
        "tests/autograd/test_modes.py",
    ),
    Sabotage(
        "what was saved is not freed",
        "autograd/sweep.py",
        "if not retain and saved:",
        "if False:",
        BACKWARD,
        "second or freed",
    ),
    Sabotage(
        "hooks are not called",
        "autograd/sweep.py",
        "for hook in tuple(extra.hooks.values()):",
        "for hook in ():",
        BACKWARD,
        "hook",
    ),
    Sabotage(
        "assigning into a tensor changes what a graph has saved",
        "autograd/sweep.py",
        "            check_saved(node)\n        saved: Any",
        "            pass\n        saved: Any",
        INPLACE,
        "saved or random",
    ),
    Sabotage(
        "a view does not follow its root",
        "autograd/inplace.py",
        "view.node = seen.node",
        "pass",
        INPLACE,
        "views or random",
    ),
    Sabotage(
        "a root does not follow its view",
        "autograd/inplace.py",
        "root.node = made.node",
        "pass",
        INPLACE,
        "views or random",
    ),
    Sabotage(
        "a changed NumPy array goes unnoticed",
        "autograd/guard.py",
        "if not _same(value, mark):",
        "if False:",
        INPLACE,
        "numpy",
    ),
    Sabotage(
        "an element that was not selected has a slope",
        "autograd/sweep.py",
        "if op.selects or mask is not None:",
        "if False:",
        "tests/autograd/test_selection.py",
    ),
    Sabotage(
        "forward mode takes the rule of the other input",
        "autograd/sweep.py",
        "part = op.pull(i, d, saved, node)",
        "part = op.pull(len(op.pulls) - 1 - i, d, saved, node)",
        ROWS,
        "forward_mode and (divide or power)",
    ),
    Sabotage(
        "a recorded sweep cuts the history of the result",
        "autograd/sweep.py",
        "    made = (*node.parents, node)\n    saved",
        "    made = (*node.parents, None)\n    saved",
        ROWS,
        "gradient_of_the_gradient and (exp or tanh)",
    ),
    Sabotage(
        "an op is drawn at the library's line, not the user's",
        "autograd/place.py",
        "        if not ours:",
        "        if True:",
        ROWS,
        "recording_changes_nothing and add",
    ),
    Sabotage(
        "the history is walked by recursion",
        "autograd/ancestry.py",
        """    for node in order:                        # grows while it is walked
        for p in node.parents:
            if p is not None and p not in found and p.index >= since and (leaves or p.op is not None):
                add(p)
                append(p)
""",
        """    def visit(node):
        for p in node.parents:
            if p is not None and p not in found and p.index >= since and (leaves or p.op is not None):
                found.add(p)
                order.append(p)
                visit(p)
    for node in list(order):
        visit(node)
""",
        BACKWARD,
        "long_chain",
    ),
    Sabotage(
        "nodes hold their tensors: a reference cycle",
        "autograd/tensor.py",
        """    tensor = new(Tensor)
    tensor.value, tensor.node = value, node
""",
        """    tensor = new(Tensor)
    tensor.value, tensor.node = value, node
    node.grad = tensor
""",
        BACKWARD,
        "no_garbage or last_user",
    ),
    Sabotage(
        "a Python number is a float64",
        "autograd/promotion.py",
        "else _default if isinstance(v, float)",
        "else float64 if isinstance(v, float)",
        "tests/autograd/test_promotion.py",
    ),
    # -- the house -------------------------------------------------------------------------------------
    Sabotage(
        "an import from a floor above, hidden in a function",
        "autograd/tensor.py",
        "def wrap(value: Any,",
        "def _late():\n    from . import sweep\n\n\ndef wrap(value: Any,",
        "tests/test_house.py",
        "floors_below",
    ),
    Sabotage(
        "a heavy import at the top",
        "optim/optimizer.py",
        "import numpy as np\n",
        "import json\n\nimport numpy as np\n",
        "tests/test_house.py tests/test_imports.py",
        "optimizer or optim]",
    ),
    # -- nn --------------------------------------------------------------------------------------------
    Sabotage(
        "dropout drops in evaluation",
        "nn/dropout.py",
        "F.dropout(input, self.p, self.training, self.inplace)",
        "F.dropout(input, self.p, True, self.inplace)",
        "tests/nn/test_layers.py",
        "dropout",
    ),
    Sabotage(
        "labels are not checked",
        "autograd/ops/loss.py",
        "    check_classes(target, c)\n",
        "",
        "tests/nn/test_losses.py",
        "refused or ignored",
    ),
    Sabotage(
        "a state that does not fit is loaded half-way",
        "nn/state.py",
        "    if wrong or (strict and (missing or unexpected)):\n",
        "    for path in values.keys() - set(wrong):\n        own[path].data = values[path]\n"
        "    if wrong or (strict and (missing or unexpected)):\n",
        "tests/nn/test_state.py",
        "nothing_is_changed",
    ),
    Sabotage(
        "batch norm forgets the unbiased variance",
        "nn/functional/channels.py",
        "var * (n / (n - 1))",
        "var",
        "tests/nn/test_layers.py",
        "batch_norm",
    ),
    Sabotage(
        "a shared parameter is learned twice",
        "nn/module.py",
        "if not (remove_duplicate and id(tensor) in seen):",
        "if True:",
        "tests/nn/test_module.py",
        "shared",
    ),
    Sabotage(
        "only the module itself is put in evaluation mode",
        "nn/module.py",
        "for module in self.modules():\n            module.training",
        "for module in [self]:\n            module.training",
        "tests/nn/test_module.py",
        "modes",
    ),
    Sabotage(
        "the last, smaller batch is left out",
        "nn/data/loader.py",
        "stop = n - n % size if self.drop_last else n",
        "stop = n - n % size",
        "tests/nn/test_data.py",
        "in_order",
    ),
    Sabotage(
        "fit() does not clear the gradients",
        "nn/training/passes.py",
        "optimizer.zero_grad()\n            output = run(x)",
        "output = run(x)",
        "tests/nn/test_model.py",
        "bit_for_bit",
    ),
    # -- optim -----------------------------------------------------------------------------------------
    Sabotage(
        "the optimizer writes into arrays that a graph holds",
        "optim/optimizer.py",
        "p.value = update(value, grad.value, state[p])    #",
        "np.copyto(value, update(value, grad.value, state[p]))    #",
        "tests/optim/test_rules.py",
        "graph or written",
    ),
    Sabotage(
        "Adam without bias correction",
        "optim/adam.py",
        "c1, c2 = 1 - b1**t, sqrt(1 - b2**t)",
        "c1, c2 = 1.0, 1.0",
        "tests/optim/test_rules.py",
        "pytorch",
    ),
    Sabotage(
        "momentum with the wrong sign of dampening",
        "optim/sgd.py",
        "(1 - tau) * g",
        "(1 + tau) * g",
        "tests/optim/test_rules.py",
        "pytorch",
    ),
    Sabotage(
        "weight decay that is not decoupled in AdamW",
        "optim/adam.py",
        "keep = 1 - lr * float(group",
        "keep = 1 - float(group",
        "tests/optim/test_rules.py",
        "pytorch and AdamW",
    ),
    Sabotage(
        "clipping raises small gradients to the norm",
        "optim/clip.py",
        "    if scale >= 1:",
        "    if False:",
        "tests/optim/test_clip.py",
        "left_alone",
    ),
    Sabotage(
        "zero_grad forgets nothing",
        "optim/optimizer.py",
        "                    p.zero_grad()\n",
        "                    pass\n",
        "tests/optim/test_optimizer.py",
        "zero_grad",
    ),
    Sabotage(
        "a schedule one step late",
        "optim/lr_scheduler/decay.py",
        "self.gamma ** (t // self.step_size)",
        "self.gamma ** ((t - 1) // self.step_size)",
        "tests/optim/test_lr_scheduler.py",
        "pytorch",
    ),
    # -- viz -------------------------------------------------------------------------------------------
    Sabotage(
        "names reach the SVG unescaped",
        "viz/svg.py",
        'text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")\n',
        "text = str(text)\n",
        "tests/viz/test_svg.py",
    ),
    Sabotage(
        "names reach Graphviz unescaped",
        "viz/dot.py",
        'return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace(\'"\', "&quot;")',
        "return text",
        "tests/viz/test_dot.py",
    ),
]


def out_of_date(entry: Sabotage) -> str:
    """What is wrong with an entry; empty if its text stands in its file exactly once."""
    file = ROOT / entry.file
    found = file.read_text(encoding="utf-8").count(entry.old) if file.exists() else 0
    if found == 1:
        return ""
    return f"{entry.what}: the text {entry.old.strip()[:60]!r} stands {found} times in {entry.file}; mend the entry"


class Outcome(NamedTuple):
    entry: Sabotage
    caught: bool                              # the tests passed in the copy as it was, and failed in the mutated one
    by: str                                   # the first test that failed, or what went wrong instead
    seconds: float


def copy_to(folder: Path) -> Path:
    """The repository without what tools leave behind."""
    for name in PARTS:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        else:
            shutil.copy2(ROOT / name, folder / name)
    return folder


def run(folder: Path, entry: Sabotage) -> subprocess.CompletedProcess[str]:
    """The tests of an entry.  No compiled files: one as old and as long as the text before would be taken for it."""
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**ours, "PYTHONDONTWRITEBYTECODE": "1", "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-rf", "--tb=no", "--no-header", "-p", "no:cacheprovider",
               *entry.tests.split(), *(["-k", entry.only] if entry.only else [])]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, encoding="utf-8")


def sabotaged(folder: Path, entry: Sabotage) -> Outcome:
    """The entry's tests in a copy as it is, and with the mutation, which is taken back."""
    start, file = perf_counter(), folder / entry.file
    text = file.read_text(encoding="utf-8")

    def outcome(caught: bool, by: str) -> Outcome:
        return Outcome(entry, caught, by, perf_counter() - start)

    before = run(folder, entry)
    if before.returncode:
        return outcome(False, f"without it: {_first_failure(before) or _last_line(before)}")
    try:
        file.write_text(text.replace(entry.old, entry.new), encoding="utf-8")
        after = run(folder, entry)
    finally:
        file.write_text(text, encoding="utf-8")
    failure = _first_failure(after)
    if after.returncode == FAILED and failure:
        return outcome(True, failure)
    return outcome(False, "its tests pass" if after.returncode == 0 else _last_line(after))


def _first_failure(done: subprocess.CompletedProcess[str]) -> str:
    found = re.search(r"^FAILED (.+?)(?: - .*)?$", done.stdout, re.MULTILINE)
    return found[1] if found else ""


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    return (f"{done.stderr}\n{done.stdout}".strip().splitlines() or ["no output"])[-1]


def outcomes(entries: list[Sabotage]) -> Iterator[Outcome]:
    """Each entry's outcome as soon as it is known, a copy and a thread for each processor."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ExitStack() as stack:
        copies: SimpleQueue[Path] = SimpleQueue()
        for _ in range(min(cores, 8)):
            copies.put(copy_to(Path(stack.enter_context(TemporaryDirectory()))))

        def one(entry: Sabotage) -> Outcome:
            folder = copies.get()
            try:
                return sabotaged(folder, entry)
            finally:
                copies.put(folder)
        yield from stack.enter_context(ThreadPoolExecutor(min(cores, 8))).map(one, entries)


def main(words: list[str]) -> int:
    """Print a line an entry; 1 if a mutation is not noticed, or its tests fail without it."""
    entries = [e for e in SABOTAGES if not words or any(word in f"{e.what} {e.file}" for word in words)]
    stale = [*filter(None, map(out_of_date, entries))]
    if stale or not entries:
        print("\n".join(stale) or f"no entry has {' or '.join(words)}", file=sys.stderr)
        return 1
    survivors = 0
    for entry, caught, by, seconds in outcomes(entries):
        survivors += not caught
        print(f"{'noticed' if caught else 'MISSED '} {seconds:5.1f} s  {entry.what:<58} {by}", flush=True)
    print(f"{len(entries)} sabotages, {survivors} not noticed")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
