# %% [markdown]
# # 04 · Linear and logistic regression
#
# The two oldest models there are, and the last layer of nearly every network: fit a line to numbers, and a border
# between two classes. First by hand, so that nothing is hidden; then with `nn` and `optim`, where it is a handful of
# lines.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LinearRegression, LogisticRegression

import autograd
import nn
import optim
import viz
from autograd import Tensor

autograd.manual_seed(0)
autograd.set_default_dtype("float64")
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

# %% [markdown]
# ## A line through points
#
# 442 people with diabetes: their body-mass index, and how far the disease got within a year. Both are shifted and
# scaled to mean 0 and spread 1, which puts all knobs on the same footing.

# %%
def standardized(values):
    return (values - values.mean(axis=0)) / values.std(axis=0)


people = load_diabetes()
features, target = standardized(people.data), standardized(people.target)
x, y = features[:, 2], target
print(f"{len(x)} people, {features.shape[1]} measurements each; here: {people.feature_names[2]}")

# %% [markdown]
# The model is $\hat y = w x + b$, and the loss the mean squared error. Its slopes come out of the chain rule:
#
# $$L = \frac{1}{n} \sum_k (w x_k + b - y_k)^2 \qquad
#   \frac{\partial L}{\partial w} = \frac{2}{n} \sum_k (w x_k + b - y_k)\, x_k \qquad
#   \frac{\partial L}{\partial b} = \frac{2}{n} \sum_k (w x_k + b - y_k)$$

# %%
def loss_and_slopes(w, b):
    error = w * x + b - y
    return (error**2).mean(), 2 * (error * x).mean(), 2 * error.mean()


w, b = Tensor(-0.9, requires_grad=True), Tensor(0.8, requires_grad=True)
loss = ((w * x + b - y)**2).mean()             # a Tensor meets NumPy arrays: fine
loss.backward()
print("formulas ", *(f"{v:+.12f}" for v in loss_and_slopes(-0.9, 0.8)))
print("backward ", *(f"{v.item():+.12f}" for v in (loss, w.grad, b.grad)))
assert np.allclose(loss_and_slopes(-0.9, 0.8), [loss.item(), w.grad.item(), b.grad.item()], 1e-13)

# %% [markdown]
# ## Downhill
#
# Gradient descent: $\; w \leftarrow w - \eta\, \partial L / \partial w$, and the same for $b$. Again and again.

# %%
def descend(eta, steps, start=(-0.9, 0.8)):
    """(steps + 1, 3): w, b and the loss on the way down."""
    w, b = start
    way = []
    for _ in range(steps + 1):
        loss, dw, db = loss_and_slopes(w, b)
        way.append((w, b, loss))
        w, b = w - eta * dw, b - eta * db
    return np.array(way)


way = descend(eta=0.1, steps=40)
best = LinearRegression().fit(x[:, None], y)
print(f"after 40 steps: w = {way[-1, 0]:.4f}, b = {way[-1, 1]:.4f}, loss {way[-1, 2]:.4f}")
print(f"scikit-learn:   w = {best.coef_[0]:.4f}, b = {best.intercept_:.4f}")
assert abs(way[-1, 0] - best.coef_[0]) < 1e-3 and abs(way[-1, 1] - best.intercept_) < 1e-3

# %% [markdown]
# Left, the loss over all lines, with the way that was taken. Right, the same lines among the data.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
ws, bs = np.meshgrid(np.linspace(-1.2, 1.6, 60), np.linspace(-1.1, 1.1, 60))
heights = ((ws[..., None] * x + bs[..., None] - y)**2).mean(axis=-1)
left.contourf(ws, bs, heights, 18, cmap="viridis_r", alpha=0.85)
left.plot(way[:, 0], way[:, 1], ".-", color="white", markeredgecolor="black", markeredgewidth=0.4)
left.plot(best.coef_[0], best.intercept_, "*", color=ORANGE, markersize=12)
left.set(xlabel="w", ylabel="b", title="loss of each line")
right.plot(x, y, ".", color=GREY, markersize=3)
span = np.array([x.min(), x.max()])
for k, alpha in ((0, 0.35), (3, 0.5), (8, 0.7), (40, 1.0)):
    right.plot(span, way[k, 0] * span + way[k, 1], color=BLUE, alpha=alpha, label=f"step {k}")
right.set(xlabel="body-mass index", ylabel="progression", title="the lines on the way")
right.legend(frameon=False, ncols=2, fontsize=8)
plt.show()

