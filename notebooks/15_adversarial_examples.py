# %% [markdown]
# # 15 · Adversarial examples
#
# A network that reads almost every digit can be fooled by a change that a person hardly notices. The tool is the one
# that trained it: the gradient, this time by the *input*. Then we put the attack into the training, and count what the
# cure costs.

# %%
import json
from pathlib import Path
from time import process_time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import autograd
import nn
import optim
from autograd import Tensor

F = nn.functional
autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

# %% [markdown]
# ## The victim
#
# Pixels go from 0 (white) to 1 (black), in steps of 1/16.

# %%
scans, labels = load_digits(return_X_y=True)
images = (scans / 16).astype("float32").reshape(-1, 1, 8, 8)
order = np.random.default_rng(0).permutation(len(images))
train, test = order[:1200], order[1200:]
x_test, y_test = images[test], labels[test]


def convolutional():
    return nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(24 * 4 * 4, 10))


def reads(network, x):
    with autograd.no_grad():
        return network(x).numpy().argmax(axis=1)


def accuracy(network, x, y):
    return (reads(network, x) == y).mean()


def train_network(network, attack=None, epochs=15, lr=3e-3):
    """Plain training; with an attack each batch is attacked first.  Returns the seconds it took."""
    start = process_time()
    optimizer = optim.Adam(network.parameters(), lr=lr)
    dataset = nn.data.TensorDataset(images[train], labels[train])
    for _ in range(epochs):
        for x, y in nn.data.DataLoader(dataset, batch_size=64, shuffle=True):
            if attack is not None:
                x = attack(network, x.numpy(), y.numpy())
            optimizer.zero_grad()
            F.cross_entropy(network(x), y).backward()
            optimizer.step()
    return process_time() - start


plain = convolutional()
plain_seconds = train_network(plain)
print(f"{accuracy(plain, x_test, y_test):.1%} of {len(test)} test scans are right")
assert accuracy(plain, x_test, y_test) > 0.95

# %% [markdown]
# ## One step: FGSM
#
# Training moves the weights *against* the gradient, and the loss falls. Leave the weights alone and move the pixels
# *along* it, and the loss rises. Each pixel may change by at most $\epsilon$; where does the loss rise most, as far as
# the slope can tell? At the corner of the box where every pixel goes all the way
# ([Goodfellow et al. 2015](https://arxiv.org/abs/1412.6572)):
#
# $$x_{\text{adv}} = \text{clip}_{[0, 1]}\bigl(x + \epsilon \, \text{sign} \, \nabla_x L(x, y)\bigr)$$

# %%
def pixel_gradient(network, x, y):
    leaf = Tensor(x, requires_grad=True)
    loss = F.cross_entropy(network(leaf), y, reduction="sum")
    return autograd.gradients(loss, [leaf])[0].numpy()      # the weights' .grad stays as it was


def fgsm(network, x, y, epsilon):
    return np.clip(x + np.float32(epsilon) * np.sign(pixel_gradient(network, x, y)), 0, 1)


def random_signs(network, x, y, epsilon):
    signs = autograd.default_rng().choice([-1, 1], size=x.shape).astype("float32")
    return np.clip(x + np.float32(epsilon) * signs, 0, 1)


epsilon = 0.15
attacked = fgsm(plain, x_test, y_test, epsilon)
assert np.abs(attacked - x_test).max() <= epsilon + 1e-6 and attacked.min() >= 0 and attacked.max() <= 1
noise = random_signs(plain, x_test, y_test, epsilon)
print(f"untouched                          {accuracy(plain, x_test, y_test):.1%}")
print(f"every pixel ±{epsilon}, at random       {accuracy(plain, noise, y_test):.1%}")
print(f"every pixel ±{epsilon}, by the gradient {accuracy(plain, attacked, y_test):.1%}")
assert accuracy(plain, noise, y_test) > accuracy(plain, attacked, y_test) + 0.2

# %% [markdown]
# Random changes of the same size do little. It is the *direction* that counts: 64 small pushes that all pull
# the same way.

# %%
said = reads(plain, attacked)
fooled = np.flatnonzero((reads(plain, x_test) == y_test) & (said != y_test))[:6]
figure, axes = plt.subplots(3, 6, figsize=(7, 3.9), layout="constrained")
for k, at in enumerate(fooled):
    axes[0, k].imshow(x_test[at, 0], cmap="gray_r", vmin=0, vmax=1)
    axes[1, k].imshow(attacked[at, 0] - x_test[at, 0], cmap="RdBu_r", vmin=-0.5, vmax=0.5)
    axes[2, k].imshow(attacked[at, 0], cmap="gray_r", vmin=0, vmax=1)
    axes[0, k].set_title(f"reads {y_test[at]}", fontsize=8)
    axes[2, k].set_title(f"reads {said[at]}", fontsize=8, color=ORANGE)
for ax in axes.flat:
    ax.set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## Many small steps: PGD
