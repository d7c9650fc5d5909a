# %% [markdown]
# # 02 · Backpropagation by hand
#
# A network with two inputs, three hidden units and one output has thirteen numbers to learn. That is few enough to
# calculate *every* number of a training step on paper. Here each one stands next to its formula, and next to what the
# engine says.

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import autograd
import nn
import optim
import viz
from autograd import Tensor

autograd.set_default_dtype("float64")
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})

# %% [markdown]
# ## The network
#
# $w^{(1)}_{ji}$ is the weight from input $i$ to hidden unit $j$, $b^{(1)}_j$ the bias of hidden unit $j$; $w^{(2)}_j$
# and $b^{(2)}$ belong to the output (the number in brackets counts the layers). One example: the inputs $x$ and the
# answer $y$ that we want.

# %%
w1 = [[0.4, -0.7], [0.9, 0.3], [-0.5, 0.8]]    # three hidden units, two inputs each
b1 = [0.1, -0.2, 0.05]
w2 = [0.6, -1.1, 0.9]
b2 = 0.2
x = [1.0, 0.5]
y = 1.0

# %% [markdown]
# The same numbers as tensors of the engine. `retain_grad()` asks it to keep the gradients of the values in between,
# which it would throw away otherwise.

# %%
W1 = Tensor(w1, requires_grad=True, name="W1")
B1 = Tensor(b1, requires_grad=True, name="b1")
W2 = Tensor(w2, requires_grad=True, name="W2")
B2 = Tensor(b2, requires_grad=True, name="b2")
X, Y = Tensor(x, name="x"), Tensor(y, name="y")


def kept(tensor):
    tensor.retain_grad()
    return tensor


with autograd.record():
    Z1 = kept(W1 @ X + B1)
    A1 = kept(Z1.sigmoid())
    Z2 = kept(W2 @ A1 + B2)
    A2 = kept(Z2.sigmoid())
    L = -(Y * A2.log() + (1 - Y) * (1 - A2).log())
    L.backward()


def show(name, formula, value, engine):
    """One line of the calculation.  Stops if the engine says something else."""
    print(f"{name:<9}= {formula:<46}= {value:+.9f}   engine {engine:+.9f}")
    assert math.isclose(value, engine, rel_tol=1e-12, abs_tol=1e-15), (name, value, engine)


# %% [markdown]
# ## Forward
#
# Each unit adds up what arrives, weighted, and squashes the sum into the range from 0 to 1:
#
# $$z^{(1)}_j = \sum_i w^{(1)}_{ji} x_i + b^{(1)}_j \qquad a^{(1)}_j = \sigma(z^{(1)}_j) \qquad
#   \sigma(z) = \frac{1}{1 + e^{-z}}$$

# %%
def sigmoid(z):
    return 1 / (1 + math.exp(-z))


z1, a1 = [], []
for j in range(3):
    z1.append(w1[j][0] * x[0] + w1[j][1] * x[1] + b1[j])
    formula = f"{w1[j][0]:g}·{x[0]:g} + {w1[j][1]:g}·{x[1]:g} + {b1[j]:g}"
    show(f"z1[{j}]", formula, z1[j], Z1[j].item())
for j in range(3):
    a1.append(sigmoid(z1[j]))
    show(f"a1[{j}]", f"σ({z1[j]:.6g})", a1[j], A1[j].item())

# %% [markdown]
# The output unit does the same with what the hidden units say. Its number is read as a probability: *how sure is the
# network that the answer is 1?*
#
# $$z^{(2)} = \sum_j w^{(2)}_j a^{(1)}_j + b^{(2)} \qquad a^{(2)} = \sigma(z^{(2)})$$

# %%
z2 = w2[0] * a1[0] + w2[1] * a1[1] + w2[2] * a1[2] + b2
a2 = sigmoid(z2)
sum_text = " + ".join(f"{w2[j]:g}·{a1[j]:.4f}" for j in range(3))
show("z2", f"{sum_text} + {b2:g}", z2, Z2.item())
show("a2", f"σ({z2:.6g})", a2, A2.item())

