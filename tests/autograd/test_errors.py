"""What is said when something is wrong: what was expected, what arrived, the fix; and afterwards nothing has changed.

Where the text ends in NumPy's own reason, in parentheses, it is compared up to there.
"""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, ShapeError, Tensor


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


def ones(*shape):
    return leaf(np.ones(shape))


def check(attempt, error, text, *tensors):
    """The error, word for word, and that tensors and modes are as they were."""
    before = [(t.value, np.array(t.value), t.grad, t.requires_grad, t.is_leaf) for t in tensors]
    with pytest.raises(error) as caught:
        attempt()
    assert caught.type is error
    said = str(caught.value)
    if text.endswith("("):
        assert said.startswith(text) and said.endswith(")")
    else:
        assert said == text
    for t, (value, copy, grad, requires_grad, is_leaf) in zip(tensors, before, strict=True):
        assert t.value is value and np.array_equal(value, copy) and t.grad is grad
        assert (t.requires_grad, t.is_leaf) == (requires_grad, is_leaf)
    assert ag.is_grad_enabled()


# -- shapes ----------------------------------------------------------------------------------------------

SHAPES = [
    ("add", lambda a, b: a + b, (3, 5), (4, 2),
     "add: expected shapes that broadcast together; got x (3, 5) float64, y (4, 2) float64 ("),
    ("multiply", lambda a, b: ag.multiply(a, b), (3, 5), (4,),
     "multiply: expected shapes that broadcast together; got x (3, 5) float64, y (4,) float64 ("),
    ("maximum", ag.maximum, (2,), (3,),
     "maximum: expected shapes that broadcast together; got x (2,) float64, y (3,) float64 ("),
    ("compare", lambda a, b: a < b, (2,), (3,),
     "lt: expected shapes that broadcast together; got x (2,) float64, y (3,) float64 ("),
    ("where", lambda a, b: ag.where(a > 0, a, b), (2, 3), (4,),
     "where: expected shapes that broadcast together; got condition (2, 3) bool, x (2, 3) float64, y (4,) float64 ("),
    ("matmul", lambda a, b: a @ b, (3, 5), (4, 2),
     "mat1 and mat2 shapes cannot be multiplied (3x5 and 4x2): the last axis of the first, 5, must equal "
     "the second last axis of the second, 4"),
    ("matmul vector", lambda a, b: a @ b, (3, 5), (3,),
     "mat1 and mat2 shapes cannot be multiplied (3x5 and 3): the last axis of the first, 5, must equal "
     "the only axis of the second, 3"),
    ("mm", ag.mm, (3,), (3, 5), "mm: expected a 2-D and a 2-D tensor; got (3,) and (3, 5)"),
    ("bmm", ag.bmm, (3, 5), (3, 5), "bmm: expected a 3-D and a 3-D tensor; got (3, 5) and (3, 5)"),
    ("dot", ag.dot, (3,), (4,), "dot: expected two 1-D tensors of one length; got (3,) and (4,)"),
    ("outer", ag.outer, (3, 5), (3,), "outer: expected two 1-D tensors; got (3, 5) and (3,)"),
    ("linear", ag.affine, (2, 3), (4, 5),
     "linear: expected an input of 5 features on its last axis (weight (4, 5)); got input (2, 3) with 3"),
    ("stack", lambda a, b: ag.stack([a, b]), (3, 5), (4, 2),
     "stack: expected tensors of one shape; got [(3, 5), (4, 2)]"),
    ("cat", lambda a, b: ag.cat([a, b]), (3, 5), (4, 2),
     "concatenate: expected shapes that agree except along `dim`; got xs[0] (3, 5) float64, xs[1] (4, 2) float64 ("),
    ("einsum", lambda a, b: ag.einsum("ij,jk->ik", a, b), (3, 5), (4, 2),
     "einsum: letter 'j' names axes of 5 and 4 elements in 'ij,jk->ik'"),
    ("einsum axes", lambda a, b: ag.einsum("ijk,jk->i", a, b), (3, 5), (5, 2),
     "einsum: 'ijk' names 3 axes; its operand has shape (3, 5)"),
]


