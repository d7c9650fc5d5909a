"""Graphviz, wherever it is on this machine: the `dot` program, or the copy inside pygraphviz, or none.

Every call is a process of its own with a time limit, fed through a pipe; never a shell.  pygraphviz
holds Python's lock and cannot be interrupted, so it works in a process that can be killed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

TIME_LIMIT = 5.0                               # seconds for one call
INSTALL = 'pip install "glassgrad[viz]"  or  apt-get install graphviz'
_WORKER = """
import sys
import pygraphviz
text = sys.stdin.buffer.read().decode()
engine, form, *settings = sys.argv[1:]
graph = pygraphviz.AGraph(string=text)
for setting in settings:
    name, _, value = setting.partition("=")
    graph.graph_attr[name] = value
sys.stdout.buffer.write(graph.draw(format=form, prog=engine))
"""


_AROUND: ContextVar[dict[str, str] | None] = ContextVar("surroundings", default=None)


class BackendError(RuntimeError):
    """Graphviz is missing, failed, or took too long."""


class TimeLimit(BackendError):
    """Graphviz was stopped at the time limit."""


class Backend(NamedTuple):
    """One way to lay out or paint."""

    name: str
    works: bool
    detail: str
    formats: tuple[str, ...]


class Backends(tuple[Backend, ...]):
    """What works on this machine, best first; prints as a table."""

    def __repr__(self) -> str:
        lines = [f"{'yes' if b.works else 'no ':3}  {b.name:<11} {', '.join(b.formats):<46} {b.detail}" for b in self]
        return "\n".join(lines)


def backends() -> Backends:
    """What can draw here: the `dot` program, pygraphviz, and what is built in and always works."""
    from importlib.metadata import PackageNotFoundError, version
    program = _program()
    said = "not on PATH: apt-get install graphviz"
    if program:
        try:
            result = _process([program, "-V"], b"", TIME_LIMIT)
            said = f"{program}: {(result[1] or result[0]).decode(errors='replace').strip()}"
        except BackendError as error:
            program, said = None, str(error)
    try:
        package = version("pygraphviz") if _package() else ""
    except PackageNotFoundError:
        package = "of unknown version"
    return Backends((
        Backend("dot", bool(program), said, ("layout", "png", "pdf")),
        Backend("pygraphviz", bool(package), package or 'not installed: pip install "glassgrad[viz]"',
                ("layout", "png", "pdf")),
        Backend("built-in", True, "needs nothing", ("layout", "svg", "html", "dot", "mmd", "tex", "json", "txt")),
    ))


def _program() -> str | None:
    import shutil
    return shutil.which("dot")


def _package() -> bool:
    from importlib.util import find_spec
    return find_spec("pygraphviz") is not None


def available() -> bool:
    """Whether any Graphviz is here."""
    return _program() is not None or _package()


def graphviz(text: str, engine: str, form: str, **settings: str) -> bytes:
    """What Graphviz makes of a DOT text.  `settings` are graph attributes: dpi="144".

    Raises TimeLimit after TIME_LIMIT seconds, BackendError where there is none or it fails.
    """
    program = _program()
    if program:
        command = [program, f"-K{engine}", f"-T{form}", *(f"-G{k}={v}" for k, v in settings.items())]
    elif _package() and sys.executable:
        command = [sys.executable, "-P", "-c", _WORKER, engine, form, *(f"{k}={v}" for k, v in settings.items())]
    else:
        raise BackendError(f"expected Graphviz; there is neither a `dot` program nor pygraphviz here; {INSTALL}")
    out, err, code = _process(command, text.encode(), TIME_LIMIT)
    if code or not out:
        said = [line for line in err.decode(errors="replace").splitlines() if line.strip()]
        reason = said[0][:200] if said else f"exit status {code}"
        raise BackendError(f"expected Graphviz to make {form}; it failed: {reason}; save as .svg, which needs nothing")
    return out


@contextmanager
def surroundings(**variables: str) -> Iterator[None]:
    """A block in which Graphviz is started with these environment variables too."""
    token = _AROUND.set(variables)
    try:
        yield
    finally:
        _AROUND.reset(token)


def _process(command: list[str], given: bytes, limit: float) -> tuple[bytes, bytes, int]:
    import subprocess
    try:
        done = subprocess.run(command, input=given, capture_output=True, timeout=limit, check=False,
                              env={**os.environ, **(_AROUND.get() or {})})
    except subprocess.TimeoutExpired:
        raise TimeLimit(f"expected Graphviz to finish within {limit:g} s; it was stopped; draw less (a smaller budget "
                        "or depth), or save as .svg, which needs nothing") from None
    except OSError as error:
        raise BackendError(f"expected {command[0]} to start; {error}; {INSTALL}") from error
    return done.stdout, done.stderr, done.returncode
