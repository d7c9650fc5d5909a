"""A module as a function of its parameters, and values that no derivative passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..tensor import Tensor, wrap
from .trees import tree_map


def stop_gradient(tree: Any) -> Any:
    """The same values, through which no derivative passes; a tree of them alike."""
    return tree_map(lambda leaf: leaf.detach() if isinstance(leaf, Tensor) else leaf, tree)


def functional_call(module: Any, parameters_and_buffers: Any, args: Any = None, kwargs: Any = None, *,
                    tie_weights: bool = True, strict: bool = False) -> Any:
    """module(*args, **kwargs) with these tensors in place of its parameters and buffers, by dotted name.

        params = dict(model.named_parameters())
        grad(lambda p: loss(functional_call(model, p, (x,)), y))(params)

    `parameters_and_buffers` is a dict of Tensors or arrays (or a sequence of dicts); what it does not name stays as it
    is, unless `strict`, which then raises.  A parameter under several names is replaced under all of them, unless
    `tie_weights` is off.  The module itself is as before when the call returns.  As torch.func.functional_call.

    Raises KeyError for a name the module does not have.
    """
    given = parameters_and_buffers if isinstance(parameters_and_buffers, Mapping) else \
        {name: tensor for part in parameters_and_buffers for name, tensor in part.items()}
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    with _replaced(module, given, tie_weights, strict):
        return module(*args, **(kwargs or {}))


@contextmanager
def _replaced(module: Any, given: Mapping[str, Any], tie: bool, strict: bool) -> Iterator[None]:
    """A block in which the module's tensors are others."""
    own = dict(module.named_parameters(remove_duplicate=False)) | dict(module.named_buffers(remove_duplicate=False))
    unknown = [name for name in given if name not in own]
    if unknown:
        raise KeyError(f"functional_call: {type(module).__name__} has no parameter or buffer {unknown[0]!r}; "
                       f"it has {', '.join(own) or 'none'}")
    if strict and len(given) < len(own):
        missing = ", ".join(name for name in own if name not in given)
        raise KeyError(f"functional_call: strict, but nothing was given for {missing}")
    new = {name: t if isinstance(t, Tensor) else wrap(t) for name, t in given.items()}
    if tie:
        by_id = {id(own[name]): t for name, t in new.items()}
        new = {name: by_id[id(t)] for name, t in own.items() if id(t) in by_id}
    places = [(*_place(module, name), new[name]) for name in new]
    before = [(holder, key, holder[key]) for holder, key, _ in places]
    try:
        for holder, key, tensor in places:
            holder[key] = tensor
        yield
    finally:
        for holder, key, tensor in before:
            holder[key] = tensor


def _place(module: Any, path: str) -> tuple[Any, Any]:
    """The dict or list, and the key in it, where the tensor of a dotted name stands."""
    holder, *rest = module.__dict__, *path.split(".")
    while True:
        key: Any = rest.pop(0)
        if not isinstance(holder, dict) or (key not in holder and key.lstrip("-").isdigit()):
            key = int(key)
        if not rest:
            return holder, key
        holder = holder[key]
        if isinstance(holder, tuple):
            raise TypeError(f"functional_call: {path} stands in a tuple, which cannot be changed: make it a list")
        if not isinstance(holder, (dict, list)):
            holder = holder.__dict__
