# %% [markdown]
# # 17 · Second derivatives
#
# The gradient says which way is down. The second derivative says how the slope itself changes: whether the ground is
# a gentle bowl or a gorge, and how long a step may be. Newton's method uses it to jump; the Hessian of a network has
# a surprisingly simple shape; and plain gradient descent turns out to live at the very edge of what the curvature
# allows.

# %%
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.linear_model import LogisticRegression

import autograd
import autograd.numpy as anp
import nn
from autograd import functional_call, grad, hessian, hvp, linearize, value_and_grad

F = nn.functional
autograd.manual_seed(0)
autograd.set_default_dtype("float64")
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

# %% [markdown]
# ## The derivative of the derivative
#
# `grad` takes a function and gives a function, so it can be applied twice. Here is $f(x) = x^4 - 3x^3 + 2$.

# %%
def f(x):
    return x**4 - 3 * x**3 + 2


slope, bend = grad(f), grad(grad(f))
x = 1.7
print(f"f'  = {slope(x):+.6f}   by school rules {4 * x**3 - 9 * x**2:+.6f}")
print(f"f'' = {bend(x):+.6f}   by school rules {12 * x**2 - 18 * x:+.6f}")
assert np.isclose(slope(x), 4 * x**3 - 9 * x**2) and np.isclose(bend(x), 12 * x**2 - 18 * x)

# %% [markdown]
# ## Newton's method
#
# Near $x$, a function looks like the parabola with the same value, slope and bend. Jump to the bottom of that
# parabola:
#
# $$x \leftarrow x - \frac{f'(x)}{f''(x)}$$
#
# There is no learning rate to choose. And near the goal the number of correct digits *doubles* with each step:

# %%
x, errors = 4.0, []
for step in range(8):
    errors.append(abs(x - 2.25))               # the minimum is at 9/4
    print(f"step {step}: x = {x:.15f}   error {errors[-1]:.1e}")
    x = x - slope(x) / bend(x)
assert errors[-1] < 1e-12 and all(b < 1.5 * a**2 for a, b in pairwise(errors[2:6]))

# %%
xs = np.linspace(1.2, 4.15, 200)
figure, axes = plt.subplots(figsize=(5.4, 3), layout="constrained")
axes.plot(xs, f(xs), color=BLUE, linewidth=2)
at = 4.0
for color in (ORANGE, GREEN, GREY):
    parabola = f(at) + slope(at) * (xs - at) + bend(at) / 2 * (xs - at)**2
    axes.plot(xs, parabola, color=color, linewidth=1)
    axes.plot(at, f(at), "o", color=color)
    at = at - slope(at) / bend(at)
axes.set(xlabel="x", ylabel="f(x)", ylim=(-20, 72))
axes.set_title("each point with its parabola; the next point is its bottom", fontsize=9)
plt.show()

# %% [markdown]
# ## Many knobs: the Hessian
#
# For a function of many numbers the bends form a matrix, $H_{ij} = \partial^2 L / \partial \theta_i \partial
# \theta_j$, and the division becomes the solution of a linear system:
#
# $$\theta \leftarrow \theta - H^{-1} \nabla L$$
#
# Logistic regression on 569 tumours, 30 measurements, with a small penalty. Its loss is a bowl, where Newton is at
# home.

# %%
tumours = load_breast_cancer()
X = (tumours.data - tumours.data.mean(axis=0)) / tumours.data.std(axis=0)
sign = 2.0 * tumours.target - 1
penalty = 1e-2


def logistic(theta):
    return anp.log1p(anp.exp(-sign * (X @ theta))).mean() + penalty / 2 * (theta @ theta)


curvature, gradient = hessian(logistic), grad(logistic)
theta, newton = np.zeros(30), []
for step in range(10):
    g = gradient(theta)
    newton.append(np.linalg.norm(g))
    print(f"step {step}: |gradient| = {newton[-1]:.1e}")
    theta = theta - np.linalg.solve(curvature(theta), g)

