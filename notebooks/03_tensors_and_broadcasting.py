# %% [markdown]
# # 03 · Tensors, broadcasting and their gradients
#
# A tensor is a block of numbers: a row, a table, a stack of tables. Everything from notebook 01 holds for each number
# in it. What is new is that shapes must fit, and what happens to gradients when they are *made* to fit.

# %%
import matplotlib.pyplot as plt
import numpy as np

import autograd
import nn
import viz
from autograd import Tensor

autograd.set_default_dtype("float64")
plt.rcParams.update({"figure.dpi": 90, "font.size": 9})

# %% [markdown]
# ## A block of numbers
#
# The gradient of a tensor always has the tensor's own shape: one slope for each number in it.

# %%
table = Tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], requires_grad=True, name="table")
(table**2).sum().backward()
print("shape ", table.shape, "  axes", table.ndim, "  numbers", table.numel())
print("value ", table.tolist())
print("grad  ", table.grad.tolist(), "  that is 2x, number by number")
assert table.grad.shape == table.shape and np.array_equal(table.grad, 2 * table.detach())

# %% [markdown]
# `backward()` starts at *one* number, the loss: "how does it change?" must be one question. From a tensor of several
# numbers it asks you to say what you mean:

# %%
def refusal(call):
    """Prints the error of a call that must not work."""
    try:
        call()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
    else:
        raise AssertionError("it worked")


refusal(lambda: (Tensor([1.0, 2.0], requires_grad=True) * 3).backward())

# %% [markdown]
# ## Broadcasting: copies that are never made
#
# Add a row to a table, and the row is added to *each* row of the table, as if it had been copied downwards. Dotted
# cells are such copies.

# %%
def cells(axes, values, title="", own=None, color="#0B5394", digits=0):
    """A table of numbers as coloured cells; where `own` is False, a copy, dotted."""
    values = np.atleast_2d(values)
    own = np.ones(values.shape, bool) if own is None else np.broadcast_to(own, values.shape)
    for (i, j), value in np.ndenumerate(values):
        box = plt.Rectangle((j, -i - 1), 0.92, 0.92, facecolor=color if own[i, j] else "white",
                            edgecolor=color, linestyle="-" if own[i, j] else ":", alpha=0.9)
        axes.add_patch(box)
        axes.text(j + 0.46, -i - 0.54, f"{value:.{digits}f}", ha="center", va="center",
                  color="white" if own[i, j] else color)
    axes.set(xlim=(-0.1, values.shape[1] + 0.1), ylim=(-values.shape[0] - 0.1, 0.1), aspect="equal")
    axes.set_title(title, fontsize=9)
    axes.set_axis_off()


def equation(a, b, signs="+="):
    """a + b = sum in cells, with the copies that broadcasting stands for."""
    total = np.add(a, b)
    figure, axes = plt.subplots(1, 5, figsize=(7.6, 1.9), width_ratios=[4, 0.4, 4, 0.4, 4])
    for ax, x, color in ((axes[0], a, "#0B5394"), (axes[2], b, "#D55E00")):
        full = np.broadcast_to(x, total.shape)
        kept = np.zeros(total.shape, bool)
        x2 = np.reshape(x, (1,) * (2 - np.ndim(x)) + np.shape(x))
        kept[:x2.shape[0], :x2.shape[1]] = True
        cells(ax, full, f"{np.shape(x)}", kept, color)
    cells(axes[4], total, f"{total.shape}", color="#007A5E")
    for ax, sign in zip(axes[1::2], signs):
        ax.text(0.5, 0.5, sign, ha="center", va="center", fontsize=14)
        ax.set_axis_off()
    return figure


grid = np.arange(12.0).reshape(3, 4)
row = np.array([10.0, 20, 30, 40])
column = np.array([[100.0], [200], [300]])
equation(grid, row)
equation(column, row)
equation(grid, np.array(5.0))
plt.show()

# %% [markdown]
# The rule: write the shapes one above the other, *aligned at the right*. In each place the sizes must be equal, or one
# of them 1, or missing. A 1 is stretched; a missing size counts as 1.

# %%
for shapes in (((3, 4), (4,)), ((3, 1), (4,)), ((3, 4), ()), ((2, 3, 4), (3, 1)), ((3, 4), (3,))):
    try:
        print(f"{shapes[0]!s:>10} and {shapes[1]!s:<7} ->", np.broadcast_shapes(*shapes))
    except ValueError:
        print(f"{shapes[0]!s:>10} and {shapes[1]!s:<7} -> do not fit")

# %% [markdown]
# When they do not fit, the error says what to do about it:

# %%
refusal(lambda: Tensor(grid) + Tensor([1.0, 2.0, 3.0]))

