"""`checkpoint`: of a function the inputs are kept for the backward pass, and the rest is computed again."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..errors import GradientError
from ..modes import is_grad_enabled
from ..node import Node, tick
from ..ops import identity
from ..sweep import history
from ..tensor import Tensor, attach, wrap
from .calls import check_callable, pulled, running
from .step import Outputs, Place, Step, differentiable, generator, recorded, unwrapped
from .trees import flatten, unflatten


def checkpoint(function: Callable[..., Any], *args: Any, use_reentrant: bool | None = None,
               preserve_rng_state: bool = True, **kwargs: Any) -> Any:
    """`function`, keeping only its inputs for the backward pass: memory for time (one more forward).

        y = checkpoint(block)(x)              y = checkpoint(block, x)          # as PyTorch writes it

    Tensors that the function closes over (the parameters of a module) receive their gradients too.  It runs again with
    the random numbers it had, unless `preserve_rng_state` is off, and must compute the same each time; derivatives of
    any order, nesting and `vmap` work.  `use_reentrant` is accepted and changes nothing.
    Source: Chen et al. 2016, "Training deep nets with sublinear memory cost".
    """
    check_callable("checkpoint", function)

    @functools.wraps(function)
    def checkpointed(*args: Any, **kwargs: Any) -> Any:
        if not is_grad_enabled():
            return function(*args, **kwargs)
        return _Segment(function, args, kwargs, preserve_rng_state).first()
    return checkpointed(*args, **kwargs) if args or kwargs else checkpointed


def checkpoint_sequential(functions: Any, segments: int, input: Any, *, use_reentrant: bool | None = None,
                          preserve_rng_state: bool = True) -> Any:
    """A row of functions or modules (nn.Sequential), one after the other, in `segments` checkpointed parts.

    The last part is not checkpointed: its backward pass begins at once.  As torch.utils.checkpoint.
    """
    row = list(functions)
    if not 1 <= segments <= max(len(row), 1):
        raise ValueError(f"checkpoint_sequential: segments must be between 1 and {max(len(row), 1)}, the number of "
                         f"functions; got {segments}")
    size = max(len(row) // segments, 1)

    def chain(part: Sequence[Any]) -> Callable[[Any], Any]:
        def run(x: Any) -> Any:
            for function in part:
                x = function(x)
            return x
        return run
    for k in range(segments - 1):
        input = checkpoint(chain(row[k * size:(k + 1) * size]), input, preserve_rng_state=preserve_rng_state)
    return chain(row[(segments - 1) * size:])(input)


class _Segment:
    """One call of a checkpointed function."""

    __slots__ = ("closure", "draws", "function", "leaves", "place", "structure", "where", "xs")

    def __init__(self, function: Callable[..., Any], args: Any, kwargs: Any, preserve: bool) -> None:
        self.function, self.place = function, Place()
        self.draws = generator().bit_generator.state if preserve else None
        leaves, self.structure = flatten((args, kwargs))
        self.where = [k for k, leaf in enumerate(leaves) if differentiable(leaf)]
        self.xs = [self.place.physical(leaves[k]) for k in self.where]
        self.leaves = leaves
        self.closure: list[Node] = []
        for k in self.where:
            leaves[k] = None                  # the graph has them, as parents of the step

    def first(self) -> Any:
        """The result, recorded as one step; what was computed on the way is not kept."""
        xs, self.xs, start = self.xs, [], tick()
        outputs = self._call([wrap(x.value).requires_grad_() for x in xs])
        value = outputs.value
        if value is None or value.node is None:
            return unflatten(outputs.structure, outputs.leaves)
        self.closure = _older_parents(value.node, start)
        parents = [x.node for x in xs] + self.closure
        doc = f"{_name(self.function)}, computed again when its derivative is asked for."
        step = Step("checkpoint", doc, self._pull, len(parents))
        made = recorded(step, value.value, parents, [x.value for x in xs] + [None] * len(self.closure))
        return outputs.rebuilt(made)

    def _call(self, sources: Sequence[Tensor]) -> Outputs:
        leaves = list(self.leaves)
        for k, source in zip(self.where, sources, strict=True):
            leaves[k] = self.place.logical(source)
        args, kwargs = unflatten(self.structure, leaves)
        with running(sources):
            return Outputs("checkpoint", self.function(*args, **kwargs), self.place)

    def _again(self, xs: Sequence[Any]) -> tuple[list[Tensor], Outputs]:
        rng = generator()
        now = rng.bit_generator.state
        if self.draws is not None:
            rng.bit_generator.state = self.draws
        try:
            sources = [identity(x) if isinstance(x, Tensor) and x.node is not None else
                       wrap(x.value if isinstance(x, Tensor) else x).requires_grad_() for x in xs]
            return sources, self._call(sources)
        finally:
            if self.draws is not None:
                rng.bit_generator.state = now

    def _pull(self, saved: Sequence[Any], g: Any, record: bool) -> Sequence[Any]:
        start = tick()
        sources, outputs = self.place.run(lambda: self._again(saved[:len(self.where)]), True)
        y = outputs.value
        if y is None or y.shape != getattr(g, "shape", ()):
            raise GradientError(f"checkpoint: {_name(self.function)} returned {getattr(y, 'shape', None)} when it ran "
                                f"again and {g.shape} at first: it must compute the same each time")
        stands = {p: _stand_in(p, start) for p in self.closure}
        if y.node is not None:
            y = _cut_below(y, start, stands, {s.node for s in sources})
        wanted = [*sources, *stands.values()]
        found = pulled([y] if y.node is not None else [], [g], wanted, record)
        return [unwrapped(_zeros(t) if f is None else f, record) for f, t in zip(found, wanted, strict=True)]


def _zeros(like: Tensor) -> Any:
    node = like.node
    assert node is not None
    return np.zeros(node.shape, node.dtype)[()]


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _older_parents(root: Node, start: int) -> list[Node]:
    """What the root was made from that is older than number `start`: what a function closed over."""
    found: dict[Node, None] = {}
    for node in history([root], since=start):
        if node.index < start:
            found[node] = None
        else:
            found.update((p, None) for p in node.parents if p is not None and p.index < start)
    return list(found)


def _stand_in(node: Node, start: int) -> Tensor:
    """A node between a closed-over one and the steps that use it: there the sweep stops, and the history goes on."""
    made = Node()
    made.op, made.parents, made.saved = identity.op, (node,), ()
    made.shape, made.dtype, made.index, made.extra = node.shape, node.dtype, start, None
    return attach(None, made)


def _cut_below(y: Tensor, start: int, stands: dict[Node, Tensor], sources: set[Node | None]) -> Tensor:
    """y, with the stand-ins in place of what is older than `start`.  The steps are ours alone: they were just made."""
    assert y.node is not None
    for node in history([y.node], since=start):
        if node.index > start and node not in sources and any(p is not None and p.index < start for p in node.parents):
            unknown = [p for p in node.parents if p is not None and p.index < start and p not in stands]
            if unknown:
                raise GradientError("checkpoint: the function used other tensors when it ran again than at first: it "
                                    "must compute the same each time")
            node.parents = tuple([stands[p].node if p in stands else p for p in node.parents])
    return attach(y.value, stands[y.node].node) if y.node in stands else y      # type: ignore[arg-type]
