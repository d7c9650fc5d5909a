"""Checkpoints as NumPy's archives: a zip of .npy files, one for each array, as `np.savez` writes and `np.load` reads.

A zip names its parts in a directory at its end; each part begins with a line that says dtype, order and shape.  Both
are read and held against the size of the file before anything is allocated.  Nothing in them is run, unpickled,
evaluated or unpacked to a disk.  Sources: PKWARE's APPNOTE 6.3.10 and NumPy's description of the .npy format.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np

from autograd import Tensor

from . import whole
from .whole import short

MARK = b"glassgrad npz 1"                     # the comment of our own files: their names are escaped as `_escaped` does
METADATA = "__metadata__"
LARGEST = 10_000                              # bytes of the line that says dtype and shape: what NumPy allows
ROOM, STRETCH = 2**28, 100                    # an archive may expand to 256 MiB, or to 100 times its size
STORED, DEFLATED, ENCRYPTED = 0, 8, 1         # ways to compress; a bit of a part's flags
DEEPEST = 1032                                # what deflate can make of a byte
CHUNK = 2**20
LOCAL = 30                                    # bytes of a part's own header before its name


class Part(NamedTuple):
    """An array of an archive: where it stands, and what its first line says."""

    info: Any                                 # zipfile.ZipInfo
    start: int                                # bytes of the part before its elements
    dtype: Any
    shape: tuple[int, ...]
    turned: bool                              # in Fortran's order


def save(state: Any, path: Any, metadata: Mapping[str, str] | None = None) -> None:
    """Write a `state_dict` (or that of a module) to an .npz file: names -> Tensors or arrays of numbers.

    The file appears whole or not at all.  `metadata` are texts by name.  Raises TypeError or ValueError, with nothing
    written, for what the format cannot hold.
    """
    import json
    from zipfile import ZIP_STORED, ZipFile, ZipInfo
    arrays = whole.arrays_of(state)
    for name, array in arrays.items():
        if not _plain(array.dtype):
            raise TypeError(f"save: {name!r} has dtype {array.dtype}; expected numbers or bool")
    members = {f"{_escaped(name)}.npy": array for name, array in arrays.items()}
    long = [name for name, member in zip(arrays, members) if len(member.encode()) > 65_000]
    if long:
        raise ValueError(f"save: the name {short(long[0])} has {len(long[0])} characters; an archive holds names of up "
                         "to 65,000 bytes")
    if metadata is not None:
        try:
            said = json.dumps(whole.texts_of(metadata), ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"save: metadata are not valid Unicode: {error}") from None
        members[f"{METADATA}.npy"] = np.array(said)

    def fill(file: Any) -> None:
        with ZipFile(file, "w", ZIP_STORED) as archive:
            archive.comment = MARK
            for member, array in members.items():
                info = ZipInfo(member)                        # 1980, always: the same state gives the same bytes
                with archive.open(info, "w", force_zip64=True) as part:
                    np.lib.format.write_array(part, np.asarray(array, order="C"), allow_pickle=False)
    whole.write(path, fill)


def _plain(dtype: Any) -> bool:
    return dtype.kind in "biufc" and dtype.itemsize <= (16 if dtype.kind == "c" else 8)


_STRANGE = re.compile(r"[%\\\x00-\x1f]")


def _leads_out(name: str) -> bool:
    """Whether a name, taken as a path, would be one outside a folder: "/a", "../a", "a//b", "C:/a"."""
    return any(part in ("", ".", "..") for part in name.split("/")[:-1]) or re.match("[A-Za-z]:/", name) is not None


def _escaped(name: str) -> str:
    """The name of a part for the name of an array: "a/b.c" as it is, "/a" as "%2Fa", "%" as "%25"."""
    name = _STRANGE.sub(lambda found: f"%{ord(found.group()):02X}", name)
    return name.replace("/", "%2F") if _leads_out(name) else name


def _unescaped(name: str) -> str:
    return re.sub(r"%([0-9A-F]{2})", lambda found: chr(int(found.group(1), 16)), name)


def load(path: Any, *, metadata: bool = False) -> Any:
    """Read an .npz file: a dict from names to Tensors, for `load_state_dict`; with `metadata`, (dict, metadata).

    Reads what `np.savez` and `np.savez_compressed` write, but no objects (a pickle), texts, dates or records.
    Everything the file says is checked before anything is allocated: it must not expand to more than 256 MiB or 100
    times its size, whichever is more.  Raises ValueError that says what is wrong with the file.
    """
    import json
    import struct
    from zipfile import BadZipFile, ZipFile
    from zlib import error as Corrupt
    path = os.fspath(path)
    where = f"load: {os.fsdecode(path)}"
    with open(path, "rb") as file:
        size, first = os.fstat(file.fileno()).st_size, file.read(16)
        if not first.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            what = "in the safetensors format: let its name end in .safetensors" if first[8:9] == b"{" else \
                whole.foreign(first, os.fsdecode(path)) or f"no .npz file, or cut short: it has {size} bytes"
            raise ValueError(f"{where} is {what}")
        try:
            with ZipFile(file) as archive:
                infos = _checked(archive, size, where)
                parts = {name: _begun(archive, info, f"{where}: {short(name)}") for name, info in infos.items()}
                arrays = {name: _read(archive, part, f"{where}: {short(name)}") for name, part in parts.items()}
        except (BadZipFile, Corrupt, struct.error, EOFError, NotImplementedError, RuntimeError, OverflowError,
                UnicodeError) as error:
            raise ValueError(f"{where}: the archive is damaged or cut short: {error or type(error).__name__}"
                             ) from None
    given: Any = {}
    if METADATA in arrays:
        text = arrays.pop(METADATA)
        try:
            given = json.loads(text.tobytes().rstrip(b"\0").decode(), object_pairs_hook=whole.once)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{where}: {METADATA} cannot be read: {error}") from None
    said = whole.said(given, os.fsdecode(path))
    state = {name: Tensor(array) for name, array in arrays.items()}
    return (state, said) if metadata else state


def _checked(archive: Any, size: int, where: str) -> dict[str, Any]:
    """The parts by the names of their arrays, once their names and sizes are sound."""
    ours, found, total = archive.comment == MARK, {}, 0
    for info in archive.infolist():
        raw = info.orig_filename
        at = f"{where}: {short(raw)}"
        if raw.endswith("data.pkl"):
            raise ValueError(f"{where} is {whole.foreign(b'PK', where.removeprefix('load: '))}")
        if not raw.endswith(".npy"):
            raise ValueError(f"{at} is no array: expected names that end in .npy")
        if _leads_out(raw) or _STRANGE.search(raw.replace("%", "")):
            raise ValueError(f"{at}: expected a plain name; this one leads out of its folder, or has a backslash or "
                             "control characters")
        name = _unescaped(raw[:-4]) if ours else raw[:-4]
        if name in found:
            raise ValueError(f"{at}: {short(name)} stands in it twice")
        if info.flag_bits & ENCRYPTED or info.compress_type not in (STORED, DEFLATED):
            raise ValueError(f"{at} is encrypted, or compressed in another way than np.savez_compressed does")
        held, most = info.compress_size, info.compress_size * (DEEPEST if info.compress_type == DEFLATED else 1)
        if info.file_size > most or (info.compress_type == STORED and info.file_size != held):
            raise ValueError(f"{at} claims {info.file_size} bytes; the {held} that the file has cannot be so many")
        total += info.file_size
        found[name] = info
    end, last = size, ""
    for info in sorted(found.values(), key=lambda info: -info.header_offset):
        begin = info.header_offset
        if begin < 0 or begin + LOCAL + len(info.orig_filename) + info.compress_size > end:
            raise ValueError(f"{where}: {short(info.orig_filename)} overlaps {last or 'the end of the file'}")
        end, last = begin, short(info.orig_filename)
    if total > max(ROOM, STRETCH * size):
        raise ValueError(f"{where} would expand from {size} to {total} bytes, more than {STRETCH} times: save it with "
                         "np.savez, uncompressed, if that is meant")
    return found


_ENTRY = re.compile(r"""\s*['"](descr|fortran_order|shape)['"]\s*:"""
                    r"""\s*(['"][^'"]{0,40}['"]|True|False|\([\dL,\s]*\))\s*,?""")


