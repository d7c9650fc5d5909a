"""Writes autograd/surface.pyi, the methods of Tensor as editors and type checkers see them.

    ./run python tests/surface.py            # write it again after a method was added
"""

from __future__ import annotations

import inspect
from pathlib import Path

from autograd import Tensor, ops
from autograd.methods import METHODS

TARGET = Path(__file__).parent.parent / "autograd" / "surface.pyi"
HEAD = '''"""What methods.py puts on Tensor.  Written by tests/surface.py; a test keeps it current."""

from typing import Any

class Surface:
    T: Any
    mT: Any
    mH: Any
    H: Any
    real: Any
    imag: Any
'''


def methods() -> dict[str, object]:
    """Name -> function of all that is on Tensor but not written in tensor.py."""
    put = {name: ops.__getattr__(name) if name in METHODS and name in ops.LATE else found
           for name, found in sorted(vars(Tensor).items())}
    return {name: found for name, found in put.items()
            if inspect.isfunction(found) and found.__module__ != "autograd.tensor"}


def signature(name: str, function: object) -> str:
    op = getattr(function, "op", None)
    if op is not None:
        order = [p for p in op.order if p not in (op.order[0],)]
        need = len(op.inputs) - op.optional
        params = [
            f"{p}: Any" + ("" if p in op.inputs[:need] or (p in op.attributes and p not in op.defaults) else " = ...")
            for p in order
        ]
        if name in METHODS and set(op.attributes) & {"dim", "keepdim", "dims"}:
            params.append("**aliases: Any")
    else:
        params = []
        for p in list(inspect.signature(function).parameters.values())[1:]:
            if p.name.startswith("_"):
                continue
            star = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
            params.append(f"{star}{p.name}: Any" + (" = ..." if p.default is not p.empty else ""))
    if name in ("__eq__", "__ne__"):
        params = ["other: object"]
    returns = "None" if name in ("backward", "__setitem__") else "Any"
    return f"    def {name}({', '.join(['self', *params])}) -> {returns}: ...\n"


def text() -> str:
    return HEAD + "".join(signature(n, f) for n, f in methods().items())


if __name__ == "__main__":
    TARGET.write_text(text())
    print(f"wrote {TARGET.name}: {len(methods())} methods")
