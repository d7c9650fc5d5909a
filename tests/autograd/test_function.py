"""`Function`: code brought from PyTorch, with its forward and backward."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import autograd as ag
from autograd import Function, GradientError, ShapeError, Tensor


def leaf(data):
    return Tensor(np.array(data, np.float64), requires_grad=True)


class Exp(Function):
    @staticmethod
    def forward(ctx, x):
        y = x.exp()
        ctx.save_for_backward(y)
        return y

    @staticmethod
    def backward(ctx, g):
        y, = ctx.saved_tensors
        return g * y


class Scaled(Function):
    """x y s, the number s being no tensor."""

    @staticmethod
    def forward(ctx, x, y, s):
        ctx.save_for_backward(x, y)
        ctx.s = s
        assert not (x * y).requires_grad
        return x * y * s

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        gx = g * y * ctx.s if ctx.needs_input_grad[0] else None
        gy = g * x * ctx.s if ctx.needs_input_grad[1] else None
        return gx, gy, None


class Split(Function):
    """Several results, one of them integer, one constant."""

    @staticmethod
    def forward(x):
        return x * x, (x * 3).sum(), x.argmax(), x + 0

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.mark_non_differentiable(output[3])

    @staticmethod
    def backward(ctx, g_square, g_sum, g_index, g_fixed):
        x, = ctx.saved_tensors
        assert g_index.item() == 0 and g_fixed.tolist() == [0.0] * x.numel()
        return g_square * x * 2 + g_sum * 3


def test_one_result_and_derivatives_of_any_order():
    x = leaf([0.0, 1.0])
    y = Exp.apply(x)
    assert y.grad_fn.op.name == "Exp" and y.requires_grad and not y.is_leaf
    y.sum().backward()
    assert np.allclose(x.grad.value, np.exp([0.0, 1.0]))
    third = ag.grad(ag.grad(ag.grad(lambda x: Exp.apply(x))))
    assert third(0.5) == pytest.approx(np.exp(0.5))
    ag.gradcheck(Exp.apply, (leaf([0.1, 0.2]),))
    ag.gradgradcheck(Exp.apply, (leaf([0.1, 0.2]),))
    assert np.allclose(ag.jvp(Exp.apply, (np.array([0.5]),), (np.array([2.0]),))[1], 2 * np.exp(0.5))


def test_arguments_that_are_no_tensors_or_need_no_gradient():
    x, y = leaf([1.0, 2.0]), Tensor(np.array([3.0, 4.0]))
    Scaled.apply(x, y, 10).sum().backward()
    assert x.grad.tolist() == [30, 40]
    assert not Scaled.apply(y, y, 2).requires_grad
    with ag.no_grad():
        assert not Scaled.apply(x, y, 2).requires_grad
    ag.gradgradcheck(lambda x, y: Scaled.apply(x, y, 3.0), (leaf([1.0, 2.0]), leaf([0.5, -1.0])))


def test_several_results():
    x = leaf([1.0, 5.0, 2.0])
    square, total, index, fixed = Split.apply(x)
    assert index.item() == 1 and not index.requires_grad and not fixed.requires_grad and total.shape == ()
    (square.sum() * 2 + total).backward()
    assert x.grad.tolist() == [7, 23, 11]
    x.grad = None
    Split.apply(x)[1].backward()
    assert x.grad.tolist() == [3, 3, 3]
    ag.gradgradcheck(lambda x: Split.apply(x)[:2], (leaf([1.0, 5.0]),))


def test_in_transforms():
    xs = np.array([0.0, 1.0, 2.0])
    assert np.allclose(ag.vmap(ag.grad(lambda x: Exp.apply(x)))(xs), np.exp(xs))
    assert np.allclose(ag.grad(lambda x: ag.vmap(Exp.apply)(x).sum())(xs), np.exp(xs))
    each = ag.vmap(lambda x, y: ag.grad(lambda x: Scaled.apply(x, y, 2.0))(x), in_axes=(0, None))
    assert np.allclose(each(xs, Tensor(3.0)).value, 6)
    assert np.allclose(ag.hessian(lambda x: Exp.apply(x).sum())(xs), np.diag(np.exp(xs)))


def test_an_input_changed_in_place():
    class Double(Function):
        @staticmethod
        def forward(ctx, x):
            x.mul_(2)
            ctx.mark_dirty(x)
            return x

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = leaf([1.0, 2.0])
    y = x * 1
    z = Double.apply(y)
    assert z is y and y.tolist() == [2, 4]
    (y * y).sum().backward()
    assert x.grad.tolist() == [8, 16]


def test_once_differentiable_with_numpy_inside():
    class Sin(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return Tensor(np.sin(x.detach().numpy()))

        @staticmethod
        @ag.once_differentiable
        def backward(ctx, g):
            x, = ctx.saved_tensors
            return g * Tensor(np.cos(x.numpy()))

    x = leaf([0.3])
    g, = ag.gradients(Sin.apply(x), [x], create_graph=True)
    assert np.allclose(g.value, np.cos(0.3)) and not g.requires_grad


def test_mistakes_are_named():
    def made(result):
        class Wrong(Function):
            @staticmethod
            def forward(ctx, x, y):
                return x + y

            @staticmethod
            def backward(ctx, g):
                return result(g)
        return Wrong.apply(leaf([1.0, 2.0]), leaf([1.0, 2.0])).sum()

    with pytest.raises(GradientError, match=r"Wrong.backward returned 1 gradient\(s\) for the 2 arguments of forward"):
        made(lambda g: g).backward()
    with pytest.raises(
        ShapeError, match=r"Wrong.backward: gradient 1 must have the shape of its argument, \(2,\); got \(\)"
    ):
        made(lambda g: (g, g.sum())).backward()
    with pytest.raises(TypeError, match=r"gradient 0 is a float"):
        made(lambda g: (1.0, g)).backward()

    class Unsaved(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(3.0)
            return x
    with pytest.raises(TypeError, match="save_for_backward: expected Tensors or None; got float"):
        Unsaved.apply(leaf(1.0))

    class NoBackward(Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2
    with pytest.raises(NotImplementedError, match="needs a static method backward"):
        NoBackward.apply(leaf(1.0)).backward()

    class NotStatic(Function):
        def forward(ctx, x):
            return x
    with pytest.raises(TypeError, match=r"NotStatic.forward must be a static method"):
        NotStatic.apply(leaf(1.0))


def test_a_second_backward_through_a_freed_graph_is_refused():
    x = leaf([1.0])
    y = Exp.apply(x).sum()
    y.backward()
    with pytest.raises(GradientError, match="second time"):
        y.backward()


def test_no_garbage():
    gc.collect()
    gc.disable()
    try:
        x = leaf([1.0, 2.0])
        y = Exp.apply(x) + Split.apply(x)[0] + Scaled.apply(x, x, 2)
        y.sum().backward()
        del y, x
        assert gc.collect() == 0
    finally:
        gc.enable()