# %% [markdown]
# The loss is the surprise at the right answer, the *cross-entropy*. It is 0 if the network was sure and right, and
# grows without bound if it was sure and wrong:
#
# $$L = -\bigl(y \ln a^{(2)} + (1 - y) \ln(1 - a^{(2)})\bigr)$$

# %%
loss = -(y * math.log(a2) + (1 - y) * math.log(1 - a2))
show("L", f"-({y:g}·ln {a2:.6f} + {1 - y:g}·ln {1 - a2:.6f})", loss, L.item())

# %% [markdown]
# ## Backward
#
# Write $\delta$ for $\partial L / \partial z$: what a unit is to blame for. At the output two factors meet and almost
# everything cancels, which is why sigmoid and cross-entropy are such good friends:
#
# $$\delta^{(2)} = \frac{\partial L}{\partial a^{(2)}} \cdot \sigma'(z^{(2)})
#   = \frac{a^{(2)} - y}{a^{(2)} (1 - a^{(2)})} \cdot a^{(2)} (1 - a^{(2)}) = a^{(2)} - y$$

# %%
dl_da2 = (a2 - y) / (a2 * (1 - a2))
delta2 = a2 - y
show("∂L/∂a2", f"({a2:.6f} - {y:g}) / ({a2:.6f}·{1 - a2:.6f})", dl_da2, A2.grad.item())
show("δ2", f"{a2:.6f} - {y:g}", delta2, Z2.grad.item())

# %% [markdown]
# A hidden unit gets its share of the blame through the weight by which it was heard, times how much it could still
# move, $\sigma' = a (1 - a)$:
#
# $$\delta^{(1)}_j = \underbrace{w^{(2)}_j \, \delta^{(2)}}_{\partial L / \partial a^{(1)}_j}
#   \cdot \; a^{(1)}_j (1 - a^{(1)}_j)$$

# %%
delta1 = []
for j in range(3):
    show(f"∂L/∂a1[{j}]", f"{w2[j]:g}·({delta2:.6f})", w2[j] * delta2, A1.grad[j].item())
for j in range(3):
    delta1.append(w2[j] * delta2 * a1[j] * (1 - a1[j]))
    formula = f"{w2[j]:g}·({delta2:.6f})·{a1[j]:.6f}·{1 - a1[j]:.6f}"
    show(f"δ1[{j}]", formula, delta1[j], Z1.grad[j].item())

# %% [markdown]
# A weight multiplies what comes in; so its gradient is the blame of the unit it leads to, times what came in. A bias
# multiplies 1.
#
# $$\frac{\partial L}{\partial w^{(2)}_j} = \delta^{(2)} a^{(1)}_j \qquad
#   \frac{\partial L}{\partial b^{(2)}} = \delta^{(2)} \qquad
#   \frac{\partial L}{\partial w^{(1)}_{ji}} = \delta^{(1)}_j x_i \qquad
#   \frac{\partial L}{\partial b^{(1)}_j} = \delta^{(1)}_j$$

# %%
dw2 = [delta2 * a1[j] for j in range(3)]
dw1 = [[delta1[j] * x[i] for i in range(2)] for j in range(3)]
for j in range(3):
    show(f"∂w2[{j}]", f"({delta2:.6f})·{a1[j]:.6f}", dw2[j], W2.grad[j].item())
show("∂b2", "δ2", delta2, B2.grad.item())
for j in range(3):
    for i in range(2):
        show(f"∂w1[{j},{i}]", f"({delta1[j]:+.6f})·{x[i]:g}", dw1[j][i], W1.grad[j, i].item())
for j in range(3):
    show(f"∂b1[{j}]", f"δ1[{j}]", delta1[j], B1.grad[j].item())

# %% [markdown]
# The engine's own record of this step. Press *backward* to see the gradient travel.

