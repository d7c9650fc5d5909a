# %% [markdown]
# # 10 · A small transformer
#
# A recurrent network must carry everything through time, step by step. *Attention* has no such journey: each place
# looks straight at all places before it and takes from them what it needs. Here it is built from its formula, then
# stacked into a language model, which has to beat counting on a text it has never read.

# %%
import json
import math
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
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

# %% [markdown]
# ## Attention, from its formula
#
# Every place makes three vectors: a *query* $q$ (what am I looking for?), a *key* $k$ (what have I got?) and a *value*
# $v$ (what do I hand over?). How well query and key fit is their dot product. Softmax makes shares of it, and the
# result is the mean of the values in these shares:
#
# $$\mathrm{attention}(Q, K, V) = \mathrm{softmax}\!\left(\frac{Q K^T}{\sqrt{d}} + M\right) V$$

# %%
def attention(q, k, v, mask):
    scores = q @ k.mT / math.sqrt(q.shape[-1]) + mask
    weights = scores.softmax(-1)
    return weights @ v, weights


L, d = 6, 8
q, k, v = autograd.randn(L, d), autograd.randn(L, d), autograd.randn(L, d)
nothing_hidden = autograd.zeros(L, L)
out, weights = attention(q, k, v, nothing_hidden)
print("each row of the weights adds up to", weights.sum(-1).numpy().round(6))
assert np.allclose(out.numpy(), F.scaled_dot_product_attention(q, k, v).numpy(), atol=1e-6)

# %% [markdown]
# Why divide by $\sqrt d$? A dot product of $d$ random numbers has standard deviation $\sqrt d$. Without the division
# softmax would be almost all or nothing, and its slope almost zero:

# %%
for width in (8, 64, 512):
    a, b = autograd.randn(2000, width), autograd.randn(2000, width)
    dots = (a * b).sum(-1)
    print(f"d = {width:<4} standard deviation {dots.std().item():5.1f}, divided by sqrt(d) "
          f"{(dots / math.sqrt(width)).std().item():.2f}")

# %% [markdown]
# ## No looking ahead
#
# Who learns to guess the next character must not see it. The mask $M$ is 0 for what may be seen and $-\infty$ for what
# may not; $e^{-\infty} = 0$, so nothing of it is taken.

# %%
mask = nn.Transformer.generate_square_subsequent_mask(L)
out, weights = attention(q, k, v, mask)
theirs = F.scaled_dot_product_attention(q, k, v, is_causal=True)
assert np.allclose(out.numpy(), theirs.numpy(), atol=1e-6)
viz.attention_maps(weights, list("attend"))

# %% [markdown]
# The first row can look at itself only; all its weight is there. The engine can prove that nothing leaks: the
# derivative of what comes out at place $i$ with respect to the value at place $j$ is zero wherever $j > i$.

# %%
def leaks(i, j):
    x = v.clone().requires_grad_()
    attention(q, k, x, mask)[0][i].sum().backward()
    return bool((x.grad[j].abs() > 0).any())


table = np.array([[leaks(i, j) for j in range(L)] for i in range(L)])
print(table.astype(int))
assert (table == np.tril(np.ones((L, L), bool))).all()

# %% [markdown]
# ## Several heads
#
# One softmax can look for one thing. So the vectors are cut into *heads*, which look for different things at the same
# time; their results are laid side by side and mixed by one more matrix. `nn.MultiheadAttention` does that, and nothing
# else:

# %%
heads, width = 2, 8
layer = nn.MultiheadAttention(width, heads, batch_first=True)
x = autograd.randn(1, L, width)
theirs, their_weights = layer(x, x, x, attn_mask=mask, average_attn_weights=False)