@pytest.mark.parametrize("f, a, b, text", [pytest.param(*s[1:], id=s[0]) for s in SHAPES])
def test_shapes_of_two_operands(f, a, b, text):
    x, y = ones(*a), ones(*b)
    check(lambda: f(x, y), ShapeError, text, x, y)
    (x * 2).sum().backward()                    # and all goes on as before
    assert np.all(x.grad.value == 2)


def test_a_bias_that_does_not_fit():
    x, w, b = ones(2, 5), ones(4, 5), ones(3)
    check(lambda: ag.affine(x, w, b), ShapeError, "linear: expected a bias of shape (4,); got (3,)", x, w, b)


GOT = "; got x (3, 5) float64, "


@pytest.mark.parametrize("f, text", [
    (lambda x: x.reshape(4, 4), f"reshape: expected as many elements after as before{GOT}shape=(4, 4) ("),
    (lambda x: x.view(-1, 4), f"reshape: expected as many elements after as before{GOT}shape=(-1, 4) ("),
    (lambda x: x.permute(0, 0), f"permute: expected a permutation of the axes of x{GOT}dims=(0, 0) ("),
    (lambda x: x.permute(0), f"permute: expected a permutation of the axes of x{GOT}dims=(0,) ("),
    (lambda x: x.expand(3, 4), f"expand: expected a shape that x broadcasts to{GOT}shape=(3, 4) ("),
    (lambda x: x.flatten(1, 0), "flatten: start_dim 1 comes after end_dim 0"),
    (lambda x: x.split(0), "split: expected a positive split_size; got 0"),
    (lambda x: x.split([1, 1]), "split: the sizes [1, 1] add up to 2, but axis 0 has 3 elements"),
    (lambda x: ag.pad(x, (1,)), "pad: expected (before, after) for at most 2 axes; got (1,)"),
    (lambda x: ag.pad(x, (1,) * 6), "pad: expected (before, after) for at most 2 axes; got (1, 1, 1, 1, 1, 1)"),
    (lambda x: ag.stack([]), "stack: expected tensors of one shape; got []"),
    (lambda x: ag.einsum("ij,jk", x), "einsum: 'ij,jk' describes 2 operands; got 1"),
    (lambda x: ag.einsum("ii", x), "einsum: letter 'i' names axes of 3 and 5 elements"),
    (lambda x: x.backward(np.ones(2)), "backward(): the gradient must have the shape of the tensor, (3, 5); got (2,)"),
])
def test_shapes_of_one_operand(f, text):
    x = ones(3, 5)
    check(lambda: f(x), ShapeError, text, x)


# -- axes and indices ------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, text", [
    (lambda x: x.sum(2), "sum: expected axes that x has; got x (3, 5) float64, dim=2 ("),
    (lambda x: x.sum((0, 5)), "sum: expected axes that x has; got x (3, 5) float64, dim=(0, 5) ("),
    (lambda x: x.mean(-3), "mean: expected axes that x has; got x (3, 5) float64, dim=-3 ("),
    (lambda x: x.softmax(2), "softmax: expected an axis that x has; got x (3, 5) float64, dim=2 ("),
    (lambda x: x.cumsum(3), "cumsum: expected an axis that x has; got x (3, 5) float64, dim=3 ("),
    (lambda x: x.transpose(0, 2), "transpose: expected two axes that x has; got x (3, 5) float64, dim0=0, dim1=2 ("),
    (lambda x: x.squeeze(2), "squeeze: dimension out of range (expected to be in [-2, 1], but got 2)"),
    (lambda x: x.unsqueeze(4), "unsqueeze: dimension out of range (expected to be in [-3, 2], but got 4)"),
    (lambda x: x.movedim(0, 3), "movedim: dimension out of range (expected to be in [-2, 1], but got 3)"),
    (lambda x: x.max(2), "max: dimension out of range (expected to be in [-2, 1], but got 2)"),
    (lambda x: x.unbind(-3), "unbind: dimension out of range (expected to be in [-2, 1], but got -3)"),
    (lambda x: x[3], "getitem: expected an index into x; got x (3, 5) float64, index=3 ("),
    (lambda x: x[0, -6], "getitem: expected an index into x; got x (3, 5) float64, index=(0, -6) ("),
    (lambda x: x[0, 0, 0], "getitem: expected an index into x; got x (3, 5) float64, index=(0, 0, 0) ("),
    (lambda x: x[[0, 7]], "getitem: expected an index into x; got x (3, 5) float64, index=array([0, 7]) ("),
    (lambda x: x[1.0], "getitem: expected an index into x; got x (3, 5) float64, index=1.0 ("),
    (lambda x: x["a"], "getitem: expected an index into x; got x (3, 5) float64, index='a' ("),
    (lambda x: x[Tensor([1.0])], "a tensor used as an index must hold integers or bools; got float32"),
    (lambda x: x.index_select(1, Tensor([5])), "index_select: index 5 is out of bounds for dimension 1 with size 5"),
    (lambda x: x.index_select(1, Tensor([-1])), "index_select: index -1 is out of bounds for dimension 1 with size 5"),
    (lambda x: x.topk(6), "topk: k = 6 is out of range for axis -1 of 5 elements"),
    (lambda x: ag.one_hot(Tensor([3]), 3), "one_hot: class 3 is not in 0..2"),
    (lambda x: ag.max(ones(0, 3), 0), "max: expected an axis of at least one element; axis 0 of shape (0, 3) is empty"),
])
def test_axes_and_indices(f, text):
    x = ones(3, 5)
    check(lambda: f(x), IndexError, text, x)


