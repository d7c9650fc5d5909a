# %% [markdown]
# # 09 · Recurrent networks on characters
#
# A text has no fixed length, and what a letter means depends on the letters before it. A recurrent network reads one
# character at a time and keeps a *state*, a few numbers in which it notes what it may need later.

# %%
import json
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import autograd
import nn
import optim
import viz
from autograd import Tensor

# %matplotlib inline
F = nn.functional
autograd.manual_seed(0)
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})
plt.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})
COLOURS = {"RNN": "#0B5394", "LSTM": "#D55E00", "GRU": "#007A5E"}

# %% [markdown]
# ## One step
#
# The new state is made of the character that came in, $x_t$, and the state so far, $h_{t-1}$:
#
# $$h_t = \tanh(W x_t + b + U h_{t-1} + b')$$
#
# The same $W$, $U$, $b$, $b'$ serve at every step. That is all an `nn.RNN` does, so a loop of one line does it too.

# %%
rnn = nn.RNN(input_size=2, hidden_size=3)
W, U, b, b_too = rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, rnn.bias_hh_l0
x = Tensor([[0.5, -1.0], [1.0, 0.0], [-0.3, 0.8]], name="x")       # three steps, two numbers each

h = autograd.zeros(3)
for t in range(3):
    h = (W @ x[t] + b + U @ h + b_too).tanh()
    print(f"h_{t + 1} =", h.detach().numpy().round(4))

states, last = rnn(x)
assert np.allclose(last.detach().numpy()[0], h.detach().numpy(), atol=1e-6)

# %% [markdown]
# `nn.RNN` runs all its steps as one operation, because that is fast. With `steps=True` each step is recorded by
# itself, and the loop can be drawn, unrolled in time. Begin to read at the bottom, at the loss.

# %%
rnn.steps = True                               # or from the start: nn.RNN(2, 3, steps=True)
with autograd.record():
    states, last = rnn(x)
    loss = (last**2).sum()
    loss.backward()
by_steps = U.grad.numpy().copy()
viz.draw(loss)

# %% [markdown]
# Three times `add` and `tanh`, one below the other: that is time, flowing down (`input` is the state before the first
# step, zeros). `weight_hh_l0` is in the picture three times, but it is one and the same matrix, and its gradient is the
# sum over all three. The pills are sizes of gradients; they shrink and turn blue on the long way back to the first
# step. Remember that.

# %%
rnn.steps = False
rnn.zero_grad()
(rnn(x)[1]**2).sum().backward()
assert np.allclose(U.grad.numpy(), by_steps, atol=1e-6)
print("one operation or a graph of steps: the same gradient")

# %% [markdown]
# ## Why the past fades
#
# How much does the end depend on the beginning? The chain rule goes through every step in between, and every step
# multiplies by $U$:
#
# $$\frac{\partial h_T}{\partial h_t} = \prod_{s=t+1}^{T} \mathrm{diag}(1 - h_s^2)\, U$$
#
# Take a $U$ that rotates and then scales by $s$, and inputs of nothing but zeros. Then $h = 0$, the slope of $\tanh$ is
# 1, and the gradient must be exactly $s^{T-t}$: too small, or too large, but hardly ever right.

# %%
def distances(layer, x):
    """Length of the gradient of the last state with respect to each input, the latest first: (T,)."""
    x = Tensor(x, requires_grad=True)
    layer(x)[0][-1].sum().backward()
    return np.linalg.norm(x.grad.numpy(), axis=-1)[::-1]


T, n = 60, 16
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 2.9), layout="constrained")
for s, color in ((0.8, COLOURS["RNN"]), (1.0, "#8A929A"), (1.25, COLOURS["LSTM"])):
    layer = nn.RNN(n, n, bias=False, dtype="float64")
    nn.init.eye_(layer.weight_ih_l0)
    nn.init.orthogonal_(layer.weight_hh_l0, gain=s)
    found = distances(layer, np.zeros((T, n)))
    assert np.allclose(found / found[0], s ** np.arange(T))        # as foretold
    left.semilogy(found / found[0], color=color, label=f"s = {s:g}")
    print(f"s = {s:<5g} after {T - 1} steps {found[-1] / found[0]:.1e} of the gradient is there")
