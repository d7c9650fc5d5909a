"""Files that appear whole or not at all, and the arrays and names that go into them."""

from __future__ import annotations

import os
import reprlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from autograd import Tensor


def write(path: Any, fill: Callable[[Any], None]) -> None:
    """What `fill` writes into an open file, under a name of its own, then renamed: nobody ever sees half a file."""
    path = os.fspath(path)
    beside = f"{os.fsdecode(path)}.{os.urandom(6).hex()}.part"
    handle = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        with os.fdopen(handle, "w+b") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except BaseException:
        os.unlink(beside)
        raise


def arrays_of(state: Any) -> dict[str, Any]:
    """The arrays of a `state_dict`, or of a module's, by name.  Raises TypeError for anything else."""
    if hasattr(state, "state_dict"):
        state = state.state_dict()
    if not isinstance(state, Mapping):
        raise TypeError(f"save: expected a dict from names to tensors, or a module; got {type(state).__name__}")
    found = {}
    for name, value in state.items():
        if not isinstance(name, str):
            raise TypeError(f"save: names must be strings; got {name!r}")
        if not isinstance(value, (Tensor, np.ndarray, np.generic)):
            raise TypeError(f"save: {name!r} must be a Tensor or an array; got {type(value).__name__}")
        if name == "__metadata__":
            raise ValueError("save: the name '__metadata__' is taken by the format; pass metadata=")
        if any("\ud800" <= c <= "\udfff" for c in name):
            raise ValueError(f"save: the name {name!r} is not valid Unicode")
        found[name] = np.asarray(value.value if isinstance(value, Tensor) else value)
    return found


def texts_of(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """Metadata that are texts by name.  Raises TypeError for others."""
    if metadata is None:
        return {}
    if any(not isinstance(text, str) for pair in metadata.items() for text in pair):
        raise TypeError("save: metadata must be texts by name; got "
                        f"{ {k: type(v).__name__ for k, v in metadata.items()} }")
    return dict(metadata)


def said(given: Any, path: str) -> dict[str, str]:
    """The metadata a file has.  Raises ValueError if they are anything but texts by name."""
    if not isinstance(given, dict) or any(not isinstance(text, str) for text in given.values()):
        raise ValueError(f"load: {path}: __metadata__ must be texts by name")
    return given


def once(found: list[tuple[str, Any]]) -> dict[str, Any]:
    """For JSON: a dict in which no name stands twice."""
    made: dict[str, Any] = {}
    for name, value in found:
        if name in made:
            raise ValueError(f"{short(name)} stands in it twice")
        made[name] = value
    return made


_brief = reprlib.Repr()
_brief.maxstring = _brief.maxlong = _brief.maxother = 80
_brief.maxlevel, _brief.maxlist, _brief.maxtuple, _brief.maxdict = 3, 12, 12, 4


def short(value: Any) -> str:
    """A value of a file in an error: as much as can be read."""
    try:
        text = _brief.repr(value)
    except ValueError:                        # an integer of thousands of digits
        text = "a huge number"
    return text if len(text) <= 80 else text[:77] + "..."


def too_large(shape: Any) -> bool:
    """Whether NumPy has no array of that shape, though it may have no elements."""
    size = 1
    for n in shape:
        size *= n or 1
        if size > 2**59:
            return True
    return False


# What other formats begin with, what they are, and the way from there.
FOREIGN = (
    (b"\x93NUMPY", "a single array (.npy); np.load reads it"),
    (b"\x89HDF", "in the HDF5 format (.h5), which is not read; write its arrays with np.savez(\"weights.npz\", ...)"),
    (b"\x1f\x8b", "compressed with gzip; unpack it first"), (b"GGUF", "in the GGUF format, which is not read"),
)


def foreign(first: bytes, path: str) -> str:
    """The rest of a sentence about a file that begins like one of another format, or ""."""
    if not first.startswith((b"PK", b"\x80")):
        return next((what for begin, what in FOREIGN if first.startswith(begin)), "")
    base, suffix = os.path.splitext(os.path.basename(path))
    numpys = first.startswith(b"PK") and suffix not in (".npz", ".pt", ".pth", ".ckpt", ".bin")
    other = "  (An archive of NumPy needs a name that ends in .npz.)" if numpys else ""
    return (f"a pickle, as PyTorch's .pt and .pth are: such a file can run code, and none is ever read.{other}  "
            f"Convert it with PyTorch:\n\n"
            f"    import torch\n"
            f"    from safetensors.torch import save_file\n"
            f"    state = torch.load({base + suffix!r}, map_location=\"cpu\", weights_only=True)\n"
            f"    save_file({{name: value.clone().contiguous() for name, value in state.items()}}, "
            f"{base + '.safetensors'!r})")