#
# The slope is right only nearby. So take small steps, look again after each, and come back into the box when a step
# leads out (projected gradient descent, [Madry et al. 2018](https://arxiv.org/abs/1706.06083)):
#
# $$x_{t+1} = \text{clip}_{[x - \epsilon,\, x + \epsilon] \cap [0, 1]}
#   \bigl(x_t + \alpha \, \text{sign} \, \nabla_x L(x_t, y)\bigr)$$

# %%
def pgd(network, x, y, epsilon, steps=15):
    epsilon = np.float32(epsilon)
    low, high = np.maximum(x - epsilon, 0), np.minimum(x + epsilon, 1)
    rate = np.float32(2.5 / steps) * epsilon
    at = autograd.default_rng().uniform(low, high).astype(x.dtype)          # a random start
    for _ in range(steps):
        at = np.clip(at + rate * np.sign(pixel_gradient(network, at, y)), low, high)
    return at


def losses(network, x, y):
    with autograd.no_grad():
        return F.cross_entropy(network(x), y).item()


stronger = pgd(plain, x_test, y_test, epsilon)
print(f"FGSM: loss {losses(plain, attacked, y_test):.2f}, {accuracy(plain, attacked, y_test):.1%} right")
print(f"PGD:  loss {losses(plain, stronger, y_test):.2f}, {accuracy(plain, stronger, y_test):.1%} right")
assert losses(plain, stronger, y_test) > losses(plain, attacked, y_test)

# %% [markdown]
# ## How much is too much?
#
# The whole curve is the honest answer: accuracy against $\epsilon$.

# %%
sizes = np.array([0, 0.03, 0.06, 0.1, 0.15, 0.2, 0.3])
x_some, y_some = x_test[:300], y_test[:300]


def curve(network, attack):
    return np.array([accuracy(network, attack(network, x_some, y_some, size), y_some) for size in sizes])


plain_curves = {"random": curve(plain, random_signs), "FGSM": curve(plain, fgsm), "PGD": curve(plain, pgd)}
for name, values in plain_curves.items():
    print(f"{name:<8}", *(f"{value:>6.1%}" for value in values))
assert (plain_curves["PGD"] <= plain_curves["FGSM"] + 0.02).all() and plain_curves["PGD"][-1] < 0.2

# %% [markdown]
# ## Adversarial training
#
# The best defence known is simple: train on the attack. For every batch the worst scans in the box are looked for, and
# the weights learn from those:
#
# $$\min_\theta \; \mathbb{E}_{(x, y)} \Bigl[ \max_{\|\delta\|_\infty \le \epsilon} L_\theta(x + \delta, y) \Bigr]$$
#
# The inner maximum is approximated by a few steps of PGD. Each step is one more forward and backward pass: that is
# the price in time.

# %%
autograd.manual_seed(0)
robust = convolutional()
STEPS = 4
robust_seconds = train_network(robust, lambda net, x, y: pgd(net, x, y, epsilon, steps=STEPS))
robust_curve = curve(robust, pgd)
print(f"{'':<22}{'plain':>8}{'robust':>8}")
print(f"{'untouched scans':<22}{plain_curves['PGD'][0]:>8.1%}{robust_curve[0]:>8.1%}")
at = int(np.flatnonzero(sizes == epsilon)[0])
print(f"{'PGD, epsilon ' + str(epsilon):<22}{plain_curves['PGD'][at]:>8.1%}{robust_curve[at]:>8.1%}")
print(f"{'training time':<22}{1:>8.0f}{robust_seconds / plain_seconds:>8.1f}")
assert robust_curve[at] > plain_curves["PGD"][at] + 0.2 and robust_seconds > 2 * plain_seconds

# %%
figure, axes = plt.subplots(figsize=(6, 3.2), layout="constrained")
axes.plot(sizes, plain_curves["random"], ":", color=GREY, label="plain, random signs")
axes.plot(sizes, plain_curves["FGSM"], "--", color=ORANGE, label="plain, FGSM")
axes.plot(sizes, plain_curves["PGD"], "-o", color=ORANGE, markersize=4, label="plain, PGD")
axes.plot(sizes, robust_curve, "-s", color=BLUE, markersize=4, label="adversarially trained, PGD")
axes.axvline(epsilon, color=GREY, linewidth=0.8)
axes.set(xlabel="epsilon", ylabel="accuracy", ylim=(0, 1.02))
axes.legend(frameon=False, fontsize=8)
plt.show()

# %% [markdown]
# It is trained for the $\epsilon$ at the grey line; beyond it the promise ends.
#
# ## Is it real?
#
# Many published defences only hid the gradient, and fell to the next attack. Three checks that cost little ([Carlini
# et al. 2019](https://arxiv.org/abs/1902.06705)): more steps and new starts must gain little, an attack without
# gradients must not do better, and with a large enough box *everything* must fall.

# %%
subset = slice(0, 150)
x_few, y_few = x_test[subset], y_test[subset]


def worst_of(network, attacks):
    """Accuracy if for each scan the best of several attacks counts."""
    return np.logical_and.reduce([reads(network, attack) == y_few for attack in attacks]).mean()