# %% [markdown]
# ## A number used three times gets three slopes
#
# Now the gradient. Let $s_{ij} = t_{ij} + r_j$, and let $g_{ij} = \partial L / \partial s_{ij}$ be what arrives from
# above. The number $r_j$ went into every row. In notebook 01 we saw: several ways *add up*.
#
# $$\frac{\partial L}{\partial r_j} = \sum_i \frac{\partial L}{\partial s_{ij}} \cdot
#   \underbrace{\frac{\partial s_{ij}}{\partial r_j}}_{1} = \sum_i g_{ij}$$
#
# **Copied forward, summed backward.** The gradient of the row is $g$ added up over the axis along which it was copied.

# %%
t = Tensor(grid, requires_grad=True, name="t")
r = Tensor(row, requires_grad=True, name="r")
g = np.array([[1.0, 0, 2, -1], [3, 1, 0, 2], [-2, 4, 1, 0]])
with autograd.record():
    s = t + r
    loss = (s * Tensor(g, name="g")).sum()     # so that the gradient that reaches s is g
    loss.backward()

figure, axes = plt.subplots(1, 3, figsize=(8, 2.1))
cells(axes[0], g, "g, arrives at s  (3, 4)", color="#6B6B00")
cells(axes[1], t.grad.numpy(), "t.grad = g  (3, 4)")
cells(axes[2], r.grad.numpy(), "r.grad = g summed down  (4,)", color="#D55E00")
axes[2].set_ylim(-3.1, 0.1)
plt.show()
assert np.array_equal(t.grad, g) and np.array_equal(r.grad, g.sum(axis=0))

# %% [markdown]
# Is that so? Nudge $r_0$ by a little and measure:

# %%
nudged = row + np.array([1e-6, 0, 0, 0])
measured = (((grid + nudged) * g).sum() - ((grid + row) * g).sum()) / 1e-6
print(f"measured           {measured:.6f}\nbackward           {r.grad[0].item():.6f}\n"
      f"sum of the column  {g[:, 0].sum():.6f}")
assert abs(measured - r.grad[0].item()) < 1e-6

# %% [markdown]
# `viz.explain` finds the three ways in the record:

# %%
viz.explain(loss, r, 0)

# %%
ways = [term.value for term in viz.explain(loss, r, 0).terms]
assert len(ways) == 3 and sum(ways) == r.grad[0].item()

# %% [markdown]
# The same for a column (summed along the rows) and for a single number (summed over everything):

# %%
c = Tensor(column, requires_grad=True)
k = Tensor(5.0, requires_grad=True)
((Tensor(grid) + c + k) * Tensor(g)).sum().backward()
print("c.grad", c.grad.tolist(), " k.grad", k.grad.item())
assert np.array_equal(c.grad, g.sum(axis=1, keepdims=True)) and k.grad.item() == g.sum()

# %% [markdown]
# ## Why exactly the sum: a matrix and its transpose
#
# Copying a row of 4 into a table of 12 is a linear map, so it has a matrix $J$, 12 by 4, full of zeros and ones. The
# chain rule for many numbers at once reads: forward multiplies by $J$, backward by $J^\top$. Look at $J$: each column
# says where a number was copied to. Reading along it backwards is collecting them again.

# %%
J = autograd.jacobian(lambda r: grid + r)(row).reshape(12, 4)

figure, axes = plt.subplots(1, 2, figsize=(6.4, 2.6), width_ratios=[1, 2.6], layout="constrained")
for ax, matrix, title in ((axes[0], J, "J: copies forward"), (axes[1], J.T, "Jᵀ: sums backward")):
    ax.imshow(matrix, cmap="Blues", vmax=1.3)
    ax.set_title(f"{title}  {matrix.shape}", fontsize=9)
    ax.set_xticks(range(matrix.shape[1]))
    ax.set_yticks(range(matrix.shape[0]))
    ax.tick_params(labelsize=6)
plt.show()
assert np.array_equal(J.T @ g.ravel(), r.grad)

# %% [markdown]
# It works the other way round as well. A *sum* forward is a *copy* backward; a part taken out is put back among zeros;
# a mean hands out equal shares; a maximum sends everything to the winner. Here is what reaches a table of 3 by 4 in
# each case.

# %%
v = Tensor([[1.0, 9, 3, 4], [5, 6, 7, 8], [9, 2, 11, 1]], requires_grad=True)
cases = [("(v.sum(dim=0) * [1, 2, 3, 4]).sum()", lambda: v.sum(dim=0) * Tensor([1.0, 2, 3, 4])),
         ("v[1, 1:3].sum()", lambda: v[1, 1:3]),
         ("v.mean()", lambda: v.mean()),
         ("v.max(dim=1).values.sum()", lambda: v.max(dim=1).values)]
