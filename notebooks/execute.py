"""Run the notebooks: each `NN_name.py` (py:percent) becomes `NN_name.ipynb` with its results and pictures.

    ./run notebooks                    all, written again
    ./run notebooks 03 lstm            those whose name contains one of these
    ./run notebooks --check            run all, write nothing; fail on an error or where an .ipynb is out of date

A notebook runs from top to bottom in a fresh kernel, in this folder, with one thread; two run at a time.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from time import perf_counter
from typing import Any

FOLDER = Path(__file__).resolve().parent
PATIENCE = 300                                 # seconds for one cell
COLORS = r"\x1b\[[\d;]*m"                      # of tracebacks made for a notebook
MOST_BYTES = 1_500_000                         # of an .ipynb: it is opened in browsers and kept in the history


def sources(words: list[str]) -> list[Path]:
    """The notebooks in order, or those whose name has one of the words."""
    found = sorted(FOLDER.glob("[0-9][0-9]_*.py"))
    return [path for path in found if not words or any(word in path.stem for word in words)]


def executed(path: Path) -> Any:
    """The notebook with what its cells gave; raises CellExecutionError for a cell that fails."""
    import jupytext
    from nbclient import NotebookClient
    notebook = jupytext.read(path)
    notebook.metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"},
                         "language_info": {"name": "python"}}
    for k, cell in enumerate(notebook.cells):
        cell["id"] = f"{path.stem[:2]}-{k}"    # the same at every run: only what changed shows in a comparison
        cell.metadata.pop("lines_to_next_cell", None)
    NotebookClient(notebook, timeout=PATIENCE, kernel_name="python3", record_timing=False,
                   extra_arguments=["--IPKernelApp.log_level=40"],
                   resources={"metadata": {"path": str(FOLDER)}}).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = list(merged(cell.outputs))
    return notebook


def merged(outputs: list[Any]) -> Iterator[Any]:
    """Outputs with neighbouring pieces of one stream put together, as a terminal would show them in the end."""
    last: Any = None
    for output in outputs:
        if last is not None and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
            continue
        if last is not None:
            yield shown(last)
        last = output
    if last is not None:
        yield shown(last)


def shown(output: Any) -> Any:
    """A stream as it stands in the end: what a carriage return went back over is not kept."""
    if output.output_type == "stream":
        output.text = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in output.text.split("\n"))
    return output


def run(path: Path, check: bool) -> str:
    """Executes one notebook and says how that went; writes the .ipynb whole, or checks the one that is there."""
    import jupytext
    import nbformat
    start = perf_counter()
    notebook = executed(path)
    target = path.with_suffix(".ipynb")
    text = nbformat.writes(notebook)
    if len(text) > MOST_BYTES:
        raise ValueError(f"{target.name}: expected at most {MOST_BYTES:,} bytes; got {len(text):,}: smaller pictures")
    if check:
        kept = nbformat.read(target, as_version=4) if target.exists() else None
        fresh = jupytext.read(path)
        if kept is None or [c.source for c in kept.cells] != [c.source for c in fresh.cells]:
            raise ValueError(f"{target.name}: expected the cells of {path.name}; run: ./run notebooks {path.stem}")
    else:
        beside = target.with_suffix(".part")
        beside.write_text(text + "\n", encoding="utf-8")
        beside.replace(target)
    return f"{path.name}: {perf_counter() - start:.1f} s, {len(text) / 1000:.0f} kB"


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="./run notebooks", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("words", nargs="*", metavar="word", help="only notebooks whose name contains one of these")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where an .ipynb is out of date")
    options = parser.parse_args(arguments)
    paths = sources(options.words)
    if not paths:
        parser.error(f"no notebook has {' or '.join(options.words)} in its name")
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", PYDEVD_DISABLE_FILE_VALIDATION="1",
                      PYTHONPATH=os.pathsep.join(filter(None, [str(FOLDER.parent), os.environ.get("PYTHONPATH")])))
    failed, start = 0, perf_counter()
    with ProcessPoolExecutor(2) as pool:
        for done in as_completed({pool.submit(run, path, options.check): path for path in paths}):
            try:
                print(done.result(), flush=True)
            except Exception as error:         # whatever it is, the other notebooks are run as well
                failed += 1
                print(f"FAILED: {re.sub(COLORS, '', str(error)).strip()}", file=sys.stderr, flush=True)
    print(f"{len(paths) - failed} of {len(paths)} notebooks ran in {perf_counter() - start:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
