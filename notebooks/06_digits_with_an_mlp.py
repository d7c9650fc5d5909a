# %% [markdown]
# # 06 · Handwritten digits
#
# Everything so far was numbers in a table. Now a network reads: it looks at 64 grey pixels and says which digit a
# person wrote. And the loop we wrote by hand until now becomes two calls, `compile` and `fit`.

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib.pyplot as plt
import numpy as np

import autograd
import nn
import viz

autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})

# %% [markdown]
# ## Look at the data first
#
# 1,797 digits, each 8 × 8 pixels from 0 (paper) to 1 (ink). The shape of `x` is (digits, channels, height, width).

# %%
x, y, *_ = nn.data.digits()
print("x", x.shape, x.dtype, f"from {x.min():g} to {x.max():g}   y", y.shape, y.dtype)
print("how many of each digit:", np.bincount(y))
viz.image_grid(x[:20, 0], [str(label) for label in y[:20]])

# %% [markdown]
# Three heaps. *Training* digits are learned from, *validation* digits are watched while we decide things, and *test*
# digits are opened once, at the end. The second half was written by other people than the first; it is the test: will
# the network read handwriting that it has never met?

# %%
half = len(x) // 2
order = np.random.default_rng(0).permutation(half)
x_train, y_train = x[order[150:]], y[order[150:]]
x_valid, y_valid = x[order[:150]], y[order[:150]]
x_test, y_test = x[half:], y[half:]
print(f"training {len(x_train)}, validation {len(x_valid)}, test {len(x_test)}")

# %% [markdown]
# ## The network: Flatten-128-10
#
# A multilayer perceptron (MLP) wants a row of numbers, so `Flatten` puts the 64 pixels in a row. A hidden layer of
# 128 units looks for patterns of ink; the last layer gives each of the ten digits a score (*logit*):
#
# $$h = \max(0,\; W_1 x + b_1) \qquad z = W_2 h + b_2 \qquad p_k = \frac{e^{z_k}}{\sum_j e^{z_j}} \qquad
#   L = -\ln p_{\text{true digit}}$$
#
# The softmax that makes probabilities $p$ out of the scores is inside the loss, where it can be computed safely.

# %%
network = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
model = nn.Model(network)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary(input_shape=(1, 8, 8))
assert sum(p.numel() for p in network.parameters()) == 64 * 128 + 128 + 128 * 10 + 10

# %% [markdown]
# The table in a picture, with a batch of 32 digits on its way through:

# %%
viz.draw(network, x_train[:32])

# %% [markdown]
# Before it has learned anything, all ten digits should seem equally likely: a loss near $\ln 10$. If yours starts far
# from that, look for a mistake before you train.

# %%
loss, accuracy = model.evaluate(x_valid, y_valid, verbose=0)
print(f"untrained: loss {loss:.3f} (ln 10 = {np.log(10):.3f}), accuracy {accuracy:.1%}")
assert abs(loss - np.log(10)) < 0.3

# %% [markdown]
# ## fit
#
# One *epoch* shows every training digit once, 32 at a time, with a step of Adam after each 32.

# %%
history = model.fit(x_train, y_train, epochs=100, validation_data=(x_valid, y_valid), verbose=0)
chosen = (0, 4, 19, 49, 99)
print("after epoch  " + "".join(f"{epoch + 1:>9}" for epoch in chosen))
for name, values in history.history.items():
    print(f"{name:<13}" + "".join(f"{values[epoch]:>9.4f}" for epoch in chosen))
viz.training_curves(history)

# %% [markdown]
# Solid: digits it learns from. Dashed: digits it does not. Early on both losses fall together. Later the solid one
# keeps falling towards 0 and the dashed one flattens out: what the network still learns is these very images, by
# heart. That gap is called *overfitting*; notebook 12 measures what helps.

# %%
learned = history.history
assert learned["loss"][-1] < 0.02 < 1 < learned["loss"][0]
assert learned["val_loss"][-1] > 3 * learned["loss"][-1]

# %% [markdown]
# ## New handwriting
#
# The test heap, opened once:

# %%
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
valid_accuracy = learned["val_accuracy"][-1]
print(f"writers it has met:   {valid_accuracy:.1%} of {len(x_valid)}")
print(f"writers it has not:   {accuracy:.1%} of {len(x_test)}")
assert accuracy > 0.89
assert valid_accuracy > accuracy

# %% [markdown]
# It reads strangers' handwriting less well, and that second number is the honest one. A random split of all digits
# would have put every writer on both sides, and shown the first.
#
# Which digits does it mix up? Row: what was written. Column: what was read.