# %%
viz.draw(L)

# %% [markdown]
# And one weight in full, $w^{(1)}_{01}$: the slopes of all steps from it to the loss, as `viz.explain` reads them out
# of the record (those that are 1 left out). Which is which?

# %%
why = viz.explain(L, W1, (0, 1))
slopes = [factor.slope for factor in why.terms[0].factors]
product = " · ".join(f"({slope:+.6f})" for slope in slopes if slope != 1)
print(product, f"= {why.gradient:+.6f}")
assert math.isclose(why.gradient, dw1[0][1], rel_tol=1e-12)

# %% [markdown]
# ## The update
#
# Every number moves against its gradient, by the learning rate $\eta$:
# $\; w \leftarrow w - \eta \, \partial L / \partial w$. The engine's side is one line, `optimizer.step()`.

# %%
eta = 0.5
optimizer = optim.SGD([W1, B1, W2, B2], lr=eta)
optimizer.step()

for j in range(3):
    for i in range(2):
        new = w1[j][i] - eta * dw1[j][i]
        show(f"w1[{j},{i}]", f"{w1[j][i]:g} - {eta:g}·({dw1[j][i]:+.6f})", new, W1[j, i].item())
for j in range(3):
    new = b1[j] - eta * delta1[j]
    show(f"b1[{j}]", f"{b1[j]:g} - {eta:g}·({delta1[j]:+.6f})", new, B1[j].item())
for j in range(3):
    show(f"w2[{j}]", f"{w2[j]:g} - {eta:g}·({dw2[j]:+.6f})", w2[j] - eta * dw2[j], W2[j].item())
show("b2", f"{b2:g} - {eta:g}·({delta2:+.6f})", b2 - eta * delta2, B2.item())

# %% [markdown]
# Did it help? The same example once more, with the new numbers:

# %%
with autograd.no_grad():
    again = (W2 @ (W1 @ X + B1).sigmoid() + B2).sigmoid().item()
print(f"probability of the right answer: {a2:.4f} before, {again:.4f} after")
assert again > a2

# %% [markdown]
# ## The picture
#
# All of it at once. Above each line the weight, below it in colour its gradient; in each unit what it said and what it
# was blamed for.

# %%
figure, axes = plt.subplots(figsize=(7.6, 4.2))
axes.set_axis_off()
places = {"x": [(0, 2.6), (0, 1.0)], "h": [(2, 3.6), (2, 1.8), (2, 0)], "o": [(4, 1.8)]}


def wire(start, end, weight, gradient, at):
    axes.plot(*zip(start, end), color="#8A929A", linewidth=0.6 + 2 * abs(weight), zorder=1)
    px, py = (1 - at) * np.array(start) + at * np.array(end)
    box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
    axes.text(px, py + 0.05, f"{weight:g}", ha="center", va="bottom", fontsize=8, bbox=box)
    axes.text(px, py - 0.05, f"{gradient:+.3f}", ha="center", va="top", fontsize=8, bbox=box,
              color="#B2182B")


def unit(place, inside, below, color):
    axes.scatter(*place, s=1500, color=color, edgecolors="#1B1F24", zorder=2)
    axes.text(*place, inside, ha="center", va="center", fontsize=8, zorder=3)
    axes.text(place[0], place[1] - 0.47, below, ha="center", va="top", fontsize=8,
              color="#B2182B")


for j, hidden in enumerate(places["h"]):
    for i, source in enumerate(places["x"]):
        wire(source, hidden, w1[j][i], dw1[j][i], 0.36 if i == 0 else 0.62)
    wire(hidden, places["o"][0], w2[j], dw2[j], 0.5)
    unit(hidden, f"a\n{a1[j]:.3f}", f"δ = {delta1[j]:+.4f}", "#DDF0F9")
for i, source in enumerate(places["x"]):
    unit(source, f"x\n{x[i]:g}", "", "#F2F4F6")