qkv = F.linear(x[0], layer.in_proj_weight, layer.in_proj_bias)     # (L, 3 width)
q, k, v = (part.reshape(L, heads, width // heads).transpose(0, 1) for part in qkv.chunk(3, -1))
mixed, our_weights = attention(q, k, v, mask)                      # (heads, L, width / heads)
ours = layer.out_proj(mixed.transpose(0, 1).reshape(L, width))
assert np.allclose(ours.detach().numpy(), theirs[0].detach().numpy(), atol=1e-6)
assert np.allclose(our_weights.detach().numpy(), their_weights[0].detach().numpy(), atol=1e-6)
print("by hand and by nn.MultiheadAttention: the same")

# %% [markdown]
# ## A block
#
# A transformer block is attention, which carries things *between* places, and a little network that works *at* each
# place; each is added to what was there. That is `nn.TransformerEncoderLayer`. Follow the two lines that go past
# everything on the right: on these shortcuts gradients travel undamped.

# %%
block = nn.TransformerEncoderLayer(8, 2, 32, dropout=0.0, activation="gelu",
                                   batch_first=True, norm_first=True)
viz.draw(lambda x: block(x, mask, is_causal=True), x)

# %% [markdown]
# One thing is missing. Attention takes a mean, and a mean knows no order: shuffle the places, and the results are the
# same, shuffled. So each place also gets a vector that says which one it is.

# %%
order = [3, 1, 5, 0, 2, 4]
with autograd.no_grad():
    shuffled_after = block(x)[:, order].numpy()
    shuffled_before = block(x[:, order]).numpy()
assert np.allclose(shuffled_after, shuffled_before, atol=1e-5)
print("without positions it cannot tell 'dog bites man' from 'man bites dog'")

# %% [markdown]
# ## The model

# %%
class Transformer(nn.Module):
    """Characters (B, T) -> logits of the next character at each place (B, T, C)."""

    def __init__(self, classes, width=48, heads=4, layers=2, longest=48, dropout=0.0):
        super().__init__()
        self.character, self.place = nn.Embedding(classes, width), nn.Embedding(longest, width)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(width, heads, 4 * width, dropout, "gelu", batch_first=True,
                                       norm_first=True) for _ in range(layers))
        self.norm, self.guess = nn.LayerNorm(width), nn.Linear(width, classes)
        for table in (self.character, self.place):         # quieter, so that the blocks are heard
            nn.init.normal_(table.weight, std=0.1)
        self.longest = longest

    def forward(self, x):
        return self.guess(self.norm(self.states(x)[-1]))

    def states(self, x):
        """What stands at each place before the first block, and after each of them."""
        length = x.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(length)
        found = [self.character(x) + self.place(Tensor(np.arange(length)))]
        for block in self.blocks:
            found.append(block(found[-1], mask, is_causal=True))
        return found

    def attention(self, x):
        """The weights of all heads, for each block (B, heads, T, T)."""
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        found = []
        for block, state in zip(self.blocks, self.states(x)):
            y = block.norm1(state)
            found.append(block.self_attn(y, y, y, attn_mask=mask, average_attn_weights=False)[1])
        return found


# %% [markdown]
# ## The text, and what counting achieves
#
# The license again, one paragraph in ten kept back. The yardsticks are the unigram and the bigram: the frequency of a
# character, and that of a character after another one,
#
# $$p(b \mid a) = \frac{n(a b) + s}{n(a) + s C}.$$
#
# The smoothing $s$ keeps unseen pairs possible. The bigram even gets a present: the $s$ that is best for it on the
# very text that it is judged on.

# %%
raw = Path("data/gpl-3.txt").read_text(encoding="utf-8").lower()
paragraphs = [" ".join(p.split()) for p in raw.split("\n\n")]
vocabulary = nn.data.Vocabulary.of_characters("\n".join(paragraphs))
train = vocabulary.encode("\n".join(p for k, p in enumerate(paragraphs) if k % 10 != 9))
valid = vocabulary.encode("\n".join(paragraphs[9::10]))
classes = len(vocabulary)

counts = np.zeros((classes, classes))
np.add.at(counts, (train[:-1], train[1:]), 1)


def bigram_nats(s):
    p = (counts + s) / (counts + s).sum(1, keepdims=True)
    return -np.log(p[valid[:-1], valid[1:]]).mean()


frequency = np.bincount(train, minlength=classes) + 0.1
unigram = -np.log(frequency / frequency.sum())[valid[1:]].mean()
bigram, smoothing = min((bigram_nats(s), s) for s in (0.01, 0.03, 0.1, 0.3, 1.0))
print(f"{len(train):,} characters to learn from, {len(valid):,} kept back, of {classes} kinds")
print(f"uniform {math.log(classes):.3f} nats per character\nunigram {unigram:.3f}\n"
      f"bigram  {bigram:.3f}, with s = {smoothing}")

# %% [markdown]
# ## Training, by hand
#
# Nothing new: guess, measure, go backward, step. The learning rate warms up first and then falls to nothing;
# transformers need that more than others.

# %%
model = Transformer(classes)
T, steps, batch = model.longest, 500, 16
dataset = nn.data.windows(train, T)
x_valid, y_valid = nn.data.windows(valid, T, stride=T)[:]
optimizer = optim.AdamW(model.parameters(), lr=6e-3, weight_decay=0.01)
schedule = optim.OneCycleLR(optimizer, max_lr=6e-3, total_steps=steps, pct_start=0.15)
print(f"{sum(p.numel() for p in model.parameters()):,} parameters")


def held_out(x, y):
    """nats at each place of the windows, their mean over the windows: (T,)."""
    model.eval()
    with autograd.no_grad():
        found = F.cross_entropy(model(x).flatten(0, 1), y.flatten(), reduction="none")
    model.train()
    return found.numpy().reshape(x.shape).mean(0)


losses, curve = [], [held_out(x_valid, y_valid).mean()]
sampler = nn.data.RandomSampler(dataset, replacement=True, num_samples=steps * batch)
for step, (x, y) in enumerate(nn.data.DataLoader(dataset, batch_size=batch, sampler=sampler), 1):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
    if step % 25 == 0:
        curve.append(held_out(x_valid, y_valid).mean())

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3), layout="constrained")
left.plot(losses, color=BLUE, alpha=0.3, linewidth=0.7, label="a batch")
left.plot(np.arange(len(curve)) * 25, curve, color=BLUE, label="held out")
for name, level in (("unigram", unigram), ("bigram", bigram)):
    left.axhline(level, color=GREY, linewidth=1, linestyle=":")
    left.text(steps, level + 0.03, name, ha="right", color="#57606A")