few = worst_of(robust, [pgd(robust, x_few, y_few, epsilon)])
many = worst_of(robust, [pgd(robust, x_few, y_few, epsilon, steps=40) for _ in range(3)])
blind = worst_of(robust, [random_signs(robust, x_few, y_few, epsilon) for _ in range(50)])
everything = worst_of(robust, [pgd(robust, x_few, y_few, 1.0)])
borrowed = worst_of(robust, [pgd(plain, x_few, y_few, epsilon)])
print(f"15 steps                     {few:.1%}")
print(f"40 steps from three starts   {many:.1%}")
print(f"best of 50 random guesses    {blind:.1%}")
print(f"made on the plain network    {borrowed:.1%}")
print(f"epsilon 1                    {everything:.1%}")
assert few - many < 0.1 and blind > many and borrowed >= many and everything < 0.05

# %% [markdown]
# What has changed inside? Ask both networks which pixels matter (notebook 14). The gradient of the robust one keeps
# more to the strokes, and less to the empty paper.

# %%
def on_ink(network):
    """The share of the gradient that lies on pixels with ink, mean over the scans."""
    slope = np.abs(pixel_gradient(network, x_test, y_test))
    return (np.where(x_test > 0, slope, 0).sum(axis=(1, 2, 3)) / slope.sum(axis=(1, 2, 3))).mean()


print(f"pixels with ink: {(x_test > 0).mean():.1%} of all")
print(f"share of the gradient on them: plain {on_ink(plain):.1%}, robust {on_ink(robust):.1%}")
assert on_ink(robust) > on_ink(plain)


def by_pixel(network):
    slope = pixel_gradient(network, x_test[:5], y_test[:5])[:, 0]
    return slope / np.abs(slope).max(axis=(1, 2), keepdims=True)


rows = [x_test[:5, 0], by_pixel(plain), by_pixel(robust)]
figure, axes = plt.subplots(3, 5, figsize=(5.6, 3.5), layout="constrained")
for row, (maps, name) in enumerate(zip(rows, ("scan", "plain", "robust"))):
    axes[row, 0].set_ylabel(name)
    for k, values in enumerate(maps):
        style = {"cmap": "gray_r"} if row == 0 else {"cmap": "RdBu_r", "vmin": -1, "vmax": 1}
        axes[row, k].imshow(values, **style)
        axes[row, k].set(xticks=[], yticks=[])
plt.show()

# %% [markdown]
# ## What the cure costs
#
# One run proves little. `heavy/15_adversarial_examples.py` trains for six sizes of box with five seeds each, and
# attacks each network with 50 steps of PGD. Its result is stored beside it; run it again with `python
# notebooks/heavy/15_adversarial_examples.py`.

# %%
heavy = json.loads(Path("heavy/15_adversarial_examples.json").read_text(encoding="utf-8"))
boxes = heavy["epsilons"]
clean, held = np.array(heavy["clean"]), np.array(heavy["attacked"])        # (box, seed)
print(f"{heavy['seeds']} seeds, {heavy['epochs']} epochs;",
      f"attacked with {heavy['attack_steps']} steps of PGD, epsilon {heavy['attack']}")
print(f"{'trained with':>12}{'untouched':>14}{'attacked':>14}{'time':>8}")
for box, c, a, seconds in zip(boxes, clean, held, heavy["seconds"]):
    print(f"{box:>12}{c.mean():>8.1%} ±{c.std():>5.1%}{a.mean():>7.1%} ±{a.std():>5.1%}"
          f"{np.mean(seconds) / np.mean(heavy['seconds'][0]):>8.1f}")

figure, axes = plt.subplots(figsize=(5.4, 3), layout="constrained")
for values, color, name in ((clean, GREEN, "untouched scans"),
                            (held, BLUE, f"PGD, epsilon {heavy['attack']}")):
    axes.errorbar(boxes, values.mean(axis=1), values.std(axis=1), color=color, marker="o", markersize=4,
                  capsize=2, label=name)
axes.set(xlabel="epsilon of the training", ylabel="accuracy")
axes.legend(frameon=False)
plt.show()
assert held.mean(axis=1).max() > held[0].mean() + 0.3 and clean[-1].mean() < clean[0].mean()

# %% [markdown]
# Protection is bought with time, always, and with accuracy on untouched scans when the box is large. A box of 0.3 is
# so wide that one digit can be turned into another in it, and no reader can be right there: some of those runs hardly
# learn anything, which is why the bars are so long.
#
# ## Try it
#
# 1. A *targeted* attack: make every scan read 3. Change one sign and one label in `pgd`. How large must $\epsilon$ be?
# 2. Train with FGSM instead of PGD (`steps=1`). Cheaper; is it as robust against PGD?
# 3. Bound the attack by the *number* of pixels instead of the size of the change. How many pixels does it take?
#
# Next: [16 · Transfer, distillation, pruning, quantization](16_transfer_distillation_pruning_quantization.ipynb)