# %%
scores = model.predict(x_test, verbose=0)
predicted = scores.argmax(axis=1)
table = np.zeros((10, 10), int)
np.add.at(table, (y_test, predicted), 1)
mixed = table - np.diag(table.diagonal())
written, read = np.unravel_index(mixed.argmax(), mixed.shape)
print(f"most often: {written} read as {read}, {mixed.max()} times")
assert table.diagonal().sum() == (predicted == y_test).sum()
viz.confusion_matrix(y_test, predicted)

# %% [markdown]
# How sure was it? Softmax turns the scores into probabilities. Here are the mistakes it was surest of.

# %%
p = np.exp(scores - scores.max(axis=1, keepdims=True))
p /= p.sum(axis=1, keepdims=True)
sure, right = p.max(axis=1), predicted == y_test
wrong = np.flatnonzero(~right)
worst = wrong[np.argsort(-sure[wrong])][:20]
print(f"its highest probability, on average: {sure[right].mean():.2f} where it is right, "
      f"{sure[wrong].mean():.2f} where it is wrong")
assert sure[right].mean() > sure[wrong].mean() + 0.1
viz.image_grid(x_test[worst, 0], [f"{y_test[k]} as {predicted[k]}" for k in worst])

# %% [markdown]
# ## Would more data help?
#
# A *learning curve*: train the same network on more and more of the digits, and test each. Which digits it gets is
# luck, so each size is tried with three draws. Small heaps get more epochs: all make about as many steps.

# %%
def reach(count, draw):
    """Accuracy of a network that has seen `count` digits, on these and on the test digits."""
    some = np.random.default_rng(draw).permutation(len(x_train))[:count]
    model = nn.Model(nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10)))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    steps = -(-count // 32)
    model.fit(x_train[some], y_train[some], epochs=max(40, 450 // steps), verbose=0)
    return (model.evaluate(x_train[some], y_train[some], verbose=0)[1],
            model.evaluate(x_test, y_test, verbose=0)[1])


counts = [25, 50, 100, 200, 400, len(x_train)]
reached = np.array([[reach(count, draw) for draw in range(3)] for count in counts])
mean = reached.mean(axis=1)
for count, (own, new) in zip(counts, mean):
    print(f"{count:>4} digits: {own:.1%} of its own, {new:.1%} of the test")

figure, axes = plt.subplots(figsize=(5.2, 3), layout="constrained")
axes.semilogx(counts, mean[:, 0], "s--", color="#8A929A", label="digits learned from")
axes.semilogx(counts, mean[:, 1], "o-", color="#0B5394", label="new writers, mean")
axes.semilogx(counts, reached[:, :, 1], ".", color="#0B5394", alpha=0.5)
axes.set(xlabel="training digits", ylabel="accuracy", xticks=counts, xticklabels=counts)
axes.minorticks_off()
axes.legend(frameon=False)
plt.show()

# %% [markdown]
# Its own digits it nearly always gets right. What grows with the heap is how well it reads new ones: steeply at
# first, then each doubling brings less. More writers would help most. Where there are none, one can make more images
# out of those one has. That is the next notebook.

# %%
assert mean[:, 0].min() > 0.97
assert mean[0, 1] + 0.08 < mean[3, 1] < mean[-1, 1]
assert mean[1, 1] - mean[0, 1] > mean[-1, 1] - mean[-2, 1]

# %% [markdown]
# ## What a hidden unit looks for
#
# Each of the 128 units has one weight for each pixel, so its weights are an image too. Blue: ink here speaks against
# it. Red: ink here speaks for it.

# %%
viz.filters(network[1].weight.detach().numpy().reshape(128, 8, 8), most=32, columns=16)

# %% [markdown]
# Some are strokes and gaps, many are noise: nothing tells an MLP that neighbouring pixels belong together. Shuffle
# the pixels of all images in the same way, and it learns just as well (try it). A network for images should know
# better.
#
# ## Keep it
#
# Parameters, optimizer and epoch go into one safetensors file; the layers are code.

# %%
with TemporaryDirectory() as folder:
    path = Path(folder) / "digits.safetensors"
    model.save(path)
    rebuilt = nn.Sequential(nn.Flatten(), nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 10))
    again = nn.Model(rebuilt).load(path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
assert (again.predict(x_test, verbose=0) == scores).all()

# %% [markdown]
# ## Try it
#
# 1. Shuffle the pixels: `x.reshape(-1, 64)[:, np.random.default_rng(1).permutation(64)]`. Is the accuracy really the
#    same?
# 2. Two hidden layers, or 512 units: does the test accuracy move, or only the number of parameters?
# 3. `import optim` and replace `"adam"` by `lambda p: optim.SGD(p, lr=0.1, momentum=0.9)`. Then try `lr=5`.
#
# Next: [07 · A convolutional network](07_convolutional_network.ipynb)