left.set(title="rotation and scaling by s", xlabel="steps back in time", ylabel="relative gradient")
left.legend(frameon=False)

noise = autograd.default_rng().normal(size=(T, n))
seen = {}
for kind in ("RNN", "LSTM", "GRU"):
    layer = getattr(nn, kind)(n, n, dtype="float64")
    seen[kind] = distances(layer, noise)
opened = nn.LSTM(n, n, dtype="float64")
with autograd.no_grad():
    opened.bias_ih_l0[n:2 * n] = 4.0           # the rows of the forget gate: sigmoid(4) = 0.98
seen["LSTM, forget gate open"] = distances(opened, noise)
for name, found in seen.items():
    right.semilogy(found / found[0], "--" if "," in name else "-", label=name,
                   color=COLOURS[name.split(",")[0]])
right.set(title="freshly made layers", xlabel="steps back in time", ylim=(1e-22, 3))
legend = right.legend(frameon=False)

# %% [markdown]
# In the picture on the left the past vanishes, stays, or explodes, as $s$ says. On the right are layers as they come
# from the shop. All of them forget, at first, and the gates make the difference that matters: they can be *opened*.
#
# The LSTM keeps a second state, the cell $c$, which is not multiplied by a matrix but by a gate between 0 and 1:
#
# $$c_t = f_t \odot c_{t-1} + i_t \odot g_t, \qquad h_t = o_t \odot \tanh(c_t)$$
#
# With $f_t$ near 1 the gradient passes almost unharmed. The GRU does the same with one state and one gate less:
#
# $$h_t = (1 - z_t) \odot n_t + z_t \odot h_{t-1}$$
#
# Exploding is easier to cure: if the gradient is longer than 1, make it 1 (`clip_grad_norm_`, below).

# %%
lengths = {name: found[-1] / found[0] for name, found in seen.items()}
for name, share in lengths.items():
    print(f"{name:<24}{share:.1e} is left after {T - 1} steps")
assert lengths["RNN"] < 1e-6 < 0.01 < lengths["LSTM, forget gate open"]

# %% [markdown]
# ## A text
#
# The text of a software license: long sentences, few surprises, free to copy. One paragraph in ten is kept back, to be
# judged on what the models have never read.

# %%
raw = Path("data/gpl-3.txt").read_text(encoding="utf-8").lower()
paragraphs = [" ".join(p.split()) for p in raw.split("\n\n")]
held_out = "\n".join(paragraphs[9::10])
text = "\n".join(p for k, p in enumerate(paragraphs) if k % 10 != 9)

vocabulary = nn.data.Vocabulary.of_characters("\n".join(paragraphs))
train, valid = vocabulary.encode(text), vocabulary.encode(held_out)
print(f"{len(train):,} characters to learn from, {len(valid):,} kept back, of {len(vocabulary)} kinds")
print(text[320:480], "...")

# %% [markdown]
# A sample is a window of 64 characters, and what to guess is the same window one place further. `nn.data.windows` cuts
# them without copying.

# %%
length = 64
dataset = nn.data.windows(train, length)
x_valid, y_valid = nn.data.windows(valid, length, stride=length)[:]
x, y = dataset[0]
print(repr(vocabulary.decode(x[:24])), "->", repr(vocabulary.decode(y[:24])))

# %% [markdown]
# ## Three networks of equal size
#
# Four gates need four times the weights, so an LSTM as wide as an RNN is a bigger network. To compare fairly, each gets
# the width that makes the number of parameters equal.

# %%
class Reader(nn.Module):
    """Characters (B, T) -> logits of the next one at each place (B, T, C), and the last state."""

    def __init__(self, kind, hidden):
        super().__init__()
        self.embed = nn.Embedding(len(vocabulary), 24)
        self.memory = getattr(nn, kind)(24, hidden, batch_first=True)
        self.guess = nn.Linear(hidden, len(vocabulary))

    def forward(self, x, state=None):
        states, last = self.memory(self.embed(x), state)
        return self.guess(states), last


def size(kind, hidden):
    return sum(p.numel() for p in Reader(kind, hidden).parameters())