exact = LogisticRegression(C=1 / (penalty * len(X)), fit_intercept=False, tol=1e-12, max_iter=10000)
exact.fit(X, sign)
print(f"largest difference to scikit-learn's weights: {np.abs(theta - exact.coef_[0]).max():.1e}")
assert newton[-1] < 1e-10 and np.allclose(theta, exact.coef_[0], atol=1e-4)

# %%
steepest = np.linalg.eigvalsh(curvature(np.zeros(30))).max()
walker, descent = np.zeros(30), []
for _ in range(1500):
    g = gradient(walker)
    descent.append(np.linalg.norm(g))
    walker = walker - g / steepest             # the largest step that is safe: 1 / largest curvature
figure, axes = plt.subplots(figsize=(5.4, 2.8), layout="constrained")
axes.loglog(np.arange(1, 1501), descent, color=ORANGE, label="gradient descent")
axes.loglog(np.arange(1, 11), np.maximum(newton, 1e-17), "-o", color=BLUE, markersize=4, label="Newton")
axes.set(xlabel="step", ylabel="|gradient|")
axes.legend(frameon=False)
plt.show()
print(f"after {len(descent)} steps of gradient descent: {descent[-1]:.1e}")
assert descent[-1] > 10 * newton[-2]

# %% [markdown]
# So why does nobody train networks this way? Three reasons, and each can be shown.
#
# **It goes wherever the slope is zero**, a saddle or a summit too. This function has two valleys, at $x = \pm 1$, and
# a saddle between them:

# %%
def saddle(p):
    return p[0]**4 / 4 - p[0]**2 / 2 + p[1]**2 / 2


jumper = walker = np.array([0.3, 1.0])
for _ in range(40):
    jumper = jumper - np.linalg.solve(hessian(saddle)(jumper), grad(saddle)(jumper))
    walker = walker - 0.3 * grad(saddle)(walker)
for name, p in (("Newton", jumper), ("gradient descent", walker)):
    bends = np.linalg.eigvalsh(hessian(saddle)(p)).round(3)
    print(f"{name:<17} ends at ({p[0]:+.4f}, {p[1]:+.4f}); curvatures there {bends}")
assert np.allclose(jumper, 0, atol=1e-6) and np.allclose(walker, [1, 0], atol=1e-3)

# %% [markdown]
# **It is large.** A network of $n$ weights has $n^2$ second derivatives: a million weights, eight terabytes.
#
# **It is dear to invert**, $n^3$ operations. Both go away with a trick: we seldom need $H$, only $H v$ for some
# direction $v$. That is the derivative of the gradient along $v$, and costs about as much as a few gradients
# ([Pearlmutter 1994](https://doi.org/10.1162/neco.1994.6.1.147)):
#
# $$H v = \left. \frac{d}{d t} \nabla L(\theta + t v) \right|_{t = 0}$$

# %%
v = np.random.default_rng(0).normal(size=30)
product = hvp(logistic, (theta,), (v,))[1]
print(f"H v without H differs by {np.abs(product - curvature(theta) @ v).max():.1e}")
assert np.allclose(product, curvature(theta) @ v, atol=1e-12)

# %% [markdown]
# ## The Hessian of a network
#
# A small network on the iris flowers: few enough weights to have the whole matrix. All weights go into one vector
# $\theta$; `functional_call` runs the module with weights taken from it.

# %%
def vector_of(network):
    return np.concatenate([p.detach().numpy().ravel() for p in network.parameters()])


def run(network, theta, x):
    """network(x) with its weights taken from one vector."""
    parts, start = {}, 0
    for name, p in network.named_parameters():
        parts[name] = theta[start:start + p.numel()].reshape(p.shape)
        start += p.numel()
    return functional_call(network, parts, (x,))


iris = load_iris()
flowers = (iris.data - iris.data.mean(axis=0)) / iris.data.std(axis=0)
small = nn.Sequential(nn.Linear(4, 12), nn.Tanh(), nn.Linear(12, 12), nn.Tanh(), nn.Linear(12, 3))


def flower_loss(theta):
    return F.cross_entropy(run(small, theta, flowers), iris.target)


