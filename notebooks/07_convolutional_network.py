# %% [markdown]
# # 07 · A convolutional network
#
# The MLP of notebook 06 did not know that pixels have neighbours. A convolution does: it slides one small window of
# weights over the image, so that what it learns about a stroke at the left it knows at the right as well.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import StratifiedKFold

import autograd
import nn
import optim
import viz

F = nn.functional
autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
x, y, *_ = nn.data.digits()

# %% [markdown]
# ## One filter, by hand
#
# The window (*filter*, *kernel*) is laid over each place of the image; what is under it is multiplied and added up:
#
# $$\text{out}[i, j] = \sum_{a=0}^{2} \sum_{b=0}^{2} k[a, b] \; \text{image}[i + a,\, j + b]$$
#
# With −1 on the left and +1 on the right it answers strongly where ink begins, from left to right.

# %%
kernel = np.array([[-1, 0, 1]] * 3, "float32")
image = x[0, 0]
by_hand = np.array([[(kernel * image[i:i + 3, j:j + 3]).sum() for j in range(6)] for i in range(6)])
by_engine = F.conv2d(autograd.Tensor(x[:1]), autograd.Tensor(kernel[None, None])).numpy()[0, 0]
assert np.allclose(by_hand, by_engine, atol=1e-6)

figure, axes = plt.subplots(1, 3, figsize=(7.5, 2.3), layout="constrained")
shown = (("image 8 × 8", image, 1), ("filter 3 × 3", kernel, 1), ("answer 6 × 6", by_hand, 3))
for ax, (name, values, most) in zip(axes, shown):
    drawn = ax.imshow(values, cmap="RdBu_r", vmin=-most, vmax=most)
    ax.set_title(name)
    ax.axis("off")
    figure.colorbar(drawn, ax=ax, shrink=0.8)
plt.show()

# %% [markdown]
# Red: ink begins here. Blue: ink ends here. The answer is smaller, because the window must fit in; `padding=1` puts a
# rim of zeros around and keeps 8 × 8.
#
# Nobody tells a network such filters. They are weights like all others, and the gradient finds them.
#
# ## Few numbers instead of many

# %%
layers = {"Conv2d(1, 16, 3)": nn.Conv2d(1, 16, 3, padding=1), "Linear to as many": nn.Linear(64, 16 * 64)}
for name, layer in layers.items():
    print(f"{name:<18} {sum(p.numel() for p in layer.parameters()):>7,} parameters, {16 * 64} outputs")

# %% [markdown]
# And if the image moves, the answer moves with it. No other pixel needs to learn anything:

# %%
conv = nn.Conv2d(1, 4, 3, padding=1)
blot = np.zeros((1, 1, 12, 12), "float32")
blot[0, 0, 3:6, 3:5] = 1
moved = np.roll(blot, (4, 5), axis=(2, 3))
with autograd.no_grad():
    answer, after = conv(autograd.Tensor(blot)).numpy(), conv(autograd.Tensor(moved)).numpy()
assert np.allclose(np.roll(answer, (4, 5), axis=(2, 3)), after, atol=1e-6)
print("moved the image by (4, 5): the answers have moved by (4, 5)")

# %% [markdown]
# ## The network
#
# Two convolutions, then `MaxPool2d`, which keeps the strongest answer of each 2 × 2 (where exactly a stroke is does
# not matter so much), then an MLP as before. `BatchNorm2d` brings each channel to mean 0 and spread 1 over the batch,
# which makes training a lot faster; `Dropout` is explained in notebook 12.

# %%
def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2), nn.Dropout(0.1),
        nn.Flatten(), nn.Linear(512, 64), nn.ReLU(), nn.Dropout(0.3),
        nn.Linear(64, 10))


autograd.manual_seed(0)
network = cnn()
model = nn.Model(network)
model.summary(input_shape=(1, 8, 8))

# %% [markdown]
# ## More digits out of those we have
#
# A digit that is turned a little, shifted or scaled is the same digit. `RandomAffine` draws a new change for each
# image whenever it is used, so the network never sees the same image twice. Top left is the original:

# %%
augment = nn.data.RandomAffine(degrees=10, translate=0.1, scale=(0.9, 1.1), generator=0)
sixes = np.repeat(x[6:7], 20, axis=0)
sixes[1:] = augment(sixes[1:])
viz.image_grid(sixes[:, 0])

# %% [markdown]
# ## Train one fold
#
# *Five-fold cross-validation* cuts the digits into five parts; each part is the test for a network that learned from
# the other four. Here is the first of the five, with fewer epochs than the full run below. `Augmented` changes the
# batches of a `DataLoader` as they come, and the learning rate follows half a cosine down to zero:
#
# $$\eta_t = \tfrac{1}{2}\, \eta_0 \left(1 + \cos \frac{\pi t}{T}\right)$$

