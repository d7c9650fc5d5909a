"""Graphs made by hand, for the tests of pictures: plain data, no engine behind them; and one browser for all."""

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from autograd.graph import Graph, GraphNode, Summary

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]


def summary(rms: float, size: int = 4, item: float | None = None, nans: int = 0, infs: int = 0) -> Summary:
    return Summary(rms, 0.0, rms, -rms, rms, 1.0 if rms == 0 else 0.0, nans, infs, size, item, (), 0.0, 0.0)


class Maker:
    """Builds a Graph node by node; every method returns the id of the node it made."""

    def __init__(self) -> None:
        self.nodes: list[GraphNode] = []
        self.modules: dict[str, str] = {}

    def _add(self, **fields: Any) -> int:
        plain: dict[str, Any] = {
            "kind": "op", "op": "", "category": "", "symbol": "", "name": "", "shape": (), "dtype": "float32",
            "inputs": (), "attrs": {}, "module": "", "line": "", "requires_grad": False, "value": None, "grad": None,
            "grad_state": "none", "formula": (), "saved": (), "saved_bytes": 0, "nbytes": 0, "flops": 0}
        node = GraphNode(id=len(self.nodes), **{**plain, **fields})
        if node.requires_grad and node.grad_state == "none":
            node = node._replace(grad_state="known" if node.grad else "pending")
        self.nodes.append(node)
        return node.id

    def leaf(self, kind: str, name: str = "", shape: tuple[int, ...] = (), value: float | None = None,
             grad: float | None = None, **fields: Any) -> int:
        if value is not None:
            fields["value"] = summary(abs(value), 1, value)
        if grad is not None:
            fields["grad"] = summary(abs(grad), 1 if shape == () else 4, grad if shape == () else None)
        return self._add(kind=kind, name=name, shape=shape, **{"requires_grad": kind == "parameter", **fields})

    def input(self, name: str = "x", shape: tuple[int, ...] = (16, 8), **fields: Any) -> int:
        return self.leaf("input", name, shape, **fields)

    def parameter(self, name: str, shape: tuple[int, ...] = (8, 8), grad: float | None = None, **fields: Any) -> int:
        return self.leaf("parameter", name, shape, grad=grad, **fields)

    def op(self, op: str, inputs: tuple[int, ...], shape: tuple[int, ...] = (16, 8), category: str = "elementwise",
           grad: float | None = None, value: float | None = None, **fields: Any) -> int:
        if value is not None:
            fields["value"] = summary(abs(value), 1, value)
        if grad is not None:
            fields["grad"] = summary(abs(grad), 1 if shape == () else 4, grad if shape == () else None)
        wants = any(self.nodes[i].requires_grad for i in inputs)
        if "formula" not in fields:
            fields["formula"] = tuple(f"g * {'xyzuvw'[k % 6]}" if self.nodes[i].requires_grad else ""
                                      for k, i in enumerate(inputs))
        return self._add(op=op, inputs=inputs, shape=shape, category=category, **{"requires_grad": wants, **fields})

    def linear(self, path: str, x: int, n: int = 8, grad: float | None = None) -> int:
        """x W + b, in a module of its own: two ops."""
        self.modules[path] = "Linear"
        w, b = self.parameter(f"{path}.weight", (n, n), grad), self.parameter(f"{path}.bias", (n,), grad)
        h = self.op("matmul", (x, w), (16, n), "linear", grad, module=path, formula=("g @ y.mT", "x.mT @ g"))
        return self.op("add", (h, b), (16, n), grad=grad, symbol="+", module=path, formula=("g", "g"))

    def graph(self, *outputs: int) -> Graph:
        return Graph(tuple(self.nodes), outputs or (len(self.nodes) - 1,), self.modules)


def scalars() -> Graph:
    """One neuron, as in micrograd's README: tanh(x w + b), after its backward pass."""
    m = Maker()
    x = m.leaf("input", "x", value=2.0, grad=-1.5, requires_grad=True)
    w = m.leaf("input", "w", value=-3.0, grad=1.0, requires_grad=True)
    b = m.leaf("input", "b", value=6.8814, grad=0.5, requires_grad=True)
    p = m.op("multiply", (x, w), (), symbol="×", value=-6.0, grad=0.5, formula=("g * y", "g * x"))
    s = m.op("add", (p, b), (), symbol="+", value=0.8814, grad=0.5, formula=("g", "g"))
    return m.graph(m.op("tanh", (s,), (), "activation", value=0.7071, grad=1.0, name="o",
                        formula=("g * (1 - out * out)",)))


def mlp() -> Graph:
    """Linear, relu, mean of squares: with gradients."""
    m = Maker()
    h = m.linear("fc1", m.input(), grad=0.02)
    h = m.op("relu", (h,), category="activation", grad=0.01, formula=("where(out > 0, g, 0)",))
    h = m.linear("fc2", h, grad=0.5)
    two = m.leaf("constant", value=2.0)
    h = m.op("power", (h, two), grad=0.01, formula=("g * y * x ** (y - 1)", ""))
    return m.graph(m.op("mean", (h,), (), "reduction", grad=1.0, value=0.25, symbol="Σ", formula=("expand(g) / n",)))


def residual(blocks: int = 6) -> Graph:
    """x, `blocks` residual blocks of two linears and a relu, a loss against targets."""
    m = Maker()
    x, target = m.input(), m.input("target", (16,), dtype="int64")
    h = m.linear("embed", x, grad=0.1)
    m.modules["blocks"] = "Sequential"
    for k in range(blocks):
        path, grad = f"blocks.{k}", 10.0 ** (k - blocks)
        m.modules[path] = "ResBlock"
        y = m.linear(f"{path}.fc1", h, grad=grad)
        m.modules[f"{path}.act"] = "ReLU"
        y = m.op("relu", (y,), category="activation", grad=grad, module=f"{path}.act")
        y = m.linear(f"{path}.fc2", y, grad=grad)
        h = m.op("add", (h, y), grad=grad, symbol="+", module=path, formula=("g", "g"))
    h = m.linear("head", h, grad=0.1)
    return m.graph(m.op("nll_loss", (h, target), (), "loss", grad=1.0, value=2.5, formula=("softmax - onehot", "")))


def chain(n: int) -> Graph:
    """x, then n ops of which no two neighbours follow a period."""
    m = Maker()
    x = h = m.leaf("input", "x", (4, 4), requires_grad=True)
    for k in range(n):
        op = ("tanh", "relu")[(k * 7919 // 13) % 2]
        h = m.op(op, (h,), (4, 4), "activation") if k % 3 else m.op("add", (h, x), (4, 4))
    return m.graph(h)


@pytest.fixture(scope="session")
def maker() -> type[Maker]:
    return Maker


@pytest.fixture(scope="session")
def graphs() -> dict[str, Callable[..., Graph]]:
    return {"scalars": scalars, "mlp": mlp, "residual": residual, "chain": chain}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="drives the browser: pip install playwright")
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()