def _begun(archive: Any, info: Any, where: str) -> Part:
    """What the beginning of a part says, held against its size."""
    with archive.open(info) as member:
        lead = member.read(8)
        if len(lead) < 8 or lead[:6] != b"\x93NUMPY" or lead[6] not in (1, 2, 3):
            raise ValueError(f"{where} is no array of the .npy format, versions 1 to 3")
        width = 2 if lead[6] == 1 else 4
        length = int.from_bytes(member.read(width), "little")
        start = 8 + width + length
        if length > LARGEST or start > info.file_size:
            raise ValueError(f"{where}: its header would have {length} bytes; up to {LARGEST} are read, and the part "
                             f"has {info.file_size}")
        text = member.read(length).decode("latin1").strip()
    entries = dict(_ENTRY.findall(text[1:-1]))
    rest = _ENTRY.sub("", text[1:-1]).strip()
    if text[:1] != "{" or text[-1:] != "}":
        raise ValueError(f"{where}: its header cannot be read: {short(text)}")
    if "'descr': [" in text or '"descr": [' in text:
        raise ValueError(f"{where} is of records; expected numbers or bool")
    if rest or entries.keys() != {"descr", "fortran_order", "shape"} or entries["descr"][0] not in "'\"" \
            or entries["fortran_order"] not in ("True", "False") or entries["shape"][0] != "(":
        raise ValueError(f"{where}: its header must say descr, fortran_order and shape, once each; got {short(text)}")
    dtype = _dtype(entries["descr"][1:-1], info.orig_filename == f"{METADATA}.npy", where)
    numbers = entries["shape"][1:-1].replace("L", "").split(",")
    counts = [n.strip() for n in numbers if n.strip()]
    if len(counts) > 64 or any(not n.isdigit() or len(n) > 20 for n in counts):
        raise ValueError(f"{where} has shape {short(entries['shape'])}; expected up to 64 integers, none negative")
    shape = tuple(map(int, counts))
    needed = prod(shape) * dtype.itemsize
    if needed != info.file_size - start:
        raise ValueError(f"{where}: shape {short(shape)} of {dtype} takes {short(needed)} bytes, the file has "
                         f"{info.file_size - start}")
    if whole.too_large(shape):
        raise ValueError(f"{where} has shape {short(shape)}, for which there is no array")
    return Part(info, start, dtype, shape, entries["fortran_order"] == "True")


