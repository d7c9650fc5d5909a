"""To JSON and back: everything an op may be called with, bit by bit; and what is refused."""

from __future__ import annotations

import copy
import json
import pickle

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.graph import Graph, trace
from autograd.graph.exchange import _plain, _restored

RNG = np.random.default_rng(4)
X = RNG.standard_normal((4, 3))


def back_again(v):
    return json.loads(json.dumps(_plain(v), allow_nan=False), object_hook=_restored)


@pytest.mark.parametrize("v", [
    None, True, 3, -0.0, 1e-320, float("inf"), 2 ** 70, "text", (1, 2), [1, (2,)], slice(1, None, -2), Ellipsis,
    (slice(None), None, Ellipsis, 3), 1 + 2j, complex("nan+infj"), {"a": (1,), 2: [3]}, {"float": "inf"},
    {"tuple": [1]}, np.dtype("float16"), np.dtype("complex128"), np.float32(0.1), np.int8(-3), np.bool_(True),
    (("permute", {"dims": (1, 0)}), ("getitem", {"index": (slice(None), 1)})), np.arange(6).reshape(2, 3),
    np.asfortranarray(X), np.array([np.nan, -0.0, np.inf], "float16"), np.zeros((0, 3)), np.array(["1"] == ["1"]),
    np.arange(4, dtype=">i4"), X[::2, ::-1], np.array([1 + 2j]),
], ids=repr)
def test_every_kind_of_value(v):
    from autograd.graph.nodes import same
    w = back_again(v)
    if isinstance(v, np.ndarray):
        assert w.dtype == v.dtype.newbyteorder("=") and w.shape == v.shape and np.array_equal(
            w, v, equal_nan=v.dtype.kind in "fc") and not w.flags.writeable
    else:
        assert same(w, v) and repr(w) == repr(v)


def test_what_has_no_form_is_named():
    @ag.op(x=lambda g: g)
    def shown(x, *, how):
        return x
    with pytest.raises(TypeError, match=r"to_json: %1 shown: .*got builtin_function"):
        trace(lambda x: shown(x, how=print))(X).to_json()


def test_a_graph_from_elsewhere_runs():
    scale = np.array([1.0, np.inf, -0.0])
    net = lambda x: ag.where(x > 0, x[:, [0, 2, 1]], x * scale).clamp(max=float("inf"))[1:, None]
    g = trace(net)(X)
    h = Graph.from_json(g.to_json())
    assert h == g and np.array_equal(h(X * 2), net(Tensor(X * 2)).value, equal_nan=True)
    grads = g.backward()
    assert Graph.from_json(grads.to_json()) == grads and copy.deepcopy(g) is g and pickle.loads(pickle.dumps(g)) == g


def test_a_fresh_process_finds_the_ops():
    import subprocess
    import sys
    text = trace(lambda x, k: ag.conv2d(x, k).relu())(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))).to_json()
    program = ("import sys, numpy as np\nfrom autograd.graph import Graph\ng = Graph.from_json(sys.stdin.read())\n"
               "print(g(np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3))).sum())")
    done = subprocess.run([sys.executable, "-c", program], input=text, capture_output=True, encoding="utf-8",
                          check=True)
    assert float(done.stdout) == 36


GOOD = json.loads(trace(lambda x: {"a": x[1:] * 2})(X).to_json())


def broken(change):
    data = copy.deepcopy(GOOD)
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize("change, words", [
    (lambda d: d.update(format="glassgrad.graph/1"), "this version reads 'glassgrad.graph/2'"),
    (lambda d: d.pop("format"), "names no format"), (lambda d: d.pop("outputs"), "'outputs' is missing"),
    (lambda d: d["nodes"][1].update(color="red"), "unknown field 'color'"),
    (lambda d: d["nodes"][1].update(inputs=[5]), "does not stand after its inputs"),
    (lambda d: d["nodes"][1].update(inputs=[True]), "does not stand after its inputs"),
    (lambda d: d["nodes"][1].update(kind="magic"), "of no known kind"),
    (lambda d: d["nodes"][1].update(op=""), "of no known kind"),
    (lambda d: d["nodes"][0].update(dtype="object"), "has no type"),
    (lambda d: d["nodes"][0].update(shape=[-1, 3]), "has no type"),
    (lambda d: d["nodes"][0].update(shape="ab"), "has no type"),
    (lambda d: d["nodes"][0].update(name=3), "field 'name' of node 0 is 3"),
    (lambda d: d["nodes"][0].update(value=[1, 2]), "from_json"),
    (lambda d: d["nodes"][0].update(data={"array": ["|O", [1], "AAAAAAAAAAA=", "C"]}), "dtype"),
    (lambda d: d["nodes"][0].update(data={"array": ["<f8", [99], "AAAA", "C"]}), "from_json"),
    (lambda d: d["nodes"][0].update(data={"array": ["<f8", [1], "AAAAAAAAAAA=", "C"]}), "array of another type"),
    (lambda d: d["nodes"][0].update(data="text"), "field 'data'"),
    (lambda d: d.update(outputs=[7]), "an output is none of its nodes"),
    (lambda d: d.update(given=[7]), "an input is none of its nodes"),
    (lambda d: d.update(gives={"tuple": ["dict", {"tuple": ["a", 3]}]}), "the result is in none of its places"),
    (lambda d: d.update(gives={"tuple": ["eval", "1"]}), "unknown form 'eval'"),
    (lambda d: d.update(takes={"tuple": [{"tuple": ["x", 4]}]}), "the argument x is in none"),
    (lambda d: d.update(nodes={}), "no list"), (lambda d: d.update(nodes=[3]), "node 0 is no object"),
])
def test_bad_text_is_refused_with_the_reason(change, words):
    with pytest.raises(ValueError, match=r"from_json: expected what Graph\.to_json wrote; ") as refused:
        Graph.from_json(broken(change))
    assert words in str(refused.value)


def test_no_byte_of_it_can_crash_the_reader():
    text = json.dumps(GOOD)
    rng = np.random.default_rng(0)
    for _ in range(300):
        k = int(rng.integers(0, len(text) - 1))
        cut = int(rng.integers(0, 8))
        damaged = text[:k] + str(rng.choice(["", "0", "\"", "[", "null", "{}", "-1", "true"])) + text[k + cut:]
        try:
            Graph.from_json(damaged)
        except ValueError as error:
            assert str(error).startswith("from_json")


def test_every_op_is_found_by_name():
    """A graph from elsewhere may use any op of the library, whose file nobody has imported yet."""
    import subprocess
    import sys
    program = """
import importlib, pathlib
import autograd
from autograd.call import OPS
from autograd.graph.families import load
load()
found = set(OPS)
for file in pathlib.Path(autograd.__file__).parent.joinpath("ops").glob("*.py"):
    importlib.import_module(f"autograd.ops.{file.stem}" if file.stem != "__init__" else "autograd.ops")
print(*sorted(set(OPS) - found))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.split() == [], "import their files in autograd/graph/families.py"