left.set(xlabel="training step", ylabel="nats per character", ylim=(1.2, 4.0))
left.legend(frameon=False)

overlapping = nn.data.windows(valid, T)        # each character in many places
some = np.linspace(0, len(overlapping) - 1, 900).astype(int)
places = held_out(*overlapping[some])
right.plot(np.arange(1, T + 1), places, ".", color=BLUE, markersize=4)
right.axhline(bigram, color=GREY, linewidth=1, linestyle=":")
right.set(xlabel="characters in sight", title="held out, place by place (dotted: bigram)")

result = curve[-1]
for name, level in (("unigram", unigram), ("bigram", bigram), ("transformer", result)):
    print(f"{name:<12}{level:.3f} nats per held-out character: as unsure as among "
          f"{math.exp(level):4.1f} equally likely ones")
assert result < bigram - 0.4 < unigram - 0.4
assert places[20:].mean() < places[:3].mean() - 0.4

# %% [markdown]
# The picture on the right says where the profit comes from. With one character in sight the model is a bigram, and does
# about what a bigram can. A handful is enough to know which word it is in.
#
# ## What the heads look at

# %%
phrase = "you may convey the covered work"
maps = model.attention(Tensor(vocabulary.encode(phrase)[None]))
viz.attention_maps(maps[0], list(phrase), columns=4)

# %%
viz.attention_maps(maps[1], list(phrase), columns=4)

# %% [markdown]
# Above are the four heads of the first block, here those of the second. A bright line beside the diagonal is a head
# that looks at the character before; single bright cells are places that a head has picked. How far back does each
# look, on average, over all held-out text?

