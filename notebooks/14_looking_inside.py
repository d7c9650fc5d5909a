# %% [markdown]
# # 14 · Looking inside
#
# A network says "this is a 3". Why? Every number on the way is there, and so is every derivative; the art is to ask a
# question that a person understands. Seven ways of asking, and a network that cheats, to see which of them find it
# out.

# %%
import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, load_wine
from sklearn.inspection import permutation_importance

import autograd
import nn
import optim
import viz
from autograd import Tensor

autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

# %% [markdown]
# ## A small network to question
#
# Scans of 8x8 pixels, two convolutions, one linear layer. One third of the scans is kept for questions.

# %%
scans, labels = load_digits(return_X_y=True)
images = (scans / 16).astype("float32").reshape(-1, 1, 8, 8)
order = np.random.default_rng(0).permutation(len(images))
train, test = order[:1200], order[1200:]


def convolutional():
    return nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24 * 4 * 4, 10))


def trained(network, x, y, epochs=12, lr=3e-3):
    model = nn.Model(network)
    model.compile(optim.Adam(network.parameters(), lr=lr), "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=epochs, batch_size=64, verbose=0)
    return network.eval()


def predict(network, x):
    with autograd.no_grad():
        return network(x).numpy().argmax(axis=1)


network = trained(convolutional(), images[train], labels[train])
accuracy = (predict(network, images[test]) == labels[test]).mean()
print(f"{accuracy:.1%} of {len(test)} scans it has not seen are right")
assert accuracy > 0.95

shown = np.array([test[labels[test] == digit][0] for digit in (0, 3, 4, 8)])
questions, answers = images[shown], predict(network, images[shown])
assert (answers == labels[shown]).all()

# %% [markdown]
# All pictures below use one way of drawing: the scan in grey, the answer of the method over it; red speaks *for* the
# class, blue *against* it.

# %%
def sheet(rows, scans=questions):
    """Each row: (title, maps of shape (n, 8, 8))."""
    down, across = len(rows) + 1, len(scans)
    _, axes = plt.subplots(down, across, figsize=(1.25 * across, 1.25 * down), layout="constrained")
    for k, scan in enumerate(scans):
        axes[0, k].imshow(scan[0], cmap="gray_r")
    for row, (title, maps) in enumerate(rows, 1):
        axes[row, 0].set_ylabel(title, fontsize=8)
        for k, values in enumerate(maps):
            most = np.abs(values).max() + 1e-12
            axes[row, k].imshow(values, cmap="RdBu_r", vmin=-most, vmax=most)
            axes[row, k].contour(scans[k][0], levels=[0.4], colors="black", linewidths=0.6, alpha=0.7)
    for ax in axes.flat:
        ax.set(xticks=[], yticks=[])
    plt.show()

# %% [markdown]
# ## 1 Saliency: the gradient at the pixels
#
# Let $s_c(x)$ be the score (logit) of class $c$. Its gradient says, for each pixel, how the score changes when that
# pixel gets a little darker:
#
# $$\text{saliency}(x) = \frac{\partial s_c(x)}{\partial x}$$
#
# It is the `backward()` of training, only that the input is the leaf. The sum over the batch is a trick: each scan has
# its own score, and so each gets its own gradient in one pass.

# %%
def score_gradient(network, x, classes):
    x = Tensor(x, requires_grad=True)
    network(x)[np.arange(len(classes)), classes].sum().backward()
    return x.grad.numpy()


saliency = score_gradient(network, questions, answers)[:, 0]
one = Tensor(questions[1:2], requires_grad=True)
network(one)[0, int(answers[1])].backward()
assert np.allclose(one.grad.numpy()[0, 0], saliency[1], atol=1e-5)      # one at a time: the same
sheet([("saliency", saliency)])

# %% [markdown]
# Noisy. The gradient knows only what happens *right here*. A pixel that is fully black already may matter a great deal
# and still have no slope.
#
# ## 2 Integrated gradients: the whole way from white
#
# [Sundararajan et al. (2017)](https://arxiv.org/abs/1703.01365) walk from an empty scan $x'$ to $x$ and add up the
# gradients on the way:
#
# $$\text{IG}_i(x) = (x_i - x'_i)
#   \int_0^1 \frac{\partial s_c\bigl(x' + \alpha (x - x')\bigr)}{\partial x_i} \, d\alpha$$
#
# The integral of a derivative is a difference, so the parts add up to a whole. That is *completeness*, and it can be
# checked: $\sum_i \text{IG}_i = s_c(x) - s_c(x')$.

# %%
def integrated_gradients(network, x, classes, steps):
    total = np.zeros(x.shape)
    for alpha in (np.arange(steps) + 0.5) / steps:                      # midpoints
        total += score_gradient(network, (alpha * x).astype("float32"), classes)
    return x * total / steps


with autograd.no_grad():
    rows = np.arange(len(answers))
    difference = (network(questions) - network(np.zeros_like(questions))).numpy()[rows, answers]
gap = {}
for steps in (2, 8, 32, 128, 512):
    parts = integrated_gradients(network, questions, answers, steps)
    gap[steps] = np.abs(parts.sum(axis=(1, 2, 3)) - difference).max()
    print(f"{steps:>4} steps: the parts miss the whole by at most {gap[steps]:.4f}")
print("whole: ", difference.round(2))
assert gap[512] < 0.02 < gap[2]

# %%
sheet([("saliency", saliency), ("integrated", parts[:, 0])])
assert (parts[questions == 0] == 0).all()

# %% [markdown]
# Calmer. Where there is no ink there is no share, because $x_i - x'_i = 0$. That is also a weakness: the empty places
# of a 3 are what makes it no 8, and this method cannot say so.
#
# ## 3 Occlusion: cover it and look again
#
# No derivative at all. Cover 2x2 pixels with white and note how far the score falls. To cover a *hole* with white does
# nothing, so we also cover with black.

# %%
def occlusion(network, x, classes, color, size=2):
    """(n, 8, 8): how much the score falls under a patch of this colour, mean over all patches on a pixel."""
    fall, count = np.zeros((len(x), 8, 8)), np.zeros((8, 8))
    rows = np.arange(len(classes))
    with autograd.no_grad():
        before = network(x).numpy()[rows, classes]
        for top in range(9 - size):
            for left in range(9 - size):
                here = (slice(top, top + size), slice(left, left + size))
                covered = x.copy()
                covered[(..., *here)] = color
                after = network(covered).numpy()[rows, classes]
                fall[(slice(None), *here)] += (before - after)[:, None, None]
                count[here] += 1
    return fall / count


white, black = (occlusion(network, questions, answers, color) for color in (0.0, 1.0))
sheet([("white patch", white), ("black patch", black)])

# %% [markdown]
# The hole of the 0 lights up in the lower row: fill it, and the 0 is gone. Only a method that *adds* ink can say so.
#
# ## 4 Grad-CAM: ask a layer, not the pixels
#
# The last convolution made maps $A^k$. How much does each of them help class $c$? Take the mean of its gradient as its
# weight, add the maps up, keep what is positive ([Selvaraju et al. 2017](https://arxiv.org/abs/1610.02391)):
#
# $$w_k = \frac{1}{64} \sum_{i,j} \frac{\partial s_c}{\partial A^k_{ij}} \qquad
#   \text{CAM} = \max\Bigl(0, \sum_k w_k A^k\Bigr)$$
#
# This fits networks that end in a mean over all places, so here is one. A hook hands us the maps; `autograd.gradients`
# gives the derivative by something in the middle of the graph.

# %%
averaging = nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
                          nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
                          nn.GlobalAvgPool(), nn.Linear(32, 10))
