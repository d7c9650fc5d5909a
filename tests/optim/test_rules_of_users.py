"""A rule that a user writes wrong is refused before it can replace the parameter."""

import numpy as np
import pytest

from autograd import Tensor
from optim.optimizer import Optimizer


@pytest.mark.parametrize("update, said", [
    (lambda p, g, s: p[:1], r"shape \(1,\), float32"), (lambda p, g, s: p - g.astype("float64"), "float64"),
    (lambda p, g, s: Tensor(p - g), "a Tensor"), (lambda p, g, s: None, "is there a return")])
def test_what_is_not_the_new_parameter(update, said):
    class Mine(Optimizer):
        def __init__(self, params):
            super().__init__(params, {})

        def rule(self, group):
            return update
    p = Tensor(np.ones(2, "float32"), requires_grad=True)
    before = p.value
    p.grad = Tensor(np.ones(2, "float32"))
    with pytest.raises(TypeError, match=f"Mine: expected the update of its rule .* got .*{said}"):
        Mine([p]).step()
    assert p.value is before
