# %% [markdown]
# # 11 · A VAE and a GAN on digits
#
# So far networks answered: which digit is this? Now they shall *make* digits that nobody wrote. Two ways: a variational
# autoencoder squeezes images through a few numbers and learns to unfold such numbers again; a generative adversarial
# network lets a forger and a detective train each other.

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
BLUE, ORANGE, GREEN, GREY = "#0B5394", "#D55E00", "#007A5E", "#8A929A"

digits = nn.data.digits()
images, labels = digits.x.reshape(-1, 64), digits.y
train, test = images[:1500], images[1500:]
train_labels, test_labels = labels[:1500], labels[1500:]
print(f"{len(train)} digits of 8x8 pixels from {images.min():g} (paper) to {images.max():g} (ink), "
      f"{len(test)} more kept back")

# %% [markdown]
# ## To draw at random, and still have a gradient
#
# The VAE's encoder does not give a point $z$ but a little cloud, $\mathcal N(\mu, \sigma^2)$, and the decoder gets a
# random point of it. How can a gradient get through a random draw? Draw first, compute afterwards:
#
# $$z = \mu + \sigma \varepsilon, \qquad \varepsilon \sim \mathcal N(0, 1)$$
#
# Now $z$ is an ordinary function of $\mu$ and $\sigma$, and $\varepsilon$ a constant like any other.

# %%
mu = Tensor(0.5, requires_grad=True, name="mu")
sigma = Tensor(1.2, requires_grad=True, name="sigma")
with autograd.record():
    z = mu + sigma * Tensor(0.7, name="eps")
    cost = z**2
    cost.backward()
viz.draw(cost)

# %% [markdown]
# The mean of $z^2$ is $\mu^2 + \sigma^2$, so on average over many draws the gradients must be $2\mu$ and $2\sigma$.

# %%
mu.grad = sigma.grad = None
((mu + sigma * autograd.randn(200_000))**2).mean().backward()
print(f"mu: {mu.grad.item():.3f}, expected {2 * mu.item():.3f};  "
      f"sigma: {sigma.grad.item():.3f}, expected {2 * sigma.item():.3f}")
assert abs(mu.grad.item() - 1.0) < 0.02 and abs(sigma.grad.item() - 2.4) < 0.03

# %% [markdown]
# ## The VAE and its two terms
#
# How probable is an image $x$ under the model? That cannot be computed, but a lower bound can, the ELBO:
#
# $$\log p(x) \;\ge\; \underbrace{\mathbb E_{z \sim q}\left[\log p(x \mid z)\right]}_{\text{how well it is redrawn}}
# - \underbrace{\mathrm{KL}\left(q(z \mid x) \,\|\, \mathcal N(0, 1)\right)}_{\text{what the code tells about } x}$$
#
# The second term has a formula, summed over the numbers of the code:
# $\mathrm{KL} = \frac12 \sum \left(\mu^2 + \sigma^2 - 1 - \log \sigma^2\right)$.
# Two numbers for each image are enough here, and can be drawn on paper.

# %%
class VAE(nn.Module):
    """Images (B, 64) -> logits of the pixels (B, 64); mu and log sigma^2 of the code (B, 2)."""

    def __init__(self, code=2):
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(64, 96), nn.ReLU(), nn.Linear(96, 48), nn.ReLU(),
                                     nn.Linear(48, 2 * code))
        self.decoder = nn.Sequential(nn.Linear(code, 48), nn.ReLU(), nn.Linear(48, 96), nn.ReLU(),
                                     nn.Linear(96, 64))

    def forward(self, x):
        mu, log_var = self.encoder(x).chunk(2, -1)
        z = mu + (log_var / 2).exp() * autograd.randn(*mu.shape)
        return self.decoder(z), mu, log_var


def redrawing(logits, x):
    """-log p(x | z) of each image (B,): a pixel is a coin that shows ink with probability x."""
    return F.binary_cross_entropy_with_logits(logits, x, reduction="none").sum(-1)


