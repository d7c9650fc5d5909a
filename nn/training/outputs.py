"""What a Model's parts hold for a while: values of outputs, modes, buffers."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import Tensor

from ..module import Module


def values_of(output: Any) -> Any:
    """Arrays for Tensors, also in tuples, lists and dicts."""
    if isinstance(output, Tensor):
        return output.value
    if isinstance(output, (tuple, list)):
        return tuple([values_of(part) for part in output])
    if isinstance(output, dict):
        return {key: values_of(part) for key, part in output.items()}
    return output


def joined(outputs: list[Any]) -> Any:
    """The outputs of all batches in one."""
    first = outputs[0]
    if isinstance(first, tuple):
        return tuple([joined(list(part)) for part in zip(*outputs)])
    if isinstance(first, dict):
        return {key: joined([o[key] for o in outputs]) for key in first}
    return np.concatenate(outputs)


def buffers_of(module: Module) -> list[tuple[dict[str, Any], str]]:
    """Where buffers stand: (attributes of a module, name)."""
    return [(part.__dict__, name) for part in module.modules() for name in part._persistent]


def kept(buffers: list[tuple[dict[str, Any], str]]) -> list[Any]:
    """The buffers and their values: like parameters they are given new arrays, and old ones are not written into."""
    return [(home, name, tensor, tensor.value) for home, name in buffers if (tensor := home[name]) is not None]


def put_back(before: Any) -> None:
    """Buffers as `kept` found them."""
    for home, name, tensor, value in before:
        home[name] = tensor
        tensor.value = value


def modes_of(module: Module) -> list[tuple[Module, bool]]:
    """Which parts are in training mode just now."""
    return [(part, part.training) for part in module.modules()]


def restore(modes: list[tuple[Module, bool]]) -> None:
    """Put every part back into the mode it was in."""
    for module, training in modes:
        if module.training is not training:
            module.training = training