GATHER = ("gather: expected an integer index of as many axes as x, nowhere longer than x except along dim; "
          "got x (3, 5) float64, index ")


@pytest.mark.parametrize("index, error, text", [
    ([[5]], IndexError, GATHER + "(1, 1) int64, dim=1 (index 5 is out of bounds for dimension 1 with size 5)"),
    ([[0], [-1]], IndexError, GATHER + "(2, 1) int64, dim=1 (index -1 is out of bounds for dimension 1 with size 5)"),
    ([[1.0]], TypeError, GATHER + "(1, 1) float32, dim=1 (the index must be integers; got float32)"),
    ([1], ShapeError, GATHER + "(1,) int64, dim=1 (index has 1 axes and x has 2)"),
])
def test_gather_range(index, error, text):
    x = ones(3, 5)
    check(lambda: x.gather(1, Tensor(index)), error, text, x)


@pytest.mark.parametrize("f", [
    lambda x: x.scatter_add(1, Tensor([[5]]), ones(1, 1)), lambda x: x.take(Tensor([15])),
    lambda x: x.take_along_dim(Tensor([[5]]), 1), lambda x: x.gather(2, Tensor([[1]])), lambda x: x.argsort(2),
    lambda x: x.masked_select(Tensor([True, False])), lambda x: x[np.ones(2, bool)], lambda x: x[[0, 1], [0, 1, 2]],
    lambda x: x.sort(2), lambda x: x.flip(2), lambda x: x.roll(1, 3), lambda x: x.diagonal(0, 0, 2),
    lambda x: x.sum((0, 0)), lambda x: x.gather(1, Tensor(np.zeros((4, 2), int))),
    lambda x: x.unflatten(1, (2, 3)), lambda x: x.logsumexp(2),
    lambda x: ag.einsum("ij->ik", x), lambda x: ag.cat([x, x], 2), lambda x: ag.stack([x, x], 4), lambda x: x.chunk(0),
    lambda x: x.scatter_add(1, Tensor([[0, 1]]), ones(1, 1)), lambda x: x.index_select(1, Tensor([[1]])),
    lambda x: x @ leaf(1.0), lambda x: ones(0).argmax(), lambda x: ones(0, 3).max(),
    lambda x: x.movedim((0, 1), (0, 0)), lambda x: x.tril("a"), lambda x: x.tile(-1, 2), lambda x: x.size(2),
])
def test_other_bad_indices_and_shapes_are_refused(f):
    x = ones(3, 5)
    with pytest.raises((IndexError, ValueError, TypeError)) as caught:
        f(x)
    assert str(caught.value) and x.grad is None


# -- dtypes ----------------------------------------------------------------------------------------------