# %%
back = np.arange(T)[:, None] - np.arange(T)[None]
with autograd.no_grad():
    everywhere = [found.numpy() for found in model.attention(x_valid)]
far, late = [], slice(T // 2, T)               # rows that have many characters before them
for k, found in enumerate(everywhere):
    for head, weights in enumerate(found[:, :, late].mean(0)):
        itself, before = (weights[back[late] == n].mean() for n in (0, 1))
        far.append((weights * back[late]).sum(1).mean())
        print(f"block {k}, head {head}: itself {itself:4.0%}, the one before {before:4.0%}, "
              f"on average {far[-1]:4.1f} back")
assert all(np.allclose(found.sum(-1), 1, atol=1e-5) for found in everywhere)
assert all((found[..., back < 0] == 0).all() for found in everywhere)     # nobody looks ahead
assert max(far[:4]) < min(far[4:])

# %% [markdown]
# The first block puts together what stands side by side, letters of a word; the second looks far back. Nobody told them
# to share the work like that.
#
# ## Let it write

# %%
def write(start, many, temperature):
    out = list(vocabulary.encode(start))
    model.eval()
    with autograd.no_grad():
        for _ in range(many):
            logits = model(Tensor(np.array([out[-model.longest:]])))[0, -1]
            shares = (logits / temperature).softmax(0).numpy().astype(float)
            out.append(int(autograd.default_rng().choice(classes, p=shares / shares.sum())))
    return vocabulary.decode(out)


autograd.manual_seed(1)
for temperature in (0.3, 0.8):
    words = write("you may ", 220, temperature)
    print(f"--- temperature {temperature}\n{words}\n")

# %% [markdown]
# ## Bigger
#
# `nn.GPT` is such a model ready made, with a cache that makes `generate` fast. Here is one with five times the
# parameters, dropout, and four times the steps ([`heavy/10_a_small_transformer.py`](heavy/10_a_small_transformer.py),
# run once), beside counts of longer contexts: the $n$-gram asks for the last $n - 1$ characters, and falls back to
# fewer where it has not met them (Witten and Bell 1991). The transformers are judged where at least half a window is in
# sight.

# %%
heavy = json.loads(Path("heavy/10_a_small_transformer.json").read_text(encoding="utf-8"))
bars = {f"{n}-gram": value for n, value in heavy["ngrams"].items()}
bars |= {"transformer, as above": places[T // 2:].mean(), "nn.GPT, longer": heavy["nats"]}
figure, axes = plt.subplots(figsize=(6, 2.8))
colors = [GREY] * len(heavy["ngrams"]) + [BLUE, GREEN]
drawn = axes.barh(list(bars), list(bars.values()), color=colors)
axes.bar_label(drawn, fmt=" %.2f")
axes.set(xlabel="nats per held-out character", xlim=(0, 3.4))
axes.invert_yaxis()
assert heavy["nats"] < places[T // 2:].mean() and heavy["nats"] < heavy["ngrams"]["3"]
assert heavy["ngrams"]["5"] < min(heavy["nats"], heavy["ngrams"]["6"])
print(f"nn.GPT, {heavy['parameters']:,} parameters, {heavy['steps']:,} steps, writes:")
print(heavy["sample"])

# %% [markdown]
# Honest counting is hard to beat on a text as small and as formal as this one: phrases come back word for word, and a
# 5-gram, which has simply kept them all, is ahead of both transformers. It also ends there: the 6-gram is no better,
# because longer contexts hardly ever return. Networks win where there is more text than anyone can keep, for they can
# say something about a context that never occurred.
#
# ## Try it
#
# 1. Leave the mask out in training. The loss falls far below all of these. Is it a better model? Let it write.
# 2. Set `model.place.weight` to zero after training. What do the maps look like, and how many nats does it cost?
# 3. Put `nn.GPT(classes, 48, 2, 4, 48)` in the place of `Transformer(classes)`, with `T = 48`. Does the same loop train
#    it as well? (It begins with much smaller weights.)
#
# Next: [11 · A GAN and a VAE on digits](11_gan_and_vae_on_digits.ipynb)
