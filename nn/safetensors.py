"""Checkpoints in the safetensors format: named arrays and nothing else, exchanged with PyTorch both ways.

A file is 8 bytes with the length n of the header (little endian), n bytes of JSON

    {"name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ..., "__metadata__": {"key": "text"}}

and the elements, little endian, in C order, one tensor after the other without holes.  There is no code in it, no
pickle and no reference to another file.  Source: the format's own description (huggingface/safetensors, README).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np

from autograd import Tensor

from . import whole
from .whole import short

DTYPES = {"BOOL": "|b1", "U8": "|u1", "I8": "|i1", "U16": "<u2", "I16": "<i2", "F16": "<f2", "U32": "<u4", "I32": "<i4",
          "F32": "<f4", "U64": "<u8", "I64": "<i8", "F64": "<f8", "C64": "<c8"}
NAMES = {np.dtype(dtype).newbyteorder("="): name for name, dtype in DTYPES.items()}
LONGEST = 100_000_000                         # bytes of a header: what the reference reader allows
FIELDS = {"dtype", "shape", "data_offsets"}


def save(state: Any, path: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write a `state_dict` (or that of a module) to a file: names -> Tensors or arrays.

    The file appears whole or not at all: it is written beside its place, synced, and renamed.  `metadata` are texts by
    name.  Raises TypeError or ValueError, with nothing written, for what the format cannot hold.
    """
    import json
    arrays = {name: _writable(name, array) for name, array in whole.arrays_of(state).items()}
    header: dict[str, Any] = {}
    if metadata is not None:
        header["__metadata__"] = whole.texts_of(metadata)
    order = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)        # so that each is aligned
    start, places = 0, {}
    for name in order:
        places[name] = [start, start + arrays[name].nbytes]
        start += arrays[name].nbytes
    for name, array in arrays.items():
        header[name] = {"dtype": NAMES[array.dtype.newbyteorder("=")], "shape": list(array.shape),
                        "data_offsets": places[name]}
    try:
        text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"save: metadata are not valid Unicode: {error}") from None
    text += b" " * (-len(text) % 8)
    if len(text) > LONGEST:
        raise ValueError(f"save: the header would have {len(text)} bytes; {LONGEST} are allowed: use shorter names")

    def fill(file: Any) -> None:
        for part in (len(text).to_bytes(8, "little"), text, *(arrays[name].data for name in order)):
            file.write(part)
    whole.write(path, fill)


def _writable(name: str, array: Any) -> Any:
    if array.dtype.newbyteorder("=") not in NAMES:
        raise TypeError(f"save: {name!r} has dtype {array.dtype}, which the format does not have; it has "
                        f"{', '.join(str(dtype) for dtype in NAMES)}")
    return np.ascontiguousarray(array, array.dtype.newbyteorder("<")).reshape(array.shape)


def load(path: Any, *, metadata: bool = False) -> Any:
    """Read a file: a dict from names to Tensors, for `load_state_dict`; with `metadata`, (dict, metadata).

    bfloat16, which NumPy does not have, comes as float32, which holds it exactly.  Everything the header says is
    checked before anything is allocated.  Raises ValueError that says what is wrong with the file.
    """
    path = os.fspath(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        header, start = _header(file, size, os.fsdecode(path))
        said = whole.said(header.pop("__metadata__", {}), os.fsdecode(path))
        places = _places(header, size - start, os.fsdecode(path))
        state = {}
        for name, (dtype, shape, begin, end) in places.items():
            file.seek(start + begin)
            state[name] = Tensor(_read(file, name, dtype, shape, end - begin, os.fsdecode(path)))
    return (state, said) if metadata else state


def _header(file: Any, size: int, path: str) -> tuple[dict[str, Any], int]:
    import json

    def constant(word: str) -> Any:
        raise ValueError(f"{word} is no number of JSON")

    first = file.read(8)
    if len(first) < 8:
        raise ValueError(f"load: {path}: {size} bytes are too few for a safetensors file")
    n = int.from_bytes(first, "little")
    if n > LONGEST or n + 8 > size:
        found = whole.foreign(first, path)
        if found:
            raise ValueError(f"load: {path} is {found}")
        raise ValueError(f"load: {path} is no safetensors file, or cut short: its header would have {n} bytes, the "
                         f"file has {size}")
    text = file.read(n)
    try:
        if text[:1] != b"{":
            raise ValueError("it does not begin with {")
        header = json.loads(text.decode("utf-8"), object_pairs_hook=whole.once, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ValueError(f"load: {path}: the header cannot be read: {why}") from None
    return header, 8 + n


def _places(header: dict[str, Any], size: int, path: str) -> dict[str, tuple[str, tuple[int, ...], int, int]]:
    """For each tensor its dtype, shape and bytes, after checking that they fill the file and nothing overlaps."""
    found = {}
    for name, entry in header.items():
        where = f"load: {path}: {name[:80]!r}"
        if any("\ud800" <= c <= "\udfff" for c in name):
            raise ValueError(f"{where}: the name is not valid Unicode")
        if not isinstance(entry, dict) or entry.keys() != FIELDS:
            raise ValueError(f"{where} must have dtype, shape and data_offsets; got {short(entry)}")
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if dtype != "BF16" and (not isinstance(dtype, str) or dtype not in DTYPES):
            raise ValueError(f"{where} has dtype {short(dtype)}; known: {', '.join(DTYPES)}, BF16")
        if not _counts(shape) or len(shape) > 64:
            raise ValueError(f"{where} has shape {short(shape)}; expected up to 64 integers, none negative")
        if not _counts(offsets) or len(offsets) != 2 or not offsets[0] <= offsets[1] <= size:
            raise ValueError(f"{where} has data_offsets {short(offsets)}; expected [begin, end] within the {size} "
                             "bytes of the file")
        needed = prod(shape) * (2 if dtype == "BF16" else np.dtype(DTYPES[dtype]).itemsize)
        if needed != offsets[1] - offsets[0]:
            raise ValueError(f"{where}: shape {short(shape)} of {dtype} takes {short(needed)} bytes, the file has "
                             f"{offsets[1] - offsets[0]}")
        if whole.too_large(shape):                            # nothing in it, and still more than NumPy can say
            raise ValueError(f"{where} has shape {short(shape)}, for which there is no array")
        found[name] = (dtype, tuple(shape), offsets[0], offsets[1])
    end = 0
    for begin, stop, name in sorted((begin, stop, name) for name, (_, _, begin, stop) in found.items()):
        if begin != end:
            what = "overlaps another tensor" if begin < end else "leaves a hole before it"
            raise ValueError(f"load: {path}: {name[:80]!r} begins at {begin} and {what}: {end} was expected")
        end = stop
    if end != size:
        raise ValueError(f"load: {path}: the tensors end at {end}, the file has {size} bytes of elements")
    return found


def _counts(value: Any) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


def _read(file: Any, name: str, dtype: str, shape: tuple[int, ...], size: int, path: str) -> Any:
    data = np.empty(size, np.uint8)
    if file.readinto(memoryview(data)) != size:           # type: ignore[arg-type]
        raise ValueError(f"load: {path}: the file ended within {name!r}")
    if dtype == "BF16":
        array = (data.view("<u2").astype(np.uint32) << 16).view(np.float32)
    else:
        if dtype == "BOOL" and size and data.max() > 1:
            raise ValueError(f"load: {path}: {name!r} is BOOL and has the byte {int(data.max())}, neither 0 nor 1")
        array = data.view(DTYPES[dtype])
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    return array.reshape(shape) if shape else array[0]