def kl(mu, log_var):
    """KL(q(z|x) || N(0, 1)) of each number of each code, (B, code)."""
    return (mu**2 + log_var.exp() - 1 - log_var) / 2


autograd.manual_seed(0)
vae = VAE()
optimizer = optim.Adam(vae.parameters(), lr=3e-3)
schedule = optim.CosineAnnealingLR(optimizer, T_max=150)
loader = nn.data.DataLoader(nn.data.TensorDataset(train), batch_size=64, shuffle=True)
terms = {"redrawing": [], "KL": []}
for _ in range(150):
    sums = np.zeros(2)
    for (x,) in loader:
        logits, mu, log_var = vae(x)
        first, second = redrawing(logits, x).mean(), kl(mu, log_var).sum(-1).mean()
        loss = first + second                  # = -ELBO
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums += len(x) * np.array([first.item(), second.item()])
    schedule.step()
    for name, value in zip(terms, sums / len(train)):
        terms[name].append(value)

# %%
figure, axes = plt.subplots(1, 3, figsize=(8.4, 2.6), layout="constrained")
total = np.add(terms["redrawing"], terms["KL"])
shown = {"-ELBO": total, "redrawing, -log p(x|z)": terms["redrawing"], "KL, what the code tells": terms["KL"]}
for ax, (name, curve), color in zip(axes, shown.items(), (BLUE, ORANGE, GREEN)):
    ax.plot(np.arange(1, 151), curve, color=color)
    ax.set(title=name, xlabel="epoch")
axes[0].set_ylabel("nats per image")
assert total[-1] < total[0] and terms["KL"][-1] > terms["KL"][10]

# %% [markdown]
# The two terms pull against each other: the KL *rises*, because telling more about the image costs, and pays, since the
# redrawing gets better by more than that. Three checks: the formula of the KL, against a mean over random draws; the
# floor below which the redrawing cannot come with grey pixels; and that the bound is one. For the last, a sharper
# estimate of $\log p(x)$ from many draws (Burda et al. 2016) should lie above the ELBO.

# %%
with autograd.no_grad():
    autograd.manual_seed(0)
    x = Tensor(test)
    logits, mu, log_var = vae(x)

    m, s = mu[0].numpy(), (log_var[0] / 2).exp().numpy()
    draws = m + s * autograd.randn(100_000, 2).numpy()
    by_draws = (-((draws - m) / s)**2 / 2 - np.log(s) + draws**2 / 2).sum(1).mean()
    by_formula = kl(mu, log_var)[0].sum().item()
    print(f"KL of one image: {by_formula:.3f} by the formula, {by_draws:.3f} by 100,000 draws")
    assert abs(by_formula - by_draws) < 0.03

    inside = np.clip(test, 1e-7, 1 - 1e-7)
    floor = -(inside * np.log(inside) + (1 - inside) * np.log(1 - inside)).sum(1).mean()
    first, second = redrawing(logits, x).mean().item(), kl(mu, log_var).sum(-1).mean().item()
    print(f"held out: redrawing {first:.2f} nats (floor {floor:.2f}), KL {second:.2f}")
    assert first > floor

    redrawn, weights = [], []                  # of 200 draws for each image
    for _ in range(200):
        eps = autograd.randn(*mu.shape)
        z = mu + (log_var / 2).exp() * eps
        redrawn.append(-redrawing(vae.decoder(z), x))
        weights.append(redrawn[-1] - (z**2).sum(-1) / 2 + (eps**2 + log_var).sum(-1) / 2)
    elbo = autograd.stack(redrawn).mean(0) - kl(mu, log_var).sum(-1)
    sharper = autograd.stack(weights).logsumexp(0) - np.log(200)
    print(f"ELBO {elbo.mean().item():.2f}, sharper {sharper.mean().item():.2f}, "
          f"which is above the ELBO for {(sharper > elbo).numpy().mean():.0%} of the images")
    assert (sharper - elbo).mean().item() > 0.1

