# %% [markdown]
# # 16 · Transfer, distillation, pruning, quantization
#
# Four ways to get more out of a network that exists: teach it something new with few examples, let it teach a smaller
# one, cut away most of its weights, store the rest in a byte each. For each we measure what is gained *and* what it
# costs.

# %%
import json
from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import autograd
import nn
import optim
import viz
from nn.utils import prune

F = nn.functional
autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

scans, labels = load_digits(return_X_y=True)
images = (scans / 16).astype("float32").reshape(-1, 1, 8, 8)
print(f"{len(images)} scans of 8x8 pixels")


def learn(network, x, y, steps=100, lr=3e-3, batch=64, params=None, loss=F.cross_entropy, view=None):
    """So many steps of Adam; `view(x, rng)` makes each batch look different."""
    rng = autograd.default_rng()
    optimizer = optim.Adam(network.parameters() if params is None else params, lr=lr)
    for _ in range(steps):
        k = rng.integers(0, len(x), batch)
        optimizer.zero_grad()
        loss(network(x[k] if view is None else view(x[k], rng)), y[k]).backward()
        optimizer.step()


def outputs(network, x):
    with autograd.no_grad():
        return network(x).numpy()


def accuracy(network, x, y):
    return (outputs(network, x).argmax(axis=1) == y).mean()

# %% [markdown]
# ## Transfer: from 0-4 to 5-9
#
# The task: read 5, 6, 7, 8, 9, with only ten examples of each. To make it worth while, the digits lie anywhere on a
# page of 12x12 pixels, and the page is noisy. Of the digits 0 to 4 there are plenty.

# %%
def page(x, rng):
    pages = 0.2 * rng.normal(size=(len(x), 1, 12, 12))
    for k, (top, left) in enumerate(rng.integers(0, 5, (len(x), 2))):
        pages[k, :, top:top + 8, left:left + 8] += x[k]
    return pages.astype("float32")


low = labels < 5
rng = np.random.default_rng(0)
new_x, new_y = page(images[~low], rng), labels[~low] - 5
viz.image_grid(new_x[:10, 0], [f"{y + 5}" for y in new_y[:10]])

# %% [markdown]
# First a network for 0-4. Its *body* turns a page into features, its *head* is one linear layer on them. Then three
# ways to the new digits: everything from scratch; the body taken over and frozen, only a new head learns; the body
# taken over and fine-tuned with small steps.

# %%
def body_and_head():
    body = nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    return nn.Sequential(body, nn.Linear(24 * 9, 5))


autograd.manual_seed(0)
source = body_and_head()
learn(source, images[low], labels[low], steps=500, view=page)
print(f"0-4: {accuracy(source, page(images[low], rng), labels[low]):.1%} right, on new pages")


def new_task(kind, seed, many=10):
    """Accuracy on the digits 5-9, and how many weights were trained."""
    mixed = np.random.default_rng(seed).permutation(len(new_y))
    few = np.concatenate([mixed[new_y[mixed] == digit][:many] for digit in range(5)])
    rest = np.setdiff1d(mixed, few)
    autograd.manual_seed(seed + 1)
    network = body_and_head()
    if kind != "scratch":
        network[0].load_state_dict(source[0].state_dict())
    if kind == "frozen":
        network[0].requires_grad_(False)
    params = [p for p in network.parameters() if p.requires_grad]
    learn(network, new_x[few], new_y[few], lr=1e-3 if kind == "tuned" else 3e-3, batch=32, params=params)
    return accuracy(network, new_x[rest], new_y[rest]), sum(p.numel() for p in params)


gained = {}
print(f"{'':<10}{'right':>7}{'weights trained':>18}")
for kind in ("scratch", "frozen", "tuned"):
    runs = [new_task(kind, seed) for seed in range(3)]
    gained[kind] = np.mean([right for right, _ in runs])
    print(f"{kind:<10}{gained[kind]:>7.1%}{runs[0][1]:>18,}")
assert gained["frozen"] > gained["scratch"] + 0.02

# %% [markdown]
# The body has learned from 0-4 what a stroke is, wherever it lies and however noisy, and that holds for 5-9 too. Does
# transfer always help? `heavy/16_transfer_distillation_pruning_quantization.py` repeats this for five seeds and from
# 2 to 50 examples, on moved pages and on clean, centred ones. (Run it again with `python
# notebooks/heavy/16_transfer_distillation_pruning_quantization.py`.)

