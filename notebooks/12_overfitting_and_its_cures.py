# %% [markdown]
# # 12 · Overfitting and its cures
#
# A network with more weights than examples can learn every example by heart, mistakes included, and understand
# nothing. Here we let that happen, and then measure what helps: every cure against the same baseline, several times,
# and with its price.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import nn
import optim
import viz

F = nn.functional
autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
BLUE, ORANGE, GREY = "#0B5394", "#D55E00", "#8A929A"

# %% [markdown]
# ## In one dimension
#
# Twelve measurements of a curve, with noise, and polynomials of growing degree, each the best possible fit. A
# polynomial of degree eleven has twelve coefficients: enough to go through every point.

# %%
rng = np.random.default_rng(1)
at = np.linspace(-1, 1, 12)
measured = np.sin(3 * at) + 0.25 * rng.normal(size=12)
line = np.linspace(-1, 1, 400)
new = rng.uniform(-1, 1, 500)
truth = np.sin(3 * new) + 0.25 * rng.normal(size=500)

figure, axes = plt.subplots(1, 3, figsize=(9.4, 2.5), layout="constrained", sharey=True)
errors = {}
for ax, degree in zip(axes, (1, 3, 11)):
    fit = np.polynomial.Polynomial.fit(at, measured, degree)
    errors[degree] = ((fit(at) - measured)**2).mean(), ((fit(new) - truth)**2).mean()
    ax.plot(line, np.sin(3 * line), "--", color=GREY)
    ax.plot(line, fit(line), color=BLUE)
    ax.plot(at, measured, "o", color=ORANGE, markersize=4)
    ax.set(title=f"degree {degree}", ylim=(-2, 2))
    old, fresh = errors[degree]
    print(f"degree {degree:>2}: squared error {old:.3f} on the 12 points, {fresh:.3f} on new ones")
plt.show()
assert errors[11][0] < 1e-6 and errors[11][1] > 2 * errors[3][1] and errors[1][1] > 1.5 * errors[3][1]

# %% [markdown]
# Too stiff, about right, too free. The error on the points that were fitted always falls with the degree, so it
# cannot tell the last two apart. Only new points can.
#
# ## The same with a network
#
# 200 digits to learn from, and one label in ten is wrong: somebody typed in a hurry. The test: the 899 digits of the
# second half, with true labels, written by others. The network has many times more weights than there are pixels in
# the training set.

# %%
x, y, *_ = nn.data.digits()
half = len(x) // 2
x_test, y_test = x[half:], y[half:]


def draw(seed, count=200, mislabelled=20):
    """`count` digits out of the first half, some with a wrong label."""
    rng = np.random.default_rng(seed)
    some = rng.permutation(half)[:count]
    labels = y[some].copy()
    labels[:mislabelled] = (labels[:mislabelled] + rng.integers(1, 10, mislabelled)) % 10
    order = rng.permutation(count)
    return x[some][order], labels[order]


def mlp(width=256, dropout=0.0):
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, width), nn.ReLU(), nn.Dropout(dropout),
        nn.Linear(width, 10))


print(f"{sum(p.numel() for p in mlp().parameters()):,} weights, {200 * 64:,} pixels, 200 labels")

# %%
def train(seed, width=256, dropout=0.0, decay=0.0, augment=None, stop=False, watch=False, epochs=80):
    """(model, history): one network, with a draw of digits and a start of its own."""
    images, labels = draw(seed)
    autograd.manual_seed(seed)
    model = nn.Model(mlp(width, dropout))
    model.compile(optim.AdamW(model.parameters(), lr=1e-3, weight_decay=decay),
                  "sparse_categorical_crossentropy", metrics=["accuracy"])
    validation, callbacks = (x_test, y_test) if watch else None, []
    if stop:                                   # a fifth is held out to watch: the price of stopping early
        validation, images, labels = (images[:40], labels[:40]), images[40:], labels[40:]
        callbacks = [nn.callbacks.EarlyStopping("val_loss", patience=8, restore_best_weights=True)]
    batches = nn.data.DataLoader(nn.data.TensorDataset(images, labels), batch_size=32, shuffle=True)
    if augment is not None:
        batches = nn.data.Augmented(batches, augment)
    history = model.fit(batches, epochs=epochs, validation_data=validation, callbacks=callbacks, verbose=0)
    return model, history