def test_integers_carry_no_gradient():
    for data, dtype in (([1, 2], "int64"), ([True], "bool"), (np.uint8(3), "uint8")):
        text = (f"only floating-point and complex tensors can require gradients; got dtype {dtype}; "
                "write the data as floats (2.0 for 2) or pass dtype='float32'")
        check(lambda data=data: Tensor(data, requires_grad=True), GradientError, text)
        t = Tensor(data)
        check(t.requires_grad_, GradientError, text, t)


@pytest.mark.parametrize("name", ["mean", "var", "std", "norm"])
def test_means_of_integers_are_refused(name):
    t = Tensor([1, 2])
    with pytest.raises(TypeError) as caught:
        getattr(t, name)()
    assert "int64" in str(caught.value) and f"use x.float().{name}()" in str(caught.value)


@pytest.mark.parametrize("f", [lambda: Tensor([True]) - Tensor([False]), lambda: -Tensor([True]),
                               lambda: ~Tensor([1.0]), lambda: Tensor([1.0]) & Tensor([1.0]),
                               lambda: Tensor([1.0]) + "a",
                               lambda: Tensor([1.0]) + None, lambda: None * Tensor([1.0]), lambda: Tensor([1.0]) < "a",
                               lambda: Tensor([1.0]) @ "a", lambda: ag.exp("a"), lambda: ag.exp(None)])
def test_what_is_not_a_number_is_refused(f):
    with pytest.raises(TypeError):
        f()


def test_integer_arithmetic_that_has_no_answer():
    for f in (lambda: Tensor([1]) // 0, lambda: 1 // Tensor([0, 1]), lambda: Tensor([1]) % 0,
              lambda: Tensor(1) % Tensor(0)):
        with pytest.raises((ZeroDivisionError, RuntimeError)):
            f()
    with pytest.raises((ValueError, RuntimeError), match="Integers to negative integer powers are not allowed"):
        Tensor([1, 2]) ** -1


@pytest.mark.parametrize("data, error, text", [
    ("a", TypeError, "a tensor holds numbers or bools; got str of dtype <U1"),
    (None, TypeError, "a tensor holds numbers or bools; got NoneType of dtype object"),
    ([None], TypeError, "a tensor holds numbers or bools; got list of dtype object"),
    (np.datetime64("2020-01-01"), TypeError, "a tensor holds numbers or bools; got datetime64 of dtype datetime64[D]"),
])
def test_data_that_are_no_numbers(data, error, text):
    check(lambda: Tensor(data), error, text)


def test_ragged_rows():
    with pytest.raises((TypeError, ValueError), match="rows"):
        Tensor([[1], [1, 2]])


# -- backward --------------------------------------------------------------------------------------------


def test_backward_of_more_than_one_number():
    x = ones(3)
    y = x * 2
    check(y.backward, GradientError, "backward() needs a scalar; this tensor has shape (3,): reduce it first, e.g. "
          "loss.mean().backward(), or pass gradient= of that shape", x, y)
    y.sum().backward()
    assert x.grad.tolist() == [2.0] * 3


def test_second_backward():
    x = leaf(3.0)
    y = x * x
    y.backward()
    check(y.backward, GradientError, "trying to run backward through the graph a second time: multiply had saved x, y "
          "for its derivative, and the first backward freed it; pass retain_graph=True to the first backward", x, y)


def test_backward_without_history():
    text = ("backward() on a tensor without history (shape (2,), float32): nothing it was computed from has "
            "requires_grad=True, or it was computed inside no_grad() or detached")
    t = Tensor([1.0, 2.0])
    check(t.backward, GradientError, text, t)
    x = Tensor([1.0, 2.0], requires_grad=True)
    check((x * 2).detach().backward, GradientError, text, x)
    with ag.no_grad():
        y = x * 2
    check(y.backward, GradientError, text, x, y)


