"""`nn.save` and `nn.load`: named arrays in a file, in the format that its name asks for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from . import npz, safetensors


def save(state: Any, path: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write a `state_dict` (or that of a module) to a file: names -> Tensors or arrays.

        nn.save(model, "model.safetensors")       # which PyTorch reads too
        nn.save(model.state_dict(), "model.npz")  # which np.load reads

    A path that ends in .npz is written as NumPy's archive, any other in the safetensors format.  The file appears whole
    or not at all: it is written beside its place, synced, and renamed.  `metadata` are texts by name.  Raises TypeError
    or ValueError, with nothing written, for what the format cannot hold.
    """
    _format(path).save(state, path, metadata)


def load(path: Any, *, metadata: bool = False) -> Any:
    """Read a file: a dict from names to Tensors, for `load_state_dict`; with `metadata`, (dict, metadata).

    Reads PyTorch's safetensors and the archives of `np.savez`, by the same rule.  Never reads a pickle (.pt, .pth): the
    error says how to convert one.  Everything the file says is checked before anything is allocated.  Raises ValueError
    that says what is wrong with the file.
    """
    return _format(path).load(path, metadata=metadata)


def _format(path: Any) -> Any:
    return npz if os.fsdecode(os.fspath(path)).lower().endswith(".npz") else safetensors
