"""FLOPs of dense linear algebra beside the counts of Golub and Van Loan; a factorization's parts sum to it."""

import math

import numpy as np
import pytest

import autograd as ag
from autograd import trace

LA = ag.linalg
N, M, K = 12, 30, 5
RNG = np.random.default_rng(0)
SQUARE = RNG.standard_normal((N, N))
DEFINITE = SQUARE @ SQUARE.T + N * np.eye(N)
TALL = RNG.standard_normal((M, N))
WIDE = TALL.T.copy()
SIDES = RNG.standard_normal((N, K))


def named(f, x, *ops):
    """The FLOPs of the lines of these ops."""
    return sum(node.flops for node in trace(f)(x).nodes if node.op in ops)


COUNTS = {
    # what: (function, argument, its lines, formula)   [Golub and Van Loan, Matrix Computations, 4th edition]
    "solve": (lambda a: LA.solve(a, SIDES), SQUARE, ("solve",), 2 * N**3 / 3 + 2 * N**2 * K),           # 3.2, 3.1
    "solve a vector": (lambda a: LA.solve(a, SIDES[:, 0]), SQUARE, ("solve",), 2 * N**3 / 3 + 2 * N**2),
    "inv": (LA.inv, SQUARE, ("inv",), 2 * N**3),                                                      # 3.4.11
    "det": (LA.det, SQUARE, ("det",), 2 * N**3 / 3),                                                  # 3.2.1
    "slogdet": (lambda a: LA.slogdet(a)[1], SQUARE, ("logabsdet",), 2 * N**3 / 3),
    "slogdet with sign": (lambda a: LA.slogdet(a), SQUARE, ("logabsdet", "sign_of_det"), 2 * N**3 / 3 + N),
    "LU": (lambda a: LA.lu_factor(a)[0], SQUARE, ("lu_packed",), 2 * N**3 / 3),
    "LU of tall": (lambda a: LA.lu_factor(a)[0], TALL, ("lu_packed", "solve"),     # its square part, and a system
                   2 * N**3 / 3 + 2 * N**3 / 3 + 2 * N**2 * (M - N)),
    "cholesky": (LA.cholesky, DEFINITE, ("cholesky",), N**3 / 3),                                     # 4.2.5
    "R": (lambda a: LA.qr(a, mode="r")[1], TALL, ("qr_r",), 2 * N**2 * (M - N / 3)),                   # 5.2.1
    "QR": (lambda a: LA.qr(a), TALL, ("qr_q", "qr_r"), 4 * N**2 * (M - N / 3)),
    "QR with all of Q": (lambda a: LA.qr(a, mode="complete"), TALL, ("qr_complete",),
                         2 * N**2 * (M - N / 3) + 4 * (M**2 * N - M * N**2 + N**3 / 3)),
    "singular values": (LA.svdvals, TALL, ("svd_values",), 4 * M * N**2 - 4 * N**3 / 3),               # figure 8.6.1
    "SVD": (lambda a: LA.svd(a, full_matrices=False), TALL, ("svd_values", "svd_left", "svd_right"),
            14 * M * N**2 + 8 * N**3),
    "SVD of wide": (lambda a: LA.svd(a, full_matrices=False), WIDE, ("svd_values", "svd_left", "svd_right"),
                    14 * M * N**2 + 8 * N**3),
    "values and right vectors": (lambda a: LA.svd(a, full_matrices=False)[1:], TALL, ("svd_values", "svd_right"),
                                 4 * M * N**2 + 8 * N**3),
    "eigvalsh": (LA.eigvalsh, DEFINITE, ("eigh_values",), 4 * N**3 / 3),                              # 8.3.3
    "eigh": (lambda a: LA.eigh(a), DEFINITE, ("eigh_values", "eigh_vectors"), 9 * N**3),
    "eigvals": (LA.eigvals, SQUARE, ("eig_values",), 10 * N**3),                                      # 7.5.6
    "eig": (lambda a: LA.eig(a), SQUARE, ("eig_values", "eig_vectors"), 25 * N**3),
    "pinv": (LA.pinv, TALL, ("pinv",), 14 * M * N**2 + 8 * N**3 + 2 * M * N**2),
    "lstsq": (lambda a: LA.lstsq(a, TALL[:, :K])[0], TALL, ("pinv", "matmul"),
              16 * M * N**2 + 8 * N**3 + 2 * N * M * K),
    "exponential": (LA.matrix_exp, SQUARE, ("matrix_exp",), 6 * 2 * N**3 + 8 * N**3 / 3),              # 9.3.1, q = 13
}


@pytest.mark.parametrize("what", COUNTS)
def test_against_the_formula(what):
    f, x, ops, formula = COUNTS[what]
    parts = len(ops)
    assert abs(named(f, x, *ops) - formula) <= parts, "to the rounding of each part"


def test_slogdet_of_the_issue():
    assert trace(lambda a: LA.slogdet(a)[1])(np.eye(12)).flops == 2 * 12**3 // 3


def test_batches_count_each_matrix():
    one, many = trace(LA.inv)(SQUARE).flops, trace(LA.inv)(np.stack([SQUARE] * 6).reshape(2, 3, N, N)).flops
    assert many == 6 * one
    one = trace(lambda a: LA.solve(a, SIDES))(SQUARE).flops
    assert trace(lambda a: LA.solve(a, np.stack([SIDES] * 4)))(np.stack([SQUARE] * 4)).flops == 4 * one
    assert trace(lambda a: LA.solve(a, np.stack([SIDES] * 4)))(SQUARE).flops == 4 * one


def test_no_matrix_costs_nothing():
    for f in (LA.inv, LA.det, lambda a: LA.eigh(a)[0]):
        assert trace(f)(np.zeros((0, 3, 3))).flops == 0


def test_way_back_is_counted_too():
    forward = trace(lambda a: LA.slogdet(a)[1])(SQUARE)
    assert forward.backward().flops >= 2 * N**3, "its gradient is an inverse"
    assert math.isclose(named(lambda a: LA.det(a), SQUARE, "det"), 2 * N**3 / 3)
    back = trace(LA.det)(SQUARE).backward()
    assert sum(node.flops for node in back.nodes if node.op == "cofactor") >= 2 * N**3


def test_the_rule_of_a_users_function_is_not_made_up():
    class Cube(ag.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x ** 3

        @staticmethod
        def backward(ctx, g):
            return 3 * g * ctx.saved_tensors[0] ** 2
    node = Cube.apply(ag.Tensor(2.0, requires_grad=True)).graph().nodes[-1]
    assert node.formula == ("Cube.backward(g)",)