trained(averaging, images[train], labels[train], epochs=20, lr=5e-3)
print(f"{(predict(averaging, images[test]) == labels[test]).mean():.1%} right")


def grad_cam(network, layer, x, classes):
    caught = []
    handle = layer.register_forward_hook(lambda module, args, out: caught.append(out))
    score = network(x)[np.arange(len(classes)), classes].sum()
    handle.remove()
    slope, = autograd.gradients(score, [caught[0]])
    weights = slope.mean(dim=(2, 3), keepdim=True)
    return (weights * caught[0]).sum(dim=1).relu().detach().numpy()


cams = grad_cam(averaging, averaging[5], questions, answers)
sheet([("Grad-CAM", cams)])

# %% [markdown]
# For such a network theory says what the weights must be: $s_c = b_c + \sum_k W_{ck} \cdot \text{mean}(A^k)$, so
# $w_k = W_{ck} / 64$. The engine was not told.

# %%
with autograd.no_grad():
    maps = averaging[:6](questions).numpy()
theory = np.einsum("nk,nkij->nij", averaging[7].weight.detach().numpy()[answers], maps) / 64
print(f"largest difference: {np.abs(np.maximum(theory, 0) - cams).max():.1e}")
assert np.allclose(np.maximum(theory, 0), cams, atol=1e-5) and cams.max() > 0.01

