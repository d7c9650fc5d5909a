"""Rosenbrock's valley by SciPy's optimizers with gradients, Hessians and products from here."""

import numpy as onp
import pytest

import autograd.numpy as np
from autograd import grad, hessian, hessian_vector_product, value_and_grad

optimize = pytest.importorskip("scipy.optimize")

START = onp.array([-1.2, 1.0, -0.5, 0.8])


def rosenbrock(x):
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def test_derivatives_are_scipys_own():
    onp.testing.assert_allclose(rosenbrock(START), optimize.rosen(START))
    onp.testing.assert_allclose(grad(rosenbrock)(START), optimize.rosen_der(START))
    onp.testing.assert_allclose(hessian(rosenbrock)(START), optimize.rosen_hess(START), atol=1e-9)
    v = onp.array([1.0, -2.0, 0.5, 0.0])
    onp.testing.assert_allclose(hessian_vector_product(rosenbrock)(START, v), optimize.rosen_hess_prod(START, v))


@pytest.mark.parametrize("method, more", [("BFGS", {}), ("L-BFGS-B", {}), ("Newton-CG", {"hess": hessian(rosenbrock)}),
                                          ("trust-ncg", {"hessp": hessian_vector_product(rosenbrock)})])
def test_every_optimizer_arrives(method, more):
    found = optimize.minimize(value_and_grad(rosenbrock), START, jac=True, method=method, **more)
    onp.testing.assert_allclose(found.x, onp.ones(4), atol=1e-3)
    assert found.fun < 1e-6
