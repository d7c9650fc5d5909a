"""Linear algebra beside NumPy and central differences, real and complex, first and second derivative."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor, linalg
from autograd.ops import factorize, matrix_functions, singular, solve, triangular
from autograd.ops.norms import modulus

H = 1e-6


def draw(kind, *shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) + (1j * rng.standard_normal(s) if kind == "c" else 0) for s in shapes]


def weighted(out, seed=7):
    """A real number from any result: its elements with random weights, real and imaginary parts."""
    rng, total = np.random.default_rng(seed), 0
    for part in out if isinstance(out, tuple) else (out,):
        if not isinstance(part, Tensor) or part.dtype.kind not in "fc":
            continue
        u = rng.standard_normal(part.shape) + (1j * rng.standard_normal(part.shape) if part.dtype.kind == "c" else 0)
        z = (part * u).sum()
        total = total + (ag.cast(z, dtype=np.float64) if z.dtype.kind == "c" else z)
    return total


def along(gs, vs):
    return sum(float(np.sum(np.real(np.conj(np.asarray(g)) * v))) for g, v in zip(gs, vs, strict=True))


def check(f, *xs, seed=3, second=True):
    """First and second derivative along random directions against central differences."""
    kind = "c" if any(x.dtype.kind == "c" for x in xs) else "f"
    vs = [v if x.dtype.kind == kind else v.real for x, v in zip(xs, draw(kind, *[x.shape for x in xs], seed=seed))]
    ws = [w if x.dtype.kind == kind else w.real for x, w in zip(xs, draw(kind, *[x.shape for x in xs], seed=seed + 1))]

    def first(h, record=False):
        ts = [Tensor(x + h * v, requires_grad=True) for x, v in zip(xs, vs)]
        value = weighted(f(*ts))
        return value, ag.gradients([value], ts, create_graph=record), ts

    _, gs, _ = first(0.0)
    slope = (float(first(H)[0].detach()) - float(first(-H)[0].detach())) / (2 * H)
    assert np.isclose(along([g.value for g in gs], vs), slope, rtol=1e-5, atol=1e-6)
    for g, x in zip(gs, xs, strict=True):
        assert g.shape == x.shape and g.dtype == x.dtype
    if second:
        _, gs, ts = first(0.0, record=True)
        hs = ag.gradients(gs, ts, [Tensor(w) for w in ws], allow_unused=True)
        hs = [np.zeros(x.shape) if h is None else h.value for h, x in zip(hs, xs)]
        sides = [along([g.value for g in first(s)[1]], ws) for s in (H, -H)]
        assert np.isclose(along(hs, vs), (sides[0] - sides[1]) / (2 * H), rtol=1e-4, atol=1e-5)


def hermitian(A):
    """A Hermitian matrix from any, so that directions stay among such."""
    return A + (A.mT.conj() if not isinstance(A, Tensor) else ag.conj(A.mT))


def definite(A):
    return A @ ag.conj(A.mT) + np.eye(A.shape[-1])


def phaseless(V):
    """What of unit vectors does not depend on their sign or phase."""
    return modulus(V)


N, WIDE, TALL, BATCH = (3, 3), (2, 4), (4, 2), (2, 3, 3)
ONE = {
    "inv": (linalg.inv, [N, BATCH]),
    "det": (linalg.det, [N, BATCH]),
    "slogdet": (linalg.slogdet, [N, BATCH]),
    "cholesky": (lambda A: linalg.cholesky(definite(A)), [N, BATCH]),
    "cholesky, upper": (lambda A: linalg.cholesky(definite(A), upper=True), [N]),
    "cholesky_inverse": (lambda A: factorize.cholesky_inverse(linalg.cholesky(definite(A))), [N]),
    "qr": (linalg.qr, [N, TALL, WIDE, BATCH]),
    "eigvalsh": (lambda A: linalg.eigvalsh(hermitian(A)), [N, BATCH]),
    "eigvalsh, upper": (lambda A: linalg.eigvalsh(hermitian(A), "U"), [N]),
    "eigh": (lambda A: phaseless(linalg.eigh(hermitian(A)).eigenvectors), [N, BATCH]),
    "eigvals": (lambda A: modulus(linalg.eigvals(A)), [N, BATCH]),
    "eig": (lambda A: phaseless(linalg.eig(A).eigenvectors), [N]),
    "svdvals": (linalg.svdvals, [N, TALL, WIDE, BATCH]),
    "svd": (lambda A: tuple(map(phaseless, linalg.svd(A, full_matrices=False))), [N, TALL, WIDE, BATCH]),
    "pinv": (linalg.pinv, [N, TALL, WIDE]),
    "lu": (linalg.lu, [N, TALL, WIDE, BATCH]),
    "matrix_exp": (linalg.matrix_exp, [N, BATCH]),
    "matrix_power 3": (lambda A: linalg.matrix_power(A, 3), [N, BATCH]),
    "matrix_power -2": (lambda A: linalg.matrix_power(A, -2), [N]),
    "householder": (lambda A: linalg.householder_product(A, A[..., 0, :]), [N, TALL]),
    "cond": (linalg.cond, [N]),
    "cond fro": (lambda A: linalg.cond(A, "fro"), [N]),
    "vander": (lambda A: linalg.vander(A, N=4), [N]),
    "tensorinv": (lambda A: linalg.tensorinv(A.reshape(2, 3, 6)), [(6, 6)]),
    **{f"matrix_norm {p}": (lambda A, p=p: linalg.matrix_norm(A, p), [TALL, BATCH])
       for p in ("fro", "nuc", np.inf, -np.inf, 1, -1, 2, -2)},
    **{f"vector_norm {p}": (lambda A, p=p: linalg.vector_norm(A, p, 1), [TALL, BATCH])
       for p in (np.inf, -np.inf, 0, 0.5, 1, 1.5, 2, 3)},
}


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("name, shape", [(n, s) for n, (_, shapes) in ONE.items() for s in shapes])
def test_derivatives_of_one_matrix(name, shape, kind):
    check(ONE[name][0], *draw(kind, shape))


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("a, b", [(N, (3, 2)), (BATCH, (3, 2)), (N, (2, 3, 1)), (N, (3,)), (BATCH, (2, 3))])
def test_solve(a, b, kind):
    A, B = draw(kind, a, b)
    vector = len(b) == 1 or b == a[:-1]
    expected = np.linalg.solve(A, B[..., None])[..., 0] if vector else np.linalg.solve(A, B)
    assert np.allclose(linalg.solve(A, B), expected)
    check(linalg.solve, A, B)
    if not vector and b[::-1] != a[:-1]:      # else it would be a vector for each matrix
        assert np.allclose(linalg.solve(A, B.swapaxes(-1, -2), left=False) @ A, B.swapaxes(-1, -2))


@pytest.mark.parametrize("kind", ["f", "c"])
@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("unitriangular", [False, True])
def test_solve_triangular(upper, unitriangular, kind):
    A, B = draw(kind, BATCH, (2, 3, 2))
    f = lambda A, B: linalg.solve_triangular(A, B, upper=upper, unitriangular=unitriangular)
    T = (np.triu if upper else np.tril)(A, (1 if upper else -1) if unitriangular else 0) + unitriangular * np.eye(3)
    assert np.allclose(T @ f(A, B), B)
    check(f, A, B)


@pytest.mark.parametrize("kind", ["f", "c"])
def test_factorizations_multiply_to_the_matrix(kind):
    for shape in (N, TALL, WIDE, BATCH, (2, 0), (0, 3, 3)):
        A, = draw(kind, shape)
        P, L, U = linalg.lu(A)
        assert np.allclose(P @ L @ U, A)
        for mode in ("reduced", "complete"):
            Q, R = linalg.qr(A, mode)
            assert np.allclose(Q @ R, A)
        for full in (False, True):
            u, s, vh = linalg.svd(A, full_matrices=full)
            assert np.allclose(u[..., :len(s.T)] * s[..., None, :] @ vh[..., :len(s.T), :], A)
    A, B = draw(kind, BATCH, (2, 3, 2))
    LU, pivots = linalg.lu_factor(A)
    P, L, U = triangular.lu_unpack(LU, pivots)
    assert np.allclose(P @ L @ U, A)
    assert np.allclose(A @ linalg.lu_solve(LU, pivots, B), B)
    assert np.allclose(A.swapaxes(-1, -2).conj() @ linalg.lu_solve(LU, pivots, B, adjoint=True), B)
    assert np.allclose(linalg.lu_solve(LU, pivots, B.swapaxes(-1, -2), left=False) @ A, B.swapaxes(-1, -2))
    w, V = linalg.eig(A)
    assert np.allclose(A @ V, V * w[..., None, :])
    S = hermitian(A)
    w, V = linalg.eigh(S)
    assert np.allclose(V * w[..., None, :] @ V.swapaxes(-1, -2).conj(), S)


def test_the_determinant_of_a_singular_matrix_has_the_adjugate_as_gradient_in_both_orders():
    A = Tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True, dtype="float64")
    for record in (False, True):
        g, = ag.gradients([linalg.det(A)], [A], create_graph=record)
        assert np.allclose(g.value, [[4, -2], [-2, 1]])
    h, = ag.gradients([g], [A], [Tensor(np.array([[1.0, 0], [0, 0]]))])
    assert np.allclose(h.value, [[0, 0], [0, 1]]), "and det is of degree 2, so the next is a constant"
    B = Tensor(np.diag([2.0, 3.0, 0.0]), requires_grad=True)
    g, = ag.gradients([linalg.det(B)], [B], create_graph=True)
    assert np.allclose(g.value, np.diag([0, 0, 6.0]))
    h, = ag.gradients([g], [B], [Tensor(np.diag([0, 0, 1.0]))])
    assert np.allclose(h.value, np.diag([3.0, 2.0, 0]))
    assert np.allclose(linalg.det(np.zeros((2, 3, 3))), 0) and linalg.det(np.zeros((0, 0))) == 1


def test_large_determinants_need_their_logarithm():
    A = draw("f", (400, 400))[0]
    t = Tensor(A, requires_grad=True)
    sign, size = linalg.slogdet(t)
    g, = ag.gradients([size], [t])
    assert abs(float(sign)) == 1 and np.allclose(g.value, np.linalg.inv(A).T)
    singular_one = Tensor(np.array([[1.0, 2], [2, 4]]), requires_grad=True)
    size = linalg.slogdet(singular_one).logabsdet
    assert float(size) == -np.inf and np.isinf(ag.gradients([size], [singular_one])[0].value).all()
    assert np.isnan(solve.logdet(np.diag([-1.0, 1.0]))) and np.isclose(solve.logdet(np.diag([2.0, 3.0])), np.log(6))


def test_singular_matrices_are_refused():
    S = np.array([[1.0, 2.0], [2.0, 4.0]])
    for f in (linalg.inv, lambda A: linalg.solve(A, np.ones(2)), lambda A: linalg.matrix_power(A, -1)):
        for A in (S, Tensor(S, requires_grad=True)):
            with pytest.raises(linalg.LinAlgError, match="singular"):
                f(A)
    with pytest.raises(RuntimeError, match="Batch element 1"):
        linalg.inv(np.stack([np.eye(2), S]))
    with pytest.raises(np.linalg.LinAlgError, match="order 2 is not"):
        linalg.cholesky(np.array([[1.0, 2.0], [2.0, 1.0]]))
    inverse, info = linalg.inv_ex(np.stack([np.eye(2), S]))
    assert info.tolist() == [0, 2] and np.allclose(inverse[0], np.eye(2)) and np.isinf(inverse[1]).all()
    factor, info = linalg.cholesky_ex(np.stack([4 * np.eye(2), -S]))
    assert info.tolist() == [0, 1] and np.allclose(factor[0], 2 * np.eye(2)) and np.isnan(factor[1]).any()
    assert linalg.cond(S, 1) == np.inf
    with pytest.raises(linalg.LinAlgError, match="converge"):
        linalg.eigvals(np.full((2, 2), np.nan))


@pytest.mark.parametrize("f", [linalg.inv, linalg.det, linalg.eigh, linalg.cholesky, linalg.matrix_exp, linalg.eig])
def test_wrong_inputs_name_what_arrived(f):
    with pytest.raises(ag.ShapeError, match=r"must be batches of square matrices.*\(2, 3\)"):
        f(np.ones((2, 3)))
    with pytest.raises(ag.ShapeError, match=r"at least 2 dimensions; got \(3,\)"):
        f(np.ones(3))
    with pytest.raises(TypeError, match="int64"):
        f(np.ones((2, 2), np.int64))


def test_equal_eigenvalues_have_no_eigenvector_gradient():
    A = Tensor(np.eye(3), requires_grad=True)
    V = linalg.eigh(A).eigenvectors
    assert np.isnan(ag.gradients([(V * np.arange(9.0).reshape(3, 3)).sum()], [A])[0].value).all()
    w = linalg.eigvalsh(A)
    assert np.allclose(ag.gradients([w.sum()], [A])[0].value, np.eye(3)), "their values have one"
    U = linalg.svd(A).U
    assert np.isnan(ag.gradients([(U * np.arange(9.0).reshape(3, 3)).sum()], [A])[0].value).all()


def test_the_cholesky_gradient_is_symmetric():
    A = Tensor(np.array([[4.0, 2.0], [2.0, 3.0]]), requires_grad=True)
    g, = ag.gradients([linalg.cholesky(A).sum()], [A])
    assert np.allclose(g.value, [[0.2133883476, 0.0732233047], [0.0732233047, 0.3535533906]])


def test_subgradients_of_norms():
    eye = Tensor(np.eye(2), requires_grad=True)
    assert np.allclose(ag.gradients([linalg.matrix_norm(eye, 2)], [eye])[0].value, np.eye(2) / 2)
    zero = Tensor(np.zeros(3), requires_grad=True)
    for p in (0, 0.5, 1, 1.5, 2, 3):
        assert np.array_equal(ag.gradients([linalg.vector_norm(zero, p)], [zero])[0].value, [0, 0, 0])
    assert np.isclose(linalg.vector_norm(np.array([3e200, 4e200]), 3), 91 ** (1 / 3) * 1e200)
    with pytest.raises(ValueError, match="expected ord"):
        linalg.matrix_norm(np.eye(2), 3)


def test_least_squares_and_pseudo_inverse():
    A, B = draw("f", (5, 3), (5, 2))
    X, residuals, rank, values = linalg.lstsq(A, B, driver="gelsd")
    expected = np.linalg.lstsq(A, B, rcond=None)
    assert np.allclose(X, expected[0]) and np.allclose(residuals, expected[1]) and rank == 3
    assert np.allclose(values, expected[3])
    check(lambda A, B: linalg.lstsq(A, B, driver="gels")[:2], A, B)
    low = np.outer([1.0, 2, 3], [1.0, 1])
    assert linalg.matrix_rank(low) == 1 and np.allclose(linalg.pinv(low), np.linalg.pinv(low))
    assert linalg.matrix_rank(np.stack([np.eye(2), np.ones((2, 2))]), hermitian=True).tolist() == [2, 1]
    assert np.allclose(linalg.pinv(np.diag([2.0, 0]), hermitian=True), np.diag([0.5, 0]))


def test_products():
    a, b, c, d = draw("f", (2, 5), (5, 3), (3, 7), (7,))
    assert np.allclose(linalg.multi_dot([a, b, c, d]), a @ b @ c @ d)
    assert np.allclose(matrix_functions.chain_matmul(a, b, c), a @ b @ c)
    check(lambda *xs: linalg.multi_dot(xs), a, b, c, d)
    x, y = draw("c", (2, 3), (2, 3))
    assert np.allclose(linalg.cross(x, y), np.cross(x, y)) and np.allclose(linalg.vecdot(x, y), (x.conj() * y).sum(-1))
    check(linalg.cross, x, y)
    check(linalg.vecdot, x, y)
    with pytest.raises(ag.ShapeError, match="length 3"):
        linalg.cross(np.ones((2, 4)), np.ones((2, 4)))
    assert np.allclose(linalg.vander(np.array([1.0, 2, 3])), np.vander([1, 2, 3], increasing=True))
    A, B = draw("f", (2, 3, 6), (2, 3))
    assert np.allclose(linalg.tensorsolve(A, B), np.linalg.tensorsolve(A, B))
    assert np.allclose(linalg.diagonal(np.arange(8.0).reshape(2, 2, 2)), [[0, 3], [4, 7]])
    assert np.allclose(matrix_functions.matrix_exp(np.array([[0.0, -3], [3, 0]])),
                       [[np.cos(3), -np.sin(3)], [np.sin(3), np.cos(3)]])


def test_float32_stays_float32_and_results_have_their_names():
    A = Tensor(draw("f", (3, 3))[0].astype(np.float32), requires_grad=True)
    for f in (linalg.inv, linalg.det, linalg.qr, linalg.svd, linalg.lu, linalg.matrix_exp, linalg.pinv, linalg.slogdet,
              linalg.svdvals, linalg.norm, linalg.cond, linalg.lu_factor, linalg.matrix_norm):
        out = f(A)
        for part in out if isinstance(out, tuple) else (out,):
            assert part.dtype in (np.float32, np.int32), f.__name__
            if part.requires_grad:
                assert ag.gradients([part.sum()], [A], retain_graph=True)[0].dtype == np.float32
    assert linalg.eigvals(A).dtype == np.complex64
    assert linalg.svd(A)._fields == ("U", "S", "Vh") and linalg.eigh(A)._fields == ("eigenvalues", "eigenvectors")
    assert linalg.slogdet(A)._fields == ("sign", "logabsdet") and linalg.lu(A)._fields == ("P", "L", "U")
    assert singular.old_svd(A)._fields == ("U", "S", "V")


def test_the_complete_qr_of_a_tall_matrix_says_that_it_has_no_derivative():
    A = Tensor(draw("f", TALL)[0], requires_grad=True)
    with pytest.raises(ag.GradientError, match="mode='reduced'"):
        linalg.qr(A, "complete").Q.sum().backward()