goal = size("RNN", 112)
widths = {kind: min(range(30, 121), key=lambda m: abs(size(kind, m) - goal)) for kind in COLOURS}
for kind, hidden in widths.items():
    print(f"{kind:<5} {hidden:4} wide, {size(kind, hidden):,} parameters")
assert all(abs(size(k, m) / goal - 1) < 0.02 for k, m in widths.items())


# %%
def nats(model, x, y):
    """Mean -log p of the characters that really came."""
    with autograd.no_grad():
        return F.cross_entropy(model(x)[0].flatten(0, 1), y.flatten()).item()


def train_reader(kind, steps, seed=0, every=20):
    autograd.manual_seed(seed)
    model = Reader(kind, widths[kind])
    optimizer = optim.Adam(model.parameters(), lr=8e-3)
    schedule = optim.OneCycleLR(optimizer, max_lr=8e-3, total_steps=steps)
    curve = [nats(model, x_valid, y_valid)]
    batches = nn.data.RandomSampler(dataset, replacement=True, num_samples=steps * 32)
    for step, (x, y) in enumerate(nn.data.DataLoader(dataset, batch_size=32, sampler=batches), 1):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x)[0].flatten(0, 1), y.flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % every == 0:
            curve.append(nats(model, x_valid, y_valid))
    return model, curve


models, curves = {}, {}
for kind in COLOURS:
    models[kind], curves[kind] = train_reader(kind, steps=200)

# %% [markdown]
# The yardstick is what counting gives. *Unigram*: how frequent is each character? *Bigram*: how frequent after the one
# before it? (A little is added to each count, so that nothing is impossible.)

# %%
classes = len(vocabulary)
counts = np.full((classes, classes), 0.1)
np.add.at(counts, (train[:-1], train[1:]), 1)
single, pair = counts.sum(0) / counts.sum(), counts / counts.sum(1, keepdims=True)
unigram, bigram = -np.log(single[valid[1:]]).mean(), -np.log(pair[valid[:-1], valid[1:]]).mean()

figure, axes = plt.subplots(figsize=(5.4, 3))
for kind, curve in curves.items():
    axes.plot(np.arange(len(curve)) * 20, curve, color=COLOURS[kind], label=kind)
for name, level in (("unigram", unigram), ("bigram", bigram)):
    axes.axhline(level, color="#8A929A", linewidth=1, linestyle=":")
    axes.text(200, level + 0.02, name, ha="right", color="#57606A")
axes.set(xlabel="training step", ylabel="nats per held-out character", ylim=(1.2, 4.1))
axes.legend(frameon=False)
reached = {"unigram": unigram, "bigram": bigram} | {kind: curve[-1] for kind, curve in curves.items()}
for name, level in reached.items():
    print(f"{name:<8}{level:.2f} nats: as unsure as among {np.exp(level):4.1f} equally likely characters")
assert all(reached[kind] < bigram - 0.2 for kind in COLOURS)
assert reached["RNN"] < min(reached["LSTM"], reached["GRU"]) + 0.05

# %% [markdown]
# All three beat the counting by far, and in so short a training the simple RNN is no worse than the others: a state
# without gates is wide and learns fast. Do the gates pay later? Here are ten times as many steps with three seeds each,
# run once by [`heavy/09_recurrent_networks_on_characters.py`](heavy/09_recurrent_networks_on_characters.py).

# %%
heavy = json.loads(Path("heavy/09_recurrent_networks_on_characters.json").read_text(encoding="utf-8"))
figure, axes = plt.subplots(figsize=(5.4, 3))
for kind in COLOURS:
    runs = np.array(heavy["curves"][kind])
    at = np.arange(runs.shape[1]) * heavy["every"]
    axes.plot(at, runs.mean(0), color=COLOURS[kind], label=kind)
    axes.fill_between(at, runs.min(0), runs.max(0), color=COLOURS[kind], alpha=0.2, linewidth=0)
axes.set(xlabel="training step", ylabel="nats per held-out character", ylim=(0.9, 2.5))
axes.legend(frameon=False)
ends = {kind: np.array(runs)[:, -1].mean() for kind, runs in heavy["curves"].items()}
for kind, runs in heavy["curves"].items():
    best = np.min(runs, axis=1)
    print(f"{kind:<5} at best {best.mean():.3f} nats (seeds from {best.min():.3f} to {best.max():.3f}), "
          f"at the end {ends[kind]:.3f}")