model, history = train(seed=10, watch=True, epochs=150)
viz.training_curves(history)

# %% [markdown]
# A textbook picture. The solid lines reach perfection: every label is learned, the wrong ones too. The dashed loss on
# new digits falls, turns, and *rises*: the network grows ever surer of things that are not so.

# %%
test_loss = np.array(history.history["val_loss"])
turn = test_loss.argmin()
print(f"test loss: lowest {test_loss.min():.3f}, after epoch {turn + 1}; at the end {test_loss[-1]:.3f}")
print(f"training accuracy at the end {history.history['accuracy'][-1]:.1%}, wrong labels included")
assert history.history["accuracy"][-1] > 0.98
assert turn < 75 and test_loss[-1] > 1.1 * test_loss.min()

# %% [markdown]
# (We peeked at the test digits here, to see it happen. Nothing below is decided by them.)
#
# ## The cures
#
# **A smaller network** cannot learn so much by heart.
#
# **Dropout** puts each hidden unit to 0 with probability $p$, anew in every step, and scales the others by $1/(1-p)$,
# so that the sum stays the same on average. No unit can rely on one particular other. In evaluation mode it does
# nothing.

# %%
ones = autograd.ones(10_000)
dropped = F.dropout(ones, 0.5).numpy()
print("values:", np.unique(dropped), f" mean {dropped.mean():.3f}")
layer = nn.Dropout(0.5).eval()
assert (layer(ones).numpy() == 1).all() and abs(dropped.mean() - 1) < 0.05

# %% [markdown]
# **Weight decay** shrinks all weights a little in each step, so only what the data keeps asking for stays large:
#
# $$w \leftarrow (1 - \eta \lambda)\, w - \eta \cdot \text{step}$$
#
# **Augmentation** makes new digits out of old ones: turned, shifted, scaled, as in notebook 07.
#
# **Early stopping** holds out a fifth of the digits, stops when their loss has not fallen for eight epochs, and goes
# back to the best one. The price: those digits are not learned from.
#
# The strengths were chosen beforehand, with other draws than those below.

# %%
turned = nn.data.RandomAffine(degrees=10, translate=0.1, scale=(0.9, 1.1))
cures = {
    "baseline": {},
    "smaller network": {"width": 32},
    "early stopping": {"stop": True},
    "weight decay": {"decay": 3.0},
    "dropout": {"dropout": 0.5},
    "augmentation": {"augment": turned},
    "the last three": {"decay": 0.3, "dropout": 0.3, "augment": turned},
}
results, models = {}, {}
for name, settings in cures.items():
    rows = []
    for seed in range(30, 34):
        models[name, seed], history = train(seed, **settings)
        loss, accuracy = models[name, seed].evaluate(x_test, y_test, verbose=0)
        own = models[name, seed].evaluate(*draw(seed), verbose=0)[1]
        rows.append((accuracy, loss, own, len(history.epoch)))
    results[name] = np.array(rows)

# %% [markdown]
# Every cure had the same four draws of digits and the same four seeds as the baseline, so we may compare them draw by
# draw. The last column is the mean difference and its standard error: the spread of the differences, divided by
# $\sqrt 4$.