def test_other_refusals():
    x = ones(2)
    y = x * 2
    check(x.numpy, GradientError, "numpy() on a tensor that requires a gradient would cut it from the graph; "
          "use tensor.detach().numpy()", x)
    check(lambda: y.requires_grad_(False), GradientError, "requires_grad can be switched off for leaf tensors only; "
          "this one was computed by multiply: use detach()", y)
    check(x.item, ValueError, "item() needs a tensor of exactly one element; this one has shape (2,): "
          "use tolist() or numpy()", x)
    check(lambda: bool(x), ValueError,
          "the truth value of a tensor of shape (2,) is ambiguous; use .any() or .all()", x)
    check(lambda: len(leaf(1.0)), TypeError, "len() of a 0-d tensor")
    check(lambda: iter(leaf(1.0)), TypeError, "iteration over a 0-d tensor")
    check(lambda: setattr(x, "grad", np.ones(2)), TypeError,
          "grad must be a Tensor or None; got ndarray: wrap it in Tensor(...)", x)
    check(lambda: setattr(x, "grad", Tensor(1.0)), GradientError,
          "grad must look like its tensor, (2,) float64; got () float32", x)
    check(lambda: ag.gradients(y.sum(), ones(3)), GradientError,
          "gradients(): the outputs do not depend on input 0; pass allow_unused=True to get None for it", x, y)
    check(lambda: np.unique(x), TypeError,
          "numpy.unique has no counterpart that a gradient could flow through: pass tensor.detach().numpy() to compute "
          "it without one, or write it with functions that have a derivative", x)


def test_complex_scalars_need_a_gradient():
    z = Tensor(1 + 2j, requires_grad=True)
    with pytest.raises(GradientError):
        (z * z).backward()
    assert z.grad is None


# -- calls -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f, text", [
    (lambda x: ag.add(x), "add() missing 1 required positional argument: 'y'"),
    (lambda x: ag.add(x, x, x), "add() takes 2 positional arguments but 3 were given"),
    (lambda x: ag.exp(), "exp() missing 1 required positional argument: 'x'"),
    (lambda x: x.exp(1), "exp() takes 1 positional argument but 2 were given"),
    (lambda x: x.exp(dim=1), "exp() got an unexpected keyword argument 'dim'"),
    (lambda x: x.sum(dims=0), "sum() got an unexpected argument 'dims'; it takes x, dim, keepdim, dtype"),
    (lambda x: x.sum(0, dim=0), "sum() got 'dim' twice"),
    (lambda x: x.sum(dim=0, axis=0), "sum() got 'axis' twice"),
    (lambda x: x.sum(0, True, None, 3), "sum() takes at most 4 arguments (x, dim, keepdim, dtype); got 5"),
    (lambda x: x.softmax(), "softmax() needs dim"),
    (lambda x: x.cumsum(), "cumsum() needs dim"),
    (lambda x: ag.reshape(x), "reshape() needs shape"),
    (lambda x: x.transpose(0), "transpose() needs dim1"),
    (lambda x: ag.where(x > 0, x), "where() needs condition, x, y"),
    (lambda x: ag.cat(x), "cat needs a list or tuple of at least one tensor; got a single Tensor"),
    (lambda x: ag.cat([]), "cat needs a list or tuple of at least one tensor; got an empty one"),
    (lambda x: x.clamp(), "clamp() needs min or max"),
    (lambda x: ag.from_numpy([1]), "from_numpy: expected a NumPy array; got list: use tensor(data)"),
    (lambda x: ag.set_default_dtype("int64"), "set_default_dtype: expected float16, float32 or float64; got int64"),
])
def test_calls_with_wrong_arguments(f, text):
    x = ones(3, 5)
    check(lambda: f(x), TypeError, text, x)


@pytest.mark.parametrize("name", ["gradd", "foo", "soft_max", "Grad"])
def test_names_that_do_not_exist(name):
    x = ones(2)
    for holder in (x, ag):
        with pytest.raises(AttributeError, match=name):
            getattr(holder, name)
    with pytest.raises(AttributeError):
        setattr(x, name, 1)


def test_errors_inside_a_graph_leave_it_usable():
    x = ones(2)
    y = x * 3
    with pytest.raises(ShapeError):
        y + ones(5)
    with pytest.raises(ShapeError), ag.record():
        y + ones(5)
    (y * y).sum().backward()
    assert x.grad.tolist() == [18.0, 18.0]


def test_memory_and_arithmetic_errors_keep_their_type():
    with pytest.raises(MemoryError):
        ones(1).expand(10 ** 15) * 1.0
    with np.errstate(all="raise"):
        try:
            y = leaf([1e200]) * leaf([1e200])
        except FloatingPointError:
            return
    assert y.tolist() == [float("inf")]
