# %% [markdown]
# # 05 · Losses, penalties, optimizers
#
# Three choices shape what a model learns: what counts as an error, what counts as too complicated, and how to walk
# downhill.

# %%
import copy
from base64 import b64encode

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Lasso, Ridge

import autograd
import nn
import optim
import viz
from autograd import Parameter, Tensor
from nn import functional as F

autograd.manual_seed(0)
autograd.set_default_dtype("float64")
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
COLORS = ["#0B5394", "#D55E00", "#007A5E", "#9C6ADE", "#6B6B00"]

# %% [markdown]
# ## What is an error?
#
# Three losses for numbers, as functions of the error $e = \hat y - y$. What matters for training is the *slope*: the
# pull that each example exerts.
#
# $$\text{squared: } e^2 \qquad \text{absolute: } |e| \qquad
#   \text{Huber: } \begin{cases} e^2/2 & |e| \le 1 \\ |e| - 1/2 & \text{beyond} \end{cases}$$

# %%
losses = {"squared": F.mse_loss, "absolute": F.l1_loss, "Huber": F.huber_loss}
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 2.8), layout="constrained")
for (name, loss), color in zip(losses.items(), COLORS):
    e = Tensor(np.linspace(-3, 3, 301), requires_grad=True)
    value = loss(e, e * 0, reduction="none")
    value.sum().backward()
    left.plot(e.detach().numpy(), value.detach().numpy(), color=color, label=name)
    right.plot(e.detach().numpy(), e.grad.numpy(), color=color)
left.set(title="loss", xlabel="error", ylim=(-0.2, 5))
right.set(title="slope: the pull", xlabel="error")
left.legend(frameon=False)
plt.show()

# %% [markdown]
# A far-away point pulls on the squared loss in proportion to its distance, on the others only so much. Which *single*
# number describes these values best? Each loss has its own answer, and statistics has a name for two of them.

# %%
values = Tensor([1.0, 1.2, 1.3, 1.7, 9.0])
answers = {}
for name, loss in losses.items():
    guess = Parameter(np.array(3.0))
    optimizer = optim.Adam([guess], lr=0.1)
    schedule = optim.ExponentialLR(optimizer, gamma=0.99)
    for _ in range(800):
        optimizer.zero_grad()
        loss(guess.expand(5), values).backward()
        optimizer.step()
        schedule.step()
    answers[name] = guess.item()
    print(f"{name:<9} {guess.item():.3f}")
print(f"\nmean {values.mean().item():.3f}, median {np.median(values):.3f}")
assert abs(answers["squared"] - values.mean().item()) < 1e-3
assert abs(answers["absolute"] - np.median(values)) < 1e-2

# %% [markdown]
# The same with a line: five of the forty points are wild.

# %%
rng = np.random.default_rng(1)
x = np.linspace(0, 4, 40)
y = 0.8 * x + rng.normal(0, 0.2, 40)
y[[30, 32, 34, 36, 38]] -= 6
figure, axes = plt.subplots(figsize=(5, 3))
axes.plot(x, y, ".", color="#8A929A")
axes.plot(x, 0.8 * x, ":", color="black", label="the truth")
slopes = {}
for (name, loss), color in zip(losses.items(), COLORS):
    line = Parameter(np.zeros(2))
    optimizer = optim.Adam([line], lr=0.1)
    schedule = optim.ExponentialLR(optimizer, gamma=0.99)
    for _ in range(500):
        optimizer.zero_grad()
        loss(line[0] * x + line[1], Tensor(y)).backward()
        optimizer.step()
        schedule.step()
    w, b = slopes[name] = line.detach().numpy()
    axes.plot(x, w * x + b, color=color, label=f"{name}: slope {w:.2f}")
axes.set(xlabel="x", ylabel="y")
axes.legend(frameon=False, fontsize=8)
assert abs(slopes["absolute"][0] - 0.8) < 0.15 < 0.5 < abs(slopes["squared"][0] - 0.8)

# %% [markdown]
# ## What is an error between classes?
#
# Let $z$ be the logit of the right answer: large and positive is right and sure, large and negative is wrong and sure.
# We would like to count mistakes (grey), but a staircase has slope 0 everywhere.

# %%
def squared_error(z):
    return (1 - z.sigmoid())**2


def cross_entropy(z):
    return F.softplus(-z)                      # -ln σ(z), without overflow


def hinge(z):
    return (1 - z).relu()


figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 2.8), layout="constrained")
zs = np.linspace(-6, 4, 401)
left.plot(zs, zs < 0, color="#8A929A", label="mistakes counted")
pull = {}
for loss, color in zip((squared_error, cross_entropy, hinge), COLORS):
    z = Tensor(zs, requires_grad=True)
    value = loss(z)
    value.sum().backward()
    name = loss.__name__.replace("_", " ")
    left.plot(zs, value.detach().numpy(), color=color, label=name)
    right.plot(zs, z.grad.numpy(), color=color)
    pull[name] = z.grad[0].item()
left.set(title="loss", xlabel="logit of the right answer", ylim=(-0.1, 4))
right.set(title="slope: the pull", xlabel="logit of the right answer")
left.legend(frameon=False, fontsize=8)
plt.show()
print(f"pull on an example that is badly wrong (logit {zs[0]:g}):",
      ", ".join(f"{name} {value:+.3f}" for name, value in pull.items()))
assert abs(pull["squared error"]) < 0.01 < 0.9 < abs(pull["cross entropy"])

# %% [markdown]
# The squared error gives up on exactly those examples that are worst: its slope goes to 0 on *both* sides.
# Cross-entropy pulls hardest there. That is the reason to train classifiers with it.
#
# ## What is too complicated?
#
# A penalty on the weights keeps them small. Two kinds, with a strength $\lambda$:
#
# $$\text{L2 (ridge): } L + \lambda \sum_i w_i^2 \qquad \text{L1 (lasso): } L + \lambda \sum_i |w_i|$$
#
# The slope of $\lambda w^2$ is $2\lambda w$: it fades as a weight gets small, and no weight becomes exactly 0. The
# slope of $\lambda |w|$ stays $\pm\lambda$ to the end, and at 0 there is a corner that holds the weight fast. A step
# that respects the corner walks along the slope of $L$, then pulls each weight towards 0 by $\eta\lambda$, but not past
# it.

# %%
people = load_diabetes()
X = people.data / people.data.std(axis=0)
Y = (people.target - people.target.mean()) / people.target.std()
inputs, targets = Tensor(X), Tensor(Y)