# %%
base = results["baseline"][:, 0]
gain, error = {}, {}
print(f"{'':<16}{'own digits':>12}{'test':>8}{'test loss':>11}{'epochs':>8}   against the baseline")
for name, rows in results.items():
    accuracy, loss, own, epochs = rows.mean(axis=0)
    difference = rows[:, 0] - base
    gain[name], error[name] = difference.mean(), difference.std(ddof=1) / np.sqrt(len(difference))
    said = "" if name == "baseline" else f"{100 * gain[name]:+.1f} ± {100 * error[name]:.1f} points"
    print(f"{name:<16}{own:>12.1%}{accuracy:>8.1%}{loss:>11.3f}{epochs:>8.0f}   {said}")

# %%
figure, axes = plt.subplots(figsize=(7, 2.9), layout="constrained")
for k, (name, rows) in enumerate(results.items()):
    color = GREY if name == "baseline" else BLUE
    axes.plot(rows[:, 0], [k] * len(rows), "o", color=color, alpha=0.5, markersize=5)
    axes.plot(rows[:, 0].mean(), k, "|", color=ORANGE, markersize=16, markeredgewidth=2.5)
axes.axvline(base.mean(), color=GREY, linestyle="--", linewidth=1)
axes.set(xlabel="test accuracy, a dot for each draw", yticks=range(len(results)), yticklabels=results)
axes.invert_yaxis()
plt.show()

# %% [markdown]
# What to see in it:
#
# * On its own digits nothing is better than the baseline, and yet the cures read new digits better. About 90 % is all
#   that honest learning can reach on the own ones, since one label in ten is wrong. A cure works by making the
#   training *harder*.
# * Augmentation brings a lot: it is the only cure that knows something new, namely what may be done to a digit.
# * Mind the ± before you say that one cure beats another. Is the smaller network sure to help at all? Are the last
#   three together better than the best of them alone?
# * The dots of one row lie apart: which digits you happen to have matters as much as some of the cures. One run
#   proves nothing.

# %%
assert results["baseline"][:, 2].min() > 0.95
own = {name: rows[:, 2].mean() for name, rows in results.items()}
assert max(own, key=own.get) == "baseline"
for name in ("weight decay", "dropout", "augmentation", "the last three"):
    assert gain[name] > 0.01, name
    assert results[name][:, 1].mean() < results["baseline"][:, 1].mean(), name
assert max(gain, key=gain.get) in ("augmentation", "the last three")
assert gain["smaller network"] < gain["dropout"]

# %% [markdown]
# ## How sure it is
#
# The loss tells something that accuracy does not: is the network sure when it is right, and in doubt when it is
# wrong? Below: the highest probability for each *wrong* answer on the test digits.

# %%
figure, axes = plt.subplots(figsize=(5.6, 2.6), layout="constrained")
sure = {}
for name, color in (("baseline", ORANGE), ("augmentation", BLUE)):
    p = autograd.softmax(models[name, 30].predict(x_test, verbose=0), dim=1)
    mistakes = p.argmax(axis=1) != y_test
    sure[name] = p.max(axis=1)[mistakes].mean()
    axes.hist(p.max(axis=1)[mistakes], bins=np.linspace(0, 1, 21), histtype="step", linewidth=1.6,
              color=color, label=f"{name}: {mistakes.sum()} mistakes")
    print(f"{name:<13} {sure[name]:.2f} sure, on average, where it is wrong")
axes.set(xlabel="highest probability", ylabel="mistakes", xlim=(0, 1))
axes.margins(y=0.3)
axes.legend(frameon=False)
plt.show()
assert sure["augmentation"] < sure["baseline"]

# %% [markdown]
# The baseline errs with more conviction; the cured network has its doubts where it errs. If something depends on the
# answer, that is worth as much as a few points of accuracy.
#
# ## Try it
#
# 1. Give each network 800 digits (`count=800, mislabelled=80`). Which cures still bring something?
# 2. No wrong labels: `mislabelled=0`. How much of the baseline's trouble was the labels?
# 3. A cure that is not in the table: `nn.CrossEntropyLoss(label_smoothing=0.1)` as the loss. Run it on the same
#    draws.
#
# Next: [13 · Tuning and evaluation](13_tuning_and_evaluation.ipynb)