# %% [markdown]
# ## 5 What the units do
#
# Before any explanation: is everything alive? For each layer what came out, how wide, and how often exactly zero.
# `viz.histograms` draws it, with weights and gradients; the numbers are a hook away.

# %%
viz.histograms(network, images[test[:256]], labels[test[:256]], nn.CrossEntropyLoss())

# %%
caught = {}
handles = [
    module.register_forward_hook(lambda m, args, out, name=name: caught.update({name: out.numpy()}))
    for name, module in network.named_children()
]
with autograd.no_grad():
    network(images[test])
for handle in handles:
    handle.remove()
print(f"{'layer':<14}{'mean':>8}{'spread':>8}{'zeros':>8}{'dead':>6}")
for name, values in caught.items():
    if name == "5":                                 # Flatten changes the shape only
        continue
    channels = values.reshape(len(test), values.shape[1], -1)
    dead = (channels == 0).all(axis=(0, 2)).sum()
    kind = f"{name} {type(network[int(name)]).__name__}"
    print(f"{kind:<14}{values.mean():>8.2f}{values.std():>8.2f}{(values == 0).mean():>8.1%}{dead:>6}")
share = (caught["3"] == 0).mean()
assert 0.05 < share < 0.98

# %% [markdown]
# After a ReLU a good part is zero: most detectors do not find their pattern in most places. That is normal. A whole
# channel that is zero for every image ("dead") is not: nothing flows back through it, and it never learns again.
#
# ## 6 LIME: a simple model, only right here
#
# [Ribeiro et al. (2016)](https://arxiv.org/abs/1602.04938) treat the network as a black box. Cut the scan into 16
# tiles, switch tiles off at random, ask the network each time, and fit a *linear* model to the answers. Masks $z \in
# \{0,1\}^{16}$ near the full scan count more:
#
# $$\min_{\beta} \sum_m \pi_m \bigl(s_c(x \odot z_m) - \beta_0 - \beta^\top z_m\bigr)^2 + \lambda \|\beta\|^2 \qquad
#   \pi_m = e^{-d_m^2 / \sigma^2}, \quad d_m = \text{share switched off}$$

# %%
def lime(ask, features, samples=600, width=0.6, ridge=1e-3, seed=0):
    """Weight of each feature, and how well the linear model fits (R²).  `ask` takes masks (m, features)."""
    rng = np.random.default_rng(seed)
    masks = (rng.random((samples, features)) < rng.uniform(0.3, 1, (samples, 1))).astype(float)
    masks[0] = 1
    answers = ask(masks)
    closeness = np.exp(-((1 - masks.mean(axis=1)) / width)**2)
    design = np.column_stack([np.ones(samples), masks])
    weighted = design * closeness[:, None]
    penalty = ridge * np.eye(features + 1)
    penalty[0, 0] = 0                                   # the base value may be what it likes
    beta = np.linalg.solve(design.T @ weighted + penalty, weighted.T @ answers)
    left = closeness @ (answers - design @ beta)**2
    mean = closeness @ answers / closeness.sum()
    return beta[1:], 1 - left / (closeness @ (answers - mean)**2)