def _dtype(text: str, of_metadata: bool, where: str) -> Any:
    if "O" in text:
        raise ValueError(f"{where} holds objects, that is a pickle, which can run code and is never read: save arrays "
                         "of numbers")
    if of_metadata and re.fullmatch(r"\|S[1-9]\d{0,8}", text):
        return np.dtype(text)
    if not re.fullmatch(r"[<>|=]?(b1|[iu][1248]|f[248]|c8|c16)", text):
        raise ValueError(f"{where} has dtype {short(text)}; expected numbers of up to 8 bytes (complex: 16) or bool")
    return np.dtype(text)


def _read(archive: Any, part: Part, where: str) -> Any:
    data = np.empty(part.info.file_size - part.start, np.uint8)
    view = memoryview(data)                                   # type: ignore[arg-type]
    at = 0
    with archive.open(part.info) as member:
        member.read(part.start)
        while at < len(data):
            n = member.readinto(view[at:at + CHUNK])
            if not n:
                raise ValueError(f"{where}: the file ended within it")
            at += n
        if member.read(1):                                    # at the end of a part its checksum is compared
            raise ValueError(f"{where} has more bytes than it says")
    if part.dtype.kind == "b" and len(data) and data.max() > 1:
        raise ValueError(f"{where} is bool and has the byte {int(data.max())}, neither 0 nor 1")
    array = data.view(part.dtype)
    array = array.astype(part.dtype.newbyteorder("="), copy=False)
    if not part.shape:
        return array[0]
    return array.reshape(part.shape[::-1]).T if part.turned else array.reshape(part.shape)