def ridge(strength):
    w = Parameter(np.zeros(10))
    optimizer = optim.LBFGS([w], max_iter=200, tolerance_grad=1e-10,
                            tolerance_change=1e-14, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.mse_loss(inputs @ w, targets) + strength * (w**2).sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return w.detach().numpy()


def lasso(strength, w, eta=0.1, steps=400):
    for _ in range(steps):
        p = Tensor(w, requires_grad=True)
        F.mse_loss(inputs @ p, targets).backward()
        w = w - eta * p.grad.numpy()
        w = np.sign(w) * np.maximum(np.abs(w) - eta * strength, 0)
    return w


strengths = np.logspace(-3, 1, 25)
by_l2 = np.array([ridge(s) for s in strengths])
by_l1, w = [], np.zeros(10)
for s in strengths[::-1]:                      # from strong to weak, each from where the last ended
    w = lasso(s, w)
    by_l1.append(w)
by_l1 = np.array(by_l1[::-1])

# %%
figure, axes = plt.subplots(1, 2, figsize=(9.2, 3.2), sharey=True, layout="constrained")
titles = "L2: all shrink, none is 0", "L1: one after the other is 0"
for ax, path, title in zip(axes, (by_l2, by_l1), titles):
    for k, name in enumerate(people.feature_names):
        ax.semilogx(strengths, path[:, k], label=name, color=plt.cm.tab10(k))
    ax.axhline(0, color="black", linewidth=0.6)
    ax.set(title=title, xlabel="strength λ")
axes[0].set_ylabel("weight")
axes[1].legend(frameon=False, fontsize=7, ncols=2)
plt.show()
middle = 15
print(f"at λ = {strengths[middle]:.2f}: {np.sum(by_l2[middle] == 0)} weights of the ridge are 0, "
      f"{np.sum(by_l1[middle] == 0)} of the lasso")
assert (by_l2 != 0).all() and (by_l1[middle] == 0).sum() >= 3 and (by_l1[-1] == 0).all()

# %% [markdown]
# The lasso has *chosen* measurements. Both agree with scikit-learn (which counts λ a little differently):

# %%
s = strengths[10]
theirs_l2 = Ridge(alpha=s * len(X), fit_intercept=False).fit(X, Y).coef_
theirs_l1 = Lasso(alpha=s / 2, fit_intercept=False, tol=1e-10, max_iter=100_000).fit(X, Y).coef_
print("largest difference, L2:", f"{np.abs(by_l2[10] - theirs_l2).max():.1e}",
      "  L1:", f"{np.abs(by_l1[10] - theirs_l1).max():.1e}")
assert np.allclose(by_l2[10], theirs_l2, atol=1e-6) and np.allclose(by_l1[10], theirs_l1, atol=2e-3)

# %% [markdown]
# In a network you write neither formula. `compile(..., regularizer=...)` adds a penalty to the loss; `weight_decay=` in
# the optimizer adds the slope of one to the gradient. For SGD a weight decay of $2\lambda$ is the same as L2 with
# $\lambda$:

# %%
def one_layer(weight_decay, regularizer):
    layer = nn.Linear(10, 1, bias=False)
    nn.init.zeros_(layer.weight)
    model = nn.Model(layer)
    optimizer = optim.SGD(layer.parameters(), lr=0.2, weight_decay=weight_decay)
    model.compile(optimizer, "mse", regularizer=regularizer)
    model.fit(X, Y.reshape(-1, 1), batch_size=len(X), epochs=500, verbose=0)
    return layer.weight.detach().numpy()[0]


with_penalty = one_layer(0, nn.regularizers.L2(s))
with_decay = one_layer(2 * s, None)
print("penalty and decay differ by", f"{np.abs(with_penalty - with_decay).max():.0e},",
      "penalty and ridge by", f"{np.abs(with_penalty - by_l2[10]).max():.0e}")
assert np.allclose(with_penalty, with_decay, atol=1e-10)
assert np.allclose(with_penalty, by_l2[10], atol=1e-3)

# %% [markdown]
# ## How to walk downhill
#
# With $g$ the gradient and $p$ the parameters, four famous rules:
#
# | | remembers | step |
# |---|---|---|
# | SGD | nothing | $p \leftarrow p - \eta g$ |
# | momentum | $b \leftarrow \mu b + g$ | $p \leftarrow p - \eta b$ |
# | RMSprop | $v \leftarrow \alpha v + (1-\alpha) g^2$ | $p \leftarrow p - \eta\, g / (\sqrt v + \epsilon)$ |
# | Adam | $m \leftarrow \beta_1 m + (1-\beta_1) g$ | $p \leftarrow p - \eta\, \hat m / (\sqrt{\hat v} + \epsilon)$ |
# | | $v \leftarrow \beta_2 v + (1-\beta_2) g^2$ | |
#
# Momentum is a heavy ball. RMSprop gives every parameter a step size of its own, by the size its gradients usually
# have. Adam does both, and $\hat m = m / (1 - \beta_1^t)$, $\hat v = v / (1 - \beta_2^t)$ make up for starting at 0.
# Written out, next to the library's, on a function with a curved valley:

# %%
def beale(x, y):
    return (1.5 - x + x * y)**2 + (2.25 - x + x * y**2)**2 + (2.625 - x + x * y**3)**2


START, MINIMUM = np.array([1.0, 1.5]), np.array([3.0, 0.5])


def gradient(p):
    return autograd.grad(lambda p: beale(p[0], p[1]))(p)


def by_formulas(rule, steps=50):
    p, b, m, v = START, 0, 0, 0
    for t in range(1, steps + 1):
        g = gradient(p)
        if rule == "SGD":
            p = p - 0.01 * g
        elif rule == "momentum":
            b = 0.9 * b + g
            p = p - 0.003 * b
        elif rule == "RMSprop":
            v = 0.99 * v + 0.01 * g**2
            p = p - 0.02 * g / (np.sqrt(v) + 1e-8)
        elif rule == "Adam":
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
            p = p - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8)
    return p


def run(make, steps=50):
    """The end of the way of one of the library's optimizers."""
    p = Parameter(START.copy())
    optimizer = make([p])
    for _ in range(steps):
        optimizer.zero_grad()
        beale(p[0], p[1]).backward()
        optimizer.step()
    return p.detach().numpy()


library = {"SGD": lambda p: optim.SGD(p, lr=0.01),
           "momentum": lambda p: optim.SGD(p, lr=0.003, momentum=0.9),
           "RMSprop": lambda p: optim.RMSprop(p, lr=0.02),
           "Adam": lambda p: optim.Adam(p, lr=0.1)}
for name, make in library.items():
    ours, theirs = by_formulas(name), run(make)
    print(f"{name:<9} formulas {ours.round(6)}   optim {theirs.round(6)}")
    assert np.allclose(ours, theirs, atol=1e-9)

