"""A graph as JSON text and back: everything in it, arrays bit by bit; nothing that could run.

What JSON has no form for is an object of one key: {"float": "nan"}, {"tuple": [...]}, {"slice": [0, null, 2]},
{"dtype": "float32"}, {"array": [dtype, shape, base64 of the bytes, little-endian, in C order]}, ...
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from .nodes import KINDS, NOTHING, GraphNode, Operand, Summary, operands_in

if TYPE_CHECKING:
    from .graphs import Graph

FORMAT = "glassgrad.graph/2"
_LEFT_OUT: dict[str, Any] = {**GraphNode._field_defaults, "attrs": NOTHING, "name": "", "module": "", "line": "",
                             "symbol": "", "op": "", "category": "", "value": None, "grad": None, "inputs": (),
                             "formula": (), "saved": (), "saved_bytes": 0, "flops": 0, "requires_grad": False}
_LISTS = ("shape", "inputs", "formula", "saved", "absent", "keeps", "marks")
_TOO_MANY = 2**64
_WITH_FORM = frozenset(("value", "grad", "attrs", "data", *_LISTS))          # the rest is JSON as it is
_TYPES: dict[str, type | tuple[type, ...]] = {
    "id": int, "kind": str, "op": str, "category": str, "symbol": str, "name": str, "shape": tuple, "dtype": str,
    "inputs": tuple, "attrs": Mapping, "module": str, "line": str, "requires_grad": bool, "grad_state": str,
    "formula": tuple, "saved": tuple, "saved_bytes": int, "nbytes": int, "flops": int, "absent": tuple,
    "keeps": tuple, "marks": tuple,
    "value": (Summary, type(None)), "grad": (Summary, type(None)),
    "data": (np.ndarray, np.generic, bool, int, float, complex, type(None)),
}


def to_json(graph: Graph) -> str:
    """The graph as JSON text.  Raises TypeError for an attribute of a type that has no form."""
    import json
    nodes = []
    for node in graph.nodes:
        said = {k: v for k, v in node._asdict().items() if not _goes_without_saying(k, v)}
        try:
            for k in said.keys() & _WITH_FORM:
                said[k] = _numbers(said[k]) if k in ("value", "grad") else _plain(
                    [[name, v] for name, v in node.attrs.items()] if k == "attrs" else
                    list(said[k]) if k in _LISTS else said[k])
            nodes.append(said)
        except TypeError as error:
            raise TypeError(f"to_json: %{node.id} {node.op or node.kind}: {error}") from None
    rest = {"outputs": list(graph.outputs), "modules": [[k, v] for k, v in graph.modules.items()],
            "takes": _plain(graph.takes), "gives": _plain(graph.gives),
            "given": None if graph.given is None else list(graph.given),
            "fixed": graph.fixed, "bound": [[line, list(places)] for line, places in graph.bound],
            "report": list(graph.report)}
    return json.dumps({"format": FORMAT, "nodes": nodes, **rest}, allow_nan=False, separators=(",", ":"))


def _numbers(s: Summary) -> list[Any]:
    """A summary in terms of JSON."""
    item = s.item
    if math.isfinite(s.rms + s.mean + s.std + s.min + s.max + s.zeros + s.lo + s.hi) and (
            item is None or (type(item) in (int, bool, float) and math.isfinite(item))):
        return [*s[:10], list(s.hist), s.lo, s.hi]
    return [_plain(list(v) if isinstance(v, tuple) else v) for v in s]


def _goes_without_saying(field: str, v: Any) -> bool:
    default = _LEFT_OUT.get(field, _LEFT_OUT)
    return v is default or (type(v) is type(default) and isinstance(v, (str, int, tuple)) and v == default)


def _plain(v: Any) -> Any:
    """A value in terms of JSON."""
    if v is None or isinstance(v, (bool, str)):
        return v
    if isinstance(v, (np.ndarray, np.generic)):
        return {"scalar" if isinstance(v, np.generic) else "array": _array(v)}
    if isinstance(v, int):
        return int(v)
    if isinstance(v, float):
        return v if math.isfinite(v) else {"float": repr(v)}
    if isinstance(v, complex):
        return {"complex": [_plain(v.real), _plain(v.imag)]}
    if isinstance(v, list):
        return [_plain(k) for k in v]
    if isinstance(v, Operand):
        return {"operand": v.at}
    if isinstance(v, tuple):
        return {"tuple": [_plain(k) for k in v]}
    if isinstance(v, Mapping):
        return {"dict": [[_plain(k), _plain(w)] for k, w in v.items()]}
    if isinstance(v, slice):
        return {"slice": [_plain(v.start), _plain(v.stop), _plain(v.step)]}
    if v is Ellipsis:
        return {"ellipsis": True}
    if isinstance(v, np.dtype):
        return {"dtype": v.str}
    raise TypeError(f"expected numbers, strings, slices, dtypes, arrays, and tuples, lists and dicts of them; got "
                    f"{type(v).__name__}")


def _array(v: Any) -> list[Any]:
    from base64 import b64encode
    if v.dtype.kind not in "biufc":
        raise TypeError(f"expected an array of numbers; got dtype {v.dtype}")
    little = np.asarray(v, v.dtype.newbyteorder("<"))
    fortran = little.ndim > 1 and little.flags.f_contiguous and not little.flags.c_contiguous
    order: Any = "F" if fortran else "C"
    return [little.dtype.str, list(v.shape), b64encode(little.tobytes(order)).decode("ascii"), order]


def _restored(x: dict[str, Any]) -> Any:
    """A value again, from an object of one key."""
    if len(x) != 1:
        return x
    (kind, v), = x.items()
    if kind in ("array", "scalar") and isinstance(v, list):
        from base64 import b64decode
        dtype, shape, data, order = v
        if np.dtype(dtype).kind not in "biufc":
            raise ValueError(f"an array of dtype {dtype}")
        made = np.frombuffer(b64decode(data, validate=True), dtype).reshape(shape, order=order)
        made = made.astype(made.dtype.newbyteorder("="), order="K")
        made.flags.writeable = False
        return made if kind == "array" else made[()]
    if kind == "float" and v in ("inf", "-inf", "nan"):
        return float(v)
    if kind == "complex" and isinstance(v, list):
        return complex(*v)
    if kind == "tuple" and isinstance(v, list):
        return tuple(v)
    if kind == "slice" and isinstance(v, list):
        return slice(*v)
    if kind == "dict" and isinstance(v, list):
        return dict(v)
    if kind == "operand" and type(v) is int:
        return Operand(v)
    if kind == "dtype" and isinstance(v, str):
        return np.dtype(v)
    return Ellipsis if kind == "ellipsis" else x


def fields(text: str) -> dict[str, Any]:
    """The fields of the graph that a text describes.  ValueError, with the reason, for any other text."""
    import json
    try:
        data = json.loads(text, object_hook=_restored)
        if not isinstance(data, dict) or "format" not in data:
            raise ValueError("it names no format")
        if data["format"] != FORMAT:
            raise ValueError(f"its format is {data['format']!r}, and this version reads {FORMAT!r}")
        if not isinstance(data["nodes"], list) or not isinstance(data["modules"], list):
            raise ValueError("its nodes or its modules are no list")
        nodes = tuple([_node(position, n) for position, n in enumerate(data["nodes"])])
        found: dict[str, Any] = {
            "nodes": nodes, "outputs": _ids(data["outputs"], len(nodes), "an output"),
            "modules": MappingProxyType({str(k): str(v) for k, v in data["modules"]}),
            "takes": data["takes"], "gives": data["gives"], "fixed": str(data["fixed"]),
            "bound": tuple([(str(line), tuple([int(k) for k in places])) for line, places in data["bound"]]),
            "report": tuple(map(str, data["report"])),
            "given": None if data["given"] is None else _ids(data["given"], len(nodes), "an input")}
        n = len(found["given"]) if found["given"] is not None else sum(k.kind == "input" for k in nodes)
        for name, form in found["takes"] or ():
            _check_form(form, n, f"the argument {name}")
        if found["gives"] is not None:
            _check_form(found["gives"], len(found["outputs"]), "the result")
        return found
    except KeyError as error:
        raise ValueError(f"from_json: expected what Graph.to_json wrote; {error} is missing") from error
    except (TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"from_json: expected what Graph.to_json wrote; {error}") from error


def _node(position: int, said: Any) -> GraphNode:
    if not isinstance(said, dict):
        raise ValueError(f"node {position} is no object")
    unknown = said.keys() - set(GraphNode._fields)
    if unknown:
        raise ValueError(f"node {position} has the unknown field {sorted(unknown)[0]!r}")
    all_fields: dict[str, Any] = {**_LEFT_OUT, **said}
    for k in _LISTS:
        all_fields[k] = tuple(all_fields[k])
    for k in ("value", "grad"):
        s = all_fields[k]
        all_fields[k] = None if s is None else _summary(position, s)
    if all_fields["attrs"] is not NOTHING:
        all_fields["attrs"] = MappingProxyType({str(k): v for k, v in all_fields["attrs"]})
    for k, kinds in _TYPES.items():
        if not isinstance(all_fields[k], kinds):
            raise ValueError(f"the field {k!r} of node {position} is {all_fields[k]!r:.60}")
    node = GraphNode(**all_fields)
    if node.id != position or any(type(i) is not int or not 0 <= i < position for i in node.inputs):
        raise ValueError(f"node {position} does not stand after its inputs")
    if node.kind not in KINDS or (node.kind == "op") != bool(node.op) or (node.kind != "op" and node.inputs):
        raise ValueError(f"node {position} is of no known kind: {node.kind!r} {node.op!r}")
    if any(type(n) is not int or not 0 <= n < _TOO_MANY for n in node.shape) or (
            np.dtype(node.dtype).kind not in "biufc"):
        raise ValueError(f"node {position} has no type: {node.dtype} {node.shape}")
    if any(not 0 <= n < _TOO_MANY for n in (node.nbytes, node.flops, node.saved_bytes)):
        raise ValueError(f"node {position} has costs that nothing has: {node.nbytes} {node.flops} {node.saved_bytes}")
    if any(type(k) is not int or not -1 <= k < len(node.inputs) for k in node.keeps):
        raise ValueError(f"what node {position} keeps is none of its operands")
    if any(not isinstance(m, str) for k in (node.marks, node.saved, node.formula) for m in k):
        raise ValueError(f"node {position} has marks, saved names or rules that are no text")
    if any(not 0 <= k.at < len(node.inputs) for k in operands_in(node.attrs)):
        raise ValueError(f"an attribute of node {position} is none of its operands")
    if isinstance(node.data, (np.ndarray, np.generic)) and (
            node.data.shape != node.shape or node.data.dtype != np.dtype(node.dtype)):
        raise ValueError(f"node {position} holds an array of another type: {node.data.dtype} {node.data.shape}")
    return node


def _summary(position: int, s: Any) -> Summary:
    found = Summary._make([tuple(v) if isinstance(v, list) else v for v in s])
    counts = (found.nans, found.infs, found.size, *found.hist)
    measured = (*found[:6], found.lo, found.hi, *(() if found.item is None else (found.item,)))
    if any(type(n) is not int or n < 0 for n in counts) or any(
            not isinstance(v, (int, float)) or (isinstance(v, int) and abs(v) >= _TOO_MANY) for v in measured):
        raise ValueError(f"the summary of the values of node {position} is no numbers: {s!r:.60}")
    return found


def _ids(given: Any, n: int, what: str) -> tuple[int, ...]:
    if any(type(i) is not int or not 0 <= i < n for i in given):
        raise ValueError(f"{what} is none of its nodes")
    return tuple(given)


def _check_form(form: Any, n: int, what: str) -> None:
    if type(form) is int:
        if not 0 <= form < n:
            raise ValueError(f"{what} is in none of its places")
    elif not isinstance(form, tuple) or not form:
        raise ValueError(f"{what} has the unknown form {form!r:.60}")
    elif form[0] == "dict":
        for _, part in form[1:]:
            _check_form(part, n, what)
    elif form[0] in ("list", "tuple"):
        for part in form[1:]:
            _check_form(part, n, what)
    elif form[0] != "fixed":
        raise ValueError(f"{what} has the unknown form {form[0]!r}")
