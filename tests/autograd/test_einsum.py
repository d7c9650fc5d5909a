"""einsum against NumPy, its gradients against loops, and everything it must refuse."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import ShapeError, Tensor

CASES = [
    ("i->", (3,)), ("i->i", (3,)), ("ij->", (2, 3)), ("ij->ji", (2, 3)), ("ij->i", (2, 3)), ("ij->j", (2, 3)),
    ("ii->i", (3, 3)),
    ("ii", (3, 3)), ("ii->", (3, 3)), ("iii->i", (2, 2, 2)), ("iij->ij", (2, 2, 3)), ("iij->j", (2, 2, 3)),
    ("iji->j", (2, 3, 2)),
    ("ijji->ij", (2, 3, 3, 2)), ("ba", (2, 3)), ("ijk", (2, 3, 4)), ("kji", (2, 3, 4)),
    ("i,i->", (3,), (3,)), ("i,i", (3,), (3,)), ("i,i->i", (3,), (3,)), ("i,j->ij", (3,), (2,)), ("i,j", (3,), (2,)),
    ("i,j->", (3,), (2,)), ("i,j->j", (3,), (2,)), ("ij,j->i", (2, 3), (3,)), ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,jk", (2, 3), (3, 4)), ("ij,kj->ik", (2, 3), (4, 3)), ("ij,ij->", (2, 3), (2, 3)), ("ij,ji->", (2, 3), (3, 2)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("bij,jk->bik", (2, 3, 4), (4, 5)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)),
    ("ij,jk->i", (2, 3), (3, 4)), ("ij,jk->k", (2, 3), (3, 4)), ("ij,jk->", (2, 3), (3, 4)),
    ("ii,ij->j", (3, 3), (3, 2)),
    ("ii,jj->ij", (2, 2), (3, 3)), ("ij,kl->ijkl", (2, 3), (2, 2)), (",ij->ij", (), (2, 3)), (",->", (), ()),
    ("i,->i", (3,), ()),
    ("i,j,k->ijk", (2,), (3,), (4,)), ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), ("i,i,i->", (3,), (3,), (3,)),
    ("ij,j,i->", (2, 3), (3,), (2,)), ("ijk,il,jm->klm", (2, 3, 4), (2, 5), (3, 2)),
    ("a,ab,abc,cd->d", (2,), (2, 3), (2, 3, 2), (2, 4)),
    ("...->...", (2, 3)), ("...ij->...ji", (4, 2, 3)), ("i...->...", (2, 3, 4)), ("...i,...i->...", (2, 3), (2, 3)),
    ("...ij,...jk->...ik", (5, 2, 3), (5, 3, 4)), ("...ij,jk->...ik", (5, 6, 2, 3), (3, 4)),
    ("...i,i->...", (2, 3), (3,)),
    ("...i,...j->...ij", (4, 2), (1, 3)), ("b...,b...->b", (2, 3, 4), (2, 3, 4)), ("...,...", (2, 3), (3,)),
    ("i...j->j...i", (2, 5, 3)),
    ("...ii->...i", (2, 3, 3)), ("...,i->i...", (2, 3), (4,)),
    ("ij,ij->ij", (1, 3), (2, 3)), ("ij,jk->ik", (2, 1), (3, 4)), ("ij , jk -> ik", (2, 3), (3, 4)),
    ("aB,BA->aA", (2, 3), (3, 4)),
    ("ij,jk->ik", (0, 3), (3, 4)), ("ij,jk->ik", (2, 0), (0, 4)), ("ij->", (0, 3)),
]


def reference(subscripts, arrays):
    """NumPy's einsum, helped where it does less: a named axis of size 1 stretches, and "..." may be summed over."""
    subscripts = {"b...,b...->b": "bij,bij->b"}.get(subscripts, subscripts)
    if subscripts == "ij,ij->ij":
        return arrays[0] * arrays[1]
    if arrays[0].shape == (2, 1) and subscripts == "ij,jk->ik":
        return np.repeat(arrays[0], 3, 1) @ arrays[1]
    return np.einsum(subscripts, *arrays)