# %%
heavy = json.loads(Path("heavy/16_transfer_distillation_pruning_quantization.json").read_text(encoding="utf-8"))
figure, axes = plt.subplots(1, 2, figsize=(8.4, 2.9), layout="constrained", sharey=True)
for ax, (view, rows) in zip(axes, heavy["accuracy"].items()):
    for (kind, values), color in zip(rows.items(), (GREY, BLUE, ORANGE)):
        values = np.array(values)                                               # (seed, number of examples)
        ax.errorbar(heavy["examples"], values.mean(axis=0), values.std(axis=0), color=color, marker="o",
                    markersize=4, capsize=2, label=kind)
    ax.set(xscale="log", xlabel="examples of each digit", title=f"{view} digits")
    ax.set_xticks(heavy["examples"], heavy["examples"])
    ax.minorticks_off()
axes[0].set_ylabel("accuracy")
axes[1].legend(frameon=False)
plt.show()
means = {view: {kind: np.mean(values, axis=0) for kind, values in rows.items()}
         for view, rows in heavy["accuracy"].items()}
for view, kinds in means.items():
    print(f"{view:<9} frozen minus scratch, from {heavy['examples'][0]} to {heavy['examples'][-1]} examples:",
          *(f"{gain:+.1%}" for gain in kinds["frozen"] - kinds["scratch"]))
assert (means["moved"]["frozen"] > means["moved"]["scratch"]).all()

# %% [markdown]
# Where the new task is easy by itself, there is little to gain, or even something to lose. Transfer pays when the old
# task has taught something that the few new examples cannot teach.
#
# ## Distillation: a teacher and a student
#
# A large network and a small one, for all ten digits.

# %%
order = np.random.default_rng(0).permutation(len(images))
train, test = order[:1200], order[1200:]
x_train, y_train, x_test, y_test = images[train], labels[train], images[test], labels[test]


def large():
    return nn.Sequential(nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.Conv2d(12, 24, 3, padding=1), nn.ReLU(),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Linear(384, 32), nn.ReLU(), nn.Linear(32, 10))


def small(hidden=16):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10))


def weights_in(network):
    return sum(p.numel() for p in network.parameters())


autograd.manual_seed(0)
teacher = large()
learn(teacher, x_train, y_train, steps=500)
print(f"teacher: {weights_in(teacher):,} weights, {accuracy(teacher, x_test, y_test):.1%} right")
print(f"student: {weights_in(small()):,} weights")

# %% [markdown]
# The label of a scan says "3". The teacher says more: how much it looks like each of the others. At a
# *temperature* $T$ its probabilities are softened, and the student learns to say the same
# ([Hinton et al. 2015](https://arxiv.org/abs/1503.02531)):
#
# $$p_c = \frac{e^{s_c / T}}{\sum_k e^{s_k / T}} \qquad
#   L = -T^2 \sum_c p_c^{\text{teacher}} \ln p_c^{\text{student}}$$

# %%
T = 4.0


def soften(scores):
    return F.softmax(autograd.Tensor(scores) / T, dim=1).numpy()


def imitation(scores, target):
    return F.cross_entropy(scores / T, target) * T**2


soft = soften(outputs(teacher, x_train))
three = np.flatnonzero(y_train == 3)[0]
print("one 3, as the teacher sees it:", *(f"{digit}: {share:.1%}" for digit, share in enumerate(soft[three])))

# %% [markdown]
# The student gets 100 scans only: once with their labels, once with the teacher's opinion of the *same* scans.

# %%
def student_on(chosen, targets, loss, seed, hidden=16, steps=400):
    autograd.manual_seed(seed)
    network = small(hidden)
    learn(network, x_train[chosen], targets[chosen], steps=steps, lr=1e-2, loss=loss)
    return network


few = np.arange(100)
hard_runs, soft_runs = (
    [accuracy(student_on(few, targets, loss, seed), x_test, y_test) for seed in range(4)]
    for targets, loss in ((y_train, F.cross_entropy), (soft, imitation))
)
print(f"from labels:        {np.mean(hard_runs):.1%}   (each: {' '.join(f'{v:.1%}' for v in hard_runs)})")
print(f"from the teacher:   {np.mean(soft_runs):.1%}   (each: {' '.join(f'{v:.1%}' for v in soft_runs)})")
assert np.mean(soft_runs) > np.mean(hard_runs) + 0.005