# %% [markdown]
# ## The plane of codes
#
# Every image has a place in the plane now. On the left the held-out images, coloured by digit (the VAE was never told
# which is which); on the right what the decoder makes of places on a grid.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.8), layout="constrained")
with autograd.no_grad():
    places = vae.encoder(Tensor(images)).chunk(2, -1)[0].numpy()
    axis = np.linspace(-2.2, 2.2, 14, dtype="float32")
    grid = np.stack(np.meshgrid(axis, axis[::-1]), -1).reshape(-1, 2)
    drawn = vae.decoder(Tensor(grid)).sigmoid().numpy()
colours = plt.get_cmap("tab10")
for digit in range(10):
    at = places[1500:][test_labels == digit]
    left.plot(*at.T, ".", color=colours(digit), markersize=3, alpha=0.6)
    left.text(*np.median(places[labels == digit], 0), str(digit), color="white", weight="bold",
              ha="center", va="center", bbox={"boxstyle": "circle,pad=0.2", "color": colours(digit)})
left.set(xlabel="$z_1$", ylabel="$z_2$", aspect="equal")
sheet = drawn.reshape(14, 14, 8, 8).transpose(0, 2, 1, 3).reshape(112, 112)
right.imshow(sheet, cmap="gray_r", extent=(-2.35, 2.35, -2.35, 2.35))
right.set(xlabel="$z_1$", ylabel="$z_2$")

neighbour = ((places[1500:, None] - places[:1500])**2).sum(-1).argmin(1)
agreement = (train_labels[neighbour] == test_labels).mean()
print(f"{agreement:.0%} of the held-out images lie next to one of the same digit (chance: 10 %)")
assert agreement > 0.5

# %% [markdown]
# Neighbours in the plane are alike, and one digit turns into another on the way between. To make new digits, draw $z$
# from $\mathcal N(0, 1)$ and decode:

# %%
autograd.manual_seed(0)
with autograd.no_grad():
    from_vae = vae.decoder(autograd.randn(1000, 2)).sigmoid().numpy()
viz.image_grid(from_vae[:20].reshape(-1, 8, 8), columns=10)

# %% [markdown]
# A little soft: where two digits are possible, it draws the mean of both.
#
# ## The GAN: a forger and a detective
#
# The discriminator $D$ gives a logit: is this image real? The generator $G$ makes images of noise. Each has a loss.
#
# $$L_D = -\log \sigma(D(x)) - \log\left(1 - \sigma(D(G(z)))\right), \qquad L_G = -\log \sigma(D(G(z)))$$
#
# Why does $G$ not simply maximise $L_D$, that is, minimise $\log(1 - \sigma(D(G(z))))$? Look at the slopes: at the
# start $D$ sees through everything, its logit is far below 0, and there the *minimax* loss is flat. $G$ would learn
# nothing when it has most to learn.

# %%
logit = np.linspace(-8, 8, 161)
losses_of_g = {"minimax: log(1 - σ)": lambda d: -F.softplus(d), "non-saturating: -log σ": lambda d: F.softplus(-d)}
slopes = {name: autograd.elementwise_grad(f)(logit) for name, f in losses_of_g.items()}
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 2.6), layout="constrained")
for (name, f), color in zip(losses_of_g.items(), (ORANGE, BLUE)):
    left.plot(logit, f(logit), color=color, label=name)
    right.plot(logit, np.abs(slopes[name]), color=color)
left.set(title="loss of G", xlabel="logit of D for a forgery")
right.set(title="length of its slope", xlabel="logit of D for a forgery")
left.legend(frameon=False, loc="lower left")
for name, slope in slopes.items():
    print(f"{name:<24} slope {slope[0]:.4f} where D is sure, {slope[-1]:.4f} where it is deceived")
assert abs(slopes["minimax: log(1 - σ)"][0]) < 0.001 < 0.999 < abs(slopes["non-saturating: -log σ"][0])