assert max(ends["LSTM"], ends["GRU"]) < ends["RNN"]

# %% [markdown]
# Yes, a little. The LSTM starts slowly and is among the best in the end; the RNN is passed by both, and gets worse
# again: it learns its 30,000 characters by heart.
#
# ## How far back do they look?
#
# The same measurement as above, now on networks that have learned: how does the guess after 64 characters depend on
# each of them?

# %%
figure, axes = plt.subplots(figsize=(5.4, 2.8))
reach, tails = {}, {}
for kind, model in models.items():
    embedded = model.embed(x_valid).detach().requires_grad_()
    states, _ = model.memory(embedded)
    F.cross_entropy(model.guess(states[:, -1]), y_valid[:, -1]).backward()
    found = np.linalg.norm(embedded.grad.numpy(), axis=-1).mean(0)[::-1]
    reach[kind] = (found / found.sum()).cumsum()
    axes.semilogy(found / found[0], color=COLOURS[kind], label=kind)
    tails[kind] = found[-10:].mean() / found[0]
    half, most = ((reach[kind] < share).sum() + 1 for share in (0.5, 0.95))
    print(f"{kind:<5} half of its gradient goes to the last {half} characters, 95 % to the last {most}; "
          f"far end {tails[kind]:.0e}")
axes.set(xlabel="characters back", ylabel="relative gradient")
axes.legend(frameon=False)
assert all(share[31] > 0.9 for share in reach.values())
assert tails["RNN"] < min(tails["LSTM"], tails["GRU"]) / 10

# %% [markdown]
# A word, hardly a sentence. But look at the tails: for the RNN the line falls and falls; with gates it bends, since
# they have begun to leave a way open. (The next notebook removes the long way through time altogether.)
#
# ## Let it write
#
# Feed a beginning, draw the next character from the probabilities, feed that, and so on; the state carries everything.
# Dividing the logits by a *temperature* below 1 makes the likely likelier.

# %%
def write(model, start, many, temperature):
    state, given, out = None, Tensor(vocabulary.encode(start)[None]), start
    with autograd.no_grad():
        for _ in range(many):
            logits, state = model(given, state)
            shares = (logits[0, -1] / temperature).softmax(0).numpy().astype(float)
            drawn = autograd.default_rng().choice(classes, p=shares / shares.sum())
            given, out = Tensor([[drawn]]), out + vocabulary.tokens[drawn]
    return out


best = min(curves, key=lambda kind: curves[kind][-1])
autograd.manual_seed(1)
for temperature in (0.3, 0.7, 1.2):
    words = write(models[best], "you may ", 220, temperature)
    print(f"--- {best}, temperature {temperature}\n{words}\n")

# %% [markdown]
# Cold it repeats itself, hot it invents words. The state is enough: reading a text character by character gives the
# same as reading it at once.

# %%
with autograd.no_grad():
    for model in models.values():
        together, _ = model(x_valid[:1])
        state, pieces = None, []
        for t in range(length):
            piece, state = model(x_valid[:1, t:t + 1], state)
            pieces.append(piece)
        assert np.allclose(autograd.cat(pieces, 1).numpy(), together.numpy(), atol=1e-4)

# %% [markdown]
# And after ten times the steps:

# %%
for kind, sample in heavy["samples"].items():
    print(f"--- {kind}, temperature {heavy['temperature']}\n{sample}\n")

# %% [markdown]
# ## Try it
#
# 1. Leave out `clip_grad_norm_` and raise the learning rate to 0.03. Which of the three suffers most?
# 2. Draw one step of a GRU: `viz.draw(nn.GRU(2, 3, steps=True), Tensor([[0.5, -1.0]]))`. It is computed as
#    $n + z (h - n)$; find the gate $z$, and the way from the old $h$ to the new one that passes no matrix.
# 3. Set the forget gate's bias to 1 before training the LSTM, as above (Jozefowicz et al. 2015). Does it learn faster?
#
# Next: [10 · A small transformer](10_a_small_transformer.ipynb)