# %% [markdown]
# ## How large a step?
#
# The bowl is a parabola along each direction, and its curvature $\lambda$ sets the limit. One step multiplies the
# distance to the bottom by $1 - \eta \lambda$. So too small an $\eta$ crawls, $\eta = 1/\lambda$ is there at once, and
# beyond $2/\lambda$ every step lands *higher* on the other side. The engine knows the curvature: the second
# derivatives.

# %%
def line_loss(p):
    return ((p[0] * x + p[1] - y)**2).mean()


curvature = np.linalg.eigvalsh(autograd.hessian(line_loss)(np.array([-0.9, 0.8])))
limit = 2 / curvature.max()
print("curvatures", curvature.round(6), f" so steps up to {limit:.3f} are safe")

figure, axes = plt.subplots(figsize=(5.4, 3))
for share, color in ((0.02, GREY), (0.2, BLUE), (0.95, GREEN), (1.03, ORANGE)):
    losses = descend(share * limit, 40)[:, 2]
    axes.semilogy(losses, color=color, label=f"η = {share:g} × limit")
axes.set(xlabel="step", ylabel="loss")
axes.legend(frameon=False)
assert descend(0.95 * limit, 200)[-1, 2] < descend(0.95 * limit, 0)[-1, 2]
assert descend(1.03 * limit, 200)[-1, 2] > descend(1.03 * limit, 0)[-1, 2]

# %% [markdown]
# ## The same with `nn` and `optim`
#
# All ten measurements now: $\hat y = X w^\top + b$. `nn.Linear` holds the weights, `nn.MSELoss` the formula,
# `optim.SGD` the update. The five lines in the loop are the same for a line and for a transformer.

# %%
X, Y = Tensor(features), Tensor(target).unsqueeze(1)            # (442, 10) and (442, 1)
exact = LinearRegression().fit(features, target)
lowest = ((exact.predict(features) - target)**2).mean()