unit(places["o"][0], f"a\n{a2:.3f}", f"δ = {delta2:+.4f}", "#FDDDEB")
axes.text(4.6, 1.8, f"y = {y:g}\nL = {loss:.4f}", va="center")
axes.set(xlim=(-0.5, 5.4), ylim=(-0.9, 4.2))
plt.show()

# %% [markdown]
# ## Four examples at once, two thousand times
#
# Now a task that no straight line can do: *exclusive or*, 1 if exactly one of the two inputs is 1. The formulas are the
# same, written for all examples together: sums over examples become matrix products. Two networks learn from the same
# start, one with our own formulas in NumPy, one with the library.

# %%
inputs = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
answers = np.array([[0], [1], [1], [0]], float)

autograd.manual_seed(3)
network = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid())
for p in network.parameters():
    nn.init.normal_(p)                         # wide enough that the hidden units differ
V1, c1, V2, c2 = (p.detach().numpy().copy() for p in network.parameters())


def step_by_hand(eta):
    """One step of gradient descent on the mean loss; returns the loss before it."""
    global V1, c1, V2, c2
    hidden = 1 / (1 + np.exp(-(inputs @ V1.T + c1)))            # (4, 3)
    said = 1 / (1 + np.exp(-(hidden @ V2.T + c2)))              # (4, 1)
    loss = -np.mean(answers * np.log(said) + (1 - answers) * np.log(1 - said))
    delta2 = (said - answers) / len(inputs)                     # (4, 1)
    delta1 = delta2 @ V2 * hidden * (1 - hidden)                # (4, 3)
    V2, c2 = V2 - eta * delta2.T @ hidden, c2 - eta * delta2.sum(0)
    V1, c1 = V1 - eta * delta1.T @ inputs, c1 - eta * delta1.sum(0)
    return loss


criterion = nn.BCELoss()
optimizer = optim.SGD(network.parameters(), lr=2.0)
by_hand, by_library = [], []
data, labels = Tensor(inputs), Tensor(answers)
for _ in range(2000):
    by_hand.append(step_by_hand(2.0))
    optimizer.zero_grad()
    loss = criterion(network(data), labels)
    loss.backward()
    optimizer.step()
    by_library.append(loss.item())

apart = np.abs(np.array(by_hand) - np.array(by_library)).max()
print(f"largest difference between the two losses in 2000 steps: {apart:.1e}")
with autograd.no_grad():
    answers_now = network(data).numpy()
for (p, q), said in zip(inputs, answers_now[:, 0]):
    print(f"{p:.0f} xor {q:.0f}: {said:.3f}")
assert apart < 1e-9
assert (np.round(answers_now) == answers).all()
assert abs(by_library[50] - math.log(2)) < 0.01                 # at first: ½ to everything

# %% [markdown]
# Where the network says 1, and how it got there:

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
left.plot(by_library, color="#0B5394", linewidth=3, label="the library")
left.plot(by_hand, color="#FFB000", linewidth=1.2, linestyle="--", label="by hand")
left.set(xlabel="step", ylabel="loss", xscale="log")
left.legend(frameon=False)
viz.decision_boundary(network, inputs, answers[:, 0].astype(int), ax=right)
plt.show()

# %% [markdown]
# The loss rests near $\ln 2$ for a while: there the network says ½ to everything. Then the hidden units find different
# jobs, and it falls.
#
# ## Try it
#
# 1. Set `y = 0.0` at the top. Which signs change in the backward pass, and which do not?
# 2. Start with all weights equal to 0.5. Run the exclusive or again: why do the three hidden units never become
#    different?
# 3. Replace the cross-entropy by the squared error $(a^{(2)} - y)^2$. Work out $\delta^{(2)}$, change `step_by_hand`,
#    and see how much longer the flat part gets.
#
# Next: [03 · Tensors, broadcasting and their gradients](03_tensors_and_broadcasting.ipynb)
