"""torch.special's names: `autograd.special.gammaln`, `autograd.special.bessel_j0`, ...

What NumPy cannot give comes from SciPy: pip install "glassgrad[special]".  Unlike PyTorch's, the Bessel functions, the
polynomials and the incomplete gamma functions have derivatives (to x), of any order.
"""

from .ops.activation import erf, erfc
from .ops.activation import sigmoid as expit
from .ops.bessel import (
    airy_ai,
    bessel_i,
    bessel_ie,
    bessel_j,
    bessel_j0,
    bessel_j1,
    bessel_k,
    bessel_ke,
    bessel_y,
    bessel_y0,
    bessel_y1,
    i0,
    i0e,
    i1,
    i1e,
    modified_bessel_i0,
    modified_bessel_i1,
    modified_bessel_k0,
    modified_bessel_k1,
    scaled_modified_bessel_k0,
    scaled_modified_bessel_k1,
    spherical_bessel_j,
    spherical_bessel_j0,
)
from .ops.binary import xlog1py, xlogy
from .ops.elementwise import exp2, expm1, log1p, round
from .ops.gaussian import erfcx, erfinv, log_ndtr, ndtr, ndtri
from .ops.polynomials import (
    chebyshev_polynomial_t,
    chebyshev_polynomial_u,
    chebyshev_polynomial_v,
    chebyshev_polynomial_w,
    gegenbauer,
    hermite_polynomial_h,
    hermite_polynomial_he,
    laguerre_polynomial_l,
    legendre_polynomial_p,
    shifted_chebyshev_polynomial_t,
    shifted_chebyshev_polynomial_u,
    shifted_chebyshev_polynomial_v,
    shifted_chebyshev_polynomial_w,
)
from .ops.reduce import log_softmax, logsumexp, softmax
from .ops.special import beta, betaln, digamma, gamma, gammainc, gammaincc, multigammaln, polygamma, zeta
from .ops.special import digamma as psi
from .ops.special import lgamma as gammaln
from .ops.unary import entr, log1mexp, logit, sinc

__all__ = [
    "airy_ai", "bessel_i", "bessel_ie", "bessel_j", "bessel_j0", "bessel_j1", "bessel_k", "bessel_ke", "bessel_y",
    "bessel_y0", "bessel_y1", "beta", "betaln", "chebyshev_polynomial_t", "chebyshev_polynomial_u",
    "chebyshev_polynomial_v", "chebyshev_polynomial_w", "digamma", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2",
    "expit", "expm1", "gamma", "gammainc", "gammaincc", "gammaln", "gegenbauer", "hermite_polynomial_h",
    "hermite_polynomial_he", "i0", "i0e", "i1", "i1e", "laguerre_polynomial_l", "legendre_polynomial_p", "log1mexp",
    "log1p", "log_ndtr", "log_softmax", "logit", "logsumexp", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "multigammaln", "ndtr", "ndtri", "polygamma", "psi", "round",
    "scaled_modified_bessel_k0", "scaled_modified_bessel_k1", "shifted_chebyshev_polynomial_t",
    "shifted_chebyshev_polynomial_u", "shifted_chebyshev_polynomial_v", "shifted_chebyshev_polynomial_w", "sinc",
    "softmax", "spherical_bessel_j", "spherical_bessel_j0", "xlog1py", "xlogy", "zeta",
]