# %% [markdown]
# ## The race
#
# The same four from one start. SGD goes straight down the slope and then creeps along the valley floor. Momentum shoots
# far past, turns round, and overtakes. RMSprop and Adam set out diagonally, whatever the slope: dividing by the size of
# the gradient leaves little more than its signs.

# %%
race = viz.optimizer_race("beale", library, steps=120, every=4, region=(-0.5, 4, -1.3, 2))
gif = b64encode(race.gif(dpi=80)).decode()
HTML(f'<img alt="{race.words}" src="data:image/gif;base64,{gif}">')

# %%
ends = {name: run(make, steps=120) for name, make in library.items()}
for name, end in ends.items():
    print(f"{name:<9} {np.linalg.norm(end - MINIMUM):.3f} from the minimum after 120 steps")
assert min(ends, key=lambda name: np.linalg.norm(ends[name] - MINIMUM)) == "momentum"
first_steps = np.abs(run(library["Adam"], steps=1) - START)
assert np.allclose(first_steps, 0.1, atol=1e-6)                 # the same in x and in y

# %% [markdown]
# Was that fair? Each has a learning rate of its own that suits it. So give every optimizer many learning rates, and
# look where it stands after 120 steps:

# %%
rates = np.logspace(-4, 0.5, 19)
kinds = {"SGD": lambda lr: lambda p: optim.SGD(p, lr=lr),
         "momentum": lambda lr: lambda p: optim.SGD(p, lr=lr, momentum=0.9),
         "RMSprop": lambda lr: lambda p: optim.RMSprop(p, lr=lr),
         "Adam": lambda lr: lambda p: optim.Adam(p, lr=lr)}
figure, axes = plt.subplots(figsize=(5.6, 3.2))
usable = {}
with np.errstate(all="ignore"):
    for (name, make), color in zip(kinds.items(), COLORS):
        heights = np.array([beale(*run(make(rate), 120)) for rate in rates])
        heights = np.where(np.isfinite(heights), heights, np.inf)
        axes.loglog(rates, np.maximum(heights, 1e-12), ".-", color=color, label=name)
        usable[name] = (heights < 0.1).sum()
axes.set(xlabel="learning rate", ylabel="height after 120 steps", ylim=(1e-5, 1e3))
axes.legend(frameon=False, fontsize=8)
for name, count in usable.items():
    print(f"{name:<9} {count:>2} of {len(rates)} learning rates end below 0.1")
assert usable["Adam"] > usable["SGD"]

# %% [markdown]
# Where a line ends, the optimizer ran away. Each of the four has learning rates that work. The difference is how *wide*
# the good range is, and a wide range is what you want when you cannot afford to try twenty.
#
# ## In a real network
#
# The way of all weights of a small network, seen in the plane in which they moved most; the colour is the loss. Both
# start at the same place.

# %%
points, kinds_of = nn.data.moons(200, noise=0.15, seed=0)
labels = kinds_of.reshape(-1, 1)
network = nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 1))
start = copy.deepcopy(network.state_dict())


def train(optimizer):
    """The weights after each epoch, and the loss at the end."""
    network.load_state_dict(start)
    model = nn.Model(network)
    model.compile(optimizer, "binary_crossentropy")
    way = [viz.snapshot(network)]
    watch = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: way.append(viz.snapshot(network)))
    model.fit(points, labels, batch_size=20, epochs=40, verbose=0, callbacks=[watch])
    return way, model.evaluate(points, labels, verbose=0)


ways, ends = {}, {}
for name, optimizer in (("SGD", optim.SGD(network.parameters(), lr=0.1)),
                        ("Adam", optim.Adam(network.parameters(), lr=0.02))):
    ways[name], ends[name] = train(optimizer)
    print(f"{name:<5} loss at the end {ends[name]:.4f}")
assert ends["Adam"] < ends["SGD"]
viz.weight_trajectory(ways, network, points, labels.astype(float), nn.BCEWithLogitsLoss(), steps=20)

# %% [markdown]
# ## Try it
#
# 1. Which number minimises the Huber loss of the five values when you set `delta=0.1`? And `delta=10`? Why?
# 2. Race on `"rosenbrock"` and on `"saddle"`. Who gets stuck on the saddle if you start exactly on its ridge, at
#    `start=(-1.5, 0.0)`?
# 3. Add `optim.Lion` and `optim.AdamW` to the comparison of learning rates.
#
# Next: [06 · Handwritten digits](06_digits_with_an_mlp.ipynb)