# %% [markdown]
# How shall one measure images that nobody wrote? Two distances to real ones: from each *forgery* to the nearest real
# digit (is it a digit at all?), and from each *real* digit to the nearest forgery (does it make all kinds?). Real
# digits that were kept back show what is reachable.

# %%
def nearest(a, b):
    """Distance from each row of a to the nearest row of b, and which it is."""
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T
    return np.sqrt(squares.min(1).clip(0)), squares.argmin(1)


def judged(made):
    """(distance forgery -> real, real -> forgery, how many kinds of digit make up 2 % or more)."""
    there, which = nearest(made, train)
    kinds = np.bincount(train_labels[which], minlength=10) >= 0.02 * len(made)
    return there.mean(), nearest(train, made)[0].mean(), int(kinds.sum())


reachable = nearest(test, train)[0].mean()
print(f"real digits, kept back: {reachable:.2f} to the nearest other one")
print("VAE: forgery to real {:.2f}, real to forgery {:.2f}, {} kinds of digit".format(*judged(from_vae)))


# %%
autograd.manual_seed(0)
G = nn.Sequential(nn.Linear(16, 64), nn.BatchNorm1d(64), nn.ReLU(),
                  nn.Linear(64, 128), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 64), nn.Sigmoid())
D = nn.Sequential(nn.Linear(64, 128), nn.LeakyReLU(0.2), nn.Linear(128, 64), nn.LeakyReLU(0.2),
                  nn.Linear(64, 1))
g_optimizer = optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.999))
d_optimizer = optim.Adam(D.parameters(), lr=1e-3, betas=(0.5, 0.999))
real, forged = autograd.ones(64, 1), autograd.zeros(64, 1)
bce = nn.BCEWithLogitsLoss()
same_noise, looks = autograd.randn(10, 16), {}
losses, marks = [], []
rows = nn.data.RandomSampler(train, replacement=True, num_samples=64 * 2400)
loader = nn.data.DataLoader(nn.data.TensorDataset(train), batch_size=64, sampler=rows)
for step, (x,) in enumerate(loader, 1):
    made = G(autograd.randn(64, 16))
    d_loss = bce(D(x), real) + bce(D(made.detach()), forged)       # detach: only D learns
    d_optimizer.zero_grad()
    d_loss.backward()
    d_optimizer.step()

    g_loss = bce(D(made), real)                                    # G wants to hear "real"
    g_optimizer.zero_grad()
    g_loss.backward()
    g_optimizer.step()
    losses.append((d_loss.item(), g_loss.item()))
    if step in (1, 50, 200, 600, 1200, 2400):
        G.eval()
        with autograd.no_grad():
            looks[step] = G(same_noise).numpy()
            from_gan = G(autograd.randn(1000, 16)).numpy()
        marks.append((step, *judged(from_gan)))
        G.train()

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8.4, 2.8), layout="constrained")
smooth = np.array([np.mean(losses[max(0, k - 40):k + 1], axis=0) for k in range(len(losses))])
left.plot(smooth[:, 0], color=ORANGE, label="D")
left.plot(smooth[:, 1], color=BLUE, label="G")
left.axhline(2 * np.log(2), color=ORANGE, linewidth=1, linestyle=":")
left.axhline(np.log(2), color=BLUE, linewidth=1, linestyle=":")
left.set(xlabel="step", ylabel="loss, mean of 40", ylim=(0, 3))
left.legend(frameon=False)
at, to_real, to_forged, kinds = np.array(marks).T
right.plot(at, to_real, "o-", color=GREEN, label="forgery to nearest real")
right.plot(at, to_forged, "s-", color=GREY, label="real to nearest forgery")
right.axhline(reachable, color="#57606A", linewidth=1, linestyle=":")
right.set(xlabel="step", ylabel="distance", ylim=(1, None))
right.legend(frameon=False)
for step, there, back, many in marks:
    print(f"step {step:<5} forgery to real {there:.2f}, real to forgery {back:.2f}, {many} kinds")
