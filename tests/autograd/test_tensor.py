"""What a Tensor is to its user: made from anything, printed, read, changed, copied."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd as ag
from autograd import GradientError, Parameter, Tensor


def leaf(data, dtype=np.float64):
    return Tensor(np.array(data, dtype), requires_grad=True)


# -- construction ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("data, dtype, shape", [
    (1.0, "float32", ()), ([1.0, 2.0], "float32", (2,)), ([[1.0], [2.0]], "float32", (2, 1)),
    ((1, 2.5), "float32", (2,)), (1, "int64", ()), ([1, 2], "int64", (2,)), (range(3), "int64", (3,)),
    (True, "bool", ()), ([True, False], "bool", (2,)), (1j, "complex64", ()), ([], "float32", (0,)),
    ([[]], "float32", (1, 0)), (float("inf"), "float32", ()), (np.float64(0.5), "float64", ()),
    (np.float16(0.5), "float16", ()), (np.int8(3), "int8", ()), (np.bool_(True), "bool", ()),
    (np.ones(2), "float64", (2,)), (np.ones((2, 3), "float16"), "float16", (2, 3)), (np.array(1.5), "float64", ()),
    (np.arange(3, dtype="uint8"), "uint8", (3,)), (np.ones(2, "complex128"), "complex128", (2,)),
])
def test_construction(data, dtype, shape):
    t = Tensor(data)
    assert t.dtype == np.dtype(dtype) and t.shape == shape and not t.requires_grad and t.is_leaf and t.grad is None
    assert isinstance(t.dtype, np.dtype)
    assert np.array_equal(t.numpy(), np.asarray(data))
    assert (type(t.value) is np.ndarray) == bool(shape), "a 0-d value is a NumPy scalar"


def test_dtype_argument():
    assert Tensor([1, 2], dtype="float64").dtype == np.float64
    assert Tensor([1.9, -1.9], dtype=np.int64).tolist() == [1, -1]
    assert Tensor(3, dtype=ag.float16, requires_grad=True).dtype == np.float16
    assert Tensor(np.ones(2), dtype=ag.float32).dtype == np.float32
    assert Tensor([1.0], dtype="bool").tolist() == [True]


def test_default_dtype_is_settable():
    assert ag.get_default_dtype() == np.float32
    try:
        ag.set_default_dtype("float64")
        assert Tensor(1.0).dtype == np.float64 and Tensor([1]).dtype == np.int64 and Tensor(1j).dtype == np.complex128
        assert ag.zeros(2).dtype == np.float64 and (Tensor([1]) / 2).dtype == np.float64
    finally:
        ag.set_default_dtype("float32")
    assert Tensor(1.0).dtype == np.float32


def test_arrays_are_copied_and_from_numpy_shares():
    a = np.zeros(3)
    shared, copied, also = ag.from_numpy(a), ag.tensor(a), Tensor(a)
    a[0] = 5
    assert shared.tolist() == [5, 0, 0] and copied.tolist() == also.tolist() == [0, 0, 0]
    shared += 1
    assert a.tolist() == [6, 1, 1] and np.shares_memory(ag.as_tensor(a)[1:].numpy(), a)
    assert np.shares_memory(Tensor(shared).numpy(), a) and not np.shares_memory(Tensor(a[::2]).numpy(), a)


def test_a_tensor_from_tensors():
    x = leaf([1.0, 2.0])
    again = Tensor(x)
    assert again.is_leaf and not again.requires_grad and again.dtype == np.float64
    assert Tensor([Tensor(1.0), Tensor(2.0)]).tolist() == [1.0, 2.0]
    assert ag.as_tensor(x) is x and ag.as_tensor(x, dtype="float64") is x and ag.as_tensor(x, dtype="float32") is not x


def test_memory_order_and_strides_are_kept_out_of_sight():
    a = np.arange(12.0).reshape(3, 4)
    for view in (a.T, a[:, ::-1], a[::2]):
        t = Tensor(view, requires_grad=True)
        (t * t).sum().backward()
        assert np.array_equal(t.grad.numpy(), 2 * view) and t.grad.shape == view.shape


# -- what it says of itself ------------------------------------------------------------------------------


def test_sizes():
    t = Tensor(np.zeros((2, 3, 4), "float32"))
    assert t.shape == (2, 3, 4) == tuple(t.size()) and t.size(0) == 2 and t.size(-1) == 4 and t.size(dim=1) == 3
    assert t.dim() == t.ndim == 3 and t.numel() == 24 and t.nbytes == 96 and t.itemsize == t.element_size() == 4
    assert len(t) == 2 and [s.shape for s in t] == [(3, 4)] * 2
    scalar = Tensor(1.0)
    assert scalar.shape == () and scalar.dim() == 0 and scalar.numel() == 1
    assert t.is_floating_point() and not t.is_complex()
    assert Tensor(1j).is_complex() and not Tensor(1).is_floating_point()


def test_leaf_or_not():
    x, c = leaf([1.0]), Tensor([1.0])
    y = x * 2
    assert x.is_leaf and c.is_leaf and not y.is_leaf and (c * 2).is_leaf and x.detach().is_leaf
    assert x.grad_fn is None and c.grad_fn is None and y.grad_fn is not None and (c * 2).grad_fn is None
    assert y.requires_grad and not (c * 2).requires_grad and not y.detach().requires_grad
    assert y.grad is None


@pytest.mark.parametrize("make, text", [
    (lambda: Tensor(1.0), "tensor(1.)"),
    (lambda: Tensor([1.0, 2.5]), "tensor([1. , 2.5])"),
    (lambda: Tensor([1, 2]), "tensor([1, 2])"),
    (lambda: Tensor(True), "tensor(True)"),
    (lambda: Tensor([True, False]), "tensor([ True, False])"),
    (lambda: Tensor([]), "tensor([], size=(0,))"),
    (lambda: Tensor(float("nan")), "tensor(nan)"),
    (lambda: Tensor(float("-inf")), "tensor(-inf)"),
    (lambda: Tensor(-0.0), "tensor(-0.)"),
    (lambda: Tensor(0.1), "tensor(0.1)"),
    (lambda: Tensor(np.float16(1)), "tensor(1., dtype=float16)"),
    (lambda: Tensor(np.ones(2)), "tensor([1., 1.], dtype=float64)"),
    (lambda: Tensor([1.0, 2.0], requires_grad=True), "tensor([1., 2.], requires_grad=True)"),
    (lambda: Tensor([1.0], name="w"), "tensor([1.], name='w')"),
    (lambda: Tensor([[1.0, 2.0], [3.0, 4.0]]), "tensor([[1., 2.],\n        [3., 4.]])"),
    (lambda: Tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<multiply>)"),
    (lambda: Parameter([1.0]), "Parameter containing:\ntensor([1.], requires_grad=True)"),
])
def test_repr(make, text):
    assert repr(make()) == str(make()) == f"{make()}" == text


def test_name():
    t = Tensor([1.0])
    assert t.name == ""
    t.name = "x"
    assert t.name == "x" and Tensor([1.0], name="y").name == "y" and Tensor([1.0], True, name="z").name == "z"
    t.requires_grad_()
    assert t.name == "x"
    t.requires_grad_(False)
    assert t.name == "x" and (t * 2).name == "" and t.detach().name == ""
    born_with_gradient = Tensor([1.0], requires_grad=True, name="w").requires_grad_(False)
    assert born_with_gradient.name == "w" and not born_with_gradient.requires_grad


# -- out of the library ----------------------------------------------------------------------------------


def test_item_and_tolist():
    assert Tensor(2.5).item() == 2.5 and type(Tensor(2.5).item()) is float
    assert type(Tensor(2).item()) is int and type(Tensor(True).item()) is bool and type(Tensor(1j).item()) is complex
    assert Tensor([[3.0]]).item() == 3.0 and leaf(4.0).item() == 4.0
    assert Tensor([[1, 2]]).tolist() == [[1, 2]] and Tensor(1.0).tolist() == 1.0 and Tensor([]).tolist() == []
    assert type(leaf([1.0]).tolist()[0]) is float


def test_numpy():
    a = np.arange(3.0)
    t = ag.from_numpy(a)
    assert np.shares_memory(t.numpy(), a) and np.asarray(t).dtype == np.float64
    assert type(Tensor(1.0).numpy()) is np.ndarray and Tensor(1.0).numpy().shape == ()
    x = leaf([1.0, 2.0])
    with pytest.raises(GradientError):
        x.numpy()
    with pytest.raises(GradientError):
        (x * 2).numpy()
    assert np.array_equal(x.detach().numpy(), [1, 2]) and np.array_equal(x.numpy(force=True), [1, 2])
    assert np.array_equal(np.array(t, dtype=np.float32), np.float32([0, 1, 2]))


def test_array_of_a_tensor_with_gradient_is_refused():
    with pytest.raises(GradientError):
        np.asarray(leaf([1.0]))
    with pytest.raises(GradientError):
        Tensor([leaf(1.0), leaf(2.0)])


def test_python_numbers():
    assert float(Tensor(2.5)) == 2.5 and int(Tensor(2.9)) == 2 and complex(Tensor(2.0)) == 2 + 0j
    assert float(leaf([[1.5]])) == 1.5
    assert [10, 20, 30][Tensor(1)] == 20 and list(range(Tensor(3))) == [0, 1, 2]
    assert bool(Tensor(1.0)) and not bool(Tensor([0])) and bool(Tensor([[True]]))
    for bad in (Tensor([1, 2]), Tensor([])):
        with pytest.raises(ValueError):
            bool(bad)
        with pytest.raises(ValueError):
            float(bad)
    for bad in (Tensor(1.0), Tensor([1, 2])):
        with pytest.raises(TypeError):
            [1, 2, 3][bad]


def test_format():
    assert f"{Tensor(3.14159):.2f}" == "3.14" and f"{leaf(2.0):6.1f}" == "   2.0" and f"{Tensor(7):03d}" == "007"
    assert f"{Tensor([1.0])}" == "tensor([1.])"
    with pytest.raises(TypeError):
        f"{Tensor([1.0]):.2f}"


def test_len_iter_contains():
    x = leaf([[1.0, 2.0], [3.0, 4.0]])
    a, b = x
    assert a.tolist() == [1.0, 2.0] and b.tolist() == [3.0, 4.0] and b.requires_grad
    b.sum().backward()
    assert x.grad.tolist() == [[0, 0], [1, 1]]
    assert 3.0 in x and 5.0 not in x and Tensor(4.0, dtype="float64") in x
    for use in (len, iter, list):
        with pytest.raises(TypeError):
            use(Tensor(1.0))
    with pytest.raises(IndexError):
        Tensor(1.0)[0]
    assert Tensor(1.0)[...].shape == () and Tensor(1.0)[None].shape == (1,)


def test_hash_is_identity():
    x, y = Tensor([1.0]), Tensor([1.0])
    assert len({x, y, x}) == 2 and {x: 1}[x] == 1


# -- requires_grad, data, detach -------------------------------------------------------------------------


def test_requires_grad_can_be_switched():
    t = Tensor([1.0])
    assert t.requires_grad_() is t and t.requires_grad
    t.requires_grad = False
    assert not t.requires_grad
    t.requires_grad_(True).requires_grad_(True)
    (t * 3).sum().backward()
    assert t.grad.tolist() == [3.0]
    for data in ([1, 2], True, np.uint8(3)):
        with pytest.raises(GradientError):
            Tensor(data, requires_grad=True)
        with pytest.raises(GradientError):
            Tensor(data).requires_grad_()
    with pytest.raises(GradientError):
        (t * 2).requires_grad_(False)


def test_grad_can_be_set_and_cleared():
    t = leaf([1.0, 2.0])
    t.grad = Tensor(np.array([5.0, 6.0]))
    (t * 1).sum().backward()
    assert t.grad.tolist() == [6.0, 7.0]
    t.zero_grad()
    assert t.grad is None
    t.grad = None
    with pytest.raises(TypeError):
        t.grad = np.ones(2)
    with pytest.raises(GradientError):
        t.grad = Tensor([1.0, 2.0])             # float32
    with pytest.raises(GradientError):
        t.grad = Tensor(np.ones(3))
    assert t.grad is None
    c = Tensor([1.0])
    c.grad = None
    with pytest.raises(GradientError):
        c.grad = Tensor([1.0])


def test_data_shares_memory_and_can_be_replaced():
    t = leaf([1.0, 2.0])
    assert np.shares_memory(t.data.numpy(), t.value) and not t.data.requires_grad
    t.data = np.array([3.0, 4.0])
    assert t.requires_grad and t.is_leaf and t.tolist() == [3.0, 4.0]
    t.data = Tensor(np.array([5.0, 6.0, 7.0]))
    (t * t).sum().backward()
    assert t.grad.tolist() == [10, 12, 14]
    t.data = np.float32([1.0])
    assert t.dtype == np.float32
    t.grad = None
    (t * 2).sum().backward()
    assert t.grad.dtype == np.float32
    y = leaf([1.0]) * 2
    y.data = np.array([9.0])
    assert y.tolist() == [9.0] and y.requires_grad
    with pytest.raises(GradientError):
        y.data = np.ones(3)


def test_data_of_a_leaf_that_requires_a_gradient_stay_inexact():
    t = leaf([1.0, 2.0])
    with pytest.raises(GradientError):
        t.data = np.array([1, 2])
    assert t.tolist() == [1.0, 2.0] and t.dtype == np.float64


def test_replaced_data_do_not_touch_what_was_saved():
    t = leaf([1.0, 2.0])
    y = (t * t).sum()
    t.data = np.array([10.0, 20.0])
    y.backward()
    assert t.grad.tolist() == [2.0, 4.0]


def test_detach_and_clone():
    x = leaf([1.0, 2.0])
    d, c = x.detach(), x.clone()
    assert np.shares_memory(d.value, x.value) and not d.requires_grad
    assert not np.shares_memory(c.value, x.value) and c.requires_grad and not c.is_leaf
    (c * c.detach()).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0]
    y = x * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad
    assert type(Tensor(1.0).clone().value) is np.float32


def test_in_place_writes():
    t = Tensor(np.zeros((2, 2)))
    t[0] = 1.0
    t[:, 1] = Tensor([5.0, 6.0])
    t[t > 5] = -1
    assert t.tolist() == [[1, 5], [0, -1]]
    scalar = Tensor(1.0)
    scalar[...] = 3
    assert scalar.item() == 3.0 and type(scalar.value) is np.float32
    x = leaf([1.0, 2.0])
    with pytest.raises(GradientError):
        x[0] = 5.0
    t[0] = x
    assert x.tolist() == [1.0, 2.0] and t.tolist() == [[1, 2], [0, -1]] and t.requires_grad


def test_an_in_place_write_never_makes_a_wrong_gradient():
    x, w = leaf([1.0, 2.0]), Tensor(np.array([3.0, 4.0]))
    y = (x * w).sum()
    try:
        w[0] = 100.0                            # either refused, or what was saved is not touched, or backward refuses
        y.backward()
    except (GradientError, ValueError):
        return
    assert x.grad.tolist() == [3.0, 4.0]


def test_a_write_through_a_detached_tensor_never_makes_a_wrong_gradient():
    x = leaf([1.0, 2.0])
    y = (x * x).sum()
    try:
        x.detach()[0] = 100.0
        y.backward()
    except (GradientError, ValueError):
        return
    assert x.grad.tolist() == [2.0, 4.0]


@pytest.mark.parametrize("view", [lambda t: t.reshape(2, 2), lambda t: t[:2], lambda t: t.detach().view(2, 2),
                                  lambda t: t[::-1]])
def test_a_write_through_a_view_never_makes_a_wrong_gradient(view):
    x, w = leaf([1.0, 2.0, 3.0, 4.0]), Tensor(np.ones(4))
    y = (x * w).sum()
    try:
        view(w)[0] = 100.0
        y.backward()
    except (GradientError, ValueError):
        return
    assert x.grad.tolist() == [1.0] * 4


def test_a_write_through_a_view_of_a_view():
    t = ag.zeros(2, 3)
    t[0][1] = 5.0
    t.T[2][1] = 6.0
    assert t.tolist() == [[0, 5, 0], [0, 0, 6]]


# -- copies ----------------------------------------------------------------------------------------------


def through_pickle(t):
    return pickle.loads(pickle.dumps(t))


@pytest.mark.parametrize("duplicate", [copy.deepcopy, through_pickle])
@pytest.mark.parametrize("make", [lambda: leaf([1.0, 2.0]), lambda: Tensor([1, 2]), lambda: leaf(3.0),
                                  lambda: Parameter([1.0, 2.0]), lambda: Tensor([True], name="mask"),
                                  lambda: Parameter([1.0], requires_grad=False)])
def test_leaves_can_be_copied(duplicate, make):
    t = make()
    t.name = "w"
    u = duplicate(t)
    assert type(u) is type(t) and u is not t and u.name == "w" and u.dtype == t.dtype and u.shape == t.shape
    assert np.array_equal(u.value, t.value) and u.requires_grad == t.requires_grad and u.is_leaf
    assert (type(u.value) is np.ndarray) == bool(t.shape)
    if t.shape:
        assert not np.shares_memory(u.value, t.value)
    if t.requires_grad:
        (u * 2).sum().backward()
        assert t.grad is None and u.grad is not None


def test_deepcopy_takes_the_gradient_along_and_keeps_shared_tensors_shared():
    t = leaf([1.0, 2.0])
    (t * t).sum().backward()
    u = copy.deepcopy(t)
    assert u.grad.tolist() == [2.0, 4.0] and u.grad is not t.grad and not np.shares_memory(u.grad.value, t.grad.value)
    a, b = copy.deepcopy([t, t])
    assert a is b and a is not t


def test_computed_tensors_are_not_copied_silently_without_their_history():
    y = leaf([1.0]) * 2
    with pytest.raises(GradientError):
        copy.deepcopy(y)
    with pytest.raises(GradientError):
        pickle.dumps(y)
    assert copy.deepcopy(y.detach()).tolist() == [2.0]


# -- casts and attributes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cast, dtype", [("float", "float32"), ("double", "float64"), ("half", "float16"),
                                         ("int", "int32"), ("long", "int64"), ("short", "int16"), ("char", "int8"),
                                         ("byte", "uint8"), ("bool", "bool")])
def test_casts(cast, dtype):
    x = leaf([0.0, 1.0, 2.5])
    y = getattr(x, cast)()
    assert y.dtype == np.dtype(dtype) and y.requires_grad == (np.dtype(dtype).kind == "f")
    assert np.array_equal(y.value, x.value.astype(dtype)) and x.to(dtype).dtype == np.dtype(dtype)
    if y.requires_grad:
        (y * 3).sum().backward()
        assert x.grad.dtype == np.float64 and x.grad.tolist() == [3.0] * 3


def test_casts_to_the_same_dtype_return_the_tensor_itself():
    x = leaf([1.0])
    assert x.double() is x and x.to(x) is x and x.type_as(x) is x and x.to("cpu") is x and x.contiguous() is x


def test_attributes_are_fixed():
    x = leaf([1.0])
    with pytest.raises(AttributeError):
        x.gradient = 1
    with pytest.raises(AttributeError):
        x.gradd                                 # noqa: B018
    with pytest.raises(AttributeError):
        x.shape = (1, 1)