# %%
EPOCHS = 12
train, test = next(StratifiedKFold(5, shuffle=True, random_state=0).split(x, y))
batches = nn.data.DataLoader(nn.data.TensorDataset(x[train], y[train]), batch_size=64, shuffle=True)
augmented = nn.data.Augmented(batches, nn.data.RandomAffine(degrees=10, translate=0.1, scale=(0.9, 1.1)))

optimizer = optim.AdamW(network.parameters(), lr=3e-3, weight_decay=0.01)
schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=EPOCHS)
model.compile(optimizer, nn.CrossEntropyLoss(label_smoothing=0.1), metrics=["accuracy"])
history = model.fit(augmented, epochs=EPOCHS, validation_data=(x[test], y[test]), verbose=0,
                    callbacks=[nn.callbacks.LearningRateScheduler(schedule)])
viz.training_curves(history, metrics=["accuracy", "loss"])

# %% [markdown]
# The dashed line lies on the *better* side, unlike in notebook 06: training digits are turned and shifted and looked
# at through dropout, test digits are clean. It is the training that is hard now. (A digit more or less is luck. We
# only watch the test digits here and decide nothing by them.)

# %%
predicted = model.predict(x[test], verbose=0).argmax(axis=1)
accuracy = (predicted == y[test]).mean()
print(f"one fold, {EPOCHS} epochs: {accuracy:.1%} of {len(test)} digits are right")
assert accuracy > 0.97
assert history.history["val_accuracy"][-1] > history.history["accuracy"][-1]

# %% [markdown]
# ## All five folds
#
# The full run, more epochs and all five folds, takes a few minutes, so it is kept in a file. To repeat it: `python
# notebooks/heavy/07_convolutional_network.py`.

# %%
full = json.loads(Path("heavy/07_convolutional_network.json").read_text(encoding="utf-8"))
assert full["network"] == str(network)         # the very network of this page
for k, share in enumerate(full["folds"], 1):
    print(f"fold {k}: {share:.2%}")
mean = np.mean(full["folds"])
print(f"mean:   {mean:.2%}, {len(full['wrong'])} of {len(y)} digits wrong, {full['epochs']} epochs")
assert mean >= 0.985

# %% [markdown]
# Here are all digits that it got wrong. Would you have done better?

# %%
wrong = [int(k) for k in full["wrong"]]
viz.image_grid(x[wrong, 0], [f"{y[k]} as {full['wrong'][str(k)]}" for k in wrong])

# %% [markdown]
# ## And people it has never met?
#
# In those folds each writer is on both sides. The harder question is that of notebook 06: learn from the first half,
# test on the second, written by others. Each dot is one seed, 899 digits.

# %%
figure, axes = plt.subplots(figsize=(5.6, 2.1), layout="constrained")
for k, (name, shares) in enumerate(full["new_writers"].items()):
    print(f"{name:<15} {np.mean(shares):.2%} on average, {' '.join(f'{share:.2%}' for share in shares)}")
    axes.plot(shares, [k] * len(shares), "o", alpha=0.7)
axes.set(xlabel="accuracy on new writers", ylim=(2.5, -0.5), yticks=range(3))
axes.set_yticklabels(full["new_writers"])
axes.grid(axis="x", alpha=0.3)
plt.show()
means = {name: np.mean(shares) for name, shares in full["new_writers"].items()}
assert means["MLP"] < means["CNN"] < means["CNN, augmented"]

# %% [markdown]
# Knowing about neighbours helps, and seeing every digit in many positions helps on top.
#
# ## What it has learned
#
# The sixteen filters of the first layer. Blue is negative, red positive: look for edges in all directions.

# %%
viz.filters(network[0], columns=16)

# %% [markdown]
# And what they answer. A 3, through the first convolution, its norm and ReLU: sixteen images, each showing one kind
# of stroke.

# %%
sample = x[test][y[test] == 3][:1]
viz.feature_maps(network, sample, "2", columns=8)

# %% [markdown]
# After the second layer and the pooling: 32 images of 4 × 4. Less place, more meaning. The last layers decide from
# these.

# %%
viz.feature_maps(network, sample, "6", columns=16)

# %% [markdown]
# ## Try it
#
# 1. Leave out the augmentation for this one fold. Which of the two curves gets better, which worse, and after how
#    many epochs does it turn?
# 2. Turn by up to 90 degrees instead of 10. Which digits are confused now? (`viz.confusion_matrix`)
# 3. Remove both `BatchNorm2d`. How many epochs more does it take to get as far?
#
# Next: [08 · Images from files](08_images_from_files.ipynb)
