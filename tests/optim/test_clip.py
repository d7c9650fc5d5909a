"""Clipping gradients, by norm and by value."""

import numpy as np
import pytest

import optim
from autograd import GradientError, Tensor


def with_grads(*grads):
    params = []
    for g in grads:
        p = Tensor(np.zeros_like(np.asarray(0.0 if g is None else g)), requires_grad=True)
        p.grad = None if g is None else Tensor(np.asarray(g))
        params.append(p)
    return params


@pytest.mark.parametrize("norm_type", [0.5, 1, 2, 3, np.inf, "inf"])
def test_the_total_norm_is_that_of_all_elements_together(norm_type):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape) for shape in [(2, 3), (4,), (), (0,)]]
    together = np.concatenate([np.ravel(a) for a in arrays])
    total = optim.get_total_norm([Tensor(a) for a in arrays], norm_type)
    assert isinstance(total, Tensor) and total.shape == ()
    np.testing.assert_allclose(total.value, np.linalg.norm(together, float(norm_type)), rtol=1e-14)


def test_large_gradients_are_scaled_to_the_norm_and_small_ones_left_alone():
    params = with_grads([3.0, 0.0], None, 4.0)
    held = params[0].grad
    total = optim.clip_grad_norm_(params, 1.0)
    assert total.item() == 5.0
    scale = 1.0 / (5.0 + 1e-6)                            # PyTorch's
    np.testing.assert_allclose(params[0].grad.value, [3.0 * scale, 0.0], rtol=1e-15)
    np.testing.assert_allclose(params[2].grad.value, 4.0 * scale, rtol=1e-15)
    assert params[1].grad is None
    assert held.tolist() == [3.0, 0.0]                    # replaced, not written to
    before = params[0].grad
    optim.clip_grad_norm_(params, 2.0)
    assert params[0].grad is before


def test_a_single_tensor_a_generator_and_other_norms():
    (p,) = with_grads([3.0, -4.0])
    assert optim.clip_grad_norm_(p, 2.0, norm_type="inf").item() == 4.0
    np.testing.assert_allclose(p.grad.value, [1.5, -2.0], rtol=1e-6)
    assert optim.clip_grad_norm_((q for q in [p]), 10.0, norm_type=1).item() == pytest.approx(3.5)
    assert optim.clip_grad_norm_([], 1.0).item() == 0.0


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_the_dtype_is_kept(dtype):
    (p,) = with_grads(np.full(1000, 100, dtype))          # the sum of squares is beyond float16
    total = optim.clip_grad_norm_(p, np.float64(1.0))
    assert total.dtype == dtype and p.grad.dtype == dtype
    assert total.item() == pytest.approx(3162.28, rel=1e-3)


def test_complex_gradients_count_by_magnitude():
    assert optim.get_total_norm(Tensor(np.array([3 + 4j, 0]))).item() == 5.0


def test_norms_that_are_not_finite():
    params = with_grads([np.nan, 1.0], [2.0])
    with pytest.raises(GradientError) as error:
        optim.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert str(error.value) == ("the total norm of order 2.0 of the gradients is nan, so they cannot be clipped; pass "
                                "error_if_nonfinite=False to scale them all the same")
    assert params[1].grad.tolist() == [2.0]
    optim.clip_grad_norm_(params, 1.0)
    assert np.isnan(params[1].grad.value).all()           # as in PyTorch
    params = with_grads([np.inf], [2.0])
    assert optim.clip_grad_norm_(params, 1.0).item() == np.inf
    assert params[1].grad.tolist() == [0.0]


def test_a_norm_that_is_known_already():
    params = with_grads([3.0, 4.0])
    optim.clip_grads_with_norm_(params, 1.0, Tensor(10.0))
    np.testing.assert_allclose(params[0].grad.value, [0.3, 0.4], rtol=1e-6)


def test_by_value():
    params = with_grads([3.0, -0.5, -7.0], None, 4.0)
    held = params[0].grad
    optim.clip_grad_value_(params, 2)
    assert params[0].grad.tolist() == [2.0, -0.5, -2.0] and params[2].grad.item() == 2.0
    assert held.tolist() == [3.0, -0.5, -7.0]


class Linear:
    def parameters(self):
        return []


@pytest.mark.parametrize(("call", "kind", "text"), [
    (lambda p: optim.clip_grad_norm_(p, -1.0), ValueError, "max_norm must be >= 0; got -1.0"),
    (lambda p: optim.clip_grad_value_(p, float("nan")), ValueError, "clip_value must be >= 0; got nan"),
    (lambda p: optim.clip_grad_norm_(Linear(), 1.0), TypeError,
     "parameters must be a Tensor or Tensors in a list; got a Linear: pass model.parameters()"),
    (lambda p: optim.clip_grad_norm_([*p, 3], 1.0), TypeError, "parameters must be Tensors; number 1 is an int"),
    (lambda p: optim.get_total_norm(3), TypeError, "tensors must be a Tensor or Tensors in a list; got an int"),
])
def test_bad_input_changes_nothing(call, kind, text):
    params = with_grads([3.0, 4.0])
    with pytest.raises(kind) as error:
        call(params)
    assert str(error.value) == text
    assert params[0].grad.tolist() == [3.0, 4.0]


def test_adaptive_clipping_holds_each_unit_to_a_share_of_its_weights():
    w = Tensor(np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]]), requires_grad=True)
    b = Tensor(np.array([3.0, 4.0]), requires_grad=True)
    w.grad = Tensor(np.array([[6.0, 8.0], [1.0, 0.0], [0.0, 0.05]]))
    b.grad = Tensor(np.array([0.3, 0.4]))
    held = w.grad.value
    optim.clip_grad_adaptive_([w, b, Tensor([1.0], requires_grad=True)], clip_factor=0.1, eps=1e-3)
    np.testing.assert_allclose(w.grad.value, [[0.3, 0.4], [1e-4, 0.0], [0.0, 0.05]])
    np.testing.assert_allclose(b.grad.value, [0.3, 0.4])
    assert held[0, 0] == 6.0                              # replaced, not written into
    kernels = Tensor(np.ones((2, 3, 2, 2), np.float32), requires_grad=True)
    kernels.grad = Tensor(np.full((2, 3, 2, 2), 5.0, np.float32))
    optim.clip_grad_adaptive_(kernels, clip_factor=0.01)
    np.testing.assert_allclose(kernels.grad.value, 0.01, rtol=1e-6)
    assert kernels.grad.dtype == np.float32
