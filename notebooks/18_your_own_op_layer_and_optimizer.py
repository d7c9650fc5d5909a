# %% [markdown]
# # 18 · Your own op, layer and optimizer
#
# Nothing in the library is reserved for the library. Here you add an operation with its derivative, have it checked,
# see it in the picture, build a layer of it, and write the optimizer that trains it.

# %%
import numpy as np
from sklearn.datasets import load_digits

import autograd
import nn
import optim
import viz
from autograd import Tensor, grad, gradcheck

autograd.manual_seed(0)
F = nn.functional

# %% [markdown]
# ## Do you need an op at all?
#
# Usually not. A function made of operations has its derivative already, of any order. The bell curve
# $\text{bell}(x) = e^{-x^2}$:

# %%
def composed_bell(x):
    return (-(x * x)).exp()


x = Tensor(0.7, requires_grad=True, name="x")
with autograd.record():
    y = composed_bell(x)
    y.backward()
viz.draw(y)

# %% [markdown]
# An op of its own pays where the derivative is simpler, more stable or cheaper than the sum of its parts, and where
# you want *one* card in the picture.
#
# ## An op in four lines
#
# A NumPy function, and for each input the rule that carries a change `g` from above through it. Here
#
# $$\frac{d}{dx} e^{-x^2} = -2 x \, e^{-x^2} \qquad\text{so}\qquad g \mapsto -2\, g\, x \cdot \text{out}$$
#
# A rule asks by *name* for what it needs: an input, or `out`, the result. What no rule asks for is not kept in memory.

# %%
@autograd.elementwise(x=lambda g, x, out: -2 * g * x * out, symbol="∩", floating=True)
def bell(x):
    """The bell curve:  e^(-x^2)."""
    return np.exp(-x * x)


x = Tensor(0.7, requires_grad=True, name="x")
with autograd.record():
    y = bell(x)
    y.backward()
print(f"bell: {y.item():.6f}, slope {x.grad.item():.6f}")
print(f"composed: slope {grad(composed_bell)(Tensor(0.7)).item():.6f}")
assert np.isclose(x.grad.item(), -2 * 0.7 * np.exp(-0.49))
viz.draw(y)

# %% [markdown]
# That was all. Because the rule is written with operators, it can be differentiated in turn; forward mode and batching
# come along too:

# %%
values = np.array([-1.5, 0.0, 0.4, 2.0])
second = autograd.vmap(grad(grad(bell)))(values)
print("second derivative", second.round(6))
print("by school rules  ", ((4 * values**2 - 2) * np.exp(-values**2)).round(6))
assert np.allclose(second, (4 * values**2 - 2) * np.exp(-values**2))
assert np.allclose(autograd.jvp(bell, (values,), (np.ones(4),))[1], -2 * values * np.exp(-values**2))
viz.activation_card(bell)

# %% [markdown]
# ## Trust, but check
#
# `gradcheck` compares every element of the derivative with a difference quotient, in double precision;
# `gradgradcheck` does the same for the derivative of the derivative. A rule with a mistake does not get past it:

# %%
@autograd.elementwise(x=lambda g, x, out: -2 * g * out, floating=True)          # an x is missing
def forgetful_bell(x):
    return np.exp(-x * x)


print("bell:", gradcheck(bell, values), autograd.gradgradcheck(bell, values))
try:
    gradcheck(forgetful_bell, values)
except autograd.GradientError as error:
    caught = str(error)
    print("forgetful_bell:", caught)
assert not gradcheck(forgetful_bell, values, raise_exception=False)

# %% [markdown]
# ## Two inputs, and not element by element
#
# `@autograd.op` takes functions of any shape. Squared distances between all points $x_i$ and all centres $c_j$:
#
# $$D_{ij} = \|x_i - c_j\|^2 \qquad
#   \bar{x}_i = 2 \sum_j g_{ij} (x_i - c_j) \qquad \bar{c}_j = 2 \sum_i g_{ij} (c_j - x_i)$$
#
# Written with broadcasting, all differences $x_i - c_j$ would be kept for the backward pass, an array of
# $n \times m \times d$ numbers. The rules need only $x$ and $c$:

