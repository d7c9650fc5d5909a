"""The graph of the gradients: a graph run again, and the reverse sweep back over its lines, both recorded."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import GradientError
from ..modes import enable_grad
from ..tensor import Tensor, wrap
from .again import Recording
from .nodes import is_weak
from .reading import node_of
from .running import evaluate
from .sweeping import pull
from .text import title, typed
from .tracing import Tracer, read

if TYPE_CHECKING:
    from .graphs import Graph

_FIXED = ("the numbers and shapes of gradients belong to the sizes they were traced with: those for other sizes are "
          "autograd.trace(forward)(*inputs).backward()")


def backward(graph: Graph, wrt: str | Iterable[str] | None) -> dict[str, Any]:
    """The fields of the graph of the gradients: see `Graph.backward`."""
    chosen = _chosen(graph, wrt)
    recording = Recording()
    given = recording.leaves_of(graph, {}, set(chosen))
    with recording, enable_grad():
        outputs = evaluate(graph, given, recording)
        seeds, more = _seeds(graph, outputs, recording)
        if not seeds:
            kinds = ", ".join(sorted({graph.nodes[i].dtype for i in graph.outputs}))
            raise GradientError(f"backward: expected an output that depends on {_names(graph, chosen)}, and a way "
                                f"along which gradients flow; got none (outputs of dtype {kinds})")
        found = pull(graph, recording, seeds, chosen)
    reached = [i for i in chosen if i in found]
    if not reached:
        raise GradientError(f"backward: expected a way along which a gradient reaches {_names(graph, chosen)}; "
                            "got none")
    inputs = [given[i] for i in graph.inputs]
    nodes, at, _ = read(recording, [found[i] for i in reached], [node_of(t) for t in (*inputs, *more)])
    bound = recording.bindings([node_of(t) for t in inputs])
    titles = [recording.leaves[node_of(t)][1] for t in more]
    return {"nodes": nodes, "outputs": at, "modules": MappingProxyType(dict(graph.modules)),
            "takes": graph.takes if not titles else (
                *graph.arguments, *[(name, len(inputs) + k) for k, name in enumerate(titles)]),
            "gives": ("dict", *[(name, k) for k, name in enumerate(_own_names(graph, reached))]),
            "given": tuple(range(len(inputs) + len(more))), "fixed": _FIXED,
            "bound": tuple(dict.fromkeys([*graph.bound, *bound]))}


def _seeds(graph: Graph, outputs: list[Tensor], recording: Tracer) -> tuple[dict[int, Tensor], list[Tensor]]:
    """The gradient of each output, by id: 1 for a scalar, another input ("grad") for the others."""
    ways = [k for k, t in enumerate(outputs) if t.node is not None and t.dtype.kind in "fc"]
    seeds: dict[int, Tensor] = {}
    more = []
    for k in ways:
        out, i = outputs[k], graph.outputs[k]
        name = "" if out.value.size == 1 else "grad" if len(ways) == 1 else f"grad[{k}]"
        seed = wrap(np.ones(out.shape, out.dtype) if out.ndim else out.dtype.type(1))
        recording.leaves[node_of(seed)] = ("input" if name else "constant", name)
        recording.leaf(node_of(seed), seed.value)
        if name:
            more.append(seed)
        seeds[i] = seeds[i] + seed if i in seeds else seed
    return seeds, more


def _own_names(graph: Graph, ids: list[int]) -> list[str]:
    """A name for each: "%3" for one that has none, or shares it."""
    names = [graph.nodes[i].name for i in ids]
    return [name if name and names.count(name) == 1 else f"%{i}" for i, name in zip(ids, names, strict=True)]


def _names(graph: Graph, ids: list[int]) -> str:
    return ", ".join([title(graph.nodes[i]) for i in ids])


def _chosen(graph: Graph, wrt: str | Iterable[str] | None) -> list[int]:
    """The ids of the leaves to differentiate with respect to."""
    leaves = [n for n in graph.nodes if n.kind != "op"]
    if wrt is None:
        floating = {n.id: n for n in leaves if np.dtype(n.dtype).kind in "fc" and not is_weak(n)}
        found = [i for i, n in floating.items() if n.requires_grad] or [i for i in graph.inputs if i in floating]
        if not found:
            raise GradientError("backward: expected a parameter or a floating-point input to differentiate with "
                                "respect to; got a graph with none")
        return found
    chosen = []
    for name in [wrt] if isinstance(wrt, str) else wrt:
        at = [n for n in leaves if name in (n.name, f"%{n.id}")]
        if len(at) != 1:
            known = ", ".join([n.name or f"%{n.id}" for n in leaves if n.kind != "constant"])
            raise LookupError(f"backward: expected names of leaves ({known}); got {name!r}, which "
                              f"{'none has' if not at else f'{len(at)} have: give the id, as in %{at[0].id}'}")
        if np.dtype(at[0].dtype).kind not in "fc":
            raise GradientError(f"backward: expected leaves of floating-point numbers; got {title(at[0])} "
                                f"{typed(at[0])}")
        chosen.append(at[0].id)
    return list(dict.fromkeys(chosen))