# %% [markdown]
# How much there is in those small probabilities shows an experiment of Hinton's: the student *never sees a 3*. All
# threes are taken out of its training set.

# %%
without = np.flatnonzero(y_train != 3)
threes = y_test == 3
blind = {}
for name, targets, loss in (("labels", y_train, F.cross_entropy), ("teacher", soft, imitation)):
    student = student_on(without, targets, loss, seed=0, hidden=32, steps=600)
    blind[name] = accuracy(student, x_test[threes], 3)
    print(f"taught by {name:<8} {blind[name]:.1%} of the {threes.sum()} threes in the test are read as 3")
assert blind["labels"] == 0 and blind["teacher"] > 0.4

# %% [markdown]
# It knows the three from hearsay: from all the other digits that are "a bit like a 3".
#
# ## Pruning: which weights are needed?
#
# Set the weights with the smallest $|w|$ to zero, in all layers together. `nn.utils.prune` keeps a mask beside the
# weight, so that training can go on with the rest. Three curves: cut and done; cut and trained again for a while; and
# for comparison, *random* weights cut.

# %%
def copy_of(network):
    twin = large()
    twin.load_state_dict(network.state_dict())
    return twin


def layers(network):
    return [(module, "weight") for module in network if hasattr(module, "weight")]


shares = (0.0, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
kept = {"smallest": [], "smallest, trained again": [], "random": []}
pruned = {}
for share in shares:
    for name, method in (("smallest", prune.L1Unstructured), ("random", prune.RandomUnstructured)):
        autograd.manual_seed(0)
        network = copy_of(teacher)
        prune.global_unstructured(layers(network), method, amount=share)
        kept[name].append(accuracy(network, x_test, y_test))
        if name == "smallest":
            learn(network, x_train, y_train, steps=150, lr=1e-3)
            kept["smallest, trained again"].append(accuracy(network, x_test, y_test))
            for module, weight in layers(network):
                prune.remove(module, weight)                    # the zeros become ordinary weights
            pruned[share] = network
zeros = sum((module.weight.numpy() == 0).sum() for module, _ in layers(pruned[0.9].requires_grad_(False)))
print(f"asked for 90 % zeros, got {zeros / sum(m.weight.numel() for m, _ in layers(pruned[0.9])):.1%}")

# %%
figure, axes = plt.subplots(figsize=(5.6, 3), layout="constrained")
for (name, values), color, mark in zip(kept.items(), (ORANGE, BLUE, GREY), "osv"):
    axes.plot([f"{share:.0%}" for share in shares], values, color=color, marker=mark, markersize=4, label=name)
axes.set(xlabel="share of weights that are zero", ylabel="accuracy", ylim=(0, 1.02))
axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
plt.show()
assert kept["smallest"][2] > kept["random"][2] + 0.1 and kept["smallest, trained again"][4] > 0.9

# %% [markdown]
# Most weights can go. But what is saved? An array full of zeros is as large as before, and takes as long to multiply.
# To store only what is left, each number needs its place as well: here 4 bytes for the number and 2 for the place, so
# below one third zeros it even costs. Speed comes only with code made for sparse matrices, or when whole channels go
# (`prune.ln_structured`).
#
# ## Quantization: a byte for each weight
#
# A `float32` has 4 bytes. Let one *scale* per layer be $s = \max |w| / 127$, and store the nearest whole number:
#
# $$q = \text{round}(w / s) \in \{-127, \dots, 127\} \qquad w \approx s \, q, \quad |w - s q| \le s / 2$$

# %%
def quantize(w, bits=8, by_row=False):
    """Whole numbers (int8) and scale(s)."""
    most = 2**(bits - 1) - 1
    axes = tuple(range(1, w.ndim)) if by_row else None
    scale = np.maximum(np.abs(w).max(axis=axes, keepdims=True), 1e-12) / most      # a row may be all zeros
    return np.round(w / scale).astype(np.int8), scale.astype(np.float32)


w = teacher[6].weight.detach().numpy()
q, scale = quantize(w)
print("weights  ", w[0, :5].round(4))
print("stored as", q[0, :5], f"with scale {scale.item():.6f}")
print("read as  ", (q * scale)[0, :5].round(4))
assert np.abs(w - q * scale).max() <= scale.item() / 2 * 1.001 and q.dtype == np.int8 and q.nbytes * 4 == w.nbytes

# %% [markdown]
# With fewer bits the grid gets coarser. One scale for each row (each output of the layer) helps, because a row of
# small weights need not share its grid with a row of large ones. Biases stay as they are.

# %%
def quantized(network, bits, by_row):
    """A copy that computes with the rounded weights, and its size in bytes."""
    twin, size = copy_of(network), 0
    for module, _ in layers(twin):
        numbers, scale = quantize(module.weight.detach().numpy(), bits, by_row)
        module.weight.data = autograd.Tensor(numbers * scale)
        size += numbers.size * bits / 8 + scale.nbytes + module.bias.numel() * 4
    return twin, size


full = 4 * weights_in(teacher)
print(f"{'bits':<6}{'bytes':>8}{'one scale a layer':>20}{'one scale a row':>18}")
print(f"{'32':<6}{full:>8,}{accuracy(teacher, x_test, y_test):>20.1%}")
table = {}
for bits in (8, 6, 5, 4, 3, 2):
    (by_layer, _), (by_row, size) = (quantized(teacher, bits, by_row) for by_row in (False, True))
    table[bits] = accuracy(by_layer, x_test, y_test), accuracy(by_row, x_test, y_test)
    print(f"{bits:<6}{size:>8,.0f}{table[bits][0]:>20.1%}{table[bits][1]:>18.1%}")
assert abs(table[8][0] - accuracy(teacher, x_test, y_test)) < 0.01

# %% [markdown]
# Eight bits cost next to nothing. Chips with int8 arithmetic gain speed as well: the sum of products
# runs in whole numbers, and one multiplication at the end puts the scales back, $\;(s_x q_x) \cdot (s_w q_w) =
# s_x s_w \, (q_x \cdot q_w)$.

# %%
features = outputs(teacher[:6], x_test)
q_x, s_x = quantize(features)
whole = (q_x.astype(np.int32) @ q.astype(np.int32).T) * (s_x * scale)
exact = features @ w.T
print(f"error of the integer layer: {np.abs(whole - exact).max() / np.abs(exact).max():.2%} of the largest output")
assert np.allclose(whole, (q_x * s_x) @ (q * scale).T, atol=1e-3)
assert np.abs(whole - exact).max() < 0.05 * np.abs(exact).max()


def milliseconds(work):
    work()
    return min(measured(work) for _ in range(5)) * 1000


def measured(work):
    start = perf_counter()
    work()
    return perf_counter() - start


print(f"in float32 {milliseconds(lambda: features @ w.T):.2f} ms,",
      f"in int32 {milliseconds(lambda: q_x.astype(np.int32) @ q.astype(np.int32).T):.2f} ms, in NumPy on this machine")

# %% [markdown]
# NumPy has no fast routine for whole numbers, so here int8 saves memory, not time. Say which one you mean.
#
# ## All together

# %%
autograd.manual_seed(0)
student = small()
learn(student, x_train, soft, steps=1000, lr=1e-2, loss=imitation)
both, _ = quantized(pruned[0.9], 8, True)
left = sum((m.weight.detach().numpy() != 0).sum() for m, _ in layers(both))
biases = sum(m.bias.numel() for m, _ in layers(both))
rows = [
    ("teacher, float32", teacher, full),
    ("student, float32", student, 4 * weights_in(student)),
    ("pruned 90 %", pruned[0.9], left * 6 + biases * 4),            # 4 for the number, 2 for its place
    ("int8", *quantized(teacher, 8, True)),
    ("pruned 90 % and int8", both, left * 3 + biases * 8),          # 1 for the number, 2 for its place, scales
]
print(f"{'':<22}{'bytes':>8}{'smaller':>9}{'right':>8}{'ms for ' + str(len(test)) + ' scans':>19}")
for name, network, size in rows:
    right = accuracy(network, x_test, y_test)
    time = milliseconds(lambda network=network: outputs(network, x_test))
    print(f"{name:<22}{size:>8,.0f}{full / size:>8.1f}x{right:>8.1%}{time:>19.2f}")
    assert right > 0.9

# %% [markdown]
# Only the student is faster, because it does less work. The others are smaller, and run at full speed only where code
# or chip knows about them.
#
# ## Try it
#
# 1. Train the transfer source on *all* pages but with random labels. Do its features help?
# 2. Prune in five small cuts with training in between, instead of one large cut. How far can you go?
# 3. Distil the student from the teacher on *noise* images. How much comes across?
#
# Next: [17 · Second derivatives](17_second_derivatives.ipynb)