# %%
@autograd.op(x=lambda g, x, c: 2 * (g.sum(axis=1, keepdims=True) * x - g @ c),
             c=lambda g, x, c: 2 * (g.mT.sum(axis=1, keepdims=True) * c - g.mT @ x),
             shapes="(n, d) and (m, d)")
def square_distances(x, c):
    """Squared distances of all pairs:  D_ij = |x_i - c_j|^2, of shape (n, m)."""
    return np.maximum((x * x).sum(axis=1)[:, None] - 2 * (x @ c.T) + (c * c).sum(axis=1), 0)


def broadcast_distances(x, c):
    return ((x[:, None, :] - c[None, :, :])**2).sum(dim=2)


rng = np.random.default_rng(0)
points, centres = rng.normal(size=(5, 3)), rng.normal(size=(4, 3))
print("gradcheck:", gradcheck(square_distances, (points, centres)),
      autograd.gradgradcheck(square_distances, (points, centres)))

many, some = (Tensor(rng.normal(size=(n, 32)), requires_grad=True) for n in (400, 100))
results = {}
for function in (broadcast_distances, square_distances):
    with autograd.record():
        result = function(many, some)
    kept = sum(node.saved_bytes for node in result.graph().nodes)
    gradients = autograd.gradients(result.sum(), [many, some])
    results[function.__name__] = (kept, gradients)
    print(f"{function.__name__:<20} keeps {kept / 1e6:>6.2f} MB for the way back")
assert all(np.allclose(a.numpy(), b.numpy()) for a, b in zip(*(g for _, g in results.values())))

# %% [markdown]
# Wrong input is answered in the op's own words, from `shapes`:

# %%
try:
    square_distances(Tensor(points), Tensor(centres[:, :2]))
except autograd.ShapeError as error:
    print(error)

# %% [markdown]
# ## A layer
#
# A `Module` has `__init__`, where parameters are assigned to attributes, and `forward`. Radial basis functions: each
# unit has a place, and answers the more, the nearer a point is:
#
# $$h_j(x) = \text{bell}\bigl(s_j \|x - c_j\|\bigr) = e^{-s_j^2 \|x - c_j\|^2}$$

# %%
class RadialBasis(nn.Module):
    """h_j = exp(-s_j^2 |x - c_j|^2): (N, in_features) -> (N, units)."""

    def __init__(self, in_features, units):
        super().__init__()
        self.in_features, self.units = in_features, units
        self.centres = nn.Parameter(autograd.randn(units, in_features))
        self.sharpness = nn.Parameter(autograd.ones(units))

    def forward(self, x):
        return (-self.sharpness**2 * square_distances(x, self.centres)).exp()

    def extra_repr(self):
        return f"in_features={self.in_features}, units={self.units}"


network = nn.Sequential(RadialBasis(2, 12), nn.Linear(12, 2))
print(network)
print("parameters:", [(name, tuple(p.shape)) for name, p in network.named_parameters()])
x, y = nn.data.moons(300, noise=0.15, seed=0)
x = np.asarray(x, dtype="float32")
viz.draw(network, x[:8])

# %% [markdown]
# Everything that works for a `Linear` works for it: the picture above, `state_dict`, `summary`, the doctor, training.

# %%
copy = nn.Sequential(RadialBasis(2, 12), nn.Linear(12, 2))
copy.load_state_dict(network.state_dict())
assert np.array_equal(copy(x).detach().numpy(), network(x).detach().numpy())
print(nn.doctor(network, nn.CrossEntropyLoss(), (x, y)))