assert marks[-1][1] < 1.75 and marks[-1][2] < 1.9 and marks[-1][3] >= 8

# %% [markdown]
# The losses tell next to nothing: they go neither up nor down for good, since both sides learn (the dotted lines are
# where $D$ can only toss a coin). The distances tell more. And the eye most; each column is one and the same noise:

# %%
viz.image_grid(np.concatenate(list(looks.values())).reshape(-1, 8, 8),
               [f"step {step}" if k == 0 else "" for step in looks for k in range(10)], columns=10)

# %% [markdown]
# Which of the two makes better digits? By the distances the VAE: something soft is never far from anything. But count
# the pixels that are neither paper nor ink:

# %%
grey = {name: ((made > 0.25) & (made < 0.75)).mean()
        for name, made in (("real", train), ("VAE", from_vae), ("GAN", from_gan))}
print(", ".join(f"{name} {share:.0%}" for name, share in grey.items()), "of the pixels are grey")
assert abs(grey["GAN"] - grey["real"]) < abs(grey["VAE"] - grey["real"])

# %% [markdown]
# No detective lets a soft digit pass.
#
# ## What can go wrong, measured
#
# The run above went well. Was it luck? [`heavy/11_gan_and_vae_on_digits.py`](heavy/11_gan_and_vae_on_digits.py) trained
# three kinds of GAN with five seeds each: the one above, the same without batch norm in the generator, and that with
# the minimax loss.

# %%
heavy = json.loads(Path("heavy/11_gan_and_vae_on_digits.json").read_text(encoding="utf-8"))
figure, axes = plt.subplots(1, 3, figsize=(9, 2.9), layout="constrained")
stuck = {}
for (name, runs), color in zip(heavy["runs"].items(), (BLUE, GREY, ORANGE)):
    runs = np.array(runs)                      # (seeds, times, what was measured)
    for ax, column in zip(axes, (2, 3, 5)):
        ax.plot(runs[:, :, 0].T, runs[:, :, column].T, color=color, alpha=0.7, linewidth=1)
    axes[0].plot([], [], color=color, label=name)
    early, end, slope = runs[:, 3, 3], runs[:, -1, 2], np.median(runs[:, -4:, 5], axis=1)
    stuck[name] = end > 2
    print(f"{name}\n    at step {runs[0, 3, 0]:.0f}: {early.min():.0f} to {early.max():.0f} kinds of digit\n"
          f"    at the end: real to forgery {end.min():.2f} to {end.max():.2f}, {stuck[name].sum()} of {len(end)} "
          f"runs stuck above 2\n    median slope of G at last: {slope.min():.2g} to {slope.max():.2g}")
    if stuck[name].any():
        assert slope[stuck[name]].max() < slope[~stuck[name]].min()
for ax, what in zip(axes, ("real to nearest forgery", "kinds of digit made", "slope of G's loss")):
    ax.set(title=what, xlabel="step")
axes[2].set_yscale("log")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, frameon=False)
assert [runs.sum() > 0 for runs in stuck.values()] == [False, False, True]

# %% [markdown]
# * Without batch norm the generator first *collapses*: it makes a few kinds of digit only, whatever deceives $D$ at the
#   moment. It recovers here, but stays behind.
# * The minimax loss is a lottery. Some runs end well; in others $D$ becomes sure of itself, the slope dies, as drawn
#   above, and it stays where it is.
#
# None of these runs gave a warning. So with GANs: several seeds, a measure besides the loss, and a look at the images.
#
# ## Try it
#
# 1. Multiply the KL by 4 (a β-VAE). What happens to the plane, the redrawing, and the samples? And by 0?
# 2. Give the VAE a code of 8 numbers. Which distance gets better, and why is it harder to draw?
# 3. Let $D$ take five steps for each of $G$. Who wins, and what does the generator learn from it?
#
# Next: [12 · Overfitting and its cures](12_overfitting_and_its_cures.ipynb)