figure, axes = plt.subplots(1, 4, figsize=(9.4, 1.9))
for ax, (title, part) in zip(axes, cases):
    v.zero_grad()
    part().sum().backward()
    cells(ax, v.grad.numpy(), title, v.grad.numpy() != 0, "#7A3E9D", 2 if "mean" in title else 0)
    ax.title.set(fontsize=7, family="monospace")
plt.show()

# %% [markdown]
# ## Matrix products
#
# The workhorse of every layer: $Y = X W$, with $y_{ij} = \sum_k x_{ik} w_{kj}$. Let $G = \partial L / \partial Y$. The
# number $w_{kj}$ goes into every $y_{ij}$ of column $j$, each time with factor $x_{ik}$. Add up:
#
# $$\frac{\partial L}{\partial W} = X^\top G \qquad \frac{\partial L}{\partial X} = G\, W^\top$$
#
# You need not remember where the transposes go: only one arrangement has the right shapes.

# %%
rng = np.random.default_rng(0)
X = Tensor(rng.normal(size=(5, 3)), requires_grad=True, name="X")
W = Tensor(rng.normal(size=(3, 2)), requires_grad=True, name="W")
b = Tensor(np.zeros(2), requires_grad=True, name="b")
G = rng.normal(size=(5, 2))
with autograd.record():
    Y = X @ W + b
    Y.backward(Tensor(G))                      # "let the gradient that reaches Y be G"

print("W.grad", W.grad.shape, "= Xᵀ G:", (3, 5), "times", (5, 2))
print("X.grad", X.grad.shape, "= G Wᵀ:", (5, 2), "times", (2, 3))
print("b.grad", b.grad.shape, "   = G summed over the five rows")
assert np.allclose(W.grad, X.detach().numpy().T @ G, rtol=1e-14)
assert np.allclose(X.grad, G @ W.detach().numpy().T, rtol=1e-14)
assert np.allclose(b.grad, G.sum(axis=0), rtol=1e-14)

# %% [markdown]
# `viz.zoom` opens one number of the product. There they are: the slope at each $w$ is the $x$ it meets, and the other
# way round.

# %%
viz.zoom(Y, "matmul", (0, 1))

# %% [markdown]
# ## The trap
#
# Five predictions of shape `(5, 1)`, five answers of shape `(5,)`. Their difference fits by the rule above, and it is
# wrong: every prediction minus *every* answer.

# %%
answers = np.array([1.0, 2, 3, 4, 5])
predictions = Tensor(answers.reshape(5, 1), requires_grad=True)          # all exactly right!
difference = predictions - Tensor(answers)
figure, ax = plt.subplots(figsize=(3, 2.2))
cells(ax, difference.detach().numpy(), f"predictions - answers: {tuple(difference.shape)}",
      np.eye(5, dtype=bool), "#B2182B")
plt.show()
print("mean of the squares:", (difference**2).mean().item(), "though every prediction is right")
assert (difference**2).mean().item() > 0

# %% [markdown]
# Only the diagonal was meant. No error, a loss that looks like a loss, and a network that learns the average of
# everything. The losses of `nn` therefore refuse:

# %%
refusal(lambda: nn.functional.mse_loss(predictions, Tensor(answers)))
fine = nn.functional.mse_loss(predictions.squeeze(-1), Tensor(answers))
print("with the shapes as meant:", fine.item())
assert fine.item() == 0

# %% [markdown]
# ## Never believe a gradient you have not checked
#
# `gradcheck` compares every slope with a difference quotient, for any function of tensors. And it does find mistakes:
# here a row's gradient that somebody forgot to sum.

# %%
def layer(X, W, b):
    return (X @ W + b).tanh()


assert autograd.gradcheck(layer, (X, W, b))


class AddRow(autograd.Function):
    @staticmethod
    def forward(ctx, table, row):
        return table + row

    @staticmethod
    def backward(ctx, g):
        return g, g[0]                         # wrong: the first row only


refusal(lambda: autograd.gradcheck(AddRow.apply, (t, r)))

# %% [markdown]
# ## Try it
#
# 1. What is the gradient of the row $r$ in `t * r` (times, not plus)? Say it in words first, then check it with `g`
#    above.
# 2. Centre a table: `t - t.mean(dim=0)`. Its Jacobian is 12 by 12. Draw it. Why do the columns add up to zero?
# 3. Mend `AddRow.backward` so that `gradcheck` is content, also for a row of shape `(1, 4)`.
#
# Next: [04 · Linear and logistic regression](04_linear_and_logistic_regression.ipynb)
