"""Every op from its own row: one declaration, a dozen checks.

A row without cases is elementwise: it is tried on one shape, on shapes that broadcast and on 0-d inputs.
"""

from __future__ import annotations

import importlib

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, ops
from autograd.op import OPS
from autograd.sweep import pull, push

for family in sorted(set(ops.LATE.values())):
    importlib.import_module(f"autograd.ops.{family}")          # every op enters OPS when its file is imported

H = 1e-6
SKIP_FLOAT32 = {"cast"}                       # changes the dtype: that is its purpose


def default_cases(op):
    n = len(op.inputs)
    return [(((2, 3),) * n, {}), (((2, 1), (3,), (1, 1))[:n], {}), (((),) * n, {}), (((0, 3),) * n, {})]


def rows(differentiable=True):
    return [
        pytest.param(op, shapes, attrs, id=f"{op.name}-{describe(shapes)}-{attrs}")
        for op in OPS.values()
        if bool(op.rules) == differentiable
        for shapes, attrs in op.cases or default_cases(op)
    ]


def describe(shapes):
    return ",".join(str(s) if isinstance(s, tuple) else f"{s.dtype}{s.shape}" for s in shapes)


class Row:
    """A case of an op at random inputs: the differentiable ones apart, everything else in place."""

    def __init__(self, op, shapes, attrs, dtype=np.float64, seed=0, transform=lambda x: x):
        rng = np.random.default_rng(seed)
        self.op, self.attrs = op, attrs
        self.fixed = {k: s for k, s in enumerate(shapes) if isinstance(s, np.ndarray)}
        self.free = [k for k in range(len(shapes)) if k not in self.fixed]
        draw = lambda s: transform(np.asarray(rng.uniform(*op.domain, s)).astype(dtype))[()]
        self.xs = [draw(shapes[k]) for k in self.free]
        self.vs = [np.asarray(rng.standard_normal(x.shape)).astype(dtype)[()] for x in self.xs]
        self.u = np.asarray(rng.standard_normal(np.shape(self(self.xs)))).astype(dtype)[()]

    def __call__(self, xs):
        args = dict(self.fixed) | dict(zip(self.free, xs, strict=True))
        if self.op.order[:len(args)] != self.op.inputs[:len(args)] and not self.op.variadic:
            return self.op.call(**{self.op.inputs[k]: x for k, x in args.items()}, **self.attrs)
        return self.op.call(*[args[k] for k in sorted(args)], **self.attrs)

    def moved(self, h):
        return [x + h * v for x, v in zip(self.xs, self.vs, strict=True)]

    def leaves(self, xs=None):
        return [Tensor(x, requires_grad=True) for x in (self.xs if xs is None else xs)]

    def pulled(self, xs, record=False):
        ts = self.leaves(xs)
        return pull([self(ts)], [ag.as_tensor(self.u) if record else self.u], ts, record=record), ts