# %% [markdown]
# ## An optimizer
#
# An optimizer is one rule for one array: `rule(group)` gets the settings and returns `update(p, g, state)`, which
# returns the new $p$. Groups, `zero_grad`, state dicts and schedules are taken care of. AdaBelief ([Zhuang et al.
# 2020](https://arxiv.org/abs/2010.07468)) is Adam that looks at how far a gradient is from what was *expected*,
# instead of how large it is:
#
# $$\begin{aligned} m &\leftarrow \beta_1 m + (1 - \beta_1) g &
#   s &\leftarrow \beta_2 s + (1 - \beta_2) (g - m)^2 + \varepsilon \\
#   \hat m &= m / (1 - \beta_1^t), \quad \hat s = s / (1 - \beta_2^t) &
#   p &\leftarrow p - \eta\, \hat m / (\sqrt{\hat s} + \varepsilon) \end{aligned}$$

# %%
class AdaBelief(optim.Optimizer):
    """AdaBelief (Zhuang et al. 2020, algorithm 2)."""

    slots = ("step", "exp_avg", "exp_avg_var")

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps})

    def rule(self, group):
        lr, (b1, b2), eps = group["lr"], group["betas"], group["eps"]

        def update(p, g, state):
            t = state["step"] = state.get("step", 0) + 1
            m = state["exp_avg"] = b1 * state.get("exp_avg", 0.0) + (1 - b1) * g
            s = state["exp_avg_var"] = b2 * state.get("exp_avg_var", 0.0) + (1 - b2) * (g - m)**2 + eps
            return p - lr * m / (1 - b1**t) / (np.sqrt(s / (1 - b2**t)) + eps)
        return update


p = Tensor(np.array([1.0, -2.0]), requires_grad=True)
optimizer = AdaBelief([p], lr=0.1)
(p**2).sum().backward()
optimizer.step()
g = np.array([2.0, -4.0])
m, s = 0.1 * g, 0.001 * (0.9 * g)**2 + 1e-8
by_hand = np.array([1.0, -2.0]) - 0.1 * (m / 0.1) / (np.sqrt(s / 0.001) + 1e-8)
print("one step", p.detach().numpy(), "by hand", by_hand)
assert np.allclose(p.detach().numpy(), by_hand, atol=1e-12)

# %% [markdown]
# On a long narrow valley, beside two that come with the library. Along the valley the gradient hardly changes, so it is
# as expected, and AdaBelief takes large steps:

# %%
race = viz.optimizer_race("valley", {
    "SGD": lambda params: optim.SGD(params, lr=0.02),
    "Adam": lambda params: optim.Adam(params, lr=0.1),
    "AdaBelief": lambda params: AdaBelief(params, lr=0.1),
}, steps=80)
race.at(-1)

# %% [markdown]
# And at work, with our layer, through `compile` and `fit`:

# %%
model = nn.Model(network)
model.compile(AdaBelief(network.parameters(), lr=0.02), nn.CrossEntropyLoss(), metrics=["accuracy"])
history = model.fit(x, y, epochs=40, batch_size=50, verbose=0)
print(f"{history.history['accuracy'][-1]:.1%} of the moons are right")
assert history.history["accuracy"][-1] > 0.93
viz.decision_boundary(network, x, y)

# %% [markdown]
# Interrupted and taken up again, it does what it would have done: the state dict holds all it remembers.

# %%
def steps(optimizer, parameter, many):
    for _ in range(many):
        optimizer.zero_grad()
        ((parameter - 3)**4).sum().backward()
        optimizer.step()


one = Tensor(np.zeros(3), requires_grad=True)
first = AdaBelief([one], lr=0.05)
steps(first, one, 10)
two = Tensor(one.detach().numpy().copy(), requires_grad=True)
second = AdaBelief([two])
second.load_state_dict(first.state_dict())
steps(first, one, 10)
steps(second, two, 10)
print("the same to the last bit:", np.array_equal(one.detach().numpy(), two.detach().numpy()))
assert np.array_equal(one.detach().numpy(), two.detach().numpy())