start = vector_of(small)
end, step = start, value_and_grad(flower_loss)
for _ in range(600):
    value, g = step(end)
    end = end - 0.2 * g
before, after = (np.linalg.eigvalsh(hessian(flower_loss)(theta)) for theta in (start, end))
print(f"{len(start)} weights, so {len(start)**2:,} second derivatives")
print(f"loss {flower_loss(start):.3f} -> {flower_loss(end):.3f}")

# %%
figure, axes = plt.subplots(1, 2, figsize=(8, 2.7), layout="constrained", sharey=True)
for ax, values, name in zip(axes, (before, after), ("before training", "after training")):
    ax.hist(values, 70, color=BLUE)
    ax.set(yscale="log", xlabel="curvature (eigenvalue of H)", title=name)
axes[0].set_ylabel("how many directions")
plt.show()
flat = (np.abs(after) < 0.01 * after.max()).mean()
print(f"largest three {after[-3:].round(3)}, smallest {after[0]:.4f}")
print(f"flat (below 1 % of the largest): {flat:.0%} of all directions")
assert flat > 0.6 and after[0] > -0.1 * after.max()

# %% [markdown]
# Nearly all directions are flat: you can walk along them and nothing happens. A few stand out. That picture, a heap at
# zero and a handful of outliers, returns in networks of every size
# ([Sagun et al. 2017](https://arxiv.org/abs/1706.04454)).
#
# In the directions of the largest and of the middle curvature the loss looks like this:

# %%
vectors = np.linalg.eigh(hessian(flower_loss)(end))[1]
figure, axes = plt.subplots(figsize=(5.4, 2.6), layout="constrained")
ts = np.linspace(-1.5, 1.5, 41)
for k, color, name in ((-1, ORANGE, "steepest"), (-3, GREEN, "third"), (len(end) // 2, BLUE, "middle")):
    axes.plot(ts, [flower_loss(end + t * vectors[:, k]) for t in ts], color=color, label=name)
axes.set(xlabel="way from the weights that were found", ylabel="loss")
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# ## Lanczos: the edge of the spectrum from a few products
#
# For larger networks there is no $H$ to look at, but there is $H v$. Multiply again and again, $v, Hv, H^2 v, \dots$,
# make each new vector orthogonal to the earlier ones, and $H$ seen in this small basis is a small tridiagonal matrix
# $T = V^\top H V$, whose outermost eigenvalues are already those of $H$
# ([Lanczos 1950](https://doi.org/10.6028/jres.045.026)). `linearize(grad(loss), theta)` runs the network once and then
# gives $Hv$ for as many $v$ as we like.

# %%
def lanczos(product, first, steps):
    """Eigenvalues and vectors of a symmetric matrix in the space of v, Hv, ..., H^(steps-1) v."""
    basis, diagonal, beside = [first / np.linalg.norm(first)], [], []
    while True:
        w = product(basis[-1])
        diagonal.append(w @ basis[-1])
        V = np.array(basis)
        for _ in range(2):                     # twice: rounding leaves a rest after the first time
            w = w - V.T @ (V @ w)
        if len(basis) == steps or np.linalg.norm(w) < 1e-12:
            break
        beside.append(np.linalg.norm(w))
        basis.append(w / beside[-1])
    T = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
    values, inside = np.linalg.eigh(T)
    return values, V.T @ inside


along = linearize(grad(flower_loss), end)[1]
random = np.random.default_rng(0).normal(size=len(end))
for steps in (5, 10, 20, 40):
    values = lanczos(along, random, steps)[0]
    print(f"{steps:>3} products: largest {values[-1]:.10f}, third {values[-3]:.10f}")
print(f"   all of H: largest {after[-1]:.10f}, third {after[-3]:.10f}")
assert np.allclose(values[-3:], after[-3:], rtol=1e-6)

# %% [markdown]
# ## The edge of stability
#
# Take one step of gradient descent along a direction of curvature $\lambda$: the distance to the bottom is multiplied
# by $1 - \eta \lambda$ (notebook 04). If $\lambda > 2 / \eta$, it grows. So a learning rate must be chosen for the
# curvature? [Cohen et al. (2021)](https://arxiv.org/abs/2103.00065) looked, and found the reverse: the *network*
# moves to where the curvature fits the learning rate.
#
# 200 digits, all at once (no mini-batches: no noise), squared error, and every 25 steps the sharpness, the largest
# eigenvalue, by Lanczos.

# %%
scans, labels = load_digits(return_X_y=True)
chosen = np.random.default_rng(0).permutation(len(scans))[:200]
digits = (scans[chosen] - scans[chosen].mean(axis=0)) / 8
goal = np.eye(10)[labels[chosen]]
network = nn.Sequential(nn.Linear(64, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 10))


def digit_loss(theta):
    return ((run(network, theta, digits) - goal)**2).sum(dim=1).mean() / 2


def descend(eta, steps, every=25):
    """The loss at each step; the sharpness at each `every`-th."""
    theta, losses, sharpness = vector_of(network), [], []
    first, step = np.random.default_rng(0).normal(size=theta.size), value_and_grad(digit_loss)
    for k in range(steps):
        if k % every == 0:
            values, vectors = lanczos(linearize(grad(digit_loss), theta)[1], first, 8 if k else 20)
            first = vectors[:, -1]             # begins next time where it ended
            sharpness.append(values[-1])
        value, g = step(theta)
        losses.append(value)
        theta = theta - eta * g
    return np.array(losses), np.array(sharpness)


runs = {eta: descend(eta, 1500) for eta in (0.1, 0.4, 0.6)}
print(f"{vector_of(network).size} weights")
print(f"{'eta':>4}{'2 / eta':>9}{'sharpness at first':>20}{'in the last third':>19}{'steps up':>10}")
for eta, (losses, sharpness) in runs.items():
    late = sharpness[-20:]
    print(f"{eta:>4}{2 / eta:>9.2f}{sharpness[0]:>20.2f}{late.mean():>13.2f} ±{late.std():>4.2f}"
          f"{(np.diff(losses) > 0).mean():>10.0%}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.2), layout="constrained")
for (eta, (losses, sharpness)), color in zip(runs.items(), (GREY, BLUE, ORANGE)):
    left.semilogy(losses, color=color, linewidth=1, label=f"η = {eta}")
    right.plot(np.arange(len(sharpness)) * 25, sharpness, "-", color=color, label=f"η = {eta}")
    if eta > 0.1:
        right.axhline(2 / eta, color=color, linestyle="--", linewidth=1)
left.set(xlabel="step", ylabel="loss")
right.set(xlabel="step", ylabel="sharpness", title="dashed: 2 / η", ylim=(0, None))
left.legend(frameon=False)
plt.show()
for eta in (0.4, 0.6):
    losses, sharpness = runs[eta]
    assert sharpness[0] < 2 / eta and abs(sharpness[-20:].mean() * eta / 2 - 1) < 0.15
    assert losses[-1] < 0.1 * losses[0]
assert runs[0.1][1].max() < 2 / 0.1

# %% [markdown]
# The sharpness climbs ("progressive sharpening") until it meets $2/\eta$, and stays there. The small rate is not there
# yet; given more steps it would climb on. At the edge the loss goes up in many steps, as theory threatens, and yet it
# falls in the long run: when the weights swing too far along the steep direction, the ground there is less steep, and
# they come back. No parabola does that.
#
# ## Try it
#
# 1. Start Newton for $f$ at `x = 0.5`. Where does it go, and why?
# 2. *Damp* Newton at the saddle: use $|\lambda_i| + 0.1$ in place of the eigenvalues $\lambda_i$. Does it reach a
#    valley?
# 3. Let $\eta = 0.1$ run for 10,000 steps. Does its sharpness reach 20? What happens with `momentum`, whose edge is at
#    $2 (1 + \beta) / \eta$?
#
# Next: [18 · Your own op, layer and optimizer](18_your_own_op_layer_and_optimizer.ipynb)