def dot(a, b):
    return float(sum(np.sum(np.asarray(x) * y) for x, y in zip(a, b, strict=True) if x is not None))


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_gradient_agrees_with_central_differences(op, shapes, attrs):
    row = Row(op, shapes, attrs)
    slope = np.sum(row.u * (row(row.moved(H)) - row(row.moved(-H)))) / (2 * H)
    grads, _ = row.pulled(row.xs)
    assert np.isclose(dot(grads, row.vs), slope, rtol=1e-5, atol=1e-6)
    for g, x in zip(grads, row.xs, strict=True):
        assert g.shape == x.shape and g.dtype == x.dtype, "a gradient looks like its input"


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_every_element_of_the_gradient(op, shapes, attrs):
    row = Row(op, shapes, attrs, seed=5)
    grads, _ = row.pulled(row.xs)
    for k, x in enumerate(row.xs):
        x = np.array(x)
        for j in np.ndindex(x.shape):
            sides = []
            for h in (H, -H):
                y = x.copy()
                y[j] += h
                sides.append(np.sum(row.u * row([*row.xs[:k], y[()], *row.xs[k + 1:]])))
            assert np.isclose(np.asarray(grads[k])[j], (sides[0] - sides[1]) / (2 * H), rtol=1e-4, atol=1e-5), (k, j)


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_forward_mode_is_the_transpose_of_reverse_mode(op, shapes, attrs):
    row = Row(op, shapes, attrs, seed=1)
    grads, ts = row.pulled(row.xs)
    along = push(row(ts), list(zip(ts, row.vs, strict=True)))
    along = along.value if isinstance(along, Tensor) else along
    assert np.shape(along) == np.shape(row.u)
    assert np.isclose(np.sum(row.u * along), dot(grads, row.vs), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_gradient_of_the_gradient(op, shapes, attrs):
    row = Row(op, shapes, attrs, seed=2)
    grads, ts = row.pulled(row.xs, record=True)
    assert all(isinstance(g, Tensor) for g in grads), "a rule that calls NumPy cuts the history"
    raw, _ = row.pulled(row.xs)
    for g, r in zip(grads, raw, strict=True):
        assert np.allclose(g.value, r, rtol=1e-12, atol=1e-14), "the rule means the same on arrays and on tensors"
    first = sum(((g * v).sum() for g, v in zip(grads, row.vs, strict=True)), Tensor(0.0, dtype="float64"))
    second = dot(pull([first], [np.float64(1)], ts), row.vs) if first.requires_grad else 0.0

    def slope_at(h):
        return dot(row.pulled(row.moved(h))[0], row.vs)
    assert np.isclose(second, (slope_at(H) - slope_at(-H)) / (2 * H), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_third_derivative(op, shapes, attrs):
    row = Row(op, shapes, attrs, seed=3)

    def second(h, record):
        ts = row.leaves(row.moved(h))
        g1 = pull([row(ts)], [ag.as_tensor(row.u)], ts, record=True)
        s1 = sum(((g * v).sum() for g, v in zip(g1, row.vs, strict=True)), Tensor(0.0, dtype="float64"))
        if not s1.requires_grad:
            return None, ts
        g2 = pull([s1], [ag.as_tensor(np.float64(1))], ts, record=record)
        return sum(
            ((g * v).sum() for g, v in zip(g2, row.vs, strict=True) if g is not None), Tensor(0.0, dtype="float64")
        ), ts

    s2, ts = second(0.0, True)
    if s2 is None or not s2.requires_grad:
        return
    third = dot(pull([s2], [np.float64(1)], ts), row.vs)
    h = 1e-5
    slope = (float(second(h, True)[0]) - float(second(-h, True)[0])) / (2 * h)
    assert np.isclose(third, slope, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_float32_stays_float32(op, shapes, attrs):
    if op.name in SKIP_FLOAT32:
        return
    row = Row(op, shapes, attrs, dtype=np.float32)
    out = row(row.leaves())
    assert out.dtype == np.float32 and out.node.dtype == np.float32
    grads, _ = row.pulled(row.xs)
    assert [g.dtype for g in grads] == [np.dtype("float32")] * len(grads)
    double = Row(op, shapes, attrs)
    double.xs, double.u = [np.float64(x) for x in row.xs], np.float64(row.u)
    for g, d in zip(grads, double.pulled(double.xs)[0], strict=True):
        assert np.allclose(g, d, rtol=2e-3, atol=2e-4), "and agrees with float64 to float32's digits"


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_memory_order_is_never_visible(op, shapes, attrs):
    row = Row(op, shapes, attrs)
    strided = [np.repeat(np.asarray(x), 2, axis=-1)[..., ::2] if np.ndim(x) else x for x in row.xs]
    turned = [np.asfortranarray(x) if np.ndim(x) else x for x in row.xs]
    expected, _ = row.pulled(row.xs)
    for xs in (strided, turned):
        grads, ts = row.pulled(xs)
        assert np.allclose(row(ts).value, row(row.xs), rtol=1e-13, atol=1e-15)
        for g, e in zip(grads, expected, strict=True):
            assert np.allclose(g, e, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_recording_changes_nothing(op, shapes, attrs):
    row = Row(op, shapes, attrs)
    inputs = [np.array(x) for x in row.xs]
    plain, tensor = row(row.xs), row(row.leaves())
    constant = row([Tensor(x) for x in row.xs])
    assert not isinstance(plain, Tensor) and isinstance(tensor, Tensor) and isinstance(constant, Tensor)
    assert np.array_equal(tensor.value, plain) and tensor.dtype == plain.dtype and tensor.requires_grad
    assert np.array_equal(constant.value, plain) and not constant.requires_grad
    with ag.no_grad():
        assert not row(row.leaves()).requires_grad
    with ag.record():
        recorded = row(row.leaves())
    assert np.array_equal(recorded.value, plain) and recorded.node.extra.line.startswith("test_rows.py:")
    row.pulled(row.xs)
    for x, before in zip(row.xs, inputs, strict=True):
        assert np.array_equal(x, before), "no op and no rule writes into its inputs"
    assert (np.ndim(plain) > 0) == (type(tensor.value) is np.ndarray), "a 0-d value is a NumPy scalar"


@pytest.mark.parametrize("op, shapes, attrs", rows())
def test_what_no_rule_asks_for_is_not_kept(op, shapes, attrs):
    row = Row(op, shapes, attrs)
    for alone in range(len(row.xs)):
        ts = [Tensor(x, requires_grad=k == alone) for k, x in enumerate(row.xs)]
        saved = row(ts).node.saved
        if op.variadic:
            assert len(saved) == len(row.xs) * (0 in op.kept) + (1 in op.kept)
            continue
        needed = op.needs[row.free[alone]]
        assert [v is not None for v in saved] == [k in needed for k in op.kept]


@pytest.mark.parametrize("op, shapes, attrs", rows(differentiable=False))
def test_ops_without_derivative(op, shapes, attrs):
    n = len(op.inputs)
    xs = [np.array([[True, False, True], [False, False, True]])] * n if op.name.startswith("bitwise") \
        else [np.random.default_rng(k).integers(1, 4, (2, 3)) for k in range(n)]
    out = op.call(*[Tensor(x) for x in xs], **attrs)
    assert np.array_equal(out.value, op.call(*xs, **attrs)) and not out.requires_grad
    if not op.name.startswith("bitwise"):
        out = op.call(*[Tensor(x.astype(float), requires_grad=True) for x in xs], **attrs)
        assert not out.requires_grad and out.is_leaf


@pytest.mark.parametrize("op", list(OPS.values()), ids=lambda op: op.name)
def test_the_row_says_what_it_is(op):
    first = op.doc.strip().splitlines()[0]
    assert first and (first.endswith((".", ":")) or "." in first), "a first line that ends"
    assert op.shapes and op.category
    assert op.kind != "elementwise" or not op.variadic


@pytest.mark.parametrize(
    "op, shapes, attrs", [p for p in rows() if p.values[0].kind == "elementwise" and not p.values[0].cases]
)
def test_misfitting_shapes_name_what_arrived(op, shapes, attrs):
    if len(op.inputs) != 2:
        return
    with pytest.raises(ag.ShapeError) as caught:
        op.call(Tensor(np.ones((2, 3)), requires_grad=True), Tensor(np.ones((4,)), requires_grad=True))
    text = str(caught.value)
    assert (
        text.startswith(f"{op.name}: expected {op.shapes}; got ")
        and "(2, 3) float64" in text
        and "(4,) float64" in text
    )