# %% [markdown]
# ## A derivative that is not one: `autograd.Function`
#
# Sometimes the true derivative is of no use. $\text{sign}(w)$ has slope 0 everywhere; a network with weights of $\pm
# 1$ would never learn. The *straight-through estimator* ([Bengio et al. 2013](https://arxiv.org/abs/1308.3432)) lies:
# on the way back it says the slope was 1 where $|w| \le 1$. `Function` is PyTorch's form for it, `forward` and
# `backward` as static methods:

# %%
class StraightSign(autograd.Function):
    @staticmethod
    def forward(ctx, w):
        ctx.save_for_backward(w)
        return autograd.where(w >= 0, 1.0, -1.0).to(w.dtype)

    @staticmethod
    def backward(ctx, g):
        w, = ctx.saved_tensors
        return g * (w.abs() <= 1)


class BinaryLinear(nn.Linear):
    """A linear layer that computes with the signs of its weights only."""

    def forward(self, x):
        return F.linear(x, StraightSign.apply(self.weight), self.bias) / self.in_features**0.5


class SignLinear(nn.Linear):
    """The same with the true derivative of sign: zero."""

    def forward(self, x):
        return F.linear(x, self.weight.sign(), self.bias) / self.in_features**0.5


scans, labels = load_digits(return_X_y=True)
images = (scans / 16).astype("float32")
train, test = slice(0, 1200), slice(1200, None)
accuracy = {}
for kind in (nn.Linear, BinaryLinear, SignLinear):
    autograd.manual_seed(0)
    reader = nn.Sequential(kind(64, 64), nn.BatchNorm1d(64), nn.ReLU(), kind(64, 10))
    before = reader[0].weight.detach().numpy().copy()
    model = nn.Model(reader)
    model.compile(optim.Adam(reader.parameters(), lr=3e-3), nn.CrossEntropyLoss(), metrics=["accuracy"])
    model.fit(images[train], labels[train], epochs=25, batch_size=64, verbose=0)
    accuracy[kind.__name__] = model.evaluate(images[test], labels[test], verbose=0)[1]
    moved = np.abs(reader[0].weight.detach().numpy() - before).max()
    print(f"{kind.__name__:<14}{accuracy[kind.__name__]:>7.1%}   first weights moved by up to {moved:.2f}")
assert accuracy["BinaryLinear"] > 0.85 and accuracy["BinaryLinear"] > accuracy["SignLinear"] + 0.03

# %% [markdown]
# Weights of one bit each, 32 times smaller than `float32`. (And `gradcheck` rightly refuses this derivative: a lie,
# if a useful one.)

# %%
print("gradcheck:", gradcheck(StraightSign.apply, np.array([0.3, -0.4]), raise_exception=False))
assert not gradcheck(StraightSign.apply, np.array([0.3, -0.4]), raise_exception=False)
weights = Tensor(np.array([[0.3, -0.4]]), requires_grad=True, name="weights")
with autograd.record():
    out = F.linear(Tensor(np.array([[2.0, 1.0]]), name="x"), StraightSign.apply(weights)).sum()
    out.backward()
print("gradient of the weights:", weights.grad.numpy())
viz.draw(out, direction="backward")

# %% [markdown]
# ## Try it
#
# 1. Write `softsign(x) = x / (1 + |x|)` as an `@autograd.elementwise` op. What must its rule ask for: `x`, or is `out`
#    enough? Check it with `gradcheck`.
# 2. Give `RadialBasis` centres taken from the training points instead of random ones. Does it learn faster?
# 3. Write SGD with *sign* momentum: $m \leftarrow \beta m + g$, $p \leftarrow p - \eta\, \text{sign}(m)$. Race it.
#
# That was the last notebook. Where next: [CONTRIBUTING.md](../CONTRIBUTING.md) shows where an op goes if it should be
# in the library, [docs/ops.md](../docs/ops.md) what is there already. Back to the [first
# notebook](01_a_scalar_that_remembers.ipynb).