@pytest.mark.parametrize("subscripts, shapes", [pytest.param(c[0], c[1:], id=f"{c[0]} {c[1:]}") for c in CASES])
def test_value_and_gradients(subscripts, shapes):
    rng = np.random.default_rng(0)
    arrays = [np.asarray(rng.standard_normal(s)) for s in shapes]
    expected = reference(subscripts, arrays)
    plain = ag.einsum(subscripts, *arrays)
    assert not isinstance(plain, Tensor) and np.shape(plain) == expected.shape and np.allclose(plain, expected)
    ts = [Tensor(a, requires_grad=True) for a in arrays]
    y = ag.einsum(subscripts, *ts)
    assert y.shape == expected.shape and np.allclose(y.value, expected)
    assert (type(y.value) is np.ndarray) == bool(y.shape)
    seed = np.asarray(rng.standard_normal(expected.shape))
    grads = ag.gradients(y, ts, Tensor(seed), create_graph=True)
    for k, (a, g) in enumerate(zip(arrays, grads, strict=True)):        # linear in each operand: the gradient is exact
        assert g.shape == a.shape
        direction = np.asarray(rng.standard_normal(a.shape))
        along = reference(subscripts, [*arrays[:k], direction, *arrays[k + 1:]])
        assert np.isclose((g.value * direction).sum(), (seed * along).sum(), rtol=1e-10, atol=1e-12)
    first = sum((g * g).sum() for g in grads)                           # and can be differentiated again
    if first.requires_grad and all(a.size for a in arrays):
        h = 1e-5
        direction = [np.asarray(rng.standard_normal(a.shape)) for a in arrays]
        second = ag.gradients(first, ts, allow_unused=True)

        def norm_at(step):
            moved = [Tensor(a + step * d, requires_grad=True) for a, d in zip(arrays, direction, strict=True)]
            return sum((g.value ** 2).sum() for g in ag.gradients(ag.einsum(subscripts, *moved), moved, Tensor(seed)))
        slope = sum((s.value * d).sum() for s, d in zip(second, direction, strict=True) if s is not None)
        assert np.isclose(slope, (norm_at(h) - norm_at(-h)) / (2 * h), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("subscripts, shapes", [
    ("ij,jk->ik", ((2, 3), (4, 5))), ("ij->i", ((2, 3, 4),)), ("ijk->i", ((2, 3),)), ("ij,jk->ik", ((2, 3),)),
    ("i", ((2,), (2,))),
    ("ij->ik", ((2, 3),)), ("ij->ii", ((2, 3),)), ("ii->i", ((2, 3),)), ("i,i->i", ((2,), (3,))),
    ("...i->i", ((2, 3), (3,))),
    ("i1->i", ((2, 3),)), ("i-j", ((2, 3),)), ("i->j->k", ((2,),)), ("i.j->ij", ((2, 3),)), ("ij->i!", ((2, 3),)),
    ("...i...->i", ((2, 3),)),
    ("...ij,...jk->...ik", ((2, 2, 3), (5, 3, 4))),
])
def test_what_does_not_fit_is_refused(subscripts, shapes):
    x = [Tensor(np.ones(s), requires_grad=True) for s in shapes]
    with pytest.raises((ShapeError, ValueError)):
        ag.einsum(subscripts, *x)


def test_calls():
    a, b = Tensor(np.ones((2, 3)), requires_grad=True), np.ones((3, 2))
    assert ag.einsum("ij,jk", [a, b]).shape == (2, 2) and ag.einsum("ij,jk", (a, b)).requires_grad
    with pytest.raises(TypeError):
        ag.einsum(a, "ij")
    with pytest.raises((TypeError, ValueError)):
        ag.einsum("ij")


def test_the_same_operand_twice():
    x = Tensor(np.array([[1.0, 2.0], [3.0, 4.0]]), requires_grad=True)
    ag.einsum("ij,ij->", x, x).backward()
    assert x.grad.tolist() == [[2, 4], [6, 8]]
    h = ag.hessian(lambda x: ag.einsum("ij,jk,ki->", x, x, x))(np.eye(2))           # tr x³
    assert np.allclose(h.reshape(4, 4), 6 * np.eye(4)[[0, 2, 1, 3]])


def test_dtypes():
    a = Tensor(np.ones((2, 3), "float32"), requires_grad=True)
    y = ag.einsum("ij,kj->ik", a, a)
    assert y.dtype == np.float32
    y.sum().backward()
    assert a.grad.dtype == np.float32 and ag.einsum("i,i", Tensor([1, 2]), Tensor([3, 4])).item() == 11
    assert ag.einsum("i,i", Tensor([1, 2]), Tensor([3, 4])).dtype == np.int64


def test_forward_mode():
    rng = np.random.default_rng(1)
    a, b, c = rng.standard_normal((2, 3)), rng.standard_normal((3, 4)), rng.standard_normal((4, 2))
    da, db, dc = (rng.standard_normal(x.shape) for x in (a, b, c))
    _, along = ag.jvp(lambda a, b, c: ag.einsum("ij,jk,kl->il", a, b, c), (a, b, c), (da, db, dc))
    assert np.allclose(along, da @ b @ c + a @ db @ c + a @ b @ dc)