def train(momentum, steps=1000):
    model = nn.Linear(10, 1)
    nn.init.zeros_(model.weight)
    criterion = nn.MSELoss()
    optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=momentum)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = criterion(model(X), Y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model.weight.detach().numpy()[0], np.array(losses)


plain, plain_losses = train(momentum=0)
heavy, heavy_losses = train(momentum=0.9)
print(f"{'':<6}{'plain':>10}{'momentum':>10}{'exact':>10}")
for name, *three in zip(people.feature_names, plain, heavy, exact.coef_):
    print(f"{name:<6}" + "".join(f"{value:>10.4f}" for value in three))
print(f"\nshare of the spread that is explained: {1 - heavy_losses[-1]:.3f}")
assert np.allclose(heavy, exact.coef_, atol=1e-3) and not np.allclose(plain, exact.coef_, atol=1e-3)

# %%
figure, axes = plt.subplots(figsize=(5.4, 3))
for losses, color, name in ((plain_losses, BLUE, "plain"), (heavy_losses, ORANGE, "momentum 0.9")):
    axes.semilogy(losses - lowest, color=color, label=name)
axes.set(xlabel="step", ylabel="loss above the lowest", ylim=(1e-7, 10))
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# Both fall fast at first; then plain gradient descent crawls, and is far from done after all those steps. The reason is
# in the data: some measurements say nearly the same thing. So the bowl is a long narrow valley, steep across and flat
# along, and the step must be small enough for the steep side. Momentum gathers speed along the flat one.

# %%
together = np.corrcoef(features.T) - np.eye(10)
first, second = np.unravel_index(np.abs(together).argmax(), together.shape)
print(f"correlation of {people.feature_names[first]} and {people.feature_names[second]}: "
      f"{together[first, second]:.3f}")
curvature = np.linalg.eigvalsh(2 * features.T @ features / len(features))
print(f"curvatures from {curvature.min():.4f} to {curvature.max():.2f}: "
      f"{curvature.max() / curvature.min():.0f} times as steep across as along")
assert curvature.max() / curvature.min() > 100

# %% [markdown]
# Notebook 05 races the optimizers that were invented for such valleys.
#
# ## A border between classes
#
# 569 tumours, benign or malignant, seen through a microscope. We use two measurements, to see everything in the plane.
# The model is the same sum, squashed into a probability; the loss is the cross-entropy of notebook 02:
#
# $$p = \sigma(w_1 x_1 + w_2 x_2 + b) \qquad
#   L = -\frac{1}{n} \sum_k \bigl(y_k \ln p_k + (1 - y_k) \ln(1 - p_k)\bigr) \qquad
#   \frac{\partial L}{\partial w} = \frac{1}{n} \sum_k (p_k - y_k)\, x_k$$
#
# The gradient looks just like that of the line: error times input.

# %%
tumours = load_breast_cancer()
chosen = [20, 27]                              # worst radius, worst concave points
points = standardized(tumours.data[:, chosen])
malignant = 1 - tumours.target                 # 1 is malignant
order = np.random.default_rng(0).permutation(len(points))
train, test = order[:400], order[400:]


def by_hand(w, b):
    p = 1 / (1 + np.exp(-(points[train] @ w + b)))
    error = p - malignant[train]
    return error @ points[train] / len(train), error.mean()


w, b = np.zeros(2), 0.0
for _ in range(2000):
    dw, db = by_hand(w, b)
    w, b = w - 0.5 * dw, b - 0.5 * db
print(f"by hand       w = {w.round(4)}, b = {b:.4f}")

model = nn.Linear(2, 1)
nn.init.zeros_(model.weight)
nn.init.zeros_(model.bias)
criterion = nn.BCEWithLogitsLoss()             # sigmoid and cross-entropy in one, safe at the ends
optimizer = optim.SGD(model.parameters(), lr=0.5)
data, labels = Tensor(points[train]), Tensor(malignant[train].astype(float)).unsqueeze(1)
for _ in range(2000):
    optimizer.zero_grad()
    loss = criterion(model(data), labels)
    loss.backward()
    optimizer.step()
learned = model.weight.detach().numpy()[0]
print(f"nn and SGD    w = {learned.round(4)}, b = {model.bias.item():.4f}")

exact = LogisticRegression(C=np.inf, tol=1e-8).fit(points[train], malignant[train])
print(f"scikit-learn  w = {exact.coef_[0].round(4)}, b = {exact.intercept_[0]:.4f}")
assert np.allclose(learned, w, rtol=1e-9) and np.allclose(learned, exact.coef_[0], atol=0.05)

# %% [markdown]
# The border is where $p = 1/2$, a straight line; the colour tells how sure the model is. A ring is a mistake.

# %%
accuracy = ((model(Tensor(points[test])).detach().numpy()[:, 0] > 0) == malignant[test]).mean()
print(f"{accuracy:.1%} of the {len(test)} tumours it has not seen are right")
assert accuracy > 0.88
viz.decision_boundary(model, points[test], malignant[test], labels=["benign", "malignant"],
                      features=("worst radius", "worst concave points"))

# %% [markdown]
# Accuracy hides something here: the two kinds of mistake are not equally bad. A border at $p = 0.1$ instead of 1/2
# misses fewer malignant tumours and frightens more people. The model gives the probability; where to cut is your
# decision.

# %%
probability = model(Tensor(points[test])).sigmoid().detach().numpy()[:, 0]
print("cut   missed   false alarms")
missed = []
for cut in (0.5, 0.3, 0.1):
    said = probability > cut
    missed.append(int((~said & (malignant[test] == 1)).sum()))
    print(f"{cut:.1f}   {missed[-1]:>6}   {int((said & (malignant[test] == 0)).sum()):>12}")
assert missed == sorted(missed, reverse=True)

# %% [markdown]
# ## A straight border is not always enough
#
# One layer draws one straight line. With a hidden layer in between, as in notebook 02, the border bends.

# %%
moons_x, moons_y = nn.data.moons(300, noise=0.15, seed=0)
straight = nn.Linear(2, 1)
bent = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1))
figure, axes = plt.subplots(1, 2, figsize=(9.4, 3.6), layout="constrained")
right = []
for network, ax in ((straight, axes[0]), (bent, axes[1])):
    model = nn.Model(network)
    model.compile(optim.SGD(model.parameters(), lr=0.2, momentum=0.9), "binary_crossentropy",
                  metrics=["accuracy"])
    model.fit(moons_x, moons_y.reshape(-1, 1), batch_size=50, epochs=80, verbose=0)
    right.append(model.evaluate(moons_x, moons_y.reshape(-1, 1), verbose=0)[1])
    viz.decision_boundary(network, moons_x, moons_y, ax=ax)
    ax.set_title(f"{right[-1]:.1%} right", fontsize=10)
plt.show()
assert right[0] < 0.92 < 0.95 < right[1]

# %% [markdown]
# ## Try it
#
# 1. Start `descend` far away, at `(5, 5)`. Does the number of steps change much? Why not?
# 2. Leave out `standardized` for the diabetes features (use `people.data * 1000`, say). What happens to the curvatures,
#    and to the learning rate you can afford?
# 3. Use all 30 measurements of the tumours. How many test cases are right now, and what happens to the weights if you
#    train very long?
#
# Next: [05 · Losses, penalties, optimizers](05_losses_and_optimizers.ipynb)