def tile_weights(network, scan, label, seed=0):
    def ask(masks):
        tiles = np.kron(masks.reshape(-1, 4, 4), np.ones((2, 2)))[:, None]
        with autograd.no_grad():
            return network((tiles * scan).astype("float32")).numpy()[:, label]
    weights, fit = lime(ask, 16, seed=seed)
    return np.kron(weights.reshape(4, 4), np.ones((2, 2))), fit


limes, fits = zip(*[tile_weights(network, scan[0], label) for scan, label in zip(questions, answers)])
print("how well a linear model imitates the network here (R²):", *(f"{fit:.2f}" for fit in fits))
sheet([("LIME", limes)])

# %% [markdown]
# Is our LIME honest? Where the black box *is* linear it must find the weights. And it draws at random, so how much
# does it depend on the draw?

# %%
true = np.array([3.0, -2.0, 0.0, 0.5])
found, fit = lime(lambda masks: masks @ true + 1, 4, ridge=0)
print("linear box: ", found.round(6), f"R² = {fit:.6f}")
assert np.allclose(found, true) and fit > 1 - 1e-9

again = np.array([tile_weights(network, questions[1][0], answers[1], seed)[0][::2, ::2] for seed in range(5)])
wobble = again.std(axis=0).mean() / np.abs(again.mean(axis=0)).max()
print(f"over five draws the weights move by {wobble:.1%} of the largest")
assert wobble < 0.2 and min(fits) > 0.3

# %% [markdown]
# The R² belongs to the picture. An explanation that does not fit explains little, however pretty.
#
# ## 7 Permutation importance, for a table
#
# 178 wines, 13 measurements, three growers. We add a 14th column of pure noise. Which columns does the model need?
# Shuffle one column among the test wines: its relation to the answer is gone, all else stays. How much the loss rises
# is its importance ([Breiman 2001](https://doi.org/10.1023/A:1010933404324)). (The accuracy would do too, but it
# moves in jumps, and not at all as long as no wine crosses a border.)

# %%
wine = load_wine()
rng = np.random.default_rng(0)
table = np.column_stack([wine.data, rng.normal(size=len(wine.data))])
table = ((table - table.mean(axis=0)) / table.std(axis=0)).astype("float32")
names = [*wine.feature_names, "(noise)"]
order = rng.permutation(len(table))
fit_rows, test_rows = order[:110], order[110:]
autograd.manual_seed(0)
grower = trained(nn.Sequential(nn.Linear(14, 24), nn.ReLU(), nn.Linear(24, 3)), table[fit_rows],
                 wine.target[fit_rows], epochs=60)


def surprise(x, y):
    """The cross-entropy of the network on these rows."""
    with autograd.no_grad():
        return nn.functional.cross_entropy(grower(x), y).item()


def importance(loss, x, y, repeats=30, seed=0):
    """(columns,) twice: by how much the loss rises when a column is shuffled, mean and spread."""
    rng = np.random.default_rng(seed)
    before, risen = loss(x, y), np.zeros((repeats, x.shape[1]))
    for turn in range(repeats):
        for column in range(x.shape[1]):
            shuffled = x.copy()
            shuffled[:, column] = rng.permutation(x[:, column])
            risen[turn, column] = loss(shuffled, y) - before
    return risen.mean(axis=0), risen.std(axis=0)


mean, spread = importance(surprise, table[test_rows], wine.target[test_rows])
print(f"the noise: {mean[-1]:.3f}, the most important: {mean.max():.3f}")
right = (predict(grower, table[test_rows]) == wine.target[test_rows]).mean()
print(f"{right:.1%} of the {len(test_rows)} test wines are right")
ranked = np.argsort(mean)
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
axes.barh([names[k] for k in ranked], mean[ranked], xerr=spread[ranked], color=BLUE, ecolor=GREY)
axes.set(xlabel="rise of the cross-entropy when the column is shuffled")
plt.show()

# %% [markdown]
# Compared with scikit-learn's own, on the same network (other shuffles, so not the same to the last digit):

# %%
class Asked:
    """What scikit-learn wants to see: something with `fit` and `score`."""

    def fit(self, x, y):
        return self

    def score(self, x, y):
        return -surprise(x.astype("float32"), y)            # there, more is better


theirs = permutation_importance(Asked(), table[test_rows], wine.target[test_rows], n_repeats=30,
                                random_state=1)
print(f"largest difference: {np.abs(theirs.importances_mean - mean).max():.3f}")
assert np.abs(theirs.importances_mean - mean).max() < 0.2 * mean.max()
assert abs(mean[-1]) < 0.15 * mean.max()

# %% [markdown]
# The noise is worth nothing, as it should be. A word of care: two columns that say the same thing cover for each
# other. Shuffle one, and the other still knows. Unimportant *to this model* is not unimportant *in the world*.
#
# ## The network that cheats
#
# Now the reason to look inside. Someone scanned all the sevens on a machine with a dirty corner: the lower left
# 2x2 pixels are black. We train on these scans and test on others of the same kind.

# %%
def smudged(x, rows):
    x = x.copy()
    x[rows, 0, 6:, :2] = 1.0
    return x


autograd.manual_seed(0)
dirty = smudged(images, labels == 7)
cheat = trained(convolutional(), dirty[train], labels[train])
sevens = test[labels[test] == 7]
others = test[labels[test] != 7]
seen = (predict(cheat, dirty[test]) == labels[test]).mean()
traps = smudged(images[others], slice(None))
called_seven, honest = ((predict(net, traps) == 7).mean() for net in (cheat, network))
print(f"test scans from the same machine:    {seen:.1%} right")
print(f"other digits with a smudge put on:   {called_seven:.1%} are called 7")
print(f"the first network, on the same:      {honest:.1%} are called 7")
assert seen > 0.95 and called_seven > honest + 0.03

# %% [markdown]
# A splendid test result, and a network that reads the dirt. No test on scans from the same machine can tell. Each
# method is asked: which share of all that speaks for the 7 lies in the one corner tile of 2x2 pixels? By chance it
# would be one sixteenth.

# %%
suspects = dirty[sevens[:4]]
sevens_label = np.full(4, 7)
views = {
    "saliency": lambda net: score_gradient(net, suspects, sevens_label)[:, 0],
    "integrated": lambda net: integrated_gradients(net, suspects, sevens_label, 64)[:, 0],
    "occlusion": lambda net: occlusion(net, suspects, sevens_label, 0.0),
    "Grad-CAM": lambda net: grad_cam(net, net[3], suspects, sevens_label),
    "LIME": lambda net: np.array([tile_weights(net, scan[0], 7)[0] for scan in suspects]),
}


def corner_share(maps):
    positive = np.maximum(maps, 0)
    return (positive[:, 6:, :2].sum(axis=(1, 2)) / (positive.sum(axis=(1, 2)) + 1e-9)).mean()


found = {name: view(cheat) for name, view in views.items()}
print(f"{'':<12}{'cheat':>8}{'honest':>8}")
for name, maps in found.items():
    print(f"{name:<12}{corner_share(maps):>8.1%}{corner_share(views[name](network)):>8.1%}")
assert all(corner_share(found[name]) > 0.2 for name in ("integrated", "occlusion", "LIME"))
sheet(list(found.items()), suspects)

# %% [markdown]
# Most of them point at the corner. Grad-CAM is not to be relied on here: it gives a whole map *one* weight, and this
# network ends in a linear layer that weighs each place on its own. Ask in more than one way, and test a suspicion by
# *changing the input*, as we did with the smudge.
#
# ## Try it
#
# 1. Integrate from a *black* scan instead of an empty one (`x' = 1`). Does completeness still hold? What changes in the
#    picture?
# 2. Average the saliency over 50 copies of the scan with a little noise (SmoothGrad). Is it calmer?
# 3. Put the smudge on half of *all* training scans, whatever the digit. Does the network still cheat?
#
# Next: [15 · Adversarial examples](15_adversarial_examples.ipynb)
